"""Which change of an application ended what ran: as the cluster tells it, to whoever looks."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass

from msgspec import structs

from console.apps import deaths
from console.apps.evidence import of_event, of_workload
from console.apps.model import Attempt
from console.base.clock import moment
from console.base.text import clean, shorten
from console.facts.evidence import Evidence
from console.facts.model import Event, Pod, Workload
from console.findings.lost.victims import Victim

FROM_OUTSIDE = frozenset({"deleted", "sigterm", "sigkill", "vanished", "drained", "evicted", "unknown"})
"""Kinds of ends that a change can be the cause of. No change fills a heap."""
RESTART = 300.0
"""Seconds after a change within which it ends what ran until then, where no new attempt shows when that was over."""
CONSOLE = "console-oncall"
"""The field manager that Console writes as."""
_STAMP = "console.oncall/effect"
_TOLD = frozenset({"ConsoleChange", "ConsoleRollback"})
_OPERATORS = frozenset({"spark-operator", "spark-kubernetes-operator"})
_ANEW = frozenset({"INVALIDATING", "PENDING_RERUN"})
"""States in which an operator ends an application to begin it anew."""
_SAME = 10.0
"""Seconds between a write by Console and its event."""


@dataclass(frozen=True, slots=True)
class AppChange:
    """A change of an application, or of one `pod` of it. `ours`: Console made it."""

    at: float
    words: str
    evidence: Evidence
    ours: bool = True
    pod: str = ""


class AppChanges:
    """Changes of an application that ended what ran: by Console, as its events, its stamp and its field manager say;
    by others, as their field managers say, where the application was begun anew after them.

    Args:
        events: those of the application and its pods.
        attempts: those of the application, the first one first.
        made: the object that is changed where somebody changes the application.
        state: of the application.
    """

    def __init__(
        self, events: Iterable[Event], attempts: Sequence[Attempt], made: Workload | None = None, state: str = ""
    ) -> None:
        self._starts = [a.started for a in attempts if a.started is not None]
        self._anew = state in _ANEW
        told = [_told(e, e.last) for e in events if e.reason in _TOLD and e.last is not None]
        self._all = [*told, *(c for c in _written(made) if not _tells(told, c))]

    def ended(self, victim: Victim) -> bool:
        """Whether one of them ended this executor: its own pod was changed, or all that ran before it was restarted."""
        return self.cause_of(victim.kind, victim.at, victim.pod) is not None

    def cause_of(self, kind: str, at: float | None, pod: Pod | None) -> AppChange | None:
        """The change that ended what was ended so, then."""
        if kind not in FROM_OUTSIDE or at is None:
            return None
        return next((change for change in self._all if self._ends(change, at, pod)), None)

    def _ends(self, change: AppChange, at: float, pod: Pod | None) -> bool:
        if change.pod:
            return pod is not None and change.pod == pod.key and at >= change.at - 2
        if pod is not None and pod.created is not None and pod.created >= change.at:
            return False
        anew = next((started for started in self._starts if started >= change.at), None)
        if not change.ours and not self._anew and (anew is None or anew > change.at + RESTART):
            return False
        return change.at - 2 <= at <= (change.at + RESTART if anew is None else anew + deaths.STOP_SLACK)


def _told(event: Event, at: float) -> AppChange:
    return AppChange(at, event.message, of_event(event), pod=event.about if event.kind == "Pod" else "")


def _written(made: Workload | None) -> Iterator[AppChange]:
    """What somebody wrote to the object after it was created, by its field managers."""
    for manager, at in made.writers if made is not None else ():
        if made is None or manager in _OPERATORS or (made.created is not None and at <= made.created + 2):
            continue
        ours = manager == CONSOLE
        effect = f" ({clean(shorten(made.annotations[_STAMP], 60))})" if ours and _STAMP in made.annotations else ""
        who = f"Console{effect}" if ours else clean(shorten(manager, 60))
        words = f"{made.kind} {made.namespace}/{made.name} was changed by {who}, {moment(at)}"
        seen = structs.replace(of_workload(made, f"managedFields: {manager}, {moment(at)}"), at=at)
        yield AppChange(at, words, seen, ours)


def _tells(told: Sequence[AppChange], change: AppChange) -> bool:
    """Whether an event of Console tells the same change, in its own words."""
    return change.ours and any(not one.pod and abs(one.at - change.at) <= _SAME for one in told)


_DRIVER_ENDED = frozenset({"SparkDriverFailed", "SparkApplicationFailed", "SparkApplicationPendingRerun"})
_WITH_ITS_DRIVER, _BEGUN_ANEW = 30.0, 60.0
"""Seconds between the end of an executor and the event that its driver failed, or the start of the next driver."""


def came_too_late(victim: Victim, said: Container[str]) -> bool:
    """Whether an executor gave up because the driver had no scheduler any more; `said`: whose logs say so."""
    return victim.exit_code == 1 and victim.pod is not None and victim.pod.key in said


def with_its_driver(victim: Victim, events: Iterable[Event], attempts: Sequence[Attempt]) -> bool:
    """Whether an executor that left nothing but its exit code was stopped with the driver of a former attempt: the
    operator then tells of the driver, or begins the application anew. That is no loss while the application ran."""
    at = victim.at
    if victim.kind != "sigterm" or victim.pod is not None or at is None:
        return False
    told = (t for e in events if e.reason in _DRIVER_ENDED for t in (e.first, e.last) if t is not None)
    anew = (a.started - at for a in attempts if a.started is not None)
    return any(abs(t - at) <= _WITH_ITS_DRIVER for t in told) or any(0 <= gap <= _BEGUN_ANEW for gap in anew)
