"""One GPU or MIG instance of which an exporter speaks: use, memory, idleness, state."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from console.gpu.asks import BUSY_ABOVE
from console.gpu.model import Gpu, GpuState, Holder, Slice
from console.gpu.names import USE
from console.gpu.read import Entity, Told

IDLE_AFTER = 300.0
"""Seconds without work after which a held GPU is shown as idle."""


def flag(value: float | None) -> bool | None:
    """Whether a counter says yes; None where it says nothing."""
    return None if value is None else value > 0


def use_of(entity: Entity) -> float | None:
    """Utilisation as a ratio, by the surest series that there is; None without any."""
    return next((entity.values[f] for f in USE if f in entity.values), None)


def memory_of(entity: Entity) -> tuple[float | None, float | None]:
    """(used, total) frame buffer in bytes."""
    used, free = entity.values.get("fb_used"), entity.values.get("fb_free")
    total = entity.values.get("fb_total")
    if total is None and used is not None and free is not None:
        total = used + free + entity.values.get("fb_reserved", 0.0)
    return used, total


def idle_of(entity: Entity, told: Told) -> tuple[float | None, bool, float | None]:
    """(since when it has done nothing, whether that is only a bound, share of that time with data)."""
    past, use = entity.past, use_of(entity)
    if use is None or use > BUSY_ABOVE or past.first is None or past.count is None:
        return None, False, None
    if (entity.instances or {""}) & told.doubtful and "engine" not in entity.values and past.most == 1:
        return None, False, None
    end = past.at if past.at is not None else entity.at
    if end is None:
        return None, False, None
    covered = min(1.0, past.count * past.step / max(past.step, end - past.first + past.step))
    return (past.busy, False, covered) if past.busy is not None else (past.first, True, covered)


class Idleness(Struct, frozen=True):
    """How long cells that one holder has are idle, all of them.

    Attributes:
        since: when the last of them became idle; `bound`: at least since then.
        seconds: GPU seconds so far, at least.
        covered: share of that time with data, of the one of which least is known.
    """

    since: float
    bound: bool
    seconds: float
    covered: float


def idleness(cells: Sequence[Gpu | Slice], now: float) -> Idleness:
    """Of cells that are idle, at least one."""
    return Idleness(
        since=max(c.idle_since or 0.0 for c in cells),
        bound=any(c.idle_bound for c in cells),
        seconds=sum(now - (c.idle_since or now) for c in cells),
        covered=min(c.covered or 0.0 for c in cells),
    )


def state_of(holder: Holder | None, free: bool, use: float | None, idle_since: float | None, now: float) -> GpuState:
    """State from who holds it and what it does, where nothing is faulty."""
    if use is not None and use > BUSY_ABOVE:
        return "busy"
    if holder is not None:
        if use is None:
            return "held"
        return "idle" if idle_since is None or now - idle_since >= IDLE_AFTER else "busy"
    return "free" if free else "unknown"


def worst_state(states: list[GpuState]) -> GpuState:
    """The state to show for a GPU by those of its instances."""
    order: tuple[GpuState, ...] = ("idle", "busy", "held", "unknown", "free")
    return min(states, key=order.index, default="unknown")
