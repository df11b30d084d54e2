"""Executors that the driver lost, with the reason that its log, its REST API or the operator's events give."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from console.base.clock import parse_time
from console.health.evidence import of_event, of_hit, of_rest
from console.health.model import Evidence
from console.health.restview import text

if TYPE_CHECKING:
    from console.health.case import Case

_LOST = re.compile(r"Lost executor (\S+) on (\S+?):?(?:\s|$)(.*)", re.DOTALL)
_FAILURE = re.compile(r"ExecutorLostFailure \(executor (\S+) (exited [^)]*|[^)]*)\) Reason: ?(.*)", re.DOTALL)
_EXIT = re.compile(r"exited with (?:exit )?code (-?\d+)")
_API_EXIT = re.compile(r"exit code: (-?\d+)|ContainerStateTerminated\([^)]{0,200}?exitCode=(-?\d+)")
_REASON = re.compile(
    r"termination reason: (\w+)|Reason: (OOMKilled|Error|Completed)\b|(?<![\w])reason=(OOMKilled|Error|Completed)\b"
)
_SILENT = re.compile(r"Removing executor (\S+) with (no recent heartbeats: .*)", re.DOTALL)
_OPERATOR = re.compile(r"Executor (\S+) failed with ExitCode: (-?\d+), Reason: (\w+)")


@dataclass(frozen=True, slots=True)
class Loss:
    """One executor that was lost. `reason` is Kubernetes' word where it was quoted (`OOMKilled`)."""

    executor: str
    exit_code: int | None
    reason: str
    words: str
    at: float | None
    evidence: Evidence
    pod: str = ""
    host: str = ""
    unrelated: bool = False
    """Spark says that the loss had nothing to do with the tasks: an infrastructure failure."""


def parse(words: str) -> tuple[int | None, str]:
    """(exit code, Kubernetes' reason) of a text such as `removeReason`."""
    code = _EXIT.search(words) or _API_EXIT.search(words)
    reason = _REASON.search(words)
    number = next((g for g in code.groups() if g), None) if code is not None else None
    word = next((g for g in reason.groups() if g), "") if reason is not None else ""
    return (int(number) if number is not None else None), word


def losses(case: Case) -> list[Loss]:
    """Every loss once per executor and source, in order of time: log first, then REST, then the operator's events.

    An executor that sent no heartbeat is given up first and killed then, so its exit code tells nothing.
    """
    silent = _silent(case)
    out: dict[str, Loss] = {}
    for hit in case.hits("lost-executor", "executor-lost-failure", roles=("driver",)):
        found = _LOST.search(hit.record.body) if hit.wording == "lost-executor" else _FAILURE.search(hit.record.body)
        if found is None:
            continue
        lost = hit.wording == "lost-executor"
        executor = found.group(1)
        words = (found.group(3) or "").strip()
        code, reason = parse(hit.record.body)
        host = found.group(2).rstrip(":") if lost else ""
        if executor in silent:
            continue
        known = out.get(executor)
        unrelated = "unrelated to the running tasks" in hit.record.body
        if known is None or (known.exit_code is None and code is not None):
            shown = f"Lost executor {executor}" + (f" on {host}" if host else "") + f": {words}"
            out[executor] = Loss(
                executor, code, reason, words, hit.at, of_hit(hit, shown), host=host, unrelated=unrelated
            )
    origin = case.rest.origin("allexecutors", "executors")
    for key, row in case.rest.executors.items():
        words = text(row, "removeReason")
        if key == "driver" or not words or key in silent:
            continue
        known = out.get(key)
        code, reason = parse(words)
        if known is None or (known.exit_code is None and code is not None):
            at = parse_time(text(row, "removeTime"))
            out[key] = Loss(key, code, reason, words, at, of_rest(origin, f"executor {key} removeReason: {words}", at))
    found_pods = {m.pod for m in case.app.executors if m.death is not None}
    for event in case.events:
        if event.reason != "SparkExecutorFailed":
            continue
        said = _OPERATOR.search(event.message)
        if said is None or said.group(1) in found_pods:
            continue
        pod, code, reason = said.group(1), int(said.group(2)), said.group(3)
        executor = pod.rpartition("-exec-")[2]
        if executor in silent:
            continue
        if executor not in out or not out[executor].reason:
            out[executor] = Loss(executor, code, reason, event.message, event.last, of_event(event), pod=pod)
    return sorted((*silent.values(), *out.values()), key=lambda loss: (loss.at or 0.0, loss.executor))


def _silent(case: Case) -> dict[str, Loss]:
    """Executors that the driver itself gave up because no heartbeat came, before any other word about their end."""
    ended = [
        (found.group(1), hit.at)
        for hit in case.hits("lost-executor", roles=("driver",))
        if (found := _LOST.search(hit.record.body)) is not None and "heartbeat" not in hit.record.body
    ]
    out: dict[str, Loss] = {}
    for hit in case.hits("heartbeat", roles=("driver",)):
        found = _SILENT.search(hit.record.message)
        if found is None:
            continue
        executor = found.group(1)
        before = any(one == executor and at is not None and hit.at is not None and at < hit.at for one, at in ended)
        if not before:
            out.setdefault(executor, Loss(executor, None, "", found.group(2), hit.at, of_hit(hit)))
    return out
