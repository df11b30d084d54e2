"""The values that a workstreams index consists of. Every value knows the line that it stands on (from 1)."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

ProblemSeverity = Literal["error", "warning", "note"]
WorkProgress = Literal["completed", "begun", "waiting", "unknown"]
"""What a status word says: done, under way, not begun, or a word that says none of these."""


class Number(Struct, frozen=True):
    """A number as people write it: `~2600` is about 2600, `17+` is at least 17."""

    value: int
    about: bool = False
    at_least: bool = False

    def __str__(self) -> str:
        return f"{'~' if self.about else ''}{self.value}{'+' if self.at_least else ''}"


class WorkStatus(Struct, frozen=True):
    """A status. `word` is its first word, lower case, without `*`; `completed` follows from that word alone."""

    text: str
    word: str
    completed: bool
    progress: WorkProgress


class Estimate(Struct, frozen=True):
    """`SMALL (~400 LOC refactor)`: size `SMALL`, about 400 lines of code, note `refactor`."""

    text: str
    size: str = ""
    loc: Number | None = None
    note: str = ""


class Dependency(Struct, frozen=True):
    """One token of a dependency cell.

    Attributes:
        text: the token as written.
        kind: `id`; `range` (from `first` to `last`, both included); `qualified` (`F11/WS-011-01`); `phase` (number in
            `first`); `word` for anything else. Whether an id names a workstream or a feature is found by looking it up.
    """

    text: str
    kind: Literal["id", "range", "qualified", "phase", "word"]
    first: str
    last: str = ""


class KeyLine(Struct, frozen=True):
    """A line `**Name:** value`."""

    name: str
    value: str
    line: int


class DataRow(Struct, frozen=True):
    """A data row that was understood. `ids` holds more than one where the row is a range."""

    line: int
    cells: tuple[str, ...]
    ids: tuple[str, ...]
    name: str
    status: WorkStatus
    dependencies: tuple[Dependency, ...] = ()
    scope: Estimate | None = None
    scenarios: int | None = None
    bead: str = ""


class Unread(Struct, frozen=True):
    """A data row that could not be understood, with the reason. `id` is its first cell where that is an id."""

    line: int
    text: str
    reason: str
    id: str = ""


class Section(Struct, frozen=True):
    """A heading with the raw lines below it, up to the next heading of any level. `line` is that of the heading."""

    title: str
    level: int
    line: int
    body: tuple[str, ...]


class Review(Struct, frozen=True):
    """A `### Review Summary`: what was judged, when, and what is said about it."""

    feature: str
    line: int
    keys: tuple[KeyLine, ...]

    def key(self, name: str) -> KeyLine | None:
        """The first key of that name."""
        return next((key for key in self.keys if key.name.lower() == name.lower()), None)


class Feature(Struct, frozen=True):
    """A `## Feature ID:` heading with everything below it.

    Attributes:
        number: position in the file, from 0. Feature ids may repeat, numbers do not.
        keys: the `**Key:** value` lines before the table.
        notes: other text before the table; `after`: raw lines between the table and the first `###`.
        columns: headings of the table; empty where there is no table or its heading is lost.
        entries: the data rows in file order, understood or not.
    """

    number: int
    id: str
    title: str
    line: int
    keys: tuple[KeyLine, ...] = ()
    notes: tuple[str, ...] = ()
    table_line: int = 0
    columns: tuple[str, ...] = ()
    entries: tuple[DataRow | Unread, ...] = ()
    after: tuple[str, ...] = ()
    sections: tuple[Section, ...] = ()
    status: WorkStatus | None = None
    total: Number | None = None
    loc: Number | None = None
    scenarios: Number | None = None
    beads: tuple[str, ...] = ()

    @property
    def rows(self) -> tuple[DataRow, ...]:
        """The rows that were understood."""
        return tuple(entry for entry in self.entries if isinstance(entry, DataRow))

    @property
    def unread(self) -> tuple[Unread, ...]:
        """The rows that were not."""
        return tuple(entry for entry in self.entries if isinstance(entry, Unread))

    def key(self, *names: str) -> KeyLine | None:
        """The first key with one of these names, in any case."""
        wanted = {name.lower() for name in names}
        return next((key for key in self.keys if key.name.lower() in wanted), None)


class Workstream(Struct, frozen=True):
    """One workstream.

    Attributes:
        number: position in file order, from 0.
        feature, id: together they name it.
        line: its row. `again` holds the lines of further rows that declare the same workstream; it is completed only
            if all of them say so.
    """

    number: int
    feature: str
    id: str
    line: int
    name: str
    status: WorkStatus
    completed: bool
    dependencies: tuple[Dependency, ...] = ()
    scope: Estimate | None = None
    scenarios: int | None = None
    bead: str = ""
    again: tuple[int, ...] = ()

    @property
    def key(self) -> str:
        """`F11/WS-011-01`, which names it among equal ids."""
        return f"{self.feature}/{self.id}"

    @property
    def loc(self) -> int | None:
        """Estimated lines of code, or None where the scope does not say."""
        return self.scope.loc.value if self.scope and self.scope.loc else None


class SummaryRow(Struct, frozen=True):
    """A row of `## Summary`. `feature` is empty for the total; a number that could not be read is None."""

    line: int
    feature: str
    label: str
    total: Number | None = None
    completed: Number | None = None
    begun: Number | None = None
    waiting: Number | None = None


class WaveItem(Struct, frozen=True):
    """A row of a wave table. `feature` is the id before the colon of its feature cell."""

    line: int
    id: str
    feature: str
    effort: str = ""


class Wave(Struct, frozen=True):
    """A planned wave with its items."""

    title: str
    line: int
    items: tuple[WaveItem, ...]


class AuditItem(Struct, frozen=True):
    """A row of an audit table inside a feature: which workstreams answer an audit item."""

    line: int
    feature: str
    audit: str
    description: str
    ids: tuple[str, ...]
    status: str = ""


class DeclaredCount(Struct, frozen=True):
    """`**F27** (3 WS)` somewhere outside the features: a count that is declared for a feature."""

    line: int
    feature: str
    count: Number


class IndexProblem(Struct, frozen=True):
    """One entry of lint.

    Attributes:
        line: line in the index; None where the problem is in another file only.
        declared, derived: what the file says, and what follows from its rows.
        file, at: path and line of the workstream file that is concerned, if there is one.
    """

    code: str
    severity: ProblemSeverity
    message: str
    line: int | None
    feature: str | None = None
    workstream: str | None = None
    declared: str | None = None
    derived: str | None = None
    file: str = ""
    at: int = 0


class Link(Struct, frozen=True):
    """A dependency after it was looked up.

    Attributes:
        text: the token as written.
        state: `done`, `waiting` (resolved, not all completed), `unknown`, `ambiguous`.
        members: numbers of the workstreams that it stands for. Shared between equal tokens.
        waiting: those of `members` that are not completed.
        missing: what keeps it from being resolved, as words.
    """

    text: str
    state: Literal["done", "waiting", "unknown", "ambiguous"]
    members: tuple[int, ...]
    waiting: tuple[int, ...] = ()
    missing: tuple[str, ...] = ()


class WorkFile(Struct, frozen=True):
    """An individual workstream file.

    Attributes:
        path: relative to the folder that was read; `folder` is `completed`, `backlog` or another name.
        raw_id: the id as the file writes it, `id` the one that joined the index (else the likeliest form).
        number: the workstream of the index that it belongs to, None if there is none or more than one.
        open_criteria: how many `- [ ]` boxes are not ticked, `done_criteria` how many are.
        style: `front matter`, `quoted` or `plain`.
    """

    path: str
    folder: str
    raw_id: str
    id: str
    number: int | None
    style: str
    title: str = ""
    feature: str = ""
    status: WorkStatus | None = None
    status_line: int = 0
    size: str = ""
    depends_on: tuple[str, ...] = ()
    open_criteria: int = 0
    done_criteria: int = 0
    id_line: int = 0
    unread: str = ""


class Index(Struct, frozen=True, dict=True):
    """A workstreams index, read, looked up and checked.

    Attributes:
        workstreams: in file order; `links` runs parallel to it.
        members: numbers of the workstreams of each feature; runs parallel to `features`.
        ready, blocked: numbers of the workstreams that are not completed.
        problems: everything that lint says, by line.
        preamble: raw lines before the first `##`; `parts` tells the order of features (int) and sections (Section).
    """

    file: str
    encoding: str = "utf-8"
    title: str = ""
    preamble: tuple[str, ...] = ()
    parts: tuple[int | Section, ...] = ()
    features: tuple[Feature, ...] = ()
    members: tuple[tuple[int, ...], ...] = ()
    workstreams: tuple[Workstream, ...] = ()
    links: tuple[tuple[Link, ...], ...] = ()
    ready: tuple[int, ...] = ()
    blocked: tuple[int, ...] = ()
    summary: tuple[SummaryRow, ...] = ()
    waves: tuple[Wave, ...] = ()
    audits: tuple[AuditItem, ...] = ()
    reviews: tuple[Review, ...] = ()
    claims: tuple[DeclaredCount, ...] = ()
    updated: KeyLine | None = None
    files: tuple[WorkFile, ...] | None = None
    problems: tuple[IndexProblem, ...] = ()

    @property
    def rows(self) -> int:
        """How many data rows there are, understood or not."""
        return sum(len(feature.entries) for feature in self.features)

    @property
    def rows_unread(self) -> int:
        """How many of them were not understood."""
        return sum(len(feature.unread) for feature in self.features)

    @property
    def completed(self) -> int:
        """How many workstreams are completed."""
        return len(self.workstreams) - len(self.ready) - len(self.blocked)

    @property
    def contradictions(self) -> int:
        """How many entries of lint are errors."""
        return sum(problem.severity == "error" for problem in self.problems)

    def by_id(self) -> dict[str, tuple[int, ...]]:
        """Numbers of the workstreams that have an id, in file order."""
        known: dict[str, tuple[int, ...]] | None = self.__dict__.get("_by_id")
        if known is None:
            known = {}
            for item in self.workstreams:
                known[item.id] = (*known.get(item.id, ()), item.number)
            self.__dict__["_by_id"] = known
        return known

    def counts(self) -> dict[str, int]:
        """The figures of `console workstreams summary`."""
        return {
            "features": len(self.features),
            "rows": self.rows,
            "rows_unread": self.rows_unread,
            "workstreams": len(self.workstreams),
            "completed": self.completed,
            "not_completed": len(self.ready) + len(self.blocked),
            "ready": len(self.ready),
            "blocked": len(self.blocked),
            "contradictions": self.contradictions,
        }
