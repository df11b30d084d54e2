"""The memory of executors over time: asked once, in one query, and honest about what is not known."""

from __future__ import annotations

from typing import Any

from console.live.trends import MOST_PODS, SPAN, STEP, memory_trend
from console.sources.prometheus.readings import RangeReading, RangeSeries
from tests.runbook.boards import GI, NOW, app, executor


def asking(reading: RangeReading | None) -> tuple[Any, list[str]]:
    asked: list[str] = []

    async def ask(expr: str, start: float, end: float, step: float) -> RangeReading | None:
        asked.append(expr)
        assert (start, end, step) == (NOW - SPAN, NOW, STEP)
        return reading

    return ask, asked


async def test_the_highest_executor_is_followed_in_one_query_with_gaps_where_nothing_was_measured() -> None:
    points = ((NOW - 60, 2.0 * GI), (NOW, 3.9 * GI))
    ask, asked = asking(RangeReading("q", (RangeSeries("", {}, points),)))
    one = app(executors=(executor(1, created=NOW - 90, memory_limit=4 * GI), executor(2, created=NOW - 80)))
    trend = await memory_trend(one, ask, NOW)
    assert trend.state == "ready" and trend.limit == 4 * GI and (trend.pods, trend.known) == (2, 2)
    assert [value for _, value in trend.samples[-3:]] == [2.0 * GI, None, 3.9 * GI]
    assert len(trend.samples) == SPAN / STEP + 1
    (expr,) = asked
    assert 'pod=~"etl\\\\-orders\\\\-exec\\\\-2|etl\\\\-orders\\\\-exec\\\\-1"' in expr


async def test_what_cannot_be_told_says_why() -> None:
    ask, asked = asking(None)
    assert (await memory_trend(app(executors=()), ask, NOW)).detail == "no executor with a pod is known"
    assert asked == []
    assert "no Prometheus" in (await memory_trend(app(), ask, NOW)).detail
    ask, _ = asking(RangeReading("q", (), "failed", "timed out"))  # type: ignore[arg-type]
    assert (await memory_trend(app(), ask, NOW)).detail == "timed out"
    ask, _ = asking(RangeReading("q"))
    assert "container_memory_working_set_bytes" in (await memory_trend(app(), ask, NOW)).detail


async def test_of_many_executors_the_latest_are_asked_about_and_the_rest_is_counted() -> None:
    ask, asked = asking(RangeReading("q", (RangeSeries("", {}, ((NOW, GI),)),)))
    many = tuple(executor(n, created=NOW - 1000 + n) for n in range(MOST_PODS + 40))
    trend = await memory_trend(app(executors=many), ask, NOW)
    assert (trend.pods, trend.known) == (MOST_PODS, MOST_PODS + 40)
    assert "exec\\\\-99" in asked[0] and "exec\\\\-1|" not in asked[0]
