"""SLO: is the number true, and what burns it?"""

from __future__ import annotations

from console.base.units import human_duration, percent
from console.board.model import Board
from console.live.shown import age, no_objectives
from console.live.situation import Situation
from console.slo import words
from console.slo.model import Contributor, SloStatus
from console.tui.lines import (
    BLANK,
    Cell,
    Line,
    Span,
    TableColumn,
    TextRole,
    bar,
    fit,
    header,
    line,
    row,
    rule,
    span,
    wrap,
)
from console.tui.words import BURN, budget, burn, objective, slo_role

COLUMNS = (
    TableColumn("SLO", 0, least=20),
    TableColumn("STATE", 9),
    TableColumn("TARGET", 7, "right", drop=3),
    TableColumn("BUDGET LEFT", 17),
    TableColumn("5m", 6, "right", drop=5),
    TableColumn("1h", 6, "right"),
    TableColumn("6h", 6, "right", drop=1),
    TableColumn("3d", 6, "right", drop=4),
    TableColumn("GONE IN", 8, "right", drop=2),
    TableColumn("COVERED", 7, "right", drop=6),
    TableColumn("AGE", 5, "right"),
)
BURN_COLUMNS = (
    TableColumn("WINDOW", 7),
    TableColumn("BURN", 8, "right"),
    TableColumn("ALERTS AT", 9, "right"),
    TableColumn("ERROR RATIO", 11, "right", drop=1),
    TableColumn("BAD/TOTAL", 14, "right"),
    TableColumn("COVERED", 7, "right"),
    TableColumn("", 0, least=10),
)
LABEL = 11


def lines(situation: Situation, width: int, selected: str = "", *, beside: bool = False) -> list[Line]:
    """Every objective in one row, and the selected one with its arithmetic unless that stands beside."""
    board = situation.board
    if not board.slos:
        return [line(span(f" {no_objectives(board)}", "dim"))]
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
    percent = Span("" if left is None else f" {words.budget_left(left):>5}", slo_role(slo))
    cells: list[Cell] = [
        objective(slo), span(words.standing(slo), slo_role(slo)), words.target(slo.objective),
        (*budget(slo, 10), percent),
        burn(slo, 300.0), burn(slo, 3600.0), burn(slo, 21600.0), burn(slo, 259200.0),
        words.gone_in(slo) or "–",
        "–" if slo.covered is None else words.covered(slo.covered), age(board, slo.measured_at),
    ]  # fmt: skip
    return row(COLUMNS, cells, width, key=f"slo:{slo.id}")


def detail(board: Board, slo: SloStatus, width: int) -> list[Line]:
    """One objective: state, budget and forecast, windows, what burnt it, arithmetic, source and age."""
    out = _named("state", words.state(slo), width, slo_role(slo))
    if slo.reason:
        out += _named("because", slo.reason, width, "text" if slo.state == "good" else slo_role(slo))
    goal = f"{words.target(slo.objective)} over {human_duration(slo.period)}"
    if slo.budget_left is None:
        out += _named("budget", f"no data; target {goal}", width)
    else:
        left = words.budget_left(slo.budget_left)
        out.append(line(_label("budget"), *budget(slo, 20), span(f" {left} left of {goal}")))
    if slo.exhausted_in:
        out += _named("forecast", f"gone in {words.gone_in(slo)} at this rate", width, "warn")
    if slo.bad is not None and slo.total is not None:
        few = "; few events: one failure moves this a lot" if slo.low_traffic else ""
        counted = f"{words.events(slo.bad)} bad of {words.events(slo.total)}{few}"
        out += _named("counted", counted, width, "warn" if few else "text")
    if slo.burns:
        out += [header(BURN_COLUMNS, width), *(_burn(slo, index, width) for index in range(len(slo.burns)))]
    out += _contributors(slo, width)
    if slo.arithmetic:
        out += _named("arithmetic", slo.arithmetic, width)
    covered = "" if slo.covered is None else f"{words.covered(slo.covered)} of the period is covered; "
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
        rest = f"{percent(unknown)} of the bad events: no series says what they were"
        out.append(line(Span(" " * (LABEL + 1)), span(rest, "dim")))
    return out


def _contributor(one: Contributor, room: int, size: int) -> Line:
    drawn = bar(one.share, size, "bar-crit" if one.share >= 0.5 else "bar")
    name = fit(span(one.name).text, room)
    figures = span(f"{percent(one.share):>5} {words.events(one.bad)}")
    return line(Span(" " * (LABEL + 1)), span(name), Span(" "), *drawn, figures)


def _label(text: str) -> Span:
    return Span(f" {text:<{LABEL}}", "head")


def _named(label: str, text: str, width: int, role: TextRole = "text") -> list[Line]:
    texts = wrap(text, max(20, width - LABEL - 2))
    return [line(_label(label if not n else ""), span(part, role)) for n, part in enumerate(texts)]


def _burn(slo: SloStatus, index: int, width: int) -> Line:
    b = slo.burns[index]
    level = words.burn_level(b)
    drawn: Cell = ""
    if b.rate is not None:
        drawn = bar(min(1.0, b.rate / max(b.factor or 1.0, 1.0)), 10, "bar-crit" if level == "over" else "bar")
    cells: list[Cell] = [
        human_duration(b.window), span(words.burn_rate(b), BURN[level]),
        "–" if b.factor is None else f"{b.factor:g}",
        "–" if b.ratio is None else words.ratio(b.ratio), words.bad_of_total(b.bad, b.total),
        "–" if b.covered is None else words.covered(b.covered), drawn,
    ]  # fmt: skip
    return row(BURN_COLUMNS, cells, width)
