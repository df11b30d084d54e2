"""A report of lost time in words, the same for every face."""

from __future__ import annotations

import re
from collections.abc import Sequence

from console.base.units import human_duration
from console.timing.items import PathStep, Slow, TimeReport

SHOWN = 0.01
"""Share of the path below which a step is told with the other short ones."""
_FOLDERS = re.compile(r"(?<= at )\S*/(?=[^/]+$)")
_ORDER = ("cpu", "gc", "shuffle wait", "shuffle write", "start", "other")


def seconds(value: float) -> str:
    """`7.4s`, `47s`, `2m50s`, `6h14m`."""
    if value < 9.95:
        return f"{value:.1f}s"
    whole = round(value)
    return f"{whole}s" if whole < 60 else f"{whole // 60}m{whole % 60:02d}s" if whole < 3600 else human_duration(value)


def headline(report: TimeReport) -> str:
    """The run in one line."""
    whole = f"ran {seconds(report.span)}, " if report.span is not None else ""
    idle = f", {report.idle:.0%} of their time idle" if report.idle is not None else ""
    return f"{whole}jobs {seconds(report.jobs)} on {report.slots:.0f} slots{idle}"


def cost(item: Slow) -> str:
    """What an item costs: `7.4s (37%)`, or executors' time where it costs no wall time."""
    if item.paid:
        return f"no time; {human_duration(item.paid)} of slots ({item.share:.0%})"
    return f"{seconds(item.lost)} ({item.share:.0%})"


def split(step: PathStep) -> str:
    """What its tasks did, the most first: `62% cpu, 20% gc`."""
    parts = sorted(step.split.items(), key=lambda kv: (-kv[1], _ORDER.index(kv[0]) if kv[0] in _ORDER else 9))
    return ", ".join(f"{share:.0%} {word}" for word, share in parts[:3] if share >= 0.05)


def place(step: PathStep) -> str:
    """Which stage of which query a step is."""
    if step.stage is None:
        return "driver, no stage"
    query = f" · query {step.sql}" if step.sql is not None else ""
    return f"{step.stage[0]}.{step.stage[1]} {_FOLDERS.sub('', step.name)}{query}"


def shown(path: Sequence[PathStep], most: int) -> tuple[list[PathStep], int, float]:
    """(at most so many steps in order of time, how many short ones are left out, their seconds).

    Neighbours of the same call site are one step.
    """
    joined: list[PathStep] = []
    for step in path:
        last = joined[-1] if joined else None
        if last is not None and step.stage is None and last.stage is None:
            joined[-1] = PathStep(None, last.seconds + step.seconds, last.begun)
        else:
            joined.append(step)
    whole = sum(s.seconds for s in joined)
    keep = sorted(joined, key=lambda s: -s.seconds)[:most]
    keep = [s for s in keep if s.seconds >= SHOWN * whole]
    left = [s for s in joined if not any(s is k for k in keep)]
    return [s for s in joined if any(s is k for k in keep)], len(left), sum(s.seconds for s in left)
