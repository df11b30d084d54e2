"""Waits as lines: who waits for whom, how much is missing, who holds it, and what would let it in. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from console.base.text import plural
from console.board.model import Board
from console.board.waits import AppWait, lacks, waits_of
from console.live.shown import age, no_app_because
from console.tui.filters import fits
from console.tui.lines import BLANK, Cell, Line, Span, TableColumn, header, line, row, span, wrap
from console.tui.views.leftout import left_out

COLUMNS = (
    TableColumn("APPLICATION", 24, names=True),
    TableColumn("FOR", 9),
    TableColumn("QUEUE", 16, drop=2, names=True),
    TableColumn("PLACE", 6, "right", drop=1),
    TableColumn("SINCE", 6, "right"),
    TableColumn("MISSING", 26),
    TableColumn("HELD BY", 0, least=20, names=True),
)


def lines(board: Board, wanted: str, selected: str, width: int) -> list[Line]:
    """The page: a row for each that waits, the selected one in full below it."""
    waiting = [one for one in waits_of(board) if fits(wanted, one.app, one.line)]
    out = [_summary(board, waiting), *left_out(board.left_out, width)]
    if not waiting:
        return out
    out += [BLANK, header(COLUMNS, width)]
    for one in waiting:
        out.append(_row(board, one, width))
        if one.app == selected:
            out += detail(one, width)
    return out


def detail(one: AppWait, width: int) -> list[Line]:
    """One wait in full."""
    out = [line(Span("   "), span(text)) for text in wrap(one.line, width - 4)]
    if one.told.forbids:
        out += [line(Span("   "), span(text, "warn")) for text in wrap(f"not: {one.told.forbids}", width - 4)]
    return out


def _summary(board: Board, waiting: Sequence[AppWait]) -> Line:
    if not waiting:
        blind = no_app_because(board)
        return line(span(f" no application can be seen: {blind[0]}", "warn") if blind else span(" nobody waits", "ok"))
    never = sum(1 for one in waiting if one.told.never)
    more = f", {never} of them can never fit" if never else ""
    return line(span(f" {plural(len(waiting), 'application')} wait{'s' if len(waiting) == 1 else ''}{more}", "warn"))


def _row(board: Board, one: AppWait, width: int) -> Line:
    told = one.told
    place = f"{'~' if told.reckoned else ''}{told.position}/{told.of}" if told.position else ""
    cells: list[Cell] = [
        span(one.app, "title"), told.keeper, span(told.queue, "dim"), place, age(board, one.since),
        span(lacks(told), "crit" if told.never else "warn"), ", ".join(told.holders),
    ]  # fmt: skip
    return row(COLUMNS, cells, width, key=one.app)
