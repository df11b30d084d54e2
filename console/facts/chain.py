"""A failure as it was written down → the line that decides: the innermost exception, past what only passes it on.

Java's `Caused by`, Python's tracebacks, Py4J, task failures that stand inside a driver's exception, SQL conditions and
the messages that Kubernetes clients wrap are one chain here. Pure text: whose log it was, and what follows from it, is
decided elsewhere.
"""

from __future__ import annotations

import re
from typing import Literal

from msgspec import Struct

from console.facts.chainwords import (
    FIXED,
    JAVA_OWNERS,
    PARTS,
    PASSED_ON,
    PYTHON_LIBRARIES,
    STOPS,
    THIN,
    TRANSPARENT,
    WRAPPERS,
)

FrameOwner = Literal["user", "library", "unknown"]

_NAME = r"(?:[a-zA-Z_][\w$]*\.)+[A-Z][\w$]*|[A-Z]\w*(?:Error|Exception|Exit|Interrupt|Failure|Fault|Warning)"
_NAME += r"|gaierror|Error(?=: )"
_HEAD = re.compile(
    r"^(?P<indent>\s*)(?P<lead>Caused by: |Suppressed: |: |Exception in thread (?:\"[^\"\n]{1,160}\"|\S{1,80}) )?"
    rf"(?P<name>{_NAME})(?:\((?P<inner>[\w.$]+)\))?(?P<colon>:(?: |$)(?P<message>.*))?$"
)
_INLINE = re.compile(
    r"(?:User class threw exception: |exception: |error: |ERROR: |failed: "
    r"|due to:? |because of |by: )(?P<rest>" + rf"(?:{_NAME})" + r":.*)$"
)
_FRAME = re.compile(r"^\s+at [\w.$<>/]+[\w$<>]*\(|^\s+\.\.\. \d+ (?:more|common)|^\s*at [\w.$]+\.[\w$<>]+\(")
_PY_FRAME = re.compile(r'^ +File "([^"\n]+)", line \d+')
_CELL = re.compile(
    r"^(?:Cell In|Input In|File (?P<file>[^\s:]+):\d+|<ipython-input|(?P<path>/[^\s]+) in \S+\(|-+> ?\d+ |\d+ )"
)
"""What a notebook prints between a traceback's first line and its error: places, and the code around them."""
_TASK = re.compile(r"Lost task [\d.]+ in stage [\d.]+ \(TID \d+\) ?\([^)\n]*(?:executor [\w-]+|driver)\): ")
_TASK_PLAIN = re.compile(r"Lost task [\d.]+ in stage [\d.]+ \(TID \d+[^)\n]*\): ")
_INSIDE = re.compile(r"(?:(?<=: )|(?<=^)|(?<= ))((?:[a-z][\w]*\.){2,}[A-Z][\w$]*(?:Exception|Error|Throwable)): ")
_CONDITION = re.compile(r"\[([A-Z][A-Z0-9]*_[A-Z0-9_]+(?:\.[A-Z0-9_]+)?)\]|\"errorClass\" ?: ?\"([A-Z][A-Z0-9_.]+)\"")
_SQLSTATE = re.compile(r"SQLSTATE: ([0-9A-Z]{5})|\"sqlState\" ?: ?\"([0-9A-Z]{5})\"")
_MORE = 12
_PRIOR = "This may have been caused by a prior exception:"
_TRACE = "Traceback (most recent call last)"


class Thrown(Struct):
    """One exception of a chain, as far as it was written."""

    name: str
    message: str
    how: Literal["first", "cause", "suppressed", "python"]
    frames: list[str]
    inner: list[Thrown]

    @property
    def line(self) -> str:
        return f"{self.name}: {self.message}" if self.message else self.name

    @property
    def wrapper(self) -> bool:
        """Whether it only passes on what another one says."""
        short = self.name.rpartition(".")[2]
        if short in TRANSPARENT and not self.message:
            return True
        return any(word in self.line for word in WRAPPERS)


