"""The lines of a feature before its first sub-heading, and above all its table.

The rows of a feature are the lines of its first table. A table starts with a heading and a `|---|` row (one of the two
may be lost) and ends at a blank line, a rule, a fence or a line without `|` that no further row follows. A row is
understood when it has as many cells as the heading, an id or a range of ids, and the table has a status column.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from console.workstreams.codes import problem
from console.workstreams.grammar import values
from console.workstreams.grammar.markdown import Mask, cells, heads_table, is_delimiter, is_row, is_rule
from console.workstreams.model import DataRow, IndexProblem, KeyLine, Unread

MAX_WORKSTREAMS = 100_000

_KEY = re.compile(r"\s{0,3}(?:[-*+] )?\*\*([^*:\n]{1,60})(?::\*\*|\*\*:)\s*(.*)")
_PLAIN_KEY = re.compile(r"(?i)\s{0,3}(?:[-*+] )?(status|total workstreams|estimated loc|source|sequential)\s*:\s+(.*)")
_ID_COLUMNS = ("id", "ws", "ws id", "workstream", "workstream id", "key", "ticket", "task", "#")
_COLUMNS = {
    "name": ("name", "title", "workstream", "summary", "what"),
    "scope": ("scope", "size", "estimate", "effort", "loc"),
    "scenarios": ("scenarios", "scenario"),
    "dependency": ("dependency", "dependencies", "depends on", "deps", "blocked by", "needs", "after"),
    "status": ("status", "state"),
    "bead": ("bead", "beads", "issue"),
}


_UNIT = re.compile(r"\s*\([^()]*\)$")


class FeatureHead:
    """The lines of a feature before its first sub-heading: keys, notes, the table, and what follows it.

    `read` fills the attributes; `budget` is how many workstreams the index may still hold.
    """

    def __init__(
        self, lines: Sequence[str], mask: Sequence[Mask], feature: str, span: tuple[int, int], budget: int
    ) -> None:
        self.lines, self.mask, self.feature, self.budget = lines, mask, feature, budget
        self.at, self.end = span
        self.problems: list[IndexProblem] = []
        self.keys: list[KeyLine] = []
        self.notes: list[str] = []
        self.after: list[str] = []
        self.columns: tuple[str, ...] = ()
        self.entries: list[DataRow | Unread] = []
        self.table_line = 0
        self.places: dict[str, int] = {}

    def read(self) -> None:
        while self.at < self.end:
            line = self.lines[self.at]
            if self.mask[self.at] == "text":
                if not self.table_line and self.is_table(self.at):
                    self.table()
                    continue
                if not self.table_line and (key := read_key(line, self.at + 1)):
                    self.keys.append(key)
                    self.at += 1
                    continue
                if self.table_line and line.lstrip().startswith("|"):
                    self.stray()
                    continue
            (self.after if self.table_line else self.notes).append(line)
            self.at += 1

    def text(self, at: int) -> str | None:
        """The line at `at` if it is text of this part, else None."""
        return self.lines[at] if at < self.end and self.mask[at] == "text" else None

    def is_table(self, at: int) -> bool:
        """Whether a table starts here: with its heading, with its delimiter row, or with a row if both are lost."""
        line = self.lines[at]
        if not is_row(line):
            return False
        below = self.text(at + 1)
        if heads_table(line, below):
            return True
        if not line.lstrip().startswith("|"):
            return False
        if is_delimiter(line):
            return below is not None and is_row(below)
        first = cells(line)
        return _is_heading(first) or _is_id_cell(first[0])

    def table(self) -> None:
        """Read the table that starts at the current line."""
        self.table_line = self.at + 1
        first = cells(self.lines[self.at])
        said = ""
        if is_delimiter(self.lines[self.at]):
            said = "the table has no heading row"
            self.at += 1
        else:
            below = self.text(self.at + 1)
            headed = below is not None and is_delimiter(below)
            if headed or _is_heading(first):
                self.columns = first
                self.at += 1
                if headed and below is not None:
                    width = len(cells(below))
                    if width != len(first):
                        said = f"the heading has {_cells(len(first))}, the row of dashes below it {width}"
                    self.at += 1
                else:
                    said = "the row of dashes below the heading is missing"
            else:
                said = "the table has no heading row"
        if said:
            self.problems.append(
                problem("table-heading", self.table_line, f"{said} (table of {self.feature})", feature=self.feature)
            )
        self.places = column_places(self.columns)
        while self.at < self.end and (kind := self.continues(self.at)):
            if kind == "row":
                self.row()
            self.at += 1

    def continues(self, at: int) -> str:
        """`row` for a row, `skip` for a comment inside the table, empty where the table has ended."""
        line = self.lines[at]
        if self.mask[at] == "comment":
            return "skip" if self.followed(at) else ""
        if self.mask[at] != "text" or not line.strip():
            return ""
        if is_row(line):
            return "row"
        return "row" if not is_rule(line) and not line.lstrip().startswith(">") and self.followed(at) else ""

    def followed(self, at: int) -> bool:
        """Whether rows go on below a line that is none, without a blank line or a new table between."""
        for n in range(at + 1, min(self.end, at + 50)):
            line = self.lines[n]
            if self.mask[n] == "comment":
                continue
            if self.mask[n] != "text" or not line.strip() or is_rule(line) or line.lstrip().startswith(">"):
                return False
            if is_row(line):
                return not heads_table(line, self.text(n + 1))
        return False

    def row(self) -> None:
        line = self.lines[self.at]
        entry = self.understand(line)
        self.entries.append(entry)
        if isinstance(entry, Unread):
            self.problems.append(
                problem(
                    "row-unread",
                    entry.line,
                    f"this row of {self.feature} cannot be understood: {entry.reason}",
                    feature=self.feature,
                    workstream=entry.id or None,
                    declared=line.strip(),
                )
            )

    def understand(self, line: str) -> DataRow | Unread:
        found = cells(line)
        at, places = self.at + 1, self.places
        known = values.bare(found[0])
        known = known if values.is_id(known) else ""
        if not self.columns:
            return Unread(at, line, "the table has no heading row", known)
        if len(found) != len(self.columns):
            return Unread(at, line, f"it has {_cells(len(found))}, the heading has {len(self.columns)}", known)
        if "status" not in places:
            return Unread(at, line, "the table has no status column", known)
        try:
            ids = values.row_ids(found[places["id"]])
        except values.RangeError as error:
            return Unread(at, line, str(error))
        if len(ids) > self.budget:
            return Unread(at, line, f"the index would hold more than {MAX_WORKSTREAMS} workstreams")
        self.budget -= len(ids)

        def cell(name: str) -> str:
            place = places.get(name)
            return "" if place is None else found[place]

        counted = values.number(cell("scenarios")) if "scenarios" in places else None
        return DataRow(
            line=at,
            cells=found,
            ids=ids,
            name=cell("name"),
            status=values.status(cell("status")),
            dependencies=values.dependencies(cell("dependency")),
            scope=values.scope(cell("scope")),
            scenarios=counted[0].value if counted else None,
            bead=cell("bead"),
        )

    def stray(self) -> None:
        """Lines with pipes after the table: a further table, or rows that a blank line cut off."""
        start = self.at
        block: list[int] = []
        while self.at < self.end and (line := self.text(self.at)) is not None and line.strip() and is_row(line):
            block.append(self.at)
            self.at += 1
        self.after.extend(self.lines[start : self.at])
        if len(block) > 1 and heads_table(self.lines[block[0]], self.lines[block[1]]):
            self.problems.append(
                problem(
                    "table-ignored",
                    start + 1,
                    f"a further table of {self.feature}: only the first one holds workstreams",
                    feature=self.feature,
                )
            )
            return
        for at in block:
            first = cells(self.lines[at])[0]
            if _is_id_cell(first):
                self.problems.append(
                    problem(
                        "row-outside",
                        at + 1,
                        f"{values.bare(first)} looks like a row of {self.feature}, but its table ended above",
                        feature=self.feature,
                        workstream=values.bare(first),
                        declared=self.lines[at].strip(),
                    )
                )


def read_key(line: str, number: int) -> KeyLine | None:
    """A line `**Name:** value`, or `Name: value` for the names that every index uses; else None."""
    found = (_KEY if "**" in line[:8] else _PLAIN_KEY).match(line)
    return KeyLine(found.group(1).strip(), found.group(2).strip(), number) if found else None


def column_places(columns: tuple[str, ...]) -> dict[str, int]:
    """Where the columns that we know are. The id is in the first column unless a heading says otherwise."""
    names = [_UNIT.sub("", values.bare(column).lower()) for column in columns]
    places = {"id": next((names.index(name) for name in _ID_COLUMNS if name in names), 0)}
    for column, spellings in _COLUMNS.items():
        found = next((names.index(name) for name in spellings if name in names), None)
        if found is not None and found != places["id"]:
            places[column] = found
    return places


def _is_heading(found: Sequence[str]) -> bool:
    names = {values.bare(cell).lower() for cell in found}
    return bool(names & set(_COLUMNS["status"])) and bool(names & {*_ID_COLUMNS, *_COLUMNS["name"]})


def _is_id_cell(cell: str) -> bool:
    try:
        return bool(values.row_ids(cell)) and not values.bare(cell).isdigit()
    except values.RangeError:
        return False


def counted_rows(lines: Sequence[str]) -> int:
    """How many lines look like rows with an id in their first cell."""
    return sum(line.lstrip().startswith("|") and _is_id_cell(cells(line)[0]) for line in lines)


def _cells(count: int) -> str:
    return f"{count} cell" if count == 1 else f"{count} cells"


def trim(lines: list[str]) -> tuple[str, ...]:
    """Without blank lines at both ends."""
    start, end = 0, len(lines)
    while start < end and not lines[start].strip():
        start += 1
    while end > start and not lines[end - 1].strip():
        end -= 1
    return tuple(lines[start:end])
