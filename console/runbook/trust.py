"""Whether what a verification asks can be believed now: evidence of a source that is late or stale is unknown. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from console.base.text import clean
from console.facts.model import SourceState
from console.runbook.model import Step

FIELDS = ("until", "progress", "rises", "completed", "fails", "worse")
DOUBTFUL = frozenset({"late", "stale", "unreachable", "login needed"})
"""States in which the last data still stands there, and may not be true any more."""
_READ_FROM: tuple[tuple[tuple[str, ...], frozenset[str]], ...] = (
    (("after.", "app.", "finding", "found", "before.", "components."), frozenset({"pods", "sparkapplications"})),
    (("recovery.", "slos", "query"), frozenset({"prometheus"})),
    (("walk.wrote",), frozenset()),
)
"""What an expression speaks of → the sources that it comes from; what speaks of none of them may come from any. Live
objects that a runbook names are read at each look."""


class Doubt(Struct, frozen=True):
    """Why what is seen does not count now, and until when it was known (epoch seconds; None: that is not known)."""

    because: str
    known_until: float | None = None


def asked(step: Step) -> str:
    """All that a verify step asks."""
    return " ".join(getattr(step, field) for field in FIELDS)


def doubt(step: Step, sources: Iterable[SourceState]) -> Doubt | None:
    """Why the evidence of a verify step cannot be believed now; None where it can."""
    text = asked(step)
    spoken = [names for words, names in _READ_FROM if any(word in text for word in words)]
    needed = frozenset().union(*(spoken or [names for _, names in _READ_FROM]))
    bad = [source for source in sources if source.name in needed and source.state in DOUBTFUL]
    if not bad:
        return None
    known = [at for source in bad if (at := source.last if source.last is not None else source.since) is not None]
    said = " and ".join(f"{source.name} {source.state}" for source in sorted(bad, key=lambda s: s.name))
    return Doubt(clean(said), min(known, default=None))