class Decisive(Struct, frozen=True):
    """Where a chain ends.

    Attributes:
        line: the innermost exception with its message; with the one around it where it says too little alone.
        name: class of the innermost exception, the last that a message names.
        condition: Spark's error condition, `` where there is none; `sqlstate` likewise.
        owner: whose the innermost frames are: the owner of the program's, a library's, or not written.
        links: every exception of the chain with its message, the innermost first.
        wrapped: nothing but wrappers was written: what they pass on is not here.
        part: the connector, engine or table library in which it was thrown, by name; `` where it is none that is known.
    """

    line: str
    name: str
    condition: str
    sqlstate: str
    owner: FrameOwner
    links: tuple[str, ...]
    wrapped: bool = False
    part: str = ""


def decisive(text: str) -> Decisive | None:
    """The end of the first chain of exceptions in a text; None where it holds none."""
    text = task_part(unescaped(text))
    if _PRIOR in text:
        text = text[text.index(_PRIOR) + len(_PRIOR) :]
    chain = _chain(_thrown(text))
    if not chain:
        return None
    telling = [one for one in chain if not one.wrapper] or chain
    last = telling[-1]
    line = client_message(last.line)
    if _thin(last) and len(telling) > 1:
        line = f"{telling[-2].line} ← {line}"
    links = tuple(one.line for one in reversed(chain))
    named = [m.group(1) for m in _INSIDE.finditer(last.message)]
    said = next((m for one in links if (m := _CONDITION.search(one))), None)
    state = next((m for one in links if (m := _SQLSTATE.search(one))), None)
    return Decisive(
        line=line,
        name=named[-1] if named else last.name,
        condition=(said.group(1) or said.group(2)) if said else "",
        sqlstate=(state.group(1) or state.group(2)) if state else "",
        owner=_owner(last),
        links=links,
        wrapped=all(one.wrapper for one in chain),
        part=_part(last),
    )


def unescaped(text: str) -> str:
    """A text whose line ends were escaped on the way (a status, a structured log), with its lines."""
    if "\\n" in text and ("\\n\\t" in text or "\\nCaused by" in text or text.count("\n") < text.count("\\n")):
        return text.replace("\\n", "\n").replace("\\t", "\t").replace('\\"', '"')
    return text


def task_part(text: str) -> str:
    """Of a failure of a task that a driver reports, what the executor said: up to the driver's own stack."""
    found = _TASK.search(text) or _TASK_PLAIN.search(text)
    if found is None:
        return text
    inner = text[found.end() :].partition("\nDriver stacktrace:")[0]
    return inner if inner.strip() else text


_REPEATED = re.compile(r"(?<=[^.])\.? Received status: Status\(apiVersion=.*")
"""What the fabric8 client adds to a message: the same once more, as the fields of its class."""


def client_message(line: str) -> str:
    """What the API server said, without the frame and the fixed sentences that a client puts around it."""
    for words in FIXED:
        line = line.replace(words, "")
    line = _REPEATED.sub("", line)
    return re.sub(r" {2,}", " ", line).strip()


def _thin(one: Thrown) -> bool:
    message = one.message.strip().rstrip(".")
    return not message or len(message) < 3 or any(message == w or message.startswith(w) for w in THIN)


def _chain(items: list[Thrown]) -> list[Thrown]:
    """The exceptions from the outermost to the one that decides."""
    if not items:
        return []
    first = items[0]
    if first.how == "python":
        if first.name.rpartition(".")[2] not in PASSED_ON and not first.name.startswith("pyspark.errors"):
            return [first]
        following = _block(items[1:])
        return [first, *following] if following else [first, *_chain([i for i in items[1:] if i.how == "python"])]
    return _block(items)


def _block(items: list[Thrown]) -> list[Thrown]:
    """The first stack trace with its causes, into the traceback that the last of them holds."""
    out: list[Thrown] = []
    for one in items:
        if one.how == "python" or (one.how == "first" and out):
            break
        if one.how != "suppressed":
            out.append(one)
    if out and out[-1].inner:
        out.extend(_chain(out[-1].inner))
    return out


