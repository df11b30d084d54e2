"""Reports from one index: the roadmap, and metrics as JSON and as Prometheus text. Same input, same bytes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from console.base.text import clean, plural
from console.workstreams.codes import CODES
from console.workstreams.graph import Graph
from console.workstreams.model import Index
from console.workstreams.view import features


def roadmap(index: Index) -> str:
    """A Markdown page: derived figures beside declared ones, what is ready, the critical path, contradictions.

    It holds no time and no path, only the name of the index, so that it changes only when the index does.
    """
    return "\n".join(_roadmap(index)) + "\n"


def _roadmap(index: Index) -> Iterator[str]:
    counts = index.counts()
    name = index.file.replace("\\", "/").rsplit("/", 1)[-1]
    total, done = counts["workstreams"], counts["completed"]
    share = f" ({done * 100 // total} %)" if total else ""
    yield "# Roadmap"
    yield ""
    yield f"Derived from the rows of `{_cell(name)}` by `console workstreams roadmap`. Edit the index, not this file."
    yield ""
    yield f"**{done} of {total} workstreams completed{share}**, {counts['ready']} ready, {counts['blocked']} blocked."
    if counts["rows_unread"]:
        yield f"{plural(counts['rows_unread'], 'row')} could not be read and are missing from these figures."
    if counts["contradictions"]:
        yield f"The index contradicts itself in {plural(counts['contradictions'], 'place')}; see the end of this page."
    yield ""
    yield "| Feature | Title | Declared | Rows say | Completed | Total | Ready | Blocked |"
    yield "|---------|-------|----------|----------|----------:|------:|------:|--------:|"
    for row in features(index):
        mark = "" if row.agrees else " (!)"
        yield (
            f"| {_cell(row.id)} | {_cell(row.title)} | {_cell(row.declared) or '-'}{mark} | {row.derived} "
            f"| {row.completed} | {row.total}{'+?' if row.unread else ''} | {row.ready} | {row.blocked} |"
        )
    yield f"| **Total** |  |  |  | **{done}** | **{total}** | **{counts['ready']}** | **{counts['blocked']}** |"
    if index.ready:
        yield ""
        yield "## Ready"
        yield ""
        for number in index.ready:
            item = index.workstreams[number]
            yield f"- {_cell(item.key)} {_cell(item.name)}".rstrip()
    path = Graph(index).critical_path()
    if path.numbers:
        yield ""
        yield "## Critical path"
        yield ""
        for place, number in enumerate(path.numbers, 1):
            item = index.workstreams[number]
            yield f"{place}. {_cell(item.key)} {_cell(item.name)}".rstrip()
    errors = [item for item in index.problems if item.severity == "error"]
    if errors:
        yield ""
        yield "## Contradictions"
        yield ""
        for problem in errors:
            where = f"line {problem.line}" if problem.line else problem.file
            yield f"- {where}: {_cell(problem.message)} (`{problem.code}`)"


def _cell(text: str) -> str:
    """Text that cannot leave its table cell or list item."""
    return clean(text).replace("|", "\\|").replace("<", "&lt;").strip()


def metrics(index: Index) -> dict[str, Any]:
    """Figures as one JSON document, without `apiVersion`. `percent` is rounded down, null where there are no rows."""
    counts: dict[str, Any] = dict(index.counts())
    counts["percent"] = counts["completed"] * 100 // counts["workstreams"] if counts["workstreams"] else None
    return {
        "totals": counts,
        "features": [
            {
                "id": row.id,
                "title": row.title,
                "declared_status": row.declared or None,
                "derived_status": row.derived,
                "declared_total": row.declared_total or None,
                "total": row.total,
                "completed": row.completed,
                "percent": row.percent,
                "ready": row.ready,
                "blocked": row.blocked,
                "rows_unread": row.unread,
                "contradictions": row.errors,
            }
            for row in features(index)
        ],
        "problems": _problem_counts(index),
    }


def _problem_counts(index: Index) -> dict[str, int]:
    """Entries per code. Codes that need workstream files are missing where none were read: they were not judged."""
    out = {code: 0 for code, about in CODES.items() if index.files is not None or not about.files}
    for item in index.problems:
        out[item.code] = out.get(item.code, 0) + 1
    return out


def exposition(index: Index) -> str:
    """Prometheus text exposition (version 0.0.4), ending with a line feed."""
    return "\n".join(_exposition(index)) + "\n"


def _exposition(index: Index) -> Iterator[str]:
    counts = index.counts()
    states = ("completed", "ready", "blocked")
    names = list(dict.fromkeys(clean(feature.id) for feature in index.features))
    yield from _family("features", "Feature headings in the index.", [("", counts["features"])])
    yield from _family(
        "rows",
        "Data rows in the feature tables, by whether they were understood.",
        [
            (_labels(state="understood"), counts["rows"] - counts["rows_unread"]),
            (_labels(state="unread"), counts["rows_unread"]),
        ],
    )
    yield from _family(
        "workstreams",
        "Workstreams after expansion of ranges, by what follows from the rows.",
        [(_labels(state=state), counts[state]) for state in states],
    )
    own: dict[str, dict[str, int]] = {name: dict.fromkeys(states, 0) for name in names}
    ready = set(index.ready)
    for item in index.workstreams:
        state = "completed" if item.completed else "ready" if item.number in ready else "blocked"
        own[clean(item.feature)][state] += 1
    yield from _family(
        "feature_workstreams",
        "Workstreams of a feature, by what follows from its rows.",
        [(_labels(feature=name, state=state), own[name][state]) for name in names for state in states],
    )
    problems = _problem_counts(index)
    yield from _family(
        "problems",
        "Entries of lint by code.",
        [(_labels(code=code, severity=CODES[code].severity), number) for code, number in problems.items()],
    )
    yield from _family("contradictions", "Entries of lint with severity error.", [("", counts["contradictions"])])


def _family(name: str, text: str, series: list[tuple[str, int]]) -> Iterator[str]:
    full = f"console_workstreams_{name}" if name != "workstreams" else "console_workstreams"
    yield f"# HELP {full} {text}"
    yield f"# TYPE {full} gauge"
    for labels, value in series:
        yield f"{full}{labels} {value}"


def _labels(**labels: str) -> str:
    pairs = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())
    return f"{{{pairs}}}"


def _escaped(value: str) -> str:
    return clean(value).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
