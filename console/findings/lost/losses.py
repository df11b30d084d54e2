"""Executors that the driver lost, with the reason that its log, its REST API or the operator's events give."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from console.apps.evidence import of_event, of_hit, of_rest
from console.base.clock import parse_time
from console.facts.evidence import Evidence
from console.facts.logs import Hit
from console.facts.model import MAIN_CONTAINERS, Event
from console.facts.podnames import executor_of_name
from console.facts.rest import RestView, text
from console.findings.applogs import AppLogs

_LOST = re.compile(r"Lost executor (\S+) on (\S+?):?(?:\s|$)(.*)", re.DOTALL)
_FAILURE = re.compile(r"ExecutorLostFailure \(executor (\S+) (exited [^)]*|[^)]*)\) Reason: ?(.*)", re.DOTALL)
_EXIT = re.compile(r"exited with (?:exit )?code (-?\d+)")
_API_EXIT = re.compile(r"exit code: (-?\d+)|ContainerStateTerminated\([^)]{0,200}?exitCode=(-?\d+)")
_REASON = re.compile(
    r"termination reason: (\w+)|Reason: (OOMKilled|Error|Completed)\b|(?<![\w])reason=(OOMKilled|Error|Completed)\b"
)
_CONTAINER = re.compile(r"container name: (\S+)")
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
    """(exit code, Kubernetes' reason) of a text such as `removeReason`.

    Where it quotes several containers, those of Spark's own: Spark heads the text with any container's code.
    """
    quoted = _CONTAINER.split(words)
    if len(quoted) > 3:  # text before the first, then name and text of each
        own = [text for name, text in zip(quoted[1::2], quoted[2::2], strict=True) if name in MAIN_CONTAINERS]
        words = own[0] if own else words
    code = _EXIT.search(words) or _API_EXIT.search(words)
    reason = _REASON.search(words)
    number = next((g for g in code.groups() if g), None) if code is not None else None
    word = next((g for g in reason.groups() if g), "") if reason is not None else ""
    return (int(number) if number is not None else None), word


def losses(logs: AppLogs, rest: RestView, events: Iterable[Event], known_pods: Collection[str]) -> list[Loss]:
    """Every loss once per executor and source, in order of time: log first, then REST, then the operator's events.

    An executor that sent no heartbeat is given up first and killed then, so its exit code tells nothing. What the
    operator says of `known_pods`, whose own end is known, is no news.
    """
    silent = _silent(logs)
    out: dict[str, Loss] = {}
    for loss in (*_by_log(logs), *_by_rest(rest)):
        known = out.get(loss.executor)
        news = known is None or (known.exit_code is None and loss.exit_code is not None)
        if news and loss.executor not in silent:
            out[loss.executor] = loss
    for loss in _by_operator(events, known_pods):
        if loss.executor not in silent and (loss.executor not in out or not out[loss.executor].reason):
            out[loss.executor] = loss
    return sorted((*silent.values(), *out.values()), key=lambda loss: (loss.at or 0.0, loss.executor))


def _by_log(logs: AppLogs) -> Iterator[Loss]:
    for hit in logs.hits("lost-executor", "executor-lost-failure", roles=("driver",)):
        lost = hit.wording == "lost-executor"
        found = (_LOST if lost else _FAILURE).search(hit.record.body)
        if found is not None:
            yield _loss(hit, found.group(1), found.group(2).rstrip(":") if lost else "", (found.group(3) or "").strip())


def _loss(hit: Hit, executor: str, host: str, words: str) -> Loss:
    code, reason = parse(hit.record.body)
    shown = f"Lost executor {executor}" + (f" on {host}" if host else "") + f": {words}"
    unrelated = "unrelated to the running tasks" in hit.record.body
    return Loss(executor, code, reason, words, hit.at, of_hit(hit, shown), host=host, unrelated=unrelated)


def _by_rest(rest: RestView) -> Iterator[Loss]:
    origin = rest.origin("allexecutors", "executors")
    for key, row in rest.executors.items():
        words = text(row, "removeReason")
        if key == "driver" or not words:
            continue
        code, reason = parse(words)
        at = parse_time(text(row, "removeTime"))
        yield Loss(key, code, reason, words, at, of_rest(origin, f"executor {key} removeReason: {words}", at))


def _by_operator(events: Iterable[Event], known_pods: Collection[str]) -> Iterator[Loss]:
    for event in events:
        said = _OPERATOR.search(event.message) if event.reason == "SparkExecutorFailed" else None
        if said is None or said.group(1) in known_pods:
            continue
        pod, code, reason = said.group(1), int(said.group(2)), said.group(3)
        executor = executor_of_name(pod)
        yield Loss(executor, code, reason, event.message, event.last, of_event(event), pod=pod)


def _silent(logs: AppLogs) -> dict[str, Loss]:
    """Executors that the driver itself gave up because no heartbeat came, before any other word about their end."""
    ended = [
        (found.group(1), hit.at)
        for hit in logs.hits("lost-executor", roles=("driver",))
        if (found := _LOST.search(hit.record.body)) is not None and "heartbeat" not in hit.record.body
    ]
    out: dict[str, Loss] = {}
    for hit in logs.hits("heartbeat", roles=("driver",)):
        found = _SILENT.search(hit.record.message)
        if found is None:
            continue
        executor = found.group(1)
        before = any(one == executor and at is not None and hit.at is not None and at < hit.at for one, at in ended)
        if not before:
            out.setdefault(executor, Loss(executor, None, "", found.group(2), hit.at, of_hit(hit)))
    return out
