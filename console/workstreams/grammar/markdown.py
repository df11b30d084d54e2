"""Markdown by lines: code fences, comments, headings, and the cells of a table.

Not read by markdown-it-py, which agrees with this wherever a text is sound (a test asks both): an index kept by hand
seldom is. The library fills short rows up, cuts long ones, and drops what lies beyond 65,536 missing cells, without a
word; it sees no table whose row of dashes is lost; a fence that is never closed swallows the rest; and it gives no
columns, without which no cell can be replaced. It also takes five times as long.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")
_HEADING = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*))?$", re.DOTALL)
_DELIMITER = re.compile(r":?-+:?")
_ESCAPED = re.compile(r"\\[^\n]|\|")
Mask = Literal["text", "fence", "comment"]


class Verbatim(NamedTuple):
    """Lines `start` to `end` (not included, from 0) that are no text: a code fence with its marks, or a comment."""

    kind: Literal["fence", "comment"]
    start: int
    end: int
    closed: bool = True


def heading(line: str) -> tuple[int, str] | None:
    """Level and text of an ATX heading, or None."""
    if "#" not in line[:4]:
        return None
    found = _HEADING.match(line)
    if not found:
        return None
    text = (found.group(2) or "").strip()
    stripped = text.rstrip("#")
    if stripped != text and (not stripped or stripped[-1] in " \t"):
        text = stripped.rstrip()
    return len(found.group(1)), text


def masks(lines: Sequence[str]) -> tuple[list[Mask], list[int]]:
    """What each line is: text, part of a code fence, or part of a comment; and the fences that are never closed."""
    out: list[Mask] = ["text"] * len(lines)
    found = verbatim(lines)
    for part in found:
        out[part.start : part.end] = [part.kind] * (part.end - part.start)
    return out, [part.start + 1 for part in found if not part.closed]


def verbatim(lines: Sequence[str]) -> list[Verbatim]:
    """The code fences and comments, in order.

    Fences are those of Markdown as long as each one is closed. If one is not, a line was lost somewhere and pairs can
    no longer be trusted: then a fence ends before the next heading of the first or second level.
    """
    found = list(_verbatim(lines, trusting=True))
    return found if all(part.closed for part in found) else list(_verbatim(lines, trusting=False))


def _verbatim(lines: Sequence[str], *, trusting: bool) -> Iterator[Verbatim]:
    last_close = next((at for at in range(len(lines) - 1, -1, -1) if "-->" in lines[at]), -1)
    at = 0
    while at < len(lines):
        start = lines[at].lstrip(" ")[:4]
        end = 0
        if start[:1] in ("`", "~") and (mark := _opening(lines[at])):
            end, closed = _fence_end(lines, at, mark, trusting)
            yield Verbatim("fence", at, end, closed)
        elif start == "<!--" and at <= last_close:
            end = next(n for n in range(at, len(lines)) if "-->" in lines[n]) + 1
            yield Verbatim("comment", at, end)
        at = end or at + 1


def _opening(line: str) -> str:
    """The mark of the fence that a line opens, empty if it opens none."""
    found = _FENCE.match(line)
    return found.group(1) if found and not (found.group(1)[0] == "`" and "`" in found.group(2)) else ""


def _fence_end(lines: Sequence[str], opened: int, mark: str, trusting: bool) -> tuple[int, bool]:
    """The line behind a fence, and whether the fence is closed."""
    for at in range(opened + 1, len(lines)):
        line = lines[at]
        if not trusting and (head := heading(line)) and head[0] <= 2:
            return at, False
        found = _FENCE.match(line) if line.lstrip(" ")[:1] == mark[0] else None
        if found and found.group(1).startswith(mark) and not found.group(2).strip():
            return at + 1, True
    return len(lines), False


def cells(line: str) -> tuple[str, ...]:
    """The cells of a table row, trimmed. Only `\\|` is an escape; outer pipes are optional."""
    line = line.strip()
    if line.startswith("|"):
        line = line[1:]
    if "\\" not in line:
        if line.endswith("|"):
            line = line[:-1]
        return tuple(cell.strip() for cell in line.split("|"))
    out: list[str] = []
    start = 0
    for mark in _ESCAPED.finditer(line):
        if mark.group() == "|":
            out.append(line[start : mark.start()])
            start = mark.end()
    if start < len(line):
        out.append(line[start:])
    return tuple(_unescape(cell.strip()) for cell in out)


def _unescape(cell: str) -> str:
    return _ESCAPED.sub(lambda mark: "|" if mark.group() == "\\|" else mark.group(), cell) if "\\" in cell else cell


def escape(cell: str) -> str:
    """A cell as it is written into a row; `cells` gives it back."""
    return cell.replace("|", "\\|")


def is_row(line: str) -> bool:
    """Whether a line can be part of a table."""
    return "|" in line


def is_delimiter(line: str) -> bool:
    """Whether a line is the `|---|---|` below the heading of a table."""
    if "-" not in line or "|" not in line:
        return False
    return all(_DELIMITER.fullmatch(cell) for cell in cells(line))


def heads_table(line: str, below: str | None) -> bool:
    """Whether a line, with the one below it, is the heading of a table."""
    return below is not None and is_row(line) and is_delimiter(below) and not is_delimiter(line)


def is_rule(line: str) -> bool:
    """Whether a line is a thematic break like `---`."""
    bare = line.replace(" ", "").replace("\t", "")
    return len(bare) >= 3 and bare[0] in "-*_" and bare == bare[0] * len(bare)


def cell_spans(line: str) -> list[tuple[int, int]]:
    """Start and end of each cell in a row, blanks included; in the order of `cells`."""
    start = len(line) - len(line.lstrip())
    end = len(line.rstrip())
    if line[start : start + 1] == "|":
        start += 1
    out: list[tuple[int, int]] = []
    for mark in _ESCAPED.finditer(line, start, end):
        if mark.group() == "|":
            out.append((start, mark.start()))
            start = mark.end()
    if start < end or not out:
        out.append((start, end))
    return out
