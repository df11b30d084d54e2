"""Dependency drawings in code fences, as far as they can be read for certain: trees, chains, simple forks.

Read: `A → B`, `A ──── B`, `A + B → C`, `A, B → C`, `A..C → D`, `A <- B`, `→ independent`, trees with `├── └── │`,
forks with `┬`. Notes in parentheses are skipped; `[PARALLEL]` or `(independent)` after a name says that it does not
wait for what it hangs under. Lines that join (`┐ ┘ ┤ ┼ ┴ ◄` and the like) leave open what belongs to what, so such a
drawing is not read at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from console.workstreams.grammar import values
from console.workstreams.grammar.markdown import verbatim
from console.workstreams.model import Section

_JOINS = re.compile("[┐┘┤┼┴◄▼▲►┌╮╯╰╭╔╗╚╝╠╣╦╩╬╪╫]")
_TOKEN = re.compile(
    r"(?P<space>\s+)"
    r"|(?P<note>\([^()]*\)|\[[^\[\]]*\])"
    r"|(?P<branch>[├└┣┗][─━-]*>?|[|`+\\][-─]{2,}>?)"
    r"|(?P<back>←[─-]*|<[-─]+)"
    r"|(?P<arrow>[-─━=]*┬[-─━]*>?|[-─━=]*(?:→|⟶|⇒)|[-─━=]+>|[─━]+|-{2,}|={2,})"
    r"|(?P<bar>[│┃|])"
    r"|(?P<range>[A-Za-z0-9_.-]*?[A-Za-z0-9]\.\.[A-Za-z0-9_.-]*[A-Za-z0-9])"
    r"|(?P<name>[A-Za-z0-9]+(?:[-_.][A-Za-z0-9]+)*)"
    r"|(?P<plus>[+,&])"
)
_FREE = re.compile(r"(?i)[\[(]\s*(?:parallel|independent)\s*(?:,.*)?[\])]")
_WORDS = frozenset({"independent", "done", "parallel", "and"})


class Art(Struct, frozen=True):
    """The drawing of one feature.

    Attributes:
        line: where the first fence starts.
        unread: why it could not be read, empty if it could; `unread_line` says where.
        needs: per drawn name, the names that it hangs under.
        lines: per drawn name, the line where it is drawn as something that waits, else where it is drawn first.
    """

    line: int
    unread: str = ""
    unread_line: int = 0
    needs: dict[str, tuple[str, ...]] = {}
    lines: dict[str, int] = {}


class _Unreadable(Exception):
    """The drawing leaves something open; the text says what."""

    def __init__(self, line: int, why: str) -> None:
        super().__init__(why)
        self.line = line


def read(section: Section, known: set[str]) -> Art | None:
    """The drawing below a heading, None where there is no fence.

    Args:
        known: ids of workstreams and features; other words in a drawing make it unreadable.
    """
    blocks = list(_fences(section))
    if not blocks:
        return None
    first = blocks[0][0][0] - 1
    needs: dict[str, list[str]] = {}
    lines: dict[str, int] = {}
    try:
        for block in blocks:
            _Fence(known, needs, lines).read(block)
        if not lines:
            raise _Unreadable(first, "it names no workstream")
    except _Unreadable as error:
        return Art(first, unread=str(error), unread_line=error.line)
    return Art(first, needs={name: tuple(dict.fromkeys(found)) for name, found in needs.items()}, lines=lines)


def _fences(section: Section) -> Iterator[list[tuple[int, str]]]:
    """The lines inside each fence that holds any, with their numbers."""
    for part in verbatim(section.body):
        inside = range(part.start + 1, part.end - part.closed)
        if part.kind == "fence" and inside:
            yield [(section.line + 1 + at, section.body[at]) for at in inside]


class _Fence:
    """Reads one fence line by line; `stack` holds the names that are still open to the right of their column."""

    def __init__(self, known: set[str], needs: dict[str, list[str]], lines: dict[str, int]) -> None:
        self.known, self.needs, self.lines = known, needs, lines
        self.stack: list[tuple[int, tuple[str, ...]]] = []

    def read(self, block: list[tuple[int, str]]) -> None:
        for number, line in block:
            if _JOINS.search(line):
                raise _Unreadable(number, "it joins lines, which leaves open what belongs to what")
            if len(line) > 2000:
                raise _Unreadable(number, "it has a very long line")
            reader = _Line(self, number)
            for kind, text, at in self.tokens(number, line.replace("\t", "    ")):
                reader.take(kind, text, at)
            reader.hang()

    def tokens(self, number: int, line: str) -> Iterator[tuple[str, str, int]]:
        at = 0
        while at < len(line):
            found = _TOKEN.match(line, at)
            if not found or not found.lastgroup:
                raise _Unreadable(number, f"it holds {line[at : at + 12].strip()!r}, which is no name and no line")
            kind, text = found.lastgroup, found.group()
            if kind == "name" and text not in self.known and not _looks_like_id(text):
                if text.lower() not in _WORDS:
                    raise _Unreadable(number, f"it holds the word {text[:20]!r}")
                kind = "word"
            if kind != "space":
                yield kind, text, at
            at = found.end()

    def parent(self, number: int, column: int) -> tuple[str, ...]:
        """The names that a branch at this column hangs under: the nearest to the left that are still open."""
        while self.stack and self.stack[-1][0] > column:
            self.stack.pop()
        if not self.stack:
            raise _Unreadable(number, "a branch hangs under nothing")
        return self.stack[-1][1]

    def flush(self, number: int, under: tuple[str, ...], group: list[str], backward: bool, column: int) -> None:
        """Record that each of `group` waits for each of `under` (or the other way round)."""
        children, parents = (under, group) if backward else (group, under)
        for name in (*under, *group):
            self.needs.setdefault(name, [])
            self.lines.setdefault(name, number)
        for child in children:
            if parents and not self.needs[child]:
                self.lines[child] = number
            self.needs[child].extend(parent for parent in parents if parent != child)
        while self.stack and self.stack[-1][0] >= column:
            self.stack.pop()
        self.stack.append((column, tuple(group)))


class _Line:
    """Reads one line of a fence, token by token from left to right.

    Attributes:
        under: the names to the left of the last arrow or branch.
        group: the names to the right of it so far, from `column` on; they wait for `under`, or, after an arrow `back`,
            `under` waits for them.
        arrow: the kind of the last arrow, empty before the first.
        begun: whether a name or a branch was read; `open` whether a name may follow, which needs a `+` between names.
    """

    def __init__(self, fence: _Fence, number: int) -> None:
        self.fence, self.number = fence, number
        self.under: tuple[str, ...] = ()
        self.group: list[str] = []
        self.column, self.arrow, self.begun, self.open = 0, "", False, True

    def take(self, kind: str, text: str, at: int) -> None:
        if kind == "bar":
            self.bar()
        elif kind == "branch" or (kind in ("arrow", "back") and not self.begun):
            self.branch(kind, at)
        elif kind in ("arrow", "back"):
            self.point(kind)
        elif kind == "plus":
            self.join(text)
        elif kind == "note":
            if self.group and _FREE.fullmatch(text):
                self.under = ()
        elif kind == "word":
            self.word(text.lower())
        else:
            self.name(kind, text, at)

    def bar(self) -> None:
        if self.begun:
            raise _Unreadable(self.number, "it has a line to the right of a name")

    def branch(self, kind: str, at: int) -> None:
        if self.begun or kind == "back":
            raise _Unreadable(self.number, "it has a branch to the right of a name")
        self.under, self.begun = self.fence.parent(self.number, at), True

    def point(self, kind: str) -> None:
        if not self.group or self.arrow not in ("", kind):
            raise _Unreadable(self.number, "an arrow points nowhere")
        self.hang()
        self.under, self.group, self.arrow, self.open = tuple(self.group), [], kind, True

    def join(self, text: str) -> None:
        if not self.group:
            raise _Unreadable(self.number, f"a {text!r} joins nothing")
        self.open = True

    def word(self, text: str) -> None:
        """`and` joins as `+` does; `independent` or `parallel` where a name was due says that nothing hangs here."""
        if text == "and":
            self.open = True
        elif text != "done" and not self.group:
            self.under = ()

    def name(self, kind: str, text: str, at: int) -> None:
        if not self.begun:
            self.fence.stack.clear()
            self.begun = True
        if self.group and not self.open:
            raise _Unreadable(self.number, "names stand side by side")
        if not self.group:
            self.column = at
        self.group.extend(self.names(kind, text))
        self.open = False

    def names(self, kind: str, text: str) -> tuple[str, ...]:
        if kind == "name":
            return (text,)
        between = values.split_range(text)
        try:
            return values.expand(*between) if between else ()
        except values.RangeError as error:
            raise _Unreadable(self.number, str(error)) from None

    def hang(self) -> None:
        if self.group:
            self.fence.flush(self.number, self.under, self.group, self.arrow == "back", self.column)


def _looks_like_id(text: str) -> bool:
    return values.is_id(text) and "-" in text and text[0].isalpha() and text.upper() == text
