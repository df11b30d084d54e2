"""Where the time of one application went: the causes by lost seconds, then the chain of stages it went into."""

from __future__ import annotations

from console.base.text import joined
from console.board.model import Board
from console.live.shown import age
from console.live.situation import Focus
from console.live.times import Times
from console.timing import words
from console.timing.items import PathStep, Slow, TimeReport
from console.tui.lines import (
    BLANK,
    Cell,
    Line,
    Span,
    TableColumn,
    TextRole,
    bar,
    header,
    layout,
    line,
    row,
    rule,
    span,
    wrap,
)

STEPS = 14
CAUSE_COLUMNS = (
    TableColumn("LOST", 7, "right"),
    TableColumn("SHARE", 5, "right"),
    TableColumn("", 8, drop=1),
    TableColumn("CAUSE", 19),
    TableColumn("WHAT WAS SEEN", 0, least=24),
)
STEP_COLUMNS = (
    TableColumn("TIME", 7, "right"),
    TableColumn("SHARE", 5, "right"),
    TableColumn("", 8, drop=2),
    TableColumn("STAGE", 0, least=28),
    TableColumn("TASKS", 6, "right", drop=3),
    TableColumn("SLOTS", 5, "right", drop=4),
    TableColumn("ITS TASKS DID", 32, drop=1),
)


def times(board: Board, focus: Focus, width: int) -> list[Line]:
    """The panel. What is not known yet, or cannot be, is said in a line."""
    found = focus.times
    if found is None:
        return [line(span(" reading stages, tasks and plans of the driver or the History Server …", "dim"))]
    if found.report is None:
        return [line(span(" " + joined(found.state, found.detail), "warn")), *_unread(found, width)]
    report = found.report
    out = [line(Span(" "), span(words.headline(report), "title"))]
    out += [line(Span(" "), span(text, "dim")) for text in wrap(_source(board, found), width - 2)]
    out.append(BLANK)
    if report.items:
        out.append(header(CAUSE_COLUMNS, width))
        for number, item in enumerate(report.items):
            out += _cause(item, number, width)
    else:
        out.append(line(span(" no cause costs enough time to be worth a word", "ok")))
    out += [line(span(f" unknown: {gap}", "warn")) for gap in report.missing]
    return [*out, *_path(report, width), *_unread(found, width)]


def _source(board: Board, found: Times) -> str:
    text = f"{found.source}, {'still running' if found.live else 'ended'}, read {age(board, found.at)} ago"
    if found.former:
        text += f"; compared with {len(found.former)} former runs"
    return text + (f"; {found.former_note}" if found.former_note else "")


def _cause(item: Slow, number: int, width: int) -> list[Line]:
    role: TextRole = "crit" if item.share >= 0.3 else "warn" if item.share >= 0.1 else "text"
    lost = words.seconds(item.lost) if not item.paid else "–"
    drawn = bar(item.share, 8, "bar-crit" if role == "crit" else "bar-warn" if role == "warn" else "bar")
    size = layout(CAUSE_COLUMNS, width - 1)[-1][1]
    beside = size >= 48
    seen = wrap(item.words, size if beside else width - 6)
    cells: list[Cell] = [
        span(lost, role), span(f"{item.share:.0%}", role), drawn, span(item.kind, "title"),
        span(seen[0] if beside else ""),
    ]  # fmt: skip
    out = [row(CAUSE_COLUMNS, cells, width, key=f"slow:{number}:{item.kind}")]
    indent = width - size if beside else 5
    out += [line(Span(" " * indent), span(part)) for part in (seen[1:] if beside else seen)]
    for label, text in (("at", item.where), ("confirm", item.confirm)):
        out += [line(Span(" " * indent), span(part, "dim")) for part in wrap(f"{label} {text}", width - indent - 1)]
    return out


def _path(report: TimeReport, width: int) -> list[Line]:
    steps, left, rest = words.shown(report.path, STEPS)
    if not steps:
        return []
    whole = sum(s.seconds for s in report.path)
    out = [
        BLANK,
        rule(f"critical path · {words.seconds(whole)} from the first job to the last, in order of time", width),
    ]
    out.append(header(STEP_COLUMNS, width))
    out += [_step(step, whole, number, width) for number, step in enumerate(steps)]
    if left:
        out.append(line(span(f" {words.seconds(rest):>7} {rest / whole:>5.0%} {left} shorter steps", "dim")))
    return out


def _step(step: PathStep, whole: float, number: int, width: int) -> Line:
    gap = step.stage is None
    share = step.seconds / whole
    cells: list[Cell] = [
        span(words.seconds(step.seconds)), span(f"{share:.0%}"), bar(share, 8, "bar-warn" if gap else "bar"),
        span(words.place(step), "warn" if gap else "text"), span("" if gap else step.tasks, "dim"),
        span("" if step.slots is None else f"{step.slots:.0%}", "dim"), span(words.split(step), "dim"),
    ]  # fmt: skip
    return row(STEP_COLUMNS, cells, width, key=f"step:{number}")


def _unread(found: Times, width: int) -> list[Line]:
    lines = [BLANK] if found.unread else []
    for locator, reason in found.unread:
        lines += [line(span(f" unread  {text}", "dim")) for text in wrap(f"{locator}: {reason}", width - 10)]
    return lines
