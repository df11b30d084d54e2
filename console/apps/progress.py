"""How an application moves: what it had done at some moments, and how fast that is."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from msgspec import Struct

from console.apps.model import SparkApp

SPAN = 300.0
"""Seconds over which a rate is taken."""


class ProgressSample(Struct, frozen=True):
    """An application at one moment (epoch seconds). None is not known.

    Attributes:
        driver: pod of the driver with the time it was created: what is counted begins anew with another one.
    """

    at: float
    driver: str
    completed: int | None = None
    total: int | None = None
    executors: int = 0


def sample(app: SparkApp, at: float) -> ProgressSample:
    """The application as its tasks were counted last; `at` where they were not."""
    driver = f"{app.driver.pod} {app.driver.created}" if app.driver is not None else ""
    return ProgressSample(
        app.tasks_at or at, driver, app.tasks.get("completed"), app.tasks.get("total"), app.running_executors
    )


def rate(samples: Sequence[ProgressSample], over: float = SPAN) -> float | None:
    """Tasks completed in a second, over the last `over` seconds of the present driver; None where that is not known."""
    known = [s for s in samples if s.completed is not None and s.driver == samples[-1].driver]
    if not known:
        return None
    first = next(s for s in known if s.at >= known[-1].at - over)
    last = known[-1]
    if last.at <= first.at or first.completed is None or last.completed is None or last.completed < first.completed:
        return None
    return (last.completed - first.completed) / (last.at - first.at)


def rates(samples: Sequence[ProgressSample]) -> tuple[float, ...]:
    """Tasks completed in a second, between each two samples of the present driver at which they are known."""
    known = [s for s in samples if s.completed is not None and s.driver == samples[-1].driver]
    return tuple(
        max(0, (b.completed or 0) - (a.completed or 0)) / (b.at - a.at)
        for a, b in itertools.pairwise(known)
        if b.at > a.at
    )
