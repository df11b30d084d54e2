"""Immutable rows for lists, details, problems and drawings: what the CLI prints and the terminal UI shows.

Texts are cleaned for display. Workstreams are named by `number`, their position in the index.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from msgspec import Struct

from console.workstreams.derived.figures import Derived, derive
from console.workstreams.derived.graph import Graph, Unlocks
from console.workstreams.displayed import displayed
from console.workstreams.model import Index, IndexProblem, ProblemSeverity, WorkFile
from console.workstreams.reports.draw import GraphLine, draw

StreamState = Literal["completed", "ready", "blocked"]


class FeatureRow(Struct, frozen=True):
    """A feature: what it declares beside what its rows say.

    Attributes:
        declared: its status as written, empty where it has none; `derived` is `completed`, `in progress`, `backlog`,
            `no rows` or `unread`.
        declared_total: its Total Workstreams as written, empty where it has none.
        unread: rows that could not be understood; the other figures are then lower bounds.
        percent: completed per hundred, None without rows.
        agrees: whether the declared status and total fit the rows.
        errors, warnings: entries of lint that concern the feature.
    """

    number: int
    id: str
    title: str
    line: int
    declared: str
    derived: str
    declared_total: str
    total: int
    completed: int
    ready: int
    blocked: int
    unread: int
    percent: int | None
    agrees: bool
    errors: int
    warnings: int


class WorkRow(Struct, frozen=True):
    """A workstream in a list. `waits_for` are the tokens that keep it blocked, as written."""

    number: int
    key: str
    feature: str
    id: str
    name: str
    state: StreamState
    status: str
    size: str
    loc: int | None
    line: int
    waits_for: tuple[str, ...]
    marks: int


class DependencyDetail(Struct, frozen=True):
    """A dependency of a workstream: the token as written, its state, and what it stands for.

    Attributes:
        members: at most 50 of the workstreams; `total` is how many there are, `open` how many are not completed.
        missing: why it is not resolved, in words.
    """

    text: str
    state: str
    members: tuple[WorkRow, ...]
    total: int
    open: int
    missing: tuple[str, ...]


class Detail(Struct, frozen=True):
    """Everything about one workstream.

    Attributes:
        needs: its dependencies; `used_by` the workstreams that name it, alone or within a feature or range.
        unlocks: what becomes ready at once when it is completed; `later` is how many more wait behind those.
        files: its workstream files, None where files were not read.
    """

    row: WorkRow
    feature_title: str
    scope: str
    scenarios: int | None
    bead: str
    needs: tuple[DependencyDetail, ...]
    used_by: tuple[WorkRow, ...]
    unlocks: tuple[WorkRow, ...]
    later: int
    problems: tuple[IndexProblem, ...]
    files: tuple[WorkFile, ...] | None
    also_at: tuple[int, ...] = ()


def graph_of(index: Index) -> Graph:
    """The graph of an index, built once."""
    known: Graph | None = index.__dict__.get("_graph")
    if known is None:
        known = index.__dict__["_graph"] = Graph(index)
    return known


def features(index: Index) -> tuple[FeatureRow, ...]:
    """One row per feature heading, in file order."""
    ready = set(index.ready)
    errors: dict[str, int] = {}
    warnings: dict[str, int] = {}
    wrong: set[int] = set()
    for problem in index.problems:
        if problem.feature is not None:
            place = errors if problem.severity == "error" else warnings if problem.severity == "warning" else {}
            place[problem.feature] = place.get(problem.feature, 0) + 1
        if problem.code in ("status-vs-rows", "header-vs-rows") and problem.line:
            wrong.add(problem.line)
    out = []
    for feature, members in zip(index.features, index.members, strict=True):
        items = [index.workstreams[number] for number in members]
        found = derive(feature, items)
        out.append(
            FeatureRow(
                number=feature.number,
                id=displayed(feature.id),
                title=displayed(feature.title),
                line=feature.line,
                declared=displayed(feature.status.text) if feature.status else "",
                derived=found.status,
                declared_total=str(feature.total) if feature.total else "",
                total=found.total,
                completed=found.completed,
                ready=sum(item.number in ready for item in items),
                blocked=sum(not item.completed and item.number not in ready for item in items),
                unread=found.unread,
                percent=found.percent,
                agrees=not any(key.line in wrong for key in feature.keys),
                errors=errors.get(feature.id, 0),
                warnings=warnings.get(feature.id, 0),
            )
        )
    return tuple(out)


def figures(index: Index, number: int) -> Derived:
    """What follows from the rows of the feature with this number."""
    return derive(index.features[number], [index.workstreams[n] for n in index.members[number]])


def row(index: Index, number: int) -> WorkRow:
    """One workstream as a row."""
    return rows(index, (number,))[0]


def rows(index: Index, numbers: Iterable[int]) -> tuple[WorkRow, ...]:
    """Workstreams as rows, in the given order."""
    ready, marks = _ready(index), _marks(index)
    out = []
    for number in numbers:
        item = index.workstreams[number]
        state: StreamState = "completed" if item.completed else "ready" if number in ready else "blocked"
        waits = () if item.completed else tuple(displayed(x.text) for x in index.links[number] if x.state != "done")
        out.append(
            WorkRow(
                number=number,
                key=displayed(item.key),
                feature=displayed(item.feature),
                id=item.id,
                name=displayed(item.name),
                state=state,
                status=displayed(item.status.text),
                size=item.scope.size if item.scope else "",
                loc=item.loc,
                line=item.line,
                waits_for=waits,
                marks=marks.get(item.line, 0),
            )
        )
    return tuple(out)


def _ready(index: Index) -> set[int]:
    known: set[int] | None = index.__dict__.get("_ready")
    if known is None:
        known = index.__dict__["_ready"] = set(index.ready)
    return known


def _marks(index: Index) -> dict[int, int]:
    """Errors and warnings per line."""
    known: dict[int, int] | None = index.__dict__.get("_marks")
    if known is None:
        known = {}
        for problem in index.problems:
            if problem.line and problem.severity != "note":
                known[problem.line] = known.get(problem.line, 0) + 1
        index.__dict__["_marks"] = known
    return known


def select(
    index: Index,
    *,
    state: StreamState | None = None,
    feature: str | None = None,
    text: str = "",
    open_only: bool = False,
) -> tuple[int, ...]:
    """Numbers of the workstreams that pass every filter, in file order.

    Args:
        feature: a feature id, in any case.
        text: words that must all occur in key, name, status or feature title, in any case.
    """
    ready = _ready(index)
    words = text.lower().split()
    hay = _haystack(index) if words else ()
    wanted = feature.lower() if feature else None
    out = []
    for item in index.workstreams:
        if wanted is not None and item.feature.lower() != wanted:
            continue
        if open_only and item.completed:
            continue
        if state is not None:
            own = "completed" if item.completed else "ready" if item.number in ready else "blocked"
            if own != state:
                continue
        if words and not all(word in hay[item.number] for word in words):
            continue
        out.append(item.number)
    return tuple(out)


def _haystack(index: Index) -> tuple[str, ...]:
    known: tuple[str, ...] | None = index.__dict__.get("_haystack")
    if known is None:
        titles = {feature.id: feature.title for feature in index.features}
        known = index.__dict__["_haystack"] = tuple(
            f"{item.key} {item.name[:2000]} {item.status.text[:200]} {titles[item.feature][:2000]}".lower()
            for item in index.workstreams
        )
    return known


def find(index: Index, name: str) -> tuple[int, ...]:
    """Numbers of the workstreams that `WS-011-01` or `F11/WS-011-01` names, in any case; more than one if ambiguous."""
    feature, slash, wanted = name.strip().rpartition("/")
    numbers = index.by_id().get(wanted, ())
    if not numbers:
        low = wanted.lower()
        numbers = tuple(n for known, found in index.by_id().items() if known.lower() == low for n in found)
    if slash:
        numbers = tuple(n for n in numbers if index.workstreams[n].feature.lower() == feature.lower())
    return numbers


def detail(index: Index, number: int) -> Detail:
    """Everything about one workstream."""
    graph = graph_of(index)
    item = index.workstreams[number]
    lines = {item.line, *item.again}
    unlocked: Unlocks = graph.unlocks(number)
    needs = tuple(
        DependencyDetail(
            text=displayed(link.text),
            state=link.state,
            members=rows(index, (link.waiting or link.members)[:50]),
            total=len(link.members),
            open=len(link.waiting),
            missing=tuple(displayed(words) for words in link.missing),
        )
        for link in index.links[number]
    )
    return Detail(
        row=row(index, number),
        feature_title=displayed(next((f.title for f in index.features if f.id == item.feature), "")),
        scope=displayed(item.scope.text) if item.scope else "",
        scenarios=item.scenarios,
        bead=displayed(item.bead),
        needs=needs,
        used_by=rows(index, graph.dependents(number)),
        unlocks=() if item.completed else rows(index, unlocked.now),
        later=0 if item.completed else len(unlocked.later),
        problems=tuple(problem for problem in index.problems if problem.line in lines),
        files=None if index.files is None else tuple(f for f in index.files if f.number == number),
        also_at=item.again,
    )


def problems(
    index: Index, *, severity: ProblemSeverity | None = None, feature: str | None = None, text: str = ""
) -> tuple[IndexProblem, ...]:
    """Entries of lint, by line."""
    low = text.lower()
    return tuple(
        item
        for item in index.problems
        if (severity is None or item.severity == severity)
        and (feature is None or (item.feature or "").lower() == feature.lower())
        and (not low or low in item.message.lower() or low in item.code)
    )


def graph_lines(
    index: Index,
    *,
    feature: str | None = None,
    number: int | None = None,
    everything: bool = False,
    width: int = 80,
    ascii_only: bool = False,
) -> tuple[GraphLine, ...]:
    """The drawing, at most `width` characters a line.

    Args:
        feature: only this feature, completed ones too.
        number: only this workstream and all that waits for it.
        everything: completed ones too; otherwise only what is unfinished.
    """
    if number is not None:
        chosen = {number, *graph_of(index).downstream(number)}
        numbers = [n for n in sorted(chosen) if everything or n == number or not index.workstreams[n].completed]
    else:
        numbers = list(select(index, feature=feature, open_only=not everything and feature is None))
    return draw(index, numbers, width=width, ascii_only=ascii_only, qualify=feature is None)
