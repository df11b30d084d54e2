"""The parts of an index outside the rows: summary, waves, audit tables, cross-references, the date at its foot."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from msgspec import Struct

from console.workstreams import values
from console.workstreams.codes import problem
from console.workstreams.model import (
    AuditItem,
    Claim,
    Feature,
    Index,
    Key,
    Number,
    Problem,
    Section,
    SummaryRow,
    Wave,
    WaveItem,
)
from console.workstreams.text import Mask, cells, is_delimiter, is_row

_UPDATED = re.compile(r"(?i)[\s*_>]*last[ _-]updated[*_]*\s*:?[*_]*\s*(.*?)[\s*_]*$")
_CLAIM = re.compile(r"([A-Za-z0-9][A-Za-z0-9_-]{0,40})\**\s*\(\s*([0-9]{1,6})(\+)?\s*WS\s*\)")
_REFERENCE = re.compile(r"[A-Za-z0-9]+(?:[-_.][A-Za-z0-9]+)*")
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


def tables(section: Section) -> Iterator[Table]:
    """The well-formed tables below a heading, outside code fences."""
    body, at, fence = section.body, 0, ""
    while at < len(body):
        line = body[at]
        mark = line.lstrip()[:3]
        if mark in ("```", "~~~"):
            fence = "" if fence == mark else (fence or mark)
        elif (
            not fence and at + 1 < len(body) and is_row(line) and is_delimiter(body[at + 1]) and not is_delimiter(line)
        ):
            columns = tuple(values.bare(cell).lower() for cell in cells(line))
            start, rows = at, []
            at += 2
            while at < len(body) and is_row(body[at]):
                rows.append((section.line + 1 + at, cells(body[at])))
                at += 1
            yield Table(columns, tuple(rows), section.line + 1 + start)
            continue
        at += 1


def _summary_places(columns: tuple[str, ...]) -> dict[str, int]:
    return {
        key: next((columns.index(name) for name in names if name in columns), -1)
        for key, names in _SUMMARY_COLUMNS.items()
    }


def summary_places(index: Index) -> dict[str, int]:
    """Which cell of a summary row holds which figure; -1 where there is none."""
    for part in index.parts:
        if isinstance(part, Section) and re.match(r"(?i)summary\b", part.title):
            for table in tables(part):
                return _summary_places(table.columns)
    return dict.fromkeys(_SUMMARY_COLUMNS, -1)


def summary_rows(tops: Sequence[tuple[Section, ...]]) -> tuple[tuple[SummaryRow, ...], list[Problem]]:
    """The rows of the first table below `## Summary`, and what could not be read in it."""
    problems: list[Problem] = []
    section = next((top[0] for top in tops if re.match(r"(?i)summary\b", top[0].title)), None)
    table = next(tables(section), None) if section else None
    if table is None:
        return (), problems
    places = _summary_places(table.columns)
    label = next((table.columns.index(name) for name in ("feature", "features", "name") if name in table.columns), 0)
    out: list[SummaryRow] = []
    for line, row in table.rows:
        if len(row) != len(table.columns):
            said = f"this row of the summary has {len(row)} cells, its heading has {len(table.columns)}"
            problems.append(problem("summary-unread", line, said, declared=" | ".join(row)))
            continue
        feature, title = values.feature_in_cell(row[label])
        total = feature.lower() in ("total", "totals", "sum", "all")
        figures: dict[str, Number | None] = {}
        bad: list[str] = []
        for key, place in places.items():
            found = values.number(row[place]) if place >= 0 else None
            figures[key] = found[0] if found else None
            if place >= 0 and (found is None or found[1]):
                bad.append(f"{table.columns[place]} is {row[place]!r}")
                figures[key] = None
        if bad or not feature:
            said = f"this row of the summary has no {'figure where ' + ', '.join(bad) if bad else 'feature'}"
            problems.append(problem("summary-unread", line, said, feature=feature or None, declared=" | ".join(row)))
        if feature:
            out.append(
                SummaryRow(
                    line,
                    "" if total else feature,
                    title or feature,
                    figures["total"],
                    figures["completed"],
                    figures["begun"],
                    figures["waiting"],
                )
            )
    return tuple(out), problems


def waves(tops: Sequence[tuple[Section, ...]]) -> tuple[Wave, ...]:
    """The wave tables, in file order."""
    out: list[Wave] = []
    for top in tops:
        for section in top:
            if "wave" not in section.title.lower():
                continue
            items: list[WaveItem] = []
            for table in tables(section):
                place = next((table.columns.index(n) for n in ("ws", "id", "workstream") if n in table.columns), None)
                if place is None:
                    continue
                for line, row in table.rows:
                    if len(row) == len(table.columns):
                        named = dict(zip(table.columns, row, strict=True))
                        feature = values.feature_in_cell(named.get("feature", ""))[0]
                        items.append(
                            WaveItem(
                                line,
                                values.bare(row[place]),
                                feature,
                                values.bare(named.get("effort", "")),
                                values.bare(named.get("impact", "")),
                            )
                        )
            if items:
                out.append(Wave(section.title, section.line, tuple(items)))
    return tuple(out)


def audit_items(features: Sequence[Feature]) -> tuple[AuditItem, ...]:
    """The rows of the audit tables inside features."""
    out: list[AuditItem] = []
    for feature in features:
        for section in feature.sections:
            if "audit" not in section.title.lower():
                continue
            for table in tables(section):
                columns = table.columns
                place = next(
                    (columns.index(n) for n in ("ws", "workstream", "workstreams", "id") if n in columns), None
                )
                if place is None or not columns[0].startswith("audit"):
                    continue
                for line, row in table.rows:
                    if len(row) != len(columns):
                        continue
                    named = dict(zip(columns, row, strict=True))
                    out.append(
                        AuditItem(
                            line=line,
                            feature=feature.id,
                            audit=values.bare(row[0]),
                            description=named.get("description", ""),
                            ids=tuple(_references(row[place])),
                            status=named.get("status", ""),
                        )
                    )
    return tuple(out)


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


def claims(tops: Sequence[tuple[Section, ...]], features: set[str]) -> tuple[Claim, ...]:
    """Counts like `**F27** (3 WS)` in tables outside the features."""
    out: list[Claim] = []
    for top in tops:
        for section in top:
            for offset, line in enumerate(section.body):
                if "WS" in line and "(" in line and len(line) < 20_000:
                    for found in _CLAIM.finditer(line):
                        if found.group(1) in features:
                            count = Number(int(found.group(2)), at_least=bool(found.group(3)))
                            out.append(Claim(section.line + 1 + offset, found.group(1), count))
    return tuple(out)


def last_updated(lines: Sequence[str], mask: Sequence[Mask]) -> Key | None:
    """The last line `Last updated: …` of the file."""
    for at in range(len(lines) - 1, -1, -1):
        line = lines[at]
        if mask[at] == "text" and len(line) < 400 and "pdated" in line and (found := _UPDATED.match(line)):
            return Key("Last updated", found.group(1), at + 1)
    return None
