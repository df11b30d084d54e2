"""SLO: is the number true, and what burns it?"""

from __future__ import annotations

from console.base.units import human_duration
from console.health.model import Board, SloStatus
from console.live.situation import Situation
from console.tui.lines import BLANK, Cell, Column, Line, Role, Span, bar, header, line, row, rule, span, wrap
from console.tui.words import SLO_STATE, age

BURN_COLUMNS = (
    Column("WINDOW", 7),
    Column("BURN", 8, "right"),
    Column("ALERTS AT", 9, "right"),
    Column("ERROR RATIO", 11, "right"),
    Column("BAD/TOTAL", 14, "right"),
    Column("COVERED", 8, "right"),
    Column("", 0, least=10),
)


def lines(situation: Situation, width: int) -> list[Line]:
    """Every objective with its arithmetic."""
    board = situation.board
    if not board.slos:
        return [line(span(" no objectives are known: no Prometheus answers, or the preset names none", "dim"))]
    out: list[Line] = []
    for slo in board.slos:
        out += detail(board, slo, width)
    return out


def detail(board: Board, slo: SloStatus, width: int) -> list[Line]:
    """One objective: budget, windows, arithmetic, source, contributors."""
    span_words = f"  {slo.objective * 100:g}% over {human_duration(slo.period)}  "
    state = span(slo.state, SLO_STATE[slo.state])
    reason = span(f"  {slo.reason}" if slo.reason else "")
    out = [line(Span(" "), span(slo.title, "title"), span(span_words, "dim"), state, reason, key=f"slo:{slo.id}")]
    left = slo.budget_left
    role: Role = "bar-crit" if left is None or left <= 0.1 else "bar-warn" if left < 0.5 else "bar"
    done, rest = bar(None if left is None else max(0.0, left), 24, role)
    percent = "no data" if left is None else f" {left * 100:.1f}% of the budget is left"
    gone = f", gone in {human_duration(slo.exhausted_in)} at this rate" if slo.exhausted_in else ""
    out.append(line(Span(" budget  ", "head"), done, rest, span(percent + gone) if left is not None else Span("")))
    if slo.bad is not None and slo.total is not None:
        low = "  few events: a single failure moves this a lot" if slo.low_traffic else ""
        out.append(line(Span(" events  ", "head"), span(f"{slo.bad:.0f} bad of {slo.total:.0f}"), span(low, "warn")))
    if slo.burns:
        out.append(header(BURN_COLUMNS, width))
        out += [_burn(slo, index, width) for index in range(len(slo.burns))]
    if slo.contributors:
        words = " · ".join(f"{c.name} {c.share * 100:.0f}%" for c in slo.contributors[:5])
        out += [line(Span(" spent by ", "head"), span(text)) for text in wrap(words, width - 11)]
    source = f"{slo.arithmetic} · {slo.source} · measured {age(board, slo.measured_at)} ago"
    out += [line(Span(" from    ", "head"), span(text, "dim")) for text in wrap(source, width - 10)]
    return [*out, rule(width=width), BLANK][:-1]


def _burn(slo: SloStatus, index: int, width: int) -> Line:
    b = slo.burns[index]
    over = b.rate is not None and b.factor is not None and b.rate >= b.factor
    rate: Cell = span(
        "no data" if b.rate is None else f"{b.rate:.2f}", "warn" if b.rate is None else "crit" if over else "text"
    )
    counts = "–" if b.bad is None or b.total is None else f"{b.bad:.0f}/{b.total:.0f}"
    drawn, rest = bar(
        None if b.rate is None else min(1.0, b.rate / max(b.factor or 1.0, 1.0)), 10, "bar-crit" if over else "bar"
    )
    cells: list[Cell] = [
        human_duration(b.window), rate, "–" if b.factor is None else f"{b.factor:g}",
        "–" if b.ratio is None else f"{b.ratio * 100:.3f}%", counts + ("~" if b.low_traffic else ""),
        "–" if b.covered is None else f"{b.covered * 100:.0f}%", (drawn, rest) if b.rate is not None else "",
    ]  # fmt: skip
    return row(BURN_COLUMNS, cells, width)
