"""Faults: a root cause with its consequences each, and which of them touch in time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct

from console.base.units import human_duration
from console.causes.traits import Trait
from console.findings.model import Finding

GAP = 900.0
"""Seconds between two faults that pass by themselves above which they are two incidents."""


class Fault(Struct):
    """A root cause with its consequences."""

    findings: tuple[Finding, ...]
    roots: tuple[Finding, ...]
    apps: frozenset[str]
    traits: tuple[Trait, ...]
    since: float | None
    until: float | None


def everybody(faults: Iterable[Fault]) -> frozenset[str]:
    """Keys of the applications of all faults."""
    return frozenset[str]().union(*(fault.apps for fault in faults))


def several(faults: Sequence[Fault]) -> bool:
    """Two applications at least, or one and something that is none."""
    return len(faults) > 1 and (len(everybody(faults)) > 1 or any(not fault.apps for fault in faults))


def runs_of(faults: Iterable[Fault], gap: float) -> list[list[Fault]]:
    """Faults whose times touch: apart by no more than `gap`. Those of no known time stand alone."""
    timed = sorted((fault for fault in faults if fault.since is not None), key=lambda fault: fault.since or 0.0)
    out: list[list[Fault]] = []
    end = float("-inf")
    for fault in timed:
        begin, until = fault.since or 0.0, fault.until or fault.since or 0.0
        if begin - end > gap:
            out.append([])
        out[-1].append(fault)
        end = max(end, until)
    return out


def when_begun(run: Sequence[Fault]) -> str:
    """How close together they began, in words."""
    times = [fault.since for fault in run if fault.since is not None]
    spread = max(times) - min(times) if times else 0.0
    return f"they began within {human_duration(spread)}" if spread >= 1 else "they began in the same second"
