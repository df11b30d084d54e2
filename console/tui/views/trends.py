"""How an application moves: tasks and their rate, memory against its limit, as small curves."""

from __future__ import annotations

from rich.cells import cell_len

from console.apps.model import SparkApp
from console.apps.progress import rate, rates
from console.live.shown import age, aged, memory_seen
from console.live.situation import Focus, Situation
from console.runbook.watching import since_change
from console.tui.lines import Line, Span, TextRole, bar, cut, line, span, spark, wrap
from console.tui.views.verify import figure_line

CURVE, BAR = 24, 12
TIGHT = 0.9
"""Share of the limit from which the memory is shown as a warning."""


def lines(situation: Situation, app: SparkApp, focus: Focus, width: int) -> list[Line]:
    """What it has done, what it takes, and how it goes since Console changed it."""
    done = _tasks(situation, app)
    made = [*([done] if done is not None else []), *_memory(situation, focus, app, width), *_since(situation, app)]
    return [cut(one, width) for one in made]


def _since(situation: Situation, app: SparkApp) -> list[Line]:
    """Deaths and the burn since the last change, as the verification shows them."""
    since = since_change(situation.board, situation.walks, app.key)
    if since is None:
        return []
    first = Span(" since   ", "head")
    out = [line(first, span(f"the change {age(situation.board, since.at)} ago ({since.walk})"))]
    return [*out, *(figure_line(figure, "       ") for figure in since.figures)]


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


def _memory(situation: Situation, focus: Focus, app: SparkApp, width: int) -> list[Line]:
    """The curve with its figures; those that do not fit beside it go on below."""
    trend = focus.memory
    if trend is None or focus.on.app != app.key:
        return []
    first = Span(" seen    ", "head")
    words = memory_seen(situation.board, trend, live=app.live)
    if not words:
        return []
    if trend.state != "ready":
        lead = [first]
        role: TextRole = "dim"
    else:
        values = [value for _, value in trend.samples]
        known = [value for value in values if value is not None]
        tight = trend.limit is not None and max(known) >= trend.limit * TIGHT
        lead, role = [first, Span(spark(values, CURVE, trend.limit), "warn" if tight else "info"), Span("  ")], "text"
    texts = wrap(words, max(20, width - cell_len(line(*lead).text)))
    indent = Span(" " * cell_len(line(*lead).text))
    return [line(*(lead if not n else [indent]), span(text, role)) for n, text in enumerate(texts)]
