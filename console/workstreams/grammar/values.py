"""The small grammars inside cells and keys: ids, ranges, numbers, statuses, scopes, dependencies, dates."""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache

import msgspec

from console.workstreams.model import Dependency, Estimate, Number, WorkProgress, WorkStatus

MAX_RANGE = 10_000
"""How many ids one range may stand for."""
MAX_ID = 64

_ID = re.compile(r"[A-Za-z0-9]+(?:[-_.][A-Za-z0-9]+)*")
_TAIL = re.compile(r"(.*?)([0-9]{1,9})$")
_RANGE = re.compile(r"(\S+?)\s*\.\.\s*(\S+)|(\S+)\s+[tT][oO]\s+(\S+)")
_PHASE = re.compile(r"(?i)phase\s+([0-9]{1,6})")
_QUALIFIED = re.compile(r"([^\s/:|,]+)/([A-Za-z0-9._-]+)")
_LINKED = re.compile(r"\[([^\]\[]{1,200})\]\([^()]{0,500}\)")
_DIGITS = r"([0-9]{1,3}(?:[,_][0-9]{3}){1,3}|[0-9]{1,12})(?![0-9A-Za-z_]|[.,][0-9])"
_NUMBER = re.compile(rf"(?i)(~|≈|about\s+|ca\.?\s+)?\s*{_DIGITS}\s*(\+)?")
_SCOPE = re.compile(rf"([A-Za-z][A-Za-z0-9-]{{0,30}})?\s*(?:\(?\s*(~)?\s*{_DIGITS}\s*(\+)?\s*LOC\b([^()]*)\)?)?")
_DATE = re.compile(r"(?<![0-9])([0-9]{4})-([0-9]{2})-([0-9]{2})(?![0-9])")
_NOTE = re.compile(r"\s*\([^()]*\)$")
NONE_WORDS = frozenset({"-", "none", "independent", ""})

COMPLETED_WORDS = frozenset({"completed", "closed"})
_BEGUN = ("in progress", "in-progress", "in_progress", "active", "started", "executing", "wip", "review", "in review")
_WAITING = (
    "backlog",
    "open",
    "planned",
    "todo",
    "to do",
    "to-do",
    "not started",
    "draft",
    "ready",
    "pending",
    "proposed",
    "new",
)
_OTHER = ("blocked", "on hold", "paused", "deferred", "cancelled", "dropped")
"""Known words that do not tell whether work has begun."""
OPEN_PHRASES = tuple(sorted((*_BEGUN, *_WAITING, *_OTHER), key=len, reverse=True))
"""Every known way to say that something is not completed, the longest first."""


def status(text: str) -> WorkStatus:
    """The status that a cell or key says."""
    return _status(text) if len(text) < 1000 else msgspec.structs.replace(_status(text[:1000]), text=text)


@lru_cache(maxsize=4096)
def _status(text: str) -> WorkStatus:
    bare = " ".join(text.replace("*", "").lower().split())
    word = bare.split(" ", 1)[0]
    progress: WorkProgress = "unknown"
    if word in COMPLETED_WORDS:
        progress = "completed"
    elif _starts(bare, _BEGUN):
        progress = "begun"
    elif _starts(bare, _WAITING):
        progress = "waiting"
    return WorkStatus(text, word, progress == "completed", progress)


def is_known(status: WorkStatus) -> bool:
    """Whether the status word is one that people use for progress."""
    return status.progress != "unknown" or _starts(status.text.replace("*", "").strip().lower(), _OTHER)


def _starts(text: str, phrases: tuple[str, ...]) -> bool:
    return any(text == phrase or text.startswith((phrase + " ", phrase + "(", phrase + ",")) for phrase in phrases)


def bare(text: str) -> str:
    """A cell without the marks of emphasis, code and links around it: `**WS-029-04**` is `WS-029-04`."""
    text = text.strip()
    if len(text) > 1000:
        return text
    if "[" in text:
        text = _LINKED.sub(r"\1", text)
    if "*" in text or "`" in text or "~~" in text:
        text = text.replace("**", "").replace("~~", "").strip("*`").strip()
    return text


def is_id(text: str) -> bool:
    """Whether a text can be the id of a workstream: letters, digits and single `-`, `_` or `.`; at least one digit."""
    return 0 < len(text) <= MAX_ID and _ID.fullmatch(text) is not None and any("0" <= char <= "9" for char in text)


class RangeError(ValueError):
    """A range that stands for no list of ids; its text says why."""


def split_range(text: str) -> tuple[str, str] | None:
    """First and last of `a..b` or `a to b`; None where the text is no range."""
    if len(text) > 2 * MAX_ID + 20 or (".." not in text and " " not in text):
        return None
    found = _RANGE.fullmatch(text)
    if not found:
        return None
    return (found.group(1), found.group(2)) if found.group(1) else (found.group(3), found.group(4))


