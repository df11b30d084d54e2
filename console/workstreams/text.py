"""Bytes to text to lines: encodings, line ends, code fences, comments, headings, and the cells of a table."""

from __future__ import annotations

import codecs
import re
from typing import Literal

from msgspec import Struct

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")
_HEADING = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*))?$", re.DOTALL)
_DELIMITER = re.compile(r":?-+:?")
_ESCAPED = re.compile(r"\\[^\n]|\|")
Mask = Literal["text", "fence", "comment"]


class Decoded(Struct, frozen=True):
    """Text of a file.

    Attributes:
        encoding: what it was decoded as.
        note: what is wrong with the encoding, empty if nothing is; `line` is where it shows first.
    """

    text: str
    encoding: str
    note: str = ""
    line: int = 1


def decode(data: bytes) -> Decoded:
    """Text from bytes in whatever encoding they are; it never fails.

    UTF-8, UTF-16 and UTF-32 with a mark, UTF-16 without one, else Windows-1252. Single bytes that are wrong in a text
    that otherwise is UTF-8 become U+FFFD.
    """
    for mark, name in _BOMS:
        if data.startswith(mark):
            text = data.decode(name, errors="replace")
            broken = "\ufffd" in text
            if name == "utf-8-sig":
                return _utf8(data[len(mark) :], "utf-8-sig")
            say = f"the file is {name.upper()}, not UTF-8" + (", and parts of it are broken" if broken else "")
            return Decoded(text, name, say)
    if len(data) >= 4 and b"\0" in data:
        sample = data[:4096]
        even, odd = sample[0::2].count(0), sample[1::2].count(0)
        half = len(sample) // 2
        if max(even, odd) > half * 0.4 and min(even, odd) < half * 0.1:
            name = "utf-16-le" if odd > even else "utf-16-be"
            return Decoded(data.decode(name, errors="replace"), name, "the file is UTF-16 without a mark, not UTF-8")
    return _utf8(data, "utf-8")


def _utf8(data: bytes, name: str) -> Decoded:
    try:
        return Decoded(data.decode("utf-8"), name)
    except UnicodeDecodeError as error:
        line = len(re.findall(rb"\r\n|\n|\r", data[: error.start])) + 1
    text = data.decode("utf-8", errors="surrogateescape")
    if any(ord(char) > 127 and not 0xDC80 <= ord(char) <= 0xDCFF for char in text):
        shown = re.sub("[\udc80-\udcff]", "\ufffd", text)
        return Decoded(shown, name, "bytes that are no UTF-8 stand here; they are shown as \ufffd", line)
    try:
        return Decoded(data.decode("cp1252"), "cp1252", "the file is no UTF-8; it was read as Windows-1252", line)
    except UnicodeDecodeError:
        return Decoded(data.decode("latin-1"), "latin-1", "the file is no UTF-8; it was read as Latin-1", line)


def split_lines(text: str) -> list[str]:
    """Lines without their ends (`\\n`, `\\r\\n` or `\\r`). Form feeds and Unicode separators end no line."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.split("\n")


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


def masks(lines: list[str]) -> tuple[list[Mask], list[int]]:
    """What each line is: text, part of a code fence, or part of a comment; and the fences that are never closed.

    Fences are those of Markdown as long as each one is closed. If one is not, a line was lost somewhere and pairs can
    no longer be trusted: then a fence ends before the next heading of the first or second level.
    """
    found, dangling = _mask(lines, trusting=True)
    if not dangling:
        return found, []
    return _mask(lines, trusting=False)


def _mask(lines: list[str], *, trusting: bool) -> tuple[list[Mask], list[int]]:
    out: list[Mask] = ["text"] * len(lines)
    dangling: list[int] = []
    fence, opened, comment_until = "", 0, -1
    last_close = next((at for at in range(len(lines) - 1, -1, -1) if "-->" in lines[at]), -1)
    for at, line in enumerate(lines):
        if at <= comment_until:
            out[at] = "comment"
            continue
        if fence:
            if not trusting and (head := heading(line)) and head[0] <= 2:
                dangling.append(opened + 1)
                fence = ""
            else:
                out[at] = "fence"
                mark = _FENCE.match(line) if line.lstrip(" ")[:1] == fence[0] else None
                if mark and mark.group(1).startswith(fence) and not mark.group(2).strip():
                    fence = ""
                continue
        start = line.lstrip(" ")[:4]
        if start[:1] in ("`", "~"):
            mark = _FENCE.match(line)
            if mark and not (mark.group(1)[0] == "`" and "`" in mark.group(2)):
                fence, opened = mark.group(1), at
                out[at] = "fence"
        elif start == "<!--" and at <= last_close:
            comment_until = next(n for n in range(at, len(lines)) if "-->" in lines[n])
            out[at] = "comment"
    if fence:
        dangling.append(opened + 1)
    return out, dangling


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
