"""SLO: is the number true, and what burns it?"""

from __future__ import annotations

from console.base.units import human_duration
from console.health.model import Board, Contributor, SloStatus
from console.live.situation import Situation
from console.tui.lines import BLANK, Cell, Column, Line, Role, Span, bar, fit, header, line, row, rule, span, wrap
from console.tui.words import SLO_STATE, age, burn, objective

COLUMNS = (
    Column("SLO", 0, least=20),
    Column("STATE", 9),
    Column("TARGET", 7, "right", drop=3),
    Column("BUDGET LEFT", 17),
    Column("5m", 6, "right", drop=5),
    Column("1h", 6, "right"),
    Column("6h", 6, "right", drop=1),
    Column("3d", 6, "right", drop=4),
    Column("GONE IN", 8, "right", drop=2),
    Column("COVERED", 7, "right", drop=6),
    Column("AGE", 5, "right"),
)
BURN_COLUMNS = (
    Column("WINDOW", 7),
    Column("BURN", 8, "right"),
    Column("ALERTS AT", 9, "right"),
    Column("ERROR RATIO", 11, "right", drop=1),
    Column("BAD/TOTAL", 14, "right"),
    Column("COVERED", 7, "right"),
    Column("", 0, least=10),
)
LABEL = 11


def lines(situation: Situation, width: int, selected: str = "", *, beside: bool = False) -> list[Line]:
    """Every objective in one row, and the selected one with its arithmetic unless that stands beside."""
    board = situation.board
    if not board.slos:
        return [line(span(" no objectives are known: no Prometheus answers, or the preset names none", "dim"))]
    out = [header(COLUMNS, width), *(_row(board, slo, width) for slo in board.slos)]
    slo = chosen(board, selected)
    if slo is not None and not beside:
        out += [rule(slo.title, width), *detail(board, slo, width)]
    return out


def chosen(board: Board, key: str) -> SloStatus | None:
    """The objective under the cursor, else the first, which is the worst."""
    return next((s for s in board.slos if f"slo:{s.id}" == key), next(iter(board.slos), None))


def _row(board: Board, slo: SloStatus, width: int) -> Line:
    left = slo.budget_left
    done, rest = bar(None if left is None else max(0.0, left), 10, _left(slo))
    percent = Span("" if left is None else f" {left * 100:4.0f}%", SLO_STATE[slo.state])
    cells: list[Cell] = [
        objective(slo), span(slo.state, SLO_STATE[slo.state]), f"{slo.objective * 100:g}%", (done, rest, percent),
        burn(slo, 300.0), burn(slo, 3600.0), burn(slo, 21600.0), burn(slo, 259200.0),
        human_duration(slo.exhausted_in) if slo.exhausted_in else "–",
        "–" if slo.covered is None else f"{slo.covered * 100:.0f}%", age(board, slo.measured_at),
    ]  # fmt: skip
    return row(COLUMNS, cells, width, key=f"slo:{slo.id}")


def _left(slo: SloStatus) -> Role:
    left = slo.budget_left
    return "bar-crit" if left is None or left <= 0.1 else "bar-warn" if left < 0.5 else "bar"


def detail(board: Board, slo: SloStatus, width: int) -> list[Line]:
    """One objective: state, budget and forecast, windows, what burnt it, arithmetic, source and age."""
    out = _named("state", f"{slo.state}{f' ({slo.severity})' if slo.severity else ''}", width, SLO_STATE[slo.state])
    if slo.reason:
        out += _named("because", slo.reason, width, "text" if slo.state == "good" else SLO_STATE[slo.state])
    left = slo.budget_left
    words = "no data" if left is None else f"{left * 100:.1f}% left of {slo.objective * 100:g}% over "
    if left is not None:
        words += human_duration(slo.period)
    done, rest = bar(None if left is None else max(0.0, left), 20, _left(slo))
    if left is None:
        out += _named("budget", f"no data; target {slo.objective * 100:g}% over {human_duration(slo.period)}", width)
    else:
        out.append(line(_label("budget"), done, rest, span(f" {words}")))
    if slo.exhausted_in:
        out += _named("forecast", f"gone in {human_duration(slo.exhausted_in)} at this rate", width, "warn")
    if slo.bad is not None and slo.total is not None:
        few = "; few events: one failure moves this a lot" if slo.low_traffic else ""
        out += _named("counted", f"{slo.bad:.0f} bad of {slo.total:.0f}{few}", width, "warn" if few else "text")
    if slo.burns:
        out += [header(BURN_COLUMNS, width), *(_burn(slo, index, width) for index in range(len(slo.burns)))]
    out += _contributors(slo, width)
    if slo.arithmetic:
        out += _named("arithmetic", slo.arithmetic, width)
    covered = "" if slo.covered is None else f"{slo.covered * 100:.1f}% of the period is covered; "
    out += _named("data", f"{covered}newest sample {age(board, slo.measured_at)} old", width)
    out += _named("source", slo.source or "no data", width, "dim")
    if slo.runbooks:
        out += _named("runbooks", ", ".join(slo.runbooks), width, "accent")
    return out


def queries(slo: SloStatus, width: int) -> list[Line]:
    """The queries that were asked."""
    out = [BLANK, line(Span(" asked", "head"))]
    for query in slo.queries:
        out += [line(Span("   "), span(text, "dim")) for text in wrap(query, width - 4)]
    return out if slo.queries else []


def _contributors(slo: SloStatus, width: int) -> list[Line]:
    if not slo.contributors:
        return []
    by = " / ".join(slo.contributors_by)
    size = 10 if width >= 76 else 6
    room = min(44, max(16, width - LABEL - size - 14))
    out = [line(_label("burnt by"), span(by, "dim"))]
    for one in slo.contributors:
        out.append(_contributor(one, room, size))
    unknown = slo.unattributed
    if unknown is not None and unknown >= 0.005:
        words = f"{unknown * 100:.0f}% of the bad events: no series says what they were"
        out.append(line(Span(" " * (LABEL + 1)), span(words, "dim")))
    return out


def _contributor(one: Contributor, room: int, size: int) -> Line:
    done, rest = bar(one.share, size, "bar-crit" if one.share >= 0.5 else "bar")
    name = fit(span(one.name).text, room)
    return line(
        Span(" " * (LABEL + 1)), span(name), Span(" "), done, rest, span(f"{one.share * 100:4.0f}% {one.bad:.6g}")
    )


def _label(text: str) -> Span:
    return Span(f" {text:<{LABEL}}", "head")


def _named(label: str, text: str, width: int, role: Role = "text") -> list[Line]:
    texts = wrap(text, max(20, width - LABEL - 2))
    return [line(_label(label if not n else ""), span(part, role)) for n, part in enumerate(texts)]


def _burn(slo: SloStatus, index: int, width: int) -> Line:
    b = slo.burns[index]
    over = b.rate is not None and b.factor is not None and b.rate >= b.factor
    none = "no events" if b.total == 0 else "no data"
    rate: Cell = span(
        none if b.rate is None else f"{b.rate:.2f}", "warn" if b.rate is None else "crit" if over else "text"
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