# complex: one pass over lines that are heads, frames, tracebacks or messages, each closing the former
def _thrown(text: str) -> list[Thrown]:
    """Every exception that stands in a text, in order; tracebacks inside a message of Java belong to it."""
    out: list[Thrown] = []
    trace: list[str] | None = None
    closed = False
    for line in text.split("\n"):
        if _TRACE in line:
            before = line.partition(_TRACE)[0]
            if (found := _match(before.rstrip(" \"'"))) is not None:
                out.append(found)
            trace, closed = [], False
            continue
        if trace is not None:
            if (frame := _PY_FRAME.match(line)) is not None:
                trace.append(frame.group(1))
                continue
            if (cell := _CELL.match(line)) is not None:
                trace.extend(one for one in (cell["file"] or cell["path"],) if one)
                continue
            if not line or line[0] in " \t" or line.startswith(("During ", "The above")):
                continue
            _add(out, _of_python(line, trace))
            trace, closed = None, False
            continue
        if _FRAME.match(line) is not None:
            closed = True
            if out and (frame_text := line.strip().removeprefix("at ")) and not frame_text.startswith("..."):
                out[-1].frames.append(frame_text)
            continue
        found = _match(line)
        if found is not None and (found.how != "first" or closed or not out or not _continues(out[-1], found)):
            out.append(found)
            closed = False
        elif out and not closed and line.strip() and not line.startswith(STOPS):
            tail = out[-1].inner[-1] if out[-1].inner else out[-1]
            if tail.message.count("\n") < _MORE:
                tail.message = f"{tail.message}\n{line.strip()}".strip()
        elif line.startswith(STOPS):
            closed = True
    return out


def _continues(before: Thrown, found: Thrown) -> bool:
    """Whether a line that looks like an exception is only one more line of a message (a list, a plan)."""
    return "." not in found.name and not found.message


def _add(out: list[Thrown], one: Thrown) -> None:
    """A traceback: part of the Java exception whose message it is, or one of its own."""
    if out and out[-1].how != "python" and not out[-1].frames:
        out[-1].inner.append(one)
    else:
        out.append(one)


def _of_python(line: str, files: list[str]) -> Thrown:
    name, _, message = line.partition(": ")
    if not re.fullmatch(r"[\w.]+", name):
        name, message = "Error", line
    return Thrown(name, message, "python", list(files), [])


def _match(line: str) -> Thrown | None:
    if len(line) > 20_000:
        line = line[:20_000]
    found = _HEAD.match(line)
    if found is None:
        inline = _INLINE.search(line)
        found = _HEAD.match(inline.group("rest")) if inline is not None else None
        if found is None:
            return None
    lead = found["lead"] or ""
    how: Literal["first", "cause", "suppressed"] = "first"
    if lead.startswith("Suppressed") or (lead.startswith("Caused") and found["indent"]):
        how = "suppressed"
    elif lead.startswith("Caused"):
        how = "cause"
    return Thrown(found["inner"] or found["name"], (found["message"] or "").strip(), how, [], [])


def _owner(one: Thrown) -> FrameOwner:
    """Whose code threw it: by the frame that is nearest, past those of the language itself."""
    if one.how == "python":
        if not one.frames:
            return "unknown"
        return "library" if any(part in one.frames[-1] for part in PYTHON_LIBRARIES) else "user"
    for frame in one.frames:
        place = frame.partition("(")[0].rpartition("/")[2]
        if place.startswith(("java.", "javax.", "jdk.", "sun.", "scala.")):
            continue
        if place.startswith("org.apache.spark.examples."):
            return "user"
        return "library" if place.startswith(JAVA_OWNERS) else "user"
    return "library" if one.frames else "unknown"


def _part(one: Thrown) -> str:
    """What is put into Spark and threw it: the first of these among the innermost frames, above the user's own."""
    for frame in (one.name, *(f.partition("(")[0].rpartition("/")[2] for f in one.frames[:_DEEP])):
        for name, packages in PARTS:
            if frame.startswith(packages):
                return name
        if frame != one.name and not frame.startswith((*JAVA_OWNERS, "java.", "javax.", "jdk.", "sun.", "scala.")):
            return ""
    return ""


_DEEP = 12
"""Innermost frames in which what threw it is looked for."""
