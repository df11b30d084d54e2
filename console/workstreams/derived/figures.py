"""What follows from the rows of a feature, to stand beside what its header and the summary declare."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import Struct

from console.workstreams.model import Feature, Number, Unread, Workstream


class Derived(Struct, frozen=True):
    """Figures of one feature, or of all.

    Attributes:
        total: workstreams in rows that were understood; `unread` rows stand beside them, so `total` is then a lower
            bound and so is every other figure.
        begun, waiting: not completed, by their status word; `other` has a word that says neither.
        loc: sum of the LOC of the rows, `loc_missing` how many rows have none; `loc_about` where a `~` took part.
        scenarios: sum of the scenarios, `scenarios_missing` how many rows have none.
    """

    total: int = 0
    completed: int = 0
    begun: int = 0
    waiting: int = 0
    other: int = 0
    unread: int = 0
    loc: int = 0
    loc_missing: int = 0
    loc_about: bool = False
    scenarios: int = 0
    scenarios_missing: int = 0

    @property
    def open(self) -> int:
        """How many are not completed."""
        return self.total - self.completed

    @property
    def status(self) -> str:
        """What the rows say: `completed`, `in progress`, `backlog`, or `no rows`."""
        if not self.total:
            return "unread" if self.unread else "no rows"
        if self.completed == self.total and not self.unread:
            return "completed"
        return "in progress" if self.completed or self.begun else "backlog"

    @property
    def percent(self) -> int | None:
        """Completed per hundred, rounded down; None without rows."""
        return self.completed * 100 // self.total if self.total else None


def derive(feature: Feature, items: Sequence[Workstream]) -> Derived:
    """The figures of a feature, whose workstreams are `items`."""
    seen: set[str] = set()
    loc = loc_missing = scenarios = scenarios_missing = 0
    about = False
    for entry in feature.entries:
        if isinstance(entry, Unread) or seen.issuperset(entry.ids):
            continue
        seen.update(entry.ids)
        figure = entry.scope.loc if entry.scope else None
        loc += figure.value if figure else 0
        loc_missing += figure is None
        about = about or (figure is not None and figure.about)
        scenarios += entry.scenarios or 0
        scenarios_missing += entry.scenarios is None
    counted = count(items, len(feature.unread))
    return msgspec.structs.replace(
        counted,
        loc=loc,
        loc_missing=loc_missing,
        loc_about=about,
        scenarios=scenarios,
        scenarios_missing=scenarios_missing,
    )


def count(items: Sequence[Workstream], unread: int) -> Derived:
    """The figures of any workstreams, without sums."""
    completed = begun = waiting = other = 0
    for item in items:
        if item.completed:
            completed += 1
        elif item.status.progress == "begun":
            begun += 1
        elif item.status.progress == "waiting":
            waiting += 1
        else:
            other += 1
    return Derived(len(items), completed, begun, waiting, other, unread)


def agrees(declared: Number, derived: int, *, more: int = 0) -> bool:
    """Whether a declared count fits: exactly, or at least for `17+`.

    Args:
        more: by how much the derived count may really be larger, because of rows that were not understood.
    """
    if declared.at_least:
        return derived + more >= declared.value or more > 0
    if more:
        return declared.value >= derived
    return declared.value == derived
