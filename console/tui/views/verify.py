"""A verification while it runs: the most watched screen. Figures, a bar of the hold, until when we wait."""

from __future__ import annotations

from collections.abc import Sequence

from console.apps.progress import ProgressSample, rates
from console.base.units import human_duration
from console.runbook.watching import UNPROVED, WatchedFigure, Watching
from console.tui.lines import Line, Span, TextRole, bar, cut, line, span, spark, wrap

_STANDING: dict[str, tuple[str, TextRole]] = {
    "good": ("✓", "ok"), "bad": ("✗", "crit"), "not yet": ("·", "warn"), "unknown": ("?", "warn"),
}  # fmt: skip
BAR = 20


def lines(watched: Watching, samples: Sequence[ProgressSample], width: int) -> list[Line]:
    """The verification on as few lines as it takes."""
    out = [_held(watched, width)]
    for figure in watched.figures:
        out.append(cut(figure_line(figure, "", samples), width))
    if not watched.figures:
        out += [line(Span("   "), span(text)) for said in watched.says for text in wrap(said, width - 4)]
    told = f"{watched.estimate} · {watched.ends}" if watched.estimate else watched.ends
    return [*out, *(line(Span(" "), span(text, "dim")) for text in wrap(told, width - 2))]


def _held(watched: Watching, width: int) -> Line:
    if watched.paused:
        at = f" at {human_duration(watched.held)} of {human_duration(watched.hold)}" if watched.held is not None else ""
        return cut(line(Span(" PAUSED", "warn"), span(f"{at}: {watched.paused}", "text")), width)
    if watched.held is None:
        waits = watched.waits_for
        word = "NOT YET" if watched.standing == "not yet" else "NO ANSWER YET"
        return cut(line(Span(f" {word} ", "warn"), span(f"waits for {waits}" if waits else "", "text")), width)
    share = 1.0 if watched.hold <= 0 else watched.held / watched.hold
    if not watched.proved:
        words = f" {human_duration(watched.held)} of {human_duration(watched.hold)}  "
        return cut(line(Span(" SO FAR", "warn"), span(words), *bar(share, BAR), Span(f"{UNPROVED}", "warn")), width)
    words = f" for {human_duration(watched.held)} of {human_duration(watched.hold)}  "
    return line(Span(" TRUE", "ok"), span(words), *bar(share, BAR))


def figure_line(figure: WatchedFigure, lead: str = "", samples: Sequence[ProgressSample] = ()) -> Line:
    """One figure with its mark."""
    mark, role = _STANDING[figure.standing]
    parts = [Span(f"{lead} {mark} ", role), span(f"{figure.name:<10}", "head"), span(figure.words)]
    if figure.share is not None:
        parts += [Span("  "), *bar(figure.share, BAR)]
    if figure.name == "tasks" and (moved := rates(samples)):
        parts += [Span("  "), Span(spark(moved, BAR), "info")]
    return line(*parts)
