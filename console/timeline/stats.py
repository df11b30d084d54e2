"""Figures of the engine by runbook, from the journal: how often it is walked, how it ends, how long it takes. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from statistics import median

from msgspec import Struct

from console.runbook.walk import AnyEvent, Applied, Intent, Judged, Verified, Walk


class RunbookFigures(Struct, frozen=True, kw_only=True):
    """How one runbook did. Times are seconds (medians), None where no walk has such a moment; shares are 0-1.

    Attributes:
        runs: walks of it; `unfinished` those that have not ended.
        outcomes: how many ended so, by outcome.
        changed: walks that changed something; `rolled_back` those of them of which a change was taken back.
        escalations: how often somebody was called; `unanswered` those of which no answer was recorded in time.
        unknown: walks in which a check or a verification could not be told.
        first_action: from the beginning to the first change.
        verified: from the first change to the verification that it helped.
        took: from the beginning to the end.
        last: epoch seconds of the latest beginning; `last_good` of the latest walk that ended well.
    """

    runbook: str
    runs: int
    unfinished: int
    outcomes: dict[str, int]
    changed: int
    rolled_back: int
    unknown: int
    escalations: int
    unanswered: int
    first_action: float | None
    verified: float | None
    took: float | None
    last: float
    last_good: float | None

    @property
    def unknown_rate(self) -> float:
        return self.unknown / self.runs

    @property
    def rollback_rate(self) -> float | None:
        """Of the walks that changed something; None where none did."""
        return self.rolled_back / self.changed if self.changed else None


def figures(walks: Iterable[tuple[Walk, Sequence[AnyEvent]]]) -> tuple[RunbookFigures, ...]:
    """One for each runbook that was walked, in the order of their ids."""
    by_runbook: dict[str, list[tuple[Walk, Sequence[AnyEvent]]]] = {}
    for walk, events in walks:
        by_runbook.setdefault(walk.runbook, []).append((walk, events))
    return tuple(_of(runbook, found) for runbook, found in sorted(by_runbook.items()))


def _of(runbook: str, walks: Sequence[tuple[Walk, Sequence[AnyEvent]]]) -> RunbookFigures:
    all_of_them = [walk for walk, _ in walks]
    ended = [walk for walk in all_of_them if walk.ended is not None]
    good = [walk.started for walk in ended if walk.outcome in ("resolved", "mitigated") and not walk.recurred]
    return RunbookFigures(
        runbook=runbook,
        runs=len(walks),
        unfinished=len(walks) - len(ended),
        outcomes=dict(Counter(walk.outcome for walk in ended if walk.outcome is not None)),
        changed=sum(map(_changed, all_of_them)),
        rolled_back=sum(map(_rolled_back, all_of_them)),
        unknown=sum(any(map(_unknown, events)) for _, events in walks),
        escalations=sum(len(walk.escalations) for walk in all_of_them),
        unanswered=sum(one.answer == "late" for walk in all_of_them for one in walk.escalations),
        first_action=_median(first_action(walk, events) for walk, events in walks),
        verified=_median(verified(events) for _, events in walks),
        took=_median(walk.ended - walk.started for walk in ended if walk.ended is not None),
        last=max(walk.started for walk in all_of_them),
        last_good=max(good, default=None),
    )


def _changed(walk: Walk) -> bool:
    return any(not effect.inverse_of for effect in walk.writes)


def _rolled_back(walk: Walk) -> bool:
    return any(effect.inverse_of for effect in walk.writes)


def first_action(walk: Walk, events: Sequence[AnyEvent]) -> float | None:
    """Seconds from the beginning until a change left; None where none did."""
    left = next((e.at for e in events if isinstance(e, Intent) and e.effect.writes), None)
    return None if left is None else left - walk.started


def verified(events: Sequence[AnyEvent]) -> float | None:
    """Seconds from the first change that was made until a verification said that it helped; None where none did."""
    writes = {e.effect.id for e in events if isinstance(e, Intent) and e.effect.writes}
    made = next((e.at for e in events if isinstance(e, Applied) and e.ok and e.effect in writes), None)
    if made is None:
        return None
    proved = next((e.at for e in events if isinstance(e, Verified) and e.verdict == "effective" and e.at >= made), None)
    return None if proved is None else proved - made


def _unknown(event: AnyEvent) -> bool:
    if isinstance(event, Judged):
        return event.status == "unknown"
    return isinstance(event, Verified) and event.verdict == "unknown"


def _median(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None
