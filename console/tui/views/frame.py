"""The lines that every screen has: where am I and how fresh is it, the verdict, the keys that work now."""

from __future__ import annotations

import time
from collections.abc import Sequence

from rich.cells import cell_len

from console.base.text import listed
from console.board.compose import condensed
from console.board.model import Board, Cluster
from console.facts.model import SourceState
from console.live.situation import Situation
from console.tui.lines import Line, Span, cut, fit, fit_middle, line, span
from console.tui.words import SOURCE, VERDICT

LEAST = 10
"""Cells that the end of a trail keeps where freshness needs the room."""


def where(situation: Situation, trail: Sequence[str], width: int) -> Line:
    """Cluster, badge, mode and trail on the left; freshness of each source and the minute on the right."""
    board = situation.board
    left = _cluster(board.cluster)
    for part in trail:
        left += [Span(" › ", "rule"), span(part, "text")]
    clock = span(time.strftime("%H:%M", time.gmtime(board.at)) + "Z ", "dim")
    wordings = _freshness(board)
    over = _size(left) + cell_len(clock.text) + _size(wordings[-1]) + 1 - width
    if trail and 0 < over <= cell_len(left[-1].text) - LEAST:
        left[-1] = span(fit_middle(left[-1].text, cell_len(left[-1].text) - over).rstrip(), "text")
    room = width - _size(left) - cell_len(clock.text) - 1
    fresh = next((spans for spans in wordings if _size(spans) <= room), [])
    return spread(left, [*fresh, clock], width)


def _size(spans: Sequence[Span]) -> int:
    return sum(cell_len(s.text) for s in spans)


def _cluster(cluster: Cluster) -> list[Span]:
    out = [span(f" {cluster.context or cluster.server or 'no cluster'} ", "title")]
    if cluster.drill or cluster.kind == "simulated":
        out.append(Span(" DRILL ", "badge-drill"))
    if cluster.production:
        out.append(Span(" PROD ", "badge-prod"))
    only = f" in {listed(cluster.scope, 1)}" if cluster.scope else ""
    return [*out, span(f" {cluster.mode}{only}", "dim")]


def _freshness(board: Board) -> list[list[Span]]:
    """Every source; shorter: those that are not fresh; the first of them."""
    sources = [s for s in condensed(board.sources) if s.state != "absent" or s.name == "prometheus"]
    troubled = [_said(source) for source in sources if source.state != "fresh"]
    calm = [(Span("all fresh  ", "dim"),)] if sources else []
    sizes = ([_said(source) for source in sources], troubled or calm, troubled[:1] or calm)
    return [[part for parts in said for part in parts] for said in sizes]


def _said(source: SourceState) -> tuple[Span, ...]:
    name = source.detail if source.name == "cluster" and source.detail else source.name
    return (span(f"{name} ", "dim"), span(source.state, SOURCE.get(source.state, "dim")), Span("  "))


def spread(left: Sequence[Span], right: Sequence[Span], width: int) -> Line:
    """`left` and `right` at the two ends; where space is short, the right part loses its first spans."""
    kept = list(right)
    size = sum(cell_len(s.text) for s in left)
    while kept and size + sum(cell_len(s.text) for s in kept) + 1 > width:
        kept.pop(0)
    gap = width - size - sum(cell_len(s.text) for s in kept)
    if gap < 0:
        text = "".join(s.text for s in left)
        return Line((Span(fit(text, width), "title"),))
    return Line((*left, Span(" " * gap), *kept))


def verdict(situation: Situation, width: int) -> Line:
    """One word and what stands behind it: as many parts of that as fit; `console status` says all of them."""
    board = situation.board
    if situation.phase in ("connecting", "loading"):
        return line(
            Span(f" {situation.phase.upper()} ", "info"), span(situation.trouble or "reading the cluster", "dim")
        )
    if situation.phase in ("lost", "failed"):
        hint = f" · {situation.hint}" if situation.hint else ""
        return line(Span(f" {situation.phase.upper()} ", "crit"), span(situation.trouble + hint))
    first = Span(f" {board.verdict} ", VERDICT.get(board.verdict, "warn"))
    parts = board.summary.split(" · ")
    while len(parts) > 1 and cell_len(first.text) + 3 + cell_len(" · ".join(parts)) > width:
        parts.pop()
    more = " …" if len(parts) < len(board.summary.split(" · ")) else ""
    return cut(line(first, span(f" {' · '.join(parts)}{more}")), width)


def keys(pairs: Sequence[tuple[str, str]], width: int, below: int = 0, needed: int = 0) -> Line:
    """The keys that work now. What does not fit is dropped from the end, before the last two.

    At the right end stands how many lines are `below` those in sight.

    Args:
        needed: the last two and the lines below lose their words before one of so many at the beginning is dropped.
    """
    shown = list(pairs)
    own = min(needed, max(0, len(shown) - 2))
    more = span(f"↓ {below} more ", "warn") if below else Span("")

    def size() -> int:
        return sum(cell_len(key) + cell_len(what) + 2 + bool(what) for key, what in shown) + cell_len(more.text)

    while len(shown) - 2 > own and size() > width:
        shown.pop(-3)
    if own and size() > width:
        more = span(f"↓ {below} ", "warn") if below else more
    for place in (-1, -2):
        if own and size() > width:
            shown[place] = (shown[place][0], "")
    while len(shown) > 2 and size() > width:
        shown.pop(-3)
    spans = [Span(" ")]
    for key, what in shown:
        spans += [span(key, "key"), span(f" {what}  " if what else "  ", "dim")]
    spans[-1] = Span(spans[-1].text.rstrip(), spans[-1].role)
    return spread(spans, [more], width) if below else Line(tuple(spans))
