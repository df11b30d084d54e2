"""The parts of an index outside the rows: summary, waves, audit tables, cross-references, the date at its foot."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from console.workstreams.codes import problem
from console.workstreams.grammar import values
from console.workstreams.grammar.markdown import Mask, cells, heads_table, is_row, masks
from console.workstreams.model import (
    AuditItem,
    DeclaredCount,
    Feature,
    Index,
    IndexProblem,
    KeyLine,
    Number,
    Section,
    SummaryRow,
    Wave,
    WaveItem,
)

_UPDATED = re.compile(r"(?i)[\s*_>]*last[ _-]updated[*_]*\s*:?[*_]*\s*(.*?)[\s*_]*$")
_CLAIM = re.compile(r"([A-Za-z0-9][A-Za-z0-9_-]{0,40})\**\s*\(\s*([0-9]{1,6})(\+)?\s*WS\s*\)")
_SUMMARY_COLUMNS = {
    "total": ("total ws", "total", "total workstreams", "workstreams", "ws", "all"),
    "completed": ("completed", "done", "closed"),
    "begun": ("in progress", "in-progress", "active", "started"),
    "waiting": ("backlog", "open", "waiting", "planned", "to do", "todo", "remaining"),
}


class Table(Struct, frozen=True):
    """A table anywhere: its columns in lower case, and its rows with their lines."""

    columns: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]
    line: int

    def place(self, *names: str) -> int | None:
        """Where the first of these columns is that the table has."""
        return next((self.columns.index(name) for name in names if name in self.columns), None)

    def named(self) -> Iterator[tuple[int, tuple[str, ...], dict[str, str]]]:
        """The rows as wide as the heading: line, cells, and the cells by column."""
        for line, row in self.rows:
            if len(row) == len(self.columns):
                yield line, row, dict(zip(self.columns, row, strict=True))


def tables(section: Section) -> Iterator[Table]:
    """The well-formed tables below a heading, outside code fences and comments."""
    body, at = section.body, 0
    mask, _ = masks(body)
    while at + 1 < len(body):
        if mask[at] != "text" or not heads_table(body[at], body[at + 1]):
            at += 1
            continue
        start, rows = at, []
        at += 2
        while at < len(body) and mask[at] == "text" and is_row(body[at]):
            rows.append((section.line + 1 + at, cells(body[at])))
            at += 1
        columns = tuple(values.bare(cell).lower() for cell in cells(body[start]))
        yield Table(columns, tuple(rows), section.line + 1 + start)


def _summary_table(sections: Iterable[Section]) -> Table | None:
    """The first table right below `## Summary`."""
    for section in sections:
        if section.level <= 2 and re.match(r"(?i)summary\b", section.title):
            return next(tables(section), None)
    return None


def _summary_places(table: Table | None) -> dict[str, int]:
    """Which cell of a summary row holds which figure; -1 where there is none."""
    places = {key: table.place(*names) if table else None for key, names in _SUMMARY_COLUMNS.items()}
    return {key: -1 if place is None else place for key, place in places.items()}


def summary_places(index: Index) -> dict[str, int]:
    """Which cell of a summary row of this index holds which figure; -1 where there is none."""
    return _summary_places(_summary_table(part for part in index.parts if isinstance(part, Section)))


def summary_rows(tops: Sequence[tuple[Section, ...]]) -> tuple[tuple[SummaryRow, ...], list[IndexProblem]]:
    """The rows of the first table below `## Summary`, and what could not be read in it."""
    problems: list[IndexProblem] = []
    table = _summary_table(top[0] for top in tops)
    if table is None:
        return (), problems
    places = _summary_places(table)
    label = table.place("feature", "features", "name") or 0
    out: list[SummaryRow] = []
    for line, row in table.rows:
        declared = " | ".join(row)
        if len(row) != len(table.columns):
            said = f"this row of the summary has {len(row)} cells, its heading has {len(table.columns)}"
            problems.append(problem("summary-unread", line, said, declared=declared))
            continue
        feature, title = values.feature_in_cell(row[label])
        figures = {key: _figure(row[place]) for key, place in places.items() if place >= 0}
        bad = [f"{table.columns[places[key]]} is {row[places[key]]!r}" for key in figures if figures[key] is None]
        if bad or not feature:
            said = f"this row of the summary has no {'figure where ' + ', '.join(bad) if bad else 'feature'}"
            problems.append(problem("summary-unread", line, said, feature=feature or None, declared=declared))
        if feature:
            total = feature.lower() in ("total", "totals", "sum", "all")
            out.append(SummaryRow(line, "" if total else feature, title or feature, **figures))
    return tuple(out), problems


def _figure(cell: str) -> Number | None:
    """The number that a cell holds, and nothing else."""
    found = values.number(cell)
    return found[0] if found and not found[1] else None


def waves(tops: Sequence[tuple[Section, ...]]) -> tuple[Wave, ...]:
    """The wave tables, in file order."""
    sections = [section for top in tops for section in top if "wave" in section.title.lower()]
    found = [(section, tuple(item for table in tables(section) for item in _wave_items(table))) for section in sections]
    return tuple(Wave(section.title, section.line, items) for section, items in found if items)


def _wave_items(table: Table) -> Iterator[WaveItem]:
    place = table.place("ws", "id", "workstream")
    if place is None:
        return
    for line, row, named in table.named():
        yield WaveItem(
            line=line,
            id=values.bare(row[place]),
            feature=values.feature_in_cell(named.get("feature", ""))[0],
            effort=values.bare(named.get("effort", "")),
        )


def audit_items(features: Sequence[Feature]) -> tuple[AuditItem, ...]:
    """The rows of the audit tables inside features."""
    return tuple(
        item
        for feature in features
        for section in feature.sections
        if "audit" in section.title.lower()
        for table in tables(section)
        for item in _audit_items(feature, table)
    )


def _audit_items(feature: Feature, table: Table) -> Iterator[AuditItem]:
    place = table.place("ws", "workstream", "workstreams", "id")
    if place is None or not table.columns[0].startswith("audit"):
        return
    for line, row, named in table.named():
        yield AuditItem(
            line=line,
            feature=feature.id,
            audit=values.bare(row[0]),
            description=named.get("description", ""),
            ids=tuple(_references(row[place])),
            status=named.get("status", ""),
        )


def _references(cell: str) -> Iterator[str]:
    """The ids that a cell names; words like `Future (out of scope)` are none."""
    for token in values.dependencies(cell):
        if token.kind == "id":
            yield token.first
        elif token.kind == "range":
            try:
                yield from values.expand(token.first, token.last)
            except values.RangeError:
                yield token.text


def claims(tops: Sequence[tuple[Section, ...]], features: set[str]) -> tuple[DeclaredCount, ...]:
    """Counts like `**F27** (3 WS)` in tables outside the features."""
    out: list[DeclaredCount] = []
    for top in tops:
        for section in top:
            for offset, line in enumerate(section.body):
                if "WS" in line and "(" in line and len(line) < 20_000:
                    for found in _CLAIM.finditer(line):
                        if found.group(1) in features:
                            count = Number(int(found.group(2)), at_least=bool(found.group(3)))
                            out.append(DeclaredCount(section.line + 1 + offset, found.group(1), count))
    return tuple(out)


def last_updated(lines: Sequence[str], mask: Sequence[Mask]) -> KeyLine | None:
    """The last line `Last updated: …` of the file."""
    for at in range(len(lines) - 1, -1, -1):
        line = lines[at]
        if mask[at] == "text" and len(line) < 400 and "pdated" in line and (found := _UPDATED.match(line)):
            return KeyLine("Last updated", found.group(1), at + 1)
    return None