@lru_cache(maxsize=1024)
def expand(first: str, last: str) -> tuple[str, ...]:
    """The ids from `first` to `last`, both included. `last` may be only the number: `WS-018-04..17`.

    Raises:
        RangeError: they do not belong together, run backwards, or are too many.
    """
    if not is_id(first) or not is_id(last):
        raise RangeError(f"{first!r} to {last!r} is no range of ids")
    start, end = _TAIL.fullmatch(first), _TAIL.fullmatch(last)
    if not start or not end:
        raise RangeError(f"the range {first!r} to {last!r} does not end in numbers")
    prefix, digits = start.group(1), start.group(2)
    if end.group(1) not in ("", prefix):
        raise RangeError(f"the range {first!r} to {last!r} joins different kinds of id")
    low, high = int(digits), int(end.group(2))
    if high < low:
        raise RangeError(f"the range {first!r} to {last!r} runs backwards")
    if high - low >= MAX_RANGE:
        raise RangeError(f"the range {first!r} to {last!r} stands for more than {MAX_RANGE} ids")
    width = len(digits)
    return tuple(f"{prefix}{number:0{width}d}" for number in range(low, high + 1))


def row_ids(cell: str) -> tuple[str, ...]:
    """The ids of an id cell.

    Raises:
        RangeError: it is neither an id nor a range of ids.
    """
    text = bare(cell)
    if is_id(text):
        return (text,)
    if not text:
        raise RangeError("the id cell is empty")
    between = split_range(text)
    if between:
        return expand(*between)
    raise RangeError(f"{_short(text)!r} is no id")


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:39] + "…"


def dependencies(cell: str) -> tuple[Dependency, ...]:
    """The tokens of a dependency cell. `-`, `None`, `Independent` and nothing at all are no dependency."""
    return _dependencies(cell) if len(cell) < 1000 else _dependencies.__wrapped__(cell)


@lru_cache(maxsize=4096)
def _dependencies(cell: str) -> tuple[Dependency, ...]:
    return tuple(made for token in _tokens(cell) if (made := dependency(token)) is not None)


def _tokens(cell: str) -> list[str]:
    if "," not in cell:
        return [cell]
    if "(" not in cell or cell.count("(") != cell.count(")"):
        return cell.split(",")
    out, depth, start = [], 0, 0
    for at, char in enumerate(cell):
        depth = depth + 1 if char == "(" else max(0, depth - 1) if char == ")" else depth
        if char == "," and depth == 0:
            out.append(cell[start:at])
            start = at + 1
    return [*out, cell[start:]]


def dependency(token: str) -> Dependency | None:
    """One token, or None where it says that there is no dependency. A note in parentheses at its end is dropped."""
    text = bare(token)
    if text.lower() in NONE_WORDS:
        return None
    if is_id(text):
        return Dependency(text, "id", text)
    if len(text) <= 1000 and text.endswith(")"):
        text = _NOTE.sub("", text)
        if is_id(text):
            return Dependency(text, "id", text)
        if text.lower() in NONE_WORDS:
            return None
    if found := _PHASE.fullmatch(text):
        return Dependency(text, "phase", str(int(found.group(1))))
    if between := split_range(text):
        return Dependency(text, "range", *between)
    if len(text) < 200 and (found := _QUALIFIED.fullmatch(text)):
        return Dependency(text, "qualified", found.group(1), found.group(2))
    return Dependency(text, "word", text)


def number(text: str) -> tuple[Number, str] | None:
    """The number at the start of a value and what follows it; None where there is none."""
    text = bare(text[:400])
    found = _NUMBER.match(text)
    if not found:
        return None
    value = int(re.sub(r"[^0-9]", "", found.group(2)))
    rest = text[found.end() :].strip()
    return Number(value, about=bool(found.group(1)), at_least=bool(found.group(3))), rest


def scope(text: str) -> Estimate | None:
    """`SMALL (~400 LOC)`, `MEDIUM`, `TBD`; None where the cell is empty."""
    return _scope(text) if len(text) < 400 else Estimate(text)


@lru_cache(maxsize=4096)
def _scope(text: str) -> Estimate | None:
    plain = bare(text)
    if not plain:
        return None
    found = _SCOPE.fullmatch(plain)
    if not found:
        return Estimate(text)
    loc = None
    if found.group(3):
        loc = Number(int(found.group(3).replace(",", "")), bool(found.group(2)), bool(found.group(4)))
    return Estimate(text, (found.group(1) or "").upper(), loc, (found.group(5) or "").strip())


def dates(text: str) -> list[str]:
    """Everything in a text that has the form of an ISO date, whether a calendar has it or not."""
    return [found.group() for found in _DATE.finditer(text)] if "-" in text else []


def real_date(text: str) -> date | None:
    """The date that an ISO form names, None where no calendar has it."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def feature_in_cell(cell: str) -> tuple[str, str]:
    """Feature id and label of a cell like `F01: Spark Standalone` or `**F27: Code Quality A***`."""
    text = cell.strip()
    if text.startswith("**") and text.endswith("**") and len(text) > 4:
        text = text[2:-2].strip()
    head, colon, label = text.partition(":")
    if not colon:
        head, _, label = text.partition(" ")
    return bare(head), label.strip()
