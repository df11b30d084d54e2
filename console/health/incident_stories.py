"""Stories: a root cause with its consequences each, and which of them touch in time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct

from console.base.units import human_duration
from console.health.model import Finding
from console.health.traits import Trait

GAP = 900.0
"""Seconds between two faults that pass by themselves above which they are two incidents."""


class Story(Struct):
    """A root cause with its consequences."""

    findings: tuple[Finding, ...]
    roots: tuple[Finding, ...]
    apps: frozenset[str]
    traits: tuple[Trait, ...]
    since: float | None
    until: float | None


def several(stories: Sequence[Story]) -> bool:
    """Two applications at least, or one and something that is none."""
    everybody = frozenset[str]().union(*(s.apps for s in stories))
    return len(stories) > 1 and (len(everybody) > 1 or any(not s.apps for s in stories))


def runs_of(stories: Iterable[Story], gap: float) -> list[list[Story]]:
    """Stories whose times touch: apart by no more than `gap`. Those of no known time stand alone."""
    timed = sorted((s for s in stories if s.since is not None), key=lambda s: s.since or 0.0)
    out: list[list[Story]] = []
    end = float("-inf")
    for story in timed:
        begin, until = story.since or 0.0, story.until or story.since or 0.0
        if begin - end > gap:
            out.append([])
            end = until
        out[-1].append(story)
        end = max(end, until)
    return out


def when_begun(run: Sequence[Story]) -> str:
    """How close together they began, in words."""
    times = [s.since for s in run if s.since is not None]
    spread = max(times) - min(times) if times else 0.0
    return f"they began within {human_duration(spread)}" if spread >= 1 else "they began in the same second"
