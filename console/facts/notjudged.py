"""What Console itself failed at: one object, application, rule or source. It is said of that subject alone, and
everything else is judged as if it were not there. Nothing is written here: outer rooms keep the trace as a file.
"""

from __future__ import annotations

import hashlib
import traceback
from collections.abc import Callable
from pathlib import PurePath
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from console.base.redact import redact
from console.base.text import clean, shorten

T = TypeVar("T")
MOST = 500
"""Failures that one round of reading and judging keeps; a rule that fails for everybody says so once in each."""
_FRAMES, _TRACE = 30, 8_000
_ROOM = "console"


class NotJudged(Struct, frozen=True):
    """One subject that Console failed at.

    Attributes:
        subject: `kind/namespace/name`, a file, or the name of a source.
        part: what failed: `rule heap-oom`, `reading pods`.
        error: type of the exception and what it said, on one line, redacted.
        trace: where it was raised, redacted, at most 8,000 characters: the text of the crash file.
        reference: name of the crash file; failures at the same place of the code share it.
        app: key of the application that the subject belongs to, `` if none.
    """

    subject: str
    part: str
    error: str
    trace: str
    reference: str
    app: str = ""


def not_judged(subject: str, part: str, error: Exception, *, app: str = "") -> NotJudged:
    """What is said of `subject` after `error` was raised in `part`."""
    said = shorten(clean(redact(_words(error))), 160)
    frames = [_frame(one) for one in traceback.extract_tb(error.__traceback__)[-_FRAMES:]]
    place = hashlib.sha256("\n".join((type(error).__name__, *frames)).encode()).hexdigest()[:12]
    words = f"{type(error).__name__}: {said}" if said else type(error).__name__
    text = "\n".join((f"{part} of {subject}", *frames, words))
    trace = clean(redact(text), lines=True)[-_TRACE:]
    return NotJudged(shorten(clean(subject), 300), part, words, trace, f"crash-{place}.txt", app)


def _words(error: Exception) -> str:
    try:
        return shorten(str(error), 2_000)
    except Exception:  # an exception whose text cannot be made is still one
        return ""


def _frame(one: traceback.FrameSummary) -> str:
    """A place in the code without the folders that this machine has it in."""
    parts = PurePath(one.filename).parts
    inside = parts[parts.index(_ROOM) :] if _ROOM in parts[:-1] else parts[-2:]
    return f"  {'/'.join(inside)}:{one.lineno} {one.name}: {shorten(one.line or '', 120)}"


class Isolation:
    """Lets one piece of work after the other fail alone. `failed` is what did: `MOST`, and one that says that
    there are more."""

    def __init__(self) -> None:
        self.failed: list[NotJudged] = []

    def note(self, subject: str, part: str, error: Exception, *, app: str = "") -> None:
        """Remember that `part` failed at `subject`."""
        self.keep(not_judged(subject, part, error, app=app))

    def keep(self, *failed: NotJudged) -> None:
        """Remember what others failed at."""
        room = max(0, MOST - len(self.failed))
        self.failed.extend(failed[:room])
        if len(failed) > room and len(self.failed) == MOST:
            said = f"more than {MOST} subjects"
            self.failed.append(replace(failed[room], subject=said, app="", part=f"{failed[room].part} of others"))

    def run(self, work: Callable[[], T], otherwise: T, *, subject: str, part: str, app: str = "") -> T:
        """What `work` gives; `otherwise` where it fails, which is remembered."""
        try:
            return work()
        except Exception as error:
            self.note(subject, part, error, app=app)
            return otherwise
