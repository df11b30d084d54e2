"""What a stage would have taken had its tasks been different: its tasks played again on its slots, in their order."""

from __future__ import annotations

import heapq
from collections.abc import Sequence


def makespan(durations: Sequence[float], slots: int, ready: Sequence[float] = ()) -> float:
    """Seconds until the last task ends when each next one takes the slot that is free first.

    Args:
        durations: seconds of each task, in order of launch.
        slots: how many run at once.
        ready: seconds from the stage's start at which slots come that are not there at once; they are among `slots`.
    """
    late = sorted(max(0.0, r) for r in ready)[-slots:] if ready else []
    free = [0.0] * max(0, slots - len(late)) + late
    if not free:
        return 0.0
    heapq.heapify(free)
    end = 0.0
    for seconds in durations:
        until = heapq.heappop(free) + max(0.0, seconds)
        end = max(end, until)
        heapq.heappush(free, until)
    return end


def gained(durations: Sequence[float], without: Sequence[float], slots: int) -> float:
    """Seconds of wall time that a stage is shorter with the durations `without` a cause."""
    return max(0.0, makespan(durations, slots) - makespan(without, slots))
