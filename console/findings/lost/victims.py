"""How each executor of an application ended, from everything that speaks of it: pod, driver's log, its own log, REST,
the operator's events. One `Victim` per executor that did not end normally; `kind` is a word of `Death`, and also
`heartbeat`, `native-crash`, `cuda`, `start-failed`, `uncaught`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from console.apps import deaths
from console.apps.attempts import attempt_of
from console.apps.evidence import of_hit, of_pod
from console.apps.model import HARMLESS, Death, SparkApp
from console.facts.evidence import Evidence
from console.facts.logs import Hit
from console.facts.model import Pod
from console.facts.podnames import executor_of_name, executor_of_pod
from console.findings.applogs import AppLogs
from console.findings.lost.loss_kind import KIND_OF_CODE, kind_of
from console.findings.lost.losses import Loss
from console.findings.stop import Stop

_TASK = re.compile(
    r"Lost task (\d+)\.(\d+) in stage (\d+)\.(\d+) \(TID \d+\) "
    r"(?:\(\S+ executor (?P<ex>\S+?)\)|on \S+, executor (?P<ex2>\S+?)):"
)
_SURE = frozenset({"container-oom", "python-oom", "heap-oom", "heartbeat", "cuda", "native-crash", "disk-limit"})
_REFINES: dict[str, frozenset[str]] = {
    "unknown": _SURE | {"sigterm", "sigkill", "deleted", "vanished", "node-lost", "start-error", "uncaught"},
    "normal": _SURE,
    "sigkill": _SURE | {"deleted", "vanished", "node-lost"},
    "sigterm": _SURE | {"deleted", "node-lost"},
    "deleted": _SURE - {"disk-limit"},
    "evicted": frozenset({"disk-limit"}),
}
"""Kind by the pod → kinds by the driver that are believed instead."""


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


def count_of(victims: Sequence[Victim]) -> str:
    """`executor 3`, or how many."""
    return (
        f"executor {victims[0].executor}" if len(victims) == 1 and victims[0].executor else f"{len(victims)} executors"
    )


def nodes_of(victims: Iterable[Victim]) -> tuple[str, ...]:
    """Names of the nodes that they ran on, as far as they are known."""
    return tuple(sorted({v.node for v in victims if v.node}))


@dataclass(frozen=True, slots=True)
class TaskLoss:
    """One task that a record of the driver says was lost."""

    index: int
    stage: int
    executor: str
    hit: Hit


def task_losses(logs: AppLogs, *wordings: str) -> list[TaskLoss]:
    """Tasks lost in records of the driver that hold one of the wordings."""
    out: list[TaskLoss] = []
    for hit in logs.hits(*wordings, roles=("driver",)):
        found = _TASK.search(hit.record.message)
        if found is not None:
            executor = found["ex"] or found["ex2"] or ""
            out.append(TaskLoss(int(found.group(1)), int(found.group(3)), executor, hit))
    return out


def victims(app: SparkApp, pods: Sequence[Pod], logs: AppLogs, losses: Sequence[Loss], stop: Stop) -> list[Victim]:
    """Every executor that did not end normally, the earliest first. `pods` are those of executors."""
    taken: set[str] = set()
    out: list[Victim] = []
    for pod in pods:
        victim = _of_pod(app, pod)
        loss = _loss_of(pod, victim, losses, pods)
        if loss is not None:
            taken.add(loss.executor)
            victim = _with_loss(app, pod, victim, loss, stop)
        if victim is not None:
            out.append(victim)
    for loss in losses:
        if loss.executor not in taken:
            victim = _of_loss(app, loss, stop)
            if victim is not None:
                out.append(victim)
    _own_words(app, logs, out)
    out = [v for v in out if v.kind not in HARMLESS]
    out.sort(key=lambda v: (v.at or 0.0, v.executor))
    return out


def _of_pod(app: SparkApp, pod: Pod) -> Victim | None:
    """What the pod itself says of its end."""
    member = next((m for m in app.executors if m.pod == pod.name and m.created == pod.created), None)
    killed: Death | None = member.death if member is not None else None
    if member is None or killed is None:
        return None
    number, app_id, current = attempt_of(app, pod)
    kind = killed.kind
    end = deaths.ending(pod)[1]
    if kind == "unknown" and end is not None and end.exit_code in KIND_OF_CODE:
        kind = KIND_OF_CODE[end.exit_code]
    return Victim(
        executor=member.id,
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


def _loss_of(pod: Pod, victim: Victim | None, losses: Iterable[Loss], pods: Iterable[Pod]) -> Loss | None:
    """The driver's word about this executor: same id, and within the pod's life."""
    executor = executor_of_pod(pod)
    named = [loss for loss in losses if loss.executor == executor and loss.pod in ("", pod.name)]
    if not named:
        return None
    died = victim.at if victim is not None else None
    later = _born_after(pod, executor, pods)
    return next((loss for loss in named if _within(loss.at, pod.created, died, later)), None)


def _born_after(pod: Pod, executor: str, pods: Iterable[Pod]) -> list[float]:
    """When later pods of the same executor id were created."""
    same = (other for other in pods if other is not pod and executor_of_pod(other) == executor)
    return [created for other in same if (created := other.created or 0.0) > (pod.created or 0.0)]


def _within(at: float | None, created: float | None, died: float | None, later: Iterable[float]) -> bool:
    """Whether a word at this time can be about a pod of these times, and not about a `later` one of the same id."""
    if at is None:
        return True
    if created is not None and at < created - 5:
        return False
    if died is not None and at > died + 900:
        return False
    return not any(at >= born - 5 for born in later)


def _with_loss(app: SparkApp, pod: Pod, victim: Victim | None, loss: Loss, stop: Stop) -> Victim | None:
    kind, words = kind_of(loss, stop)
    if victim is None:
        if kind in HARMLESS:
            return None
        number, app_id, current = attempt_of(app, pod)
        victim = Victim(
            loss.executor, kind, words, loss.at, loss.exit_code, loss.reason, pod, number, app_id, current, pod.node
        )
    elif kind in _REFINES.get(victim.kind, frozenset()):
        victim.kind, victim.words = kind, words
        victim.exit_code = victim.exit_code if victim.exit_code is not None else loss.exit_code
        victim.reason = victim.reason or loss.reason
        victim.at = victim.at if victim.at is not None else loss.at
    elif kind == victim.kind and victim.words == deaths.UNSAID_EVICTION:
        victim.words = words
    victim.loss = loss
    if victim.kind != "normal":
        victim.evidence.append(loss.evidence)
    return victim


def _of_loss(app: SparkApp, loss: Loss, stop: Stop) -> Victim | None:
    kind, words = kind_of(loss, stop)
    if kind in HARMLESS:
        return None
    attempt, app_id, current = _at_the_time(app, loss.at)
    return Victim(
        loss.executor,
        kind,
        words,
        loss.at,
        loss.exit_code,
        loss.reason,
        attempt=attempt,
        app_id=app_id,
        current=current,
        node=loss.host,
        evidence=[loss.evidence],
        loss=loss,
    )


def _at_the_time(app: SparkApp, at: float | None) -> tuple[int, str, bool]:
    """(number, application id, whether it is the present one) of the attempt that ran at a time.

    The log of a driver that is gone speaks of its own attempt; what cannot be placed is of the present one.
    """
    for attempt in reversed(app.attempts):
        if at is None or attempt.started is None or at >= attempt.started:
            return attempt.number, attempt.app_id or app.app_id, attempt.number == app.attempt
    return app.attempt, app.app_id, True


def _own_words(app: SparkApp, logs: AppLogs, found: Iterable[Victim]) -> None:
    """What an executor's own log says of its end decides where codes do not."""
    heap: dict[str, Hit] = {}
    for hit in logs.hits("heap", "gc-overhead", "array-size", "metaspace", "exit-on-oom", roles=("executor",)):
        if hit.record.logger in ("SparkUncaughtExceptionHandler", "Executor", "Utils", ""):
            heap.setdefault(executor_of(app, hit), hit)
    for victim in found:
        own = heap.get(victim.executor)
        if own is None:
            continue
        if victim.kind in ("unknown", "uncaught") or (victim.kind == "sigkill" and victim.pod is None):
            victim.kind, victim.words = "heap-oom", "OutOfMemoryError in its own log"
        if victim.kind == "heap-oom":
            victim.evidence.append(of_hit(own))


def executor_of(app: SparkApp, hit: Hit) -> str:
    """The executor id of the log that a hit is in: of several pods of one name, the newest one's."""
    subject = hit.log.subject.removeprefix("Pod/")
    if "/" not in subject:
        return subject
    name = subject.split("/")[1]
    member = next((m for m in reversed(app.executors) if m.pod == name), None)
    return member.id if member is not None else executor_of_name(name)
