"""Completing a workstream: the smallest change of the index and of its file, as bytes before and after.

Nothing is written here. Encoding, line ends and everything that is not concerned stay as they are, byte for byte.
"""

from __future__ import annotations

import difflib
import re

from msgspec import Struct

from console.base.errors import ConsoleError
from console.workstreams.grammar import values
from console.workstreams.grammar.encoding import decode, split_lines
from console.workstreams.grammar.head import column_places
from console.workstreams.grammar.markdown import cell_spans, cells
from console.workstreams.grammar.tail import summary_places
from console.workstreams.model import DataRow, Index, Number, SummaryRow, WorkFile, Workstream

_ENDS = re.compile(r"(\r\n|\n|\r)")
_WORD = re.compile(r"(\**)([^\s*]+)")
_FILE_STATUS = re.compile(r"(?i)\b(in progress|in-progress|backlog|ready|executing|active|open|draft|blocked|todo)\b")


class FileChange(Struct, frozen=True):
    """A file before and after. `moved_to` is its new path where it changes folder."""

    path: str
    before: bytes
    after: bytes
    moved_to: str = ""


class EditError(ConsoleError):
    """The change cannot be made without touching more than it should."""


class _Text:
    """A text as lines with their ends, and the way back to bytes."""

    def __init__(self, data: bytes, path: str) -> None:
        name = decode(data).encoding
        self.name = name.removesuffix("-sig") if name == "utf-8-sig" else name
        self.mark = data[:3] if name == "utf-8-sig" else b""
        self.errors = "surrogateescape" if self.name == "utf-8" else "strict"
        try:
            text = data[len(self.mark) :].decode(self.name, errors=self.errors)
            self.wide = data[:2] if self.name == "utf-16" else data[:4] if self.name == "utf-32" else b""
            parts = _ENDS.split(text)
            self.lines, self.ends = parts[0::2], [*parts[1::2], ""]
            whole = self.data() == data
        except UnicodeError:
            whole = False
        if not whole:
            raise EditError(
                f"{path} is broken {name}; editing it would change other bytes too", hint="save it as UTF-8"
            )

    def data(self) -> bytes:
        text = "".join(line + end for line, end in zip(self.lines, self.ends, strict=True))
        if self.wide:
            order = "be" if self.wide in (b"\xfe\xff", b"\0\0\xfe\xff") else "le"
            return self.wide + text.encode(f"{self.name}-{order}")
        return self.mark + text.encode(self.name, errors=self.errors)


def complete_in_index(index: Index, number: int, data: bytes, *, path: str, summary: bool = False) -> FileChange:
    """The index with one workstream completed.

    Args:
        data: the bytes that `index` was read from.
        summary: move one from the open to the completed figure in the summary row of the feature and in the total.

    Raises:
        EditError: the row is not where the index says, or the encoding does not survive.
    """
    text = _Text(data, path)
    item = index.workstreams[number]
    rows = [_row_at(index, line, item, text, path) for line in sorted({item.line, *item.again}, reverse=True)]
    if summary:  # before the rows: where a range is split, the lines below it move
        for entry in index.summary:
            if entry.feature in (item.feature, ""):
                _move_one(index, entry, text, path, begun=item.status.progress == "begun")
    for row in rows:
        if not row.status.completed:
            _complete_row(index, item, row, text)
    return FileChange(path, data, text.data())


def _seen(line: str) -> tuple[str, ...]:
    return cells(re.sub("[\udc80-\udcff]", "\ufffd", line))


def _row_at(index: Index, line: int, item: Workstream, text: _Text, path: str) -> DataRow:
    row = next((row for feature in index.features for row in feature.rows if row.line == line), None)
    if row is None or line > len(text.lines) or _seen(text.lines[line - 1]) != row.cells:
        raise EditError(f"line {line} of {path} is not the row of {item.id} any more")
    return row


def _complete_row(index: Index, item: Workstream, row: DataRow, text: _Text) -> None:
    feature = next(f for f in index.features if any(entry is row for entry in f.entries))
    places = column_places(feature.columns)
    line = text.lines[row.line - 1]
    done = _with_cell(line, places["status"], completed_word(row.status.text))
    if len(row.ids) == 1:
        text.lines[row.line - 1] = done
        return
    at = row.ids.index(item.id)
    pieces = [(row.ids[:at], line), ((item.id,), done), (row.ids[at + 1 :], line)]
    made: list[str] = []
    for ids, source in pieces:
        if ids:
            piece = _with_cell(source, places["id"], _range_text(line, places["id"], ids))
            if "scope" in places and len(ids) == 1:
                piece = _with_cell(piece, places["scope"], _without_loc(row))
            made.append(piece)
    end = text.ends[row.line - 1] or "\n"
    text.lines[row.line - 1 : row.line] = made
    text.ends[row.line - 1 : row.line] = [end] * (len(made) - 1) + [text.ends[row.line - 1]]


