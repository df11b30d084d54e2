"""How each executor of an application ended, from everything that speaks of it: pod, driver's log, its own log, REST,
the operator's events. One `Victim` per executor that did not end normally; `kind` is a word of `Death`, and also
`heartbeat`, `native-crash`, `cuda`, `start-failed`, `uncaught`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from console.health import deaths
from console.health.evidence import of_hit, of_pod
from console.health.facts import Pod
from console.health.logs import Hit
from console.health.losses import Loss
from console.health.model import Death, Evidence

if TYPE_CHECKING:
    from console.health.case import Case

_TASK = re.compile(
    r"Lost task (\d+)\.(\d+) in stage (\d+)\.(\d+) \(TID \d+\) "
    r"(?:\(\S+ executor (?P<ex>\S+?)\)|on \S+, executor (?P<ex2>\S+?)):"
)
_KIND_OF_CODE = {
    52: "heap-oom",
    53: "disk-limit",
    56: "heartbeat",
    50: "uncaught",
    51: "uncaught",
    20: "cuda",
    134: "native-crash",
    139: "native-crash",
    143: "sigterm",
    137: "sigkill",
    126: "start-error",
    127: "start-error",
    128: "start-error",
    101: "start-error",
}
_SURE = frozenset({"container-oom", "python-oom", "heap-oom", "heartbeat", "cuda", "native-crash", "disk-limit"})
_REFINES: dict[str, frozenset[str]] = {
    "unknown": _SURE | {"sigterm", "sigkill", "deleted", "vanished", "node-lost", "start-error", "uncaught"},
    "normal": _SURE,
    "sigkill": _SURE | {"deleted", "vanished", "node-lost"},
    "sigterm": _SURE | {"deleted", "node-lost"},
    "deleted": _SURE - {"disk-limit"},
}
"""Kind by the pod → kinds by the driver that are believed instead."""
END_OF_LOG = 30.0
"""Seconds before a log's last record in which a SIGTERM without later work is taken for the application's own end."""


@dataclass(slots=True)
class Victim:
    """One executor that ended, and why, as far as it is known."""

    executor: str
    kind: str
    words: str
    at: float | None
    exit_code: int | None = None
    reason: str = ""
    pod: Pod | None = None
    attempt: int = 0
    app_id: str = ""
    current: bool = True
    node: str = ""
    evidence: list[Evidence] = field(default_factory=list)
    loss: Loss | None = None

    @property
    def name(self) -> str:
        return (
            self.pod.name
            if self.pod is not None
            else (self.loss.pod if self.loss is not None and self.loss.pod else "")
        )


@dataclass(frozen=True, slots=True)
class TaskLoss:
    """One task that a record of the driver says was lost."""

    index: int
    stage: int
    executor: str
    hit: Hit


def task_losses(case: Case, *wordings: str) -> list[TaskLoss]:
    """Tasks lost in records that hold one of the wordings."""
    out: list[TaskLoss] = []
    for hit in case.hits(*wordings, roles=("driver",)):
        found = _TASK.search(hit.record.message)
        if found is not None:
            executor = found["ex"] or found["ex2"] or ""
            out.append(TaskLoss(int(found.group(1)), int(found.group(3)), executor, hit))
    return out


def victims(case: Case) -> list[Victim]:
    """Every executor that did not end normally, the earliest first."""
    taken: set[str] = set()
    out: list[Victim] = []
    for pod in case.executors:
        victim = _of_pod(case, pod)
        loss = _loss_of(case, pod, victim)
        if loss is not None:
            taken.add(loss.executor)
            victim = _with_loss(case, pod, victim, loss)
        if victim is not None:
            out.append(victim)
    for loss in case.losses:
        if loss.executor not in taken:
            victim = _of_loss(case, loss)
            if victim is not None:
                out.append(victim)
    _own_words(case, out)
    out = [v for v in out if v.kind not in ("normal", "decommissioned")]
    out.sort(key=lambda v: (v.at or 0.0, v.executor))
    return out


def _of_pod(case: Case, pod: Pod) -> Victim | None:
    number, app_id, current = case.attempt_of(pod)
    member = next((m for m in case.app.executors if m.pod == pod.name and m.created == pod.created), None)
    killed: Death | None = member.death if member is not None else None
    if killed is None:
        return None
    kind = killed.kind
    end = deaths.ending(pod)[1]
    if kind == "unknown" and end is not None and end.exit_code in _KIND_OF_CODE:
        kind = _KIND_OF_CODE[end.exit_code]
    return Victim(
        executor=member.id if member is not None else "",
        kind=kind,
        words=killed.words,
        at=killed.at,
        exit_code=killed.exit_code,
        reason=killed.reason,
        pod=pod,
        attempt=number,
        app_id=app_id,
        current=current,
        node=pod.node,
        evidence=[of_pod(pod)] if kind != "normal" and (end is not None or pod.reason or pod.deleted) else [],
    )


def _loss_of(case: Case, pod: Pod, victim: Victim | None) -> Loss | None:
    """The driver's word about this executor: same id, and within the pod's life."""
    executor = pod.labels.get("spark-exec-id", "") or pod.name.rpartition("-exec-")[2]
    for loss in case.losses:
        if loss.pod and loss.pod != pod.name:
            continue
        if loss.executor != executor:
            continue
        if loss.at is not None and pod.created is not None and loss.at < pod.created - 5:
            continue
        if loss.at is not None and victim is not None and victim.at is not None and loss.at > victim.at + 900:
            continue
        same = [p for p in case.executors if p is not pod and (p.labels.get("spark-exec-id") or "") == executor]
        if (
            same
            and loss.at is not None
            and any((p.created or 0.0) > (pod.created or 0.0) and loss.at >= (p.created or 0.0) - 5 for p in same)
        ):
            continue
        return loss
    return None


def _with_loss(case: Case, pod: Pod, victim: Victim | None, loss: Loss) -> Victim | None:
    kind, words = _judge_loss(case, loss)
    if victim is None:
        if kind in ("normal", "decommissioned"):
            return None
        number, app_id, current = case.attempt_of(pod)
        victim = Victim(
            loss.executor, kind, words, loss.at, loss.exit_code, loss.reason, pod, number, app_id, current, pod.node
        )
    elif kind in _REFINES.get(victim.kind, frozenset()):
        victim.kind, victim.words = kind, words
        victim.exit_code = victim.exit_code if victim.exit_code is not None else loss.exit_code
        victim.reason = victim.reason or loss.reason
        victim.at = victim.at if victim.at is not None else loss.at
    victim.loss = loss
    if victim.kind != "normal":
        victim.evidence.append(loss.evidence)
    return victim


def _of_loss(case: Case, loss: Loss) -> Victim | None:
    kind, words = _judge_loss(case, loss)
    if kind in ("normal", "decommissioned"):
        return None
    attempt = case.app.attempt
    return Victim(
        loss.executor,
        kind,
        words,
        loss.at,
        loss.exit_code,
        loss.reason,
        attempt=attempt,
        app_id=case.app.app_id,
        node=loss.host,
        evidence=[loss.evidence],
        loss=loss,
    )


def _judge_loss(case: Case, loss: Loss) -> tuple[str, str]:
    low = loss.words.lower()
    code = loss.exit_code
    if code == 137 and loss.reason == "OOMKilled":
        return "container-oom", "OOMKilled: the container passed its memory limit"
    if loss.reason == "OOMKilled":
        return "python-oom", f"OOMKilled with exit code {code}: a child process was killed"
    if code == 52:
        return "heap-oom", "exit code 52: OutOfMemoryError in the JVM"
    if "decommission" in low:
        return "decommissioned", "decommissioned"
    if "killed by driver" in low:
        return "normal", "killed by the driver (scaled down)"
    if "deleted by a user or the framework" in low:
        return (
            ("normal", "deleted as the application stopped")
            if _at_the_end(case, loss)
            else (
                "deleted",
                "deleted by a user or the framework, not by Spark",
            )
        )
    if "heartbeat" in low:
        return "heartbeat", loss.words.splitlines()[0] if loss.words else "no heartbeats"
    if "not found in the cluster" in low or "not detected in the kubernetes cluster" in low:
        return "vanished", "its pod vanished without a word"
    if "worker lost" in low:
        return "node-lost", "the worker was lost"
    if code == 0:
        return "normal", "exit code 0"
    if code in (143, 1) and _at_the_end(case, loss):
        return "normal", f"exit code {code} as the application stopped"
    if code is None:
        return "unknown", loss.words.splitlines()[0] if loss.words else "lost without a reason"
    kind = _KIND_OF_CODE.get(code, "unknown")
    return kind, f"exit code {code}" + (f": {deaths.EXIT_WORDS[code]}" if code in deaths.EXIT_WORDS else "")


def _at_the_end(case: Case, loss: Loss) -> bool:
    """Whether the application was stopping already, or its log ends right there."""
    if loss.at is None:
        return False
    stopped = case.stopped_at
    if stopped is not None and loss.at >= stopped - 2:
        return True
    if case.app.ended is not None and loss.at >= case.app.ended - deaths.STOP_SLACK:
        return True
    ends = [at for t in case.texts_of("driver") if (at := t.last_time) is not None and at >= loss.at]
    last = min(ends, default=None)
    if case.pods or last is None or loss.at < last - END_OF_LOG:
        return False
    worked = case.hits("task-failed", "task-started", "stage-submitted", "fetch-failed", roles=("driver",))
    return not any(h.at is not None and h.at > loss.at for h in worked)


def _own_words(case: Case, found: list[Victim]) -> None:
    """What an executor's own log says of its end decides where codes do not."""
    heap: dict[str, Hit] = {}
    for hit in case.hits("heap", "gc-overhead", "array-size", "metaspace", "exit-on-oom", roles=("executor",)):
        if hit.record.logger in ("SparkUncaughtExceptionHandler", "Executor", "Utils", ""):
            heap.setdefault(executor_of(case, hit), hit)
    for victim in found:
        own = heap.get(victim.executor)
        if own is None:
            continue
        if victim.kind in ("unknown", "uncaught") or (victim.kind == "sigkill" and victim.pod is None):
            victim.kind, victim.words = "heap-oom", "OutOfMemoryError in its own log"
        if victim.kind == "heap-oom":
            victim.evidence.append(of_hit(own))


def executor_of(case: Case, hit: Hit) -> str:
    """The executor id of the log that a hit is in."""
    subject = hit.log.subject.removeprefix("Pod/")
    if "/" in subject:
        name = subject.split("/")[1]
        member = case.member_of.get(name)
        return member.id if member is not None else name.rpartition("-exec-")[2]
    return subject
