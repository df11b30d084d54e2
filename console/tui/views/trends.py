"""How an application moves: tasks and their rate, memory against its limit, as small curves."""

from __future__ import annotations

from console.apps.model import SparkApp
from console.apps.progress import rate, rates
from console.live.shown import aged, memory_seen
from console.live.situation import Focus, Situation
from console.tui.lines import Line, Role, Span, bar, cut, line, span, spark

CURVE, BAR = 24, 12
TIGHT = 0.9
"""Share of the limit from which the memory is shown as a warning."""


def lines(situation: Situation, app: SparkApp, focus: Focus, width: int) -> list[Line]:
    """At most two lines: what it has done, and what it takes."""
    made = [_tasks(situation, app), _memory(situation, focus, app)]
    return [cut(one, width) for one in made if one is not None]


def _tasks(situation: Situation, app: SparkApp) -> Line | None:
    completed, total = app.tasks.get("completed"), app.tasks.get("total")
    if completed is None or not app.live:
        return None
    samples = situation.history.get(app.key, ())
    speed = rate(samples) if samples else None
    parts = [Span(" tasks   ", "head"), span(f"{completed}" + (f" of {total}" if total else ""))]
    if total:
        parts += [Span("  "), *bar(completed / total, BAR)]
    if failed := app.tasks.get("failed"):
        parts.append(span(f"  {failed} failed", "warn"))
    if old := aged(situation.board, app.tasks_at):
        parts.append(span(old, "warn"))
    parts.append(span("  rate not known yet" if speed is None else f"  {speed * 60:.0f} a minute", "dim"))
    if moved := rates(samples) if samples else ():
        parts += [Span("  "), Span(spark(moved, CURVE), "info")]
    return line(*parts)


def _memory(situation: Situation, focus: Focus, app: SparkApp) -> Line | None:
    trend = focus.memory
    if trend is None or focus.on.app != app.key:
        return None
    first = Span(" seen    ", "head")
    if trend.state != "ready":
        return line(first, span(memory_seen(situation.board, trend), "dim"))
    values = [value for _, value in trend.samples]
    known = [value for value in values if value is not None]
    tight = trend.limit is not None and max(known) >= trend.limit * TIGHT
    role: Role = "warn" if tight else "info"
    words = memory_seen(situation.board, trend)
    return line(first, Span(spark(values, CURVE, trend.limit), role), span(f"  {words}"))