def _without_loc(row: DataRow) -> str:
    """The scope of one workstream out of a range: the LOC were those of all together."""
    if row.scope is None:
        return ""
    return row.scope.size or "TBD" if row.scope.loc else row.scope.text


def _range_text(line: str, place: int, ids: tuple[str, ...]) -> str:
    """The id cell of a part of a range, in the form that the whole had."""
    raw = cells(line)[place]
    bold = raw.startswith("**") and raw.endswith("**")
    between = values.split_range(values.bare(raw))
    if len(ids) == 1 or between is None:
        name = ids[0]
    else:
        joint = ".." if ".." in raw else " to "
        short = not between[1].startswith(between[0][:1]) or between[1].isdigit()
        last = ids[-1][len(ids[-1]) - len(re.findall(r"[0-9]+$", ids[-1])[0]) :] if short else ids[-1]
        name = f"{ids[0]}{joint}{last}"
    return f"**{name}**" if bold else name


def completed_word(text: str) -> str:
    """A status cell with its word replaced by `completed`, in the same case; notes after it stay."""
    plain = text.replace("*", "").strip().lower()
    for phrase in values.OPEN_PHRASES:
        if plain == phrase or plain.startswith((phrase + " ", phrase + "(", phrase + ",")):
            found = re.match(rf"(\**)({re.escape(phrase)})", text.strip(), re.IGNORECASE)
            if found:
                return found.group(1) + _cased(found.group(2)) + text.strip()[found.end() :]
    found = _WORD.fullmatch(text.strip().rstrip("*"))
    stars = found.group(1) if found else ""
    return f"{stars}{_cased(found.group(2) if found else '')}{stars}"


def _cased(old: str) -> str:
    if old.isupper() and len(old) > 1:
        return "COMPLETED"
    return "Completed" if old[:1].isupper() else "completed"


def _with_cell(line: str, place: int, new: str) -> str:
    """The row with the text of one cell replaced; blanks that align the column shrink or grow where there are some."""
    start, end = cell_spans(line)[place]
    old = line[start:end]
    lead = len(old) - len(old.lstrip())
    tail = len(old) - len(old.rstrip()) if old.strip() else 0
    spare = len(new) - len(old.strip())
    if tail > 1:
        tail = max(1, tail - spare)
    return line[:start] + old[:lead] + new + " " * tail + line[end:]


def _move_one(index: Index, entry: SummaryRow, text: _Text, path: str, *, begun: bool) -> None:
    """Add one to the completed figure of a summary row and take it from an open one."""
    places = summary_places(index)
    source = "begun" if begun and entry.begun and entry.begun.value else "waiting"
    taken: Number | None = getattr(entry, source)
    if entry.completed is None or taken is None or not taken.value:
        return
    line = text.lines[entry.line - 1] if entry.line <= len(text.lines) else ""
    for name, figure, by in (("completed", entry.completed, 1), (source, taken, -1)):
        place, found = places[name], cells(line)
        if place >= len(found):
            raise EditError(f"line {entry.line} of {path} is not the summary of {entry.label} any more")
        line = _with_cell(line, place, found[place].replace(str(figure.value), str(figure.value + by), 1))
    text.lines[entry.line - 1] = line


def complete_in_file(item: WorkFile, data: bytes, *, path: str, moved_to: str = "") -> FileChange | None:
    """The workstream file with its status completed, None where it says so already or has no status to change."""
    changed = data
    if item.status and item.status_line and not item.status.completed:
        text = _Text(data, path)
        line = text.lines[item.status_line - 1]
        found = _FILE_STATUS.search(line, line.lower().find("status") + 6)
        if found:
            word = "DONE" if found.group().upper() in ("READY", "EXECUTING") and found.group().isupper() else ""
            text.lines[item.status_line - 1] = (
                line[: found.start()] + (word or _cased(found.group())) + line[found.end() :]
            )
            changed = text.data()
    if changed == data and not moved_to:
        return None
    return FileChange(path, data, changed, moved_to)


def diff(change: FileChange) -> str:
    """A unified diff for people, with a rename header where the file moves."""
    before, after = (split_lines(decode(data).text) for data in (change.before, change.after))
    to = change.moved_to or change.path
    names = f"a/{change.path.lstrip('/')}", f"b/{to.lstrip('/')}"
    lines = list(difflib.unified_diff(before, after, *names, lineterm="", n=2))
    if change.moved_to:
        lines = [f"rename from {change.path}", f"rename to {change.moved_to}", *lines]
    return "\n".join(lines)
