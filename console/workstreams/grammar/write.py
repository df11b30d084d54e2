"""An index printed again: the same content in one canonical form.

Keys, tables and headings are set uniformly; everything that is prose, drawing or unread stays as it was. Parsing what
was printed gives the same content (`content`), and printing that again the same text.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from console.workstreams.grammar.markdown import escape
from console.workstreams.model import DataRow, Feature, Index, Section


def render(index: Index) -> str:
    """The index as Markdown."""
    lines = list(index.preamble)
    for part in index.parts:
        lines.extend(_section(part) if isinstance(part, Section) else _feature(index.features[part]))
    return "\n".join(lines)


def content(index: Index) -> Any:
    """Everything that an index says, as plain data without line numbers, to compare two texts by what they say."""
    whole = msgspec.to_builtins(index)
    for name in ("problems", "file", "encoding", "files"):
        del whole[name]
    return _without_lines(whole)


def _without_lines(value: Any) -> Any:
    if isinstance(value, dict):
        skip = ("line", "table_line", "again", "missing")
        return {key: _without_lines(item) for key, item in value.items() if key not in skip}
    if isinstance(value, list | tuple):
        return [_without_lines(item) for item in value]
    return value


def _heading(level: int, title: str) -> str:
    """A heading line; a title that itself ends in `#` gets a closing mark, which is not part of it."""
    return f"{'#' * level} {title}{' #' if title.endswith('#') else ''}".rstrip(" ")


def _section(section: Section) -> Iterator[str]:
    yield _heading(section.level, section.title)
    yield from section.body


def _feature(feature: Feature) -> Iterator[str]:
    yield _heading(2, f"Feature {feature.id}: {feature.title}" if feature.title else f"Feature {feature.id}:")
    yield ""
    for key in feature.keys:
        yield f"**{key.name}:** {key.value}".rstrip(" ")
    if feature.keys:
        yield ""
    if feature.notes:
        yield from feature.notes
        yield ""
    if feature.table_line:
        yield from _table(feature)
        yield ""
    if feature.after:
        yield from feature.after
        yield ""
    for section in feature.sections:
        yield from _section(section)


def _table(feature: Feature) -> Iterator[str]:
    if feature.columns:
        yield _row(feature.columns)
    yield "|" + "|".join("-" * min(80, max(3, len(column) + 2)) for column in feature.columns or ("-",)) + "|"
    for entry in feature.entries:
        yield _row(entry.cells) if isinstance(entry, DataRow) else entry.text


def _row(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(escape(cell) for cell in cells) + " |"
