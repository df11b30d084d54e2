"""How the memory of an application's executors went, out of Prometheus: what a single sample cannot show."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from console.apps.model import SparkApp

if TYPE_CHECKING:
    from console.sources.prometheus.readings import RangeReading

SPAN, STEP = 1800.0, 30.0
MOST_PODS = 60
"""Executors that are asked about: the latest ones."""
AskRange = Callable[[str, float, float, float], Awaitable["RangeReading | None"]]


class MemoryTrend(Struct, frozen=True):
    """The highest working set of the executors at each moment.

    Attributes:
        samples: (epoch seconds, bytes), every `STEP` seconds; bytes are None where nothing was measured.
        pods: how many executors were asked about, of `known`.
        detail: why there is nothing, or `` .
    """

    state: Literal["ready", "no data"]
    samples: tuple[tuple[float, float | None], ...] = ()
    limit: float | None = None
    pods: int = 0
    known: int = 0
    detail: str = ""


async def memory_trend(app: SparkApp, ask: AskRange, now: float) -> MemoryTrend:
    """The memory of the executors of `app` over the last half hour."""
    newest = sorted((m for m in app.executors if m.pod), key=lambda m: -(m.created or 0.0))
    asked = newest[:MOST_PODS]
    limit = max((m.memory_limit for m in asked if m.memory_limit), default=None)
    if not asked:
        return MemoryTrend("no data", limit=limit, detail="no executor with a pod is known")
    pods = "|".join(re.escape(m.pod) for m in asked).replace("\\", "\\\\")
    expr = (
        f'max(container_memory_working_set_bytes{{namespace="{app.namespace}",pod=~"{pods}",container!="",'
        f'container!="POD"}})'
    )
    reading = await ask(expr, now - SPAN, now, STEP)
    counted = {"limit": limit, "pods": len(asked), "known": len(newest)}
    if reading is None:
        return MemoryTrend("no data", detail="no Prometheus is known here", **counted)  # type: ignore[arg-type]
    if reading.state not in ("ok", "partial"):
        return MemoryTrend("no data", detail=reading.detail or reading.state, **counted)  # type: ignore[arg-type]
    found = {round((at - now) / STEP): value for series in reading.series for at, value in series.points}
    if not found:
        why = "Prometheus has no container_memory_working_set_bytes of its executors"
        return MemoryTrend("no data", detail=why, **counted)  # type: ignore[arg-type]
    places = range(-round(SPAN / STEP), 1)
    samples = tuple((now + place * STEP, found.get(place)) for place in places)
    return MemoryTrend("ready", samples, **counted)  # type: ignore[arg-type]
