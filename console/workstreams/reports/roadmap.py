"""The roadmap: a page of derived figures, made from one index. Same input, same bytes."""

from __future__ import annotations

from collections.abc import Iterator

from console.base.text import plural
from console.workstreams.derived.graph import Graph
from console.workstreams.displayed import displayed
from console.workstreams.model import Index
from console.workstreams.reports.view import features


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
    return displayed(text).replace("|", "\\|").replace("<", "&lt;").strip()
