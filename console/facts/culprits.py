"""Which facts break work over all of them: those are set aside, and the work is done with the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from msgspec.structs import replace

from console.facts.model import Alert, Event, Facts, Log, Node, Pod, RestDocument, Sample, Workload
from console.facts.notjudged import Isolation, NotJudged, not_judged

T = TypeVar("T")
Fact = Pod | Node | Event | Workload | Log | RestDocument | Sample | Alert
KINDS = ("pods", "nodes", "spark", "workloads", "events", "logs", "rest", "samples", "alerts")
"""Parts of `Facts` that hold facts one by one. What only tells of others stands behind them, and is blamed first."""
MOST_ASIDE = 20
"""Facts that may be set aside before the work as a whole counts as failed."""


class Aside:
    """Facts that broke one kind of work, remembered for as long as they are the very same objects."""

    def __init__(self) -> None:
        self._held: dict[int, tuple[Fact, NotJudged]] = {}

    def work(self, work: Callable[[Facts], T], facts: Facts, isolation: Isolation, part: str) -> T:
        """What `work` gives of all facts that it can work with. Those that it cannot are noted.

        Raises:
            Exception: it fails whatever is set aside.
        """
        self._forget(facts)
        for _ in range(MOST_ASIDE):
            rest = _without(facts, self._held)
            try:
                done = work(rest)
            except Exception as error:
                self._blame(work, rest, error, part)
            else:
                isolation.keep(*(failed for _, failed in self._held.values()))
                return done
        return work(facts)

    def _blame(self, work: Callable[[Facts], T], facts: Facts, error: Exception, part: str) -> None:
        """The last fact of the shortest beginning of all facts that fails is the one; by halving, so few tries do."""
        items = _flat(facts)
        sound, broken = 0, len(items)
        if broken == 0 or _failure(work, _only(facts, ())) is not None:
            raise error
        while broken - sound > 1:
            middle = (sound + broken) // 2
            failure = _failure(work, _only(facts, items[:middle]))
            if failure is None:
                sound = middle
            else:
                broken, error = middle, failure
        fact = items[broken - 1][1]
        self._held[id(fact)] = (fact, not_judged(name_of(fact), part, error))

    def _forget(self, facts: Facts) -> None:
        if self._held:
            alive = {id(fact) for _, fact in _flat(facts)}
            self._held = {key: held for key, held in self._held.items() if key in alive}


def _flat(facts: Facts) -> list[tuple[str, Fact]]:
    return [(kind, fact) for kind in KINDS for fact in getattr(facts, kind)]


def _without(facts: Facts, aside: dict[int, tuple[Fact, NotJudged]]) -> Facts:
    if not aside:
        return facts
    return _only(facts, [(kind, fact) for kind, fact in _flat(facts) if id(fact) not in aside])


def _only(facts: Facts, items: Iterable[tuple[str, Fact]]) -> Facts:
    parts: dict[str, list[Fact]] = {kind: [] for kind in KINDS}
    for kind, fact in items:
        parts[kind].append(fact)
    return replace(facts, **{kind: tuple(part) for kind, part in parts.items()})


def _failure(work: Callable[[Facts], T], facts: Facts) -> Exception | None:
    try:
        work(facts)
    except Exception as error:
        return error
    return None


def name_of(fact: Fact) -> str:
    """`kind/namespace/name` of an object, else where it was read."""
    if isinstance(fact, Pod | Workload):
        return fact.key
    if isinstance(fact, Node):
        return f"Node//{fact.name}"
    if isinstance(fact, Event):
        return fact.about
    if isinstance(fact, Log):
        return fact.subject or fact.origin.locator
    return fact.origin.locator
