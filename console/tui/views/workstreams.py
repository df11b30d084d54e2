"""Workstreams: how far are we, what can be begun, and does the file tell the truth?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from console.base.clock import rfc3339
from console.base.text import plural
from console.tui.filters import fits
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
from console.workstreams.model import Index
from console.workstreams.reports import view
from console.workstreams.reports.history import Point, burn_up

if TYPE_CHECKING:
    from console.sources.files.completion import Completion

FEATURES = (
    TableColumn("FEATURE", 8),
    TableColumn("DONE", 18),
    TableColumn("OF", 9, "right"),
    TableColumn("READY", 5, "right", drop=3),
    TableColumn("BLOCKED", 7, "right", drop=2),
    TableColumn("DECLARED", 0, least=12, drop=1),
    TableColumn("TITLE", 0, least=18),
)
ROWS = (
    TableColumn("WORKSTREAM", 18),
    TableColumn("STATE", 9),
    TableColumn("NAME", 0, least=20),
    TableColumn("SIZE", 8, drop=2),
    TableColumn("WAITS FOR", 0, least=14, drop=1),
)
PROBLEMS = (
    TableColumn("LINE", 6, "right"),
    TableColumn("SEV", 7),
    TableColumn("CODE", 20, drop=1),
    TableColumn("MESSAGE", 0, least=24),
)
VERSIONS = (
    TableColumn("DATE", 10),
    TableColumn("MORE", 5, "right"),
    TableColumn("DONE", 9, "right"),
    TableColumn("CONTRADICTIONS", 14, "right", drop=2),
    TableColumn("COMMIT", 10, drop=1),
    TableColumn("PATH", 0, least=12, drop=3),
)
_STATES: dict[str, TextRole] = {"ready": "ok", "blocked": "warn", "completed": "dim"}
_SEVERITIES: dict[str, TextRole] = {"error": "crit", "warning": "warn", "note": "dim"}
USERS = 60
"""Users of one workstream that are listed; the line below them counts the others."""


def head(index: Index, state: str, file: str, width: int) -> list[Line]:
    """The figures of the whole index, derived from its rows."""
    counts = index.counts()
    done, total = counts["completed"], counts["workstreams"]
    drawn, rest = bar(done / total if total else None, 20, "bar")
    words = f" {done} of {total} completed · {counts['ready']} ready · {counts['blocked']} blocked"
    wrong = counts["contradictions"]
    truth = span(f" {wrong} contradictions", "crit") if wrong else span(" no contradiction", "ok")
    unread = span(f" · {counts['rows_unread']} rows not understood", "warn") if counts["rows_unread"] else Span("")
    old = span("  the file is away: this is old", "warn") if state == "stale" else Span("")
    return [line(Span(" "), drawn, rest, span(words)), line(truth, unread, old, span(f" · {file}", "dim"))]


def features(index: Index, wanted: str, width: int) -> list[Line]:
    """Every feature with a bar of what its rows say, and beside it what it declares."""
    out = [header(FEATURES, width)]
    for feature in view.features(index):
        if not fits(wanted, feature.id, feature.title, feature.derived, feature.declared):
            continue
        share = None if feature.percent is None else feature.percent / 100
        drawn, rest = bar(share, 12, "bar" if feature.agrees else "bar-warn")
        percent = Span("" if share is None else f" {feature.percent:>3}%", "text")
        lower = "+?" if feature.unread else ""
        declared = feature.declared or "–"
        cells: list[Cell] = [
            span(feature.id, "title"),
            (drawn, rest, percent),
            f"{feature.completed}/{feature.total}{lower}",
            span(str(feature.ready or ""), "ok"),
            span(str(feature.blocked or ""), "warn"),
            span(declared if feature.agrees else f"≠ {declared}", "dim" if feature.agrees else "crit"),
            feature.title,
        ]
        out.append(row(FEATURES, cells, width, key=f"feature:{feature.number}:{feature.id}"))
    return out


class RowLines:
    """Workstreams as `Lines`, made when visible."""

    def __init__(self, index: Index, numbers: Sequence[int]) -> None:
        self._index, self._numbers = index, numbers
        self._places = {f"row:{n}": i + 1 for i, n in enumerate(numbers)}

    def __len__(self) -> int:
        return len(self._numbers) + 1

    def key(self, index: int) -> str:
        return f"row:{self._numbers[index - 1]}" if 0 < index <= len(self._numbers) else ""

    def find(self, key: str) -> int | None:
        return self._places.get(key)

    def line(self, index: int, width: int) -> Line:
        if index == 0:
            return header(ROWS, width)
        return work(view.row(self._index, self._numbers[index - 1]), width)


def work(item: view.WorkRow, width: int) -> Line:
    """One workstream."""
    cells: list[Cell] = [
        span(item.key + (" !" if item.marks else ""), "title"),
        span(item.state, _STATES[item.state]),
        item.name,
        span(item.size, "dim"),
        span(", ".join(item.waits_for), "dim"),
    ]
    return row(ROWS, cells, width, key=f"row:{item.number}")


def detail(index: Index, number: int, width: int) -> list[Line]:
    """One workstream with its dependencies both ways."""
    found = view.detail(index, number)
    item = found.row
    out = [
        line(Span(" "), span(item.key, "title"), span(f"  {item.name}"), span(f"  {item.state}", _STATES[item.state])),
        line(Span(" feature "), span(f"{item.feature} {found.feature_title}", "text")),
        line(Span(" status  ", "head"), span(f"{item.status or '–'} · {found.scope or 'no scope'} · line {item.line}")),
        rule("needs", width),
    ]
    for need in found.needs:
        role: TextRole = "ok" if need.state == "done" else "warn"
        why = "; ".join(need.missing) or (f"{need.open} of {need.total} open" if need.open else "completed")
        out.append(
            line(Span("   "), span(fit(need.text, 16), "title"), span(f" {need.state}", role), span(f"  {why}", "dim"))
        )
    out += [line(span("   nothing: it is independent", "dim"))] if not found.needs else []
    out.append(
        rule(
            f"used by {len(found.used_by)} · finishing it unlocks {len(found.unlocks)}, {found.later} more later", width
        )
    )
    ready = {r.number for r in found.unlocks}
    for user in found.used_by[:USERS]:
        mark = span(" unlocked", "ok") if user.number in ready else Span("")
        out.append(
            line(Span("   "), span(fit(user.key, 18), "title"), span(f" {user.name}"), mark, key=f"row:{user.number}")
        )
    if (more := len(found.used_by) - USERS) > 0:
        out.append(line(span(f"   and {more} more", "dim")))
    if found.problems:
        out.append(rule("problems", width))
        out += [
            line(Span("   "), span(p.severity, _SEVERITIES[p.severity]), span(f" {p.message}")) for p in found.problems
        ]
    return [*out, BLANK]


def problems(index: Index, wanted: str, width: int) -> list[Line]:
    """Every contradiction with its line."""
    out = [header(PROBLEMS, width)]
    for number, problem in enumerate(view.problems(index, text=wanted)):
        cells: list[Cell] = [
            str(problem.line or "–"), span(problem.severity, _SEVERITIES[problem.severity]),
            span(problem.code, "dim"), problem.message,
        ]  # fmt: skip
        out.append(row(PROBLEMS, cells, width, key=f"problem:{number}"))
    return out if len(out) > 1 else [line(span(" the file contradicts itself nowhere", "ok"))]


def graph(index: Index, feature: str | None, width: int) -> list[Line]:
    """What is unfinished, as a tree."""
    out = []
    for drawn in view.graph_lines(index, feature=feature, width=width - 2):
        key = f"row:{drawn.number}" if drawn.number is not None else ""
        out.append(line(Span(" "), span(drawn.text), key=key))
    return out or [line(span(" nothing is unfinished here", "ok"))]


def schedule(index: Index, width: int) -> list[Line]:
    """The critical path, then what can be done in parallel steps."""
    found = view.graph_of(index).critical_path()
    out = [rule(f"critical path: {found.length} in a row, about {found.weight} LOC", width)]
    out += [work(item, width) for item in view.rows(index, found.numbers)]
    waves = view.graph_of(index).waves()
    for place, step in enumerate(waves.steps, 1):
        out += [BLANK, rule(f"step {place}{', ready now' if place == 1 else ''}: {len(step)} in parallel", width)]
        out += [work(item, width) for item in view.rows(index, step)]
    if waves.never:
        out += [BLANK, rule(f"no step reaches these {len(waves.never)}, as the index stands", width)]
        out += [work(item, width) for item in view.rows(index, waves.never)]
    return out


def history(points: Sequence[Point] | None, trouble: str, width: int, height: int) -> list[Line]:
    """A burn-up plot: filled is completed, the line above is the total; below it the versions that changed it."""
    if not points:
        words = trouble or "no version of the index was found"
        return [line(span(f" {text}", "warn")) for text in wrap(words, width - 2)]
    last = points[-1]
    out = [line(span(f" {last.completed} of {last.workstreams} completed in {plural(len(points), 'version')}", "head"))]
    plot = burn_up(points, width=width - 1, height=max(6, min(16, height - 9)))
    out += [line(Span(" "), span(text, "bar")) for text in plot]
    if trouble:
        out.append(line(span(f" {trouble}", "warn")))
    out += [BLANK, header(VERSIONS, width)]
    known: Point | None = None
    rows = []
    for point in points:
        if known is None or (point.completed, point.workstreams) != (known.completed, known.workstreams):
            rows.append(_version(point, known, width))
        known = point
    return [*out, *reversed(rows)]


def _version(point: Point, before: Point | None, width: int) -> Line:
    more = point.completed - (before.completed if before else 0)
    cells: list[Cell] = [
        (rfc3339(point.time) or "?")[:10],
        span(f"{more:+d}" if more else "", "ok" if more > 0 else "warn"),
        f"{point.completed}/{point.workstreams}",
        str(point.contradictions),
        span(point.commit[:10], "dim"),
        span(point.path, "dim"),
    ]
    return row(VERSIONS, cells, width, key=f"version:{point.commit}")


def completion(planned: Completion, width: int) -> list[Line]:
    """The difference in each file, and what is known about completing it."""
    if not planned.changes:
        out = [line(span(f" {planned.key} is completed already; there is nothing to change", "ok"))]
    else:
        out = [line(Span(" y", "key"), span(" writes this into your files; esc leaves them as they are"))]
    for note in planned.notes:
        out += [line(span(f" {text}", "warn")) for text in wrap(note, width - 2)]
    for text in planned.diffs:
        out.append(BLANK)
        for shown in text.splitlines():
            role: TextRole = "add" if shown.startswith("+") else "del" if shown.startswith("-") else "text"
            out.append(line(Span(" "), span(shown, "dim" if shown.startswith(("---", "+++", "@@")) else role)))
    return out


def prevented_by(index: Index, incident: str, width: int) -> list[Line]:
    """Planned work that bears on an incident class, and why that is thought."""
    from console.workstreams.reports.prevent import CLASSES, proposals

    known = CLASSES[incident]
    out = [line(span(f" Found by words in names, so judge for yourself: work that bears on {incident}", "dim"))]
    for proposal in proposals(index, known):
        item = view.row(index, proposal.number)
        out.append(work(item, width))
        out += [
            line(Span("   "), span(text, "dim")) for text in wrap(f"{proposal.kind}: {proposal.because}", width - 4)
        ]
    return out if len(out) > 1 else [*out, line(span(" none is planned", "warn"))]
