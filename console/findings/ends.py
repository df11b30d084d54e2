"""How the processes of an application ended, by what they wrote: the records that tell it, walked to their causes."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence

from msgspec import Struct

from console.apps import deaths
from console.apps.evidence import of_hit, of_workload
from console.facts.chain import Decisive, client_message, decisive
from console.facts.evidence import Evidence
from console.facts.logs import Hit, LogRole, Record, Text
from console.facts.spots import whole
from console.findings.case import Case

_MARKS = (
    "RECEIVED SIGNAL TERM",
    "Invoking stop() from shutdown hook",
    "SparkContext is stopping with exitCode",
    "Successfully stopped SparkContext",
    "Shutdown hook called",
    "Driver commanded a shutdown",
    "[Container in shutdown]",
)
_BARE = ("Exception in thread ", "Traceback (most recent call last)", "User class threw exception")
_FATAL = (
    "terminated with error",
    "Error initializing SparkContext",
    "Exception in the executor plugin",
    "Unable to create executor due to",
    "Error starting Spark Connect server",
    "Uncaught exception in thread",
    "Application failed with exception",
    "SQLExecution: Query ",
)
_GAVE_UP = ("; aborting job", "Job aborted due to stage failure")
_THROWN = ("Caused by: ", "Exception: ", "Error: ")
_OUTRANK = frozenset(
    {"container-oom", "python-oom", "evicted", "drained", "preempted", "deleted", "node-lost", "deadline", "disk-limit"}
)
"""Ends in a pod's own status that explain what a driver's log says on the way down."""
_SHORT = 200
"""Lines of a text that a process printed before it could log."""
_TAIL = 1_000_000
"""Characters at the end of a log in which the end of its process is looked for."""
_ONLY_THE_FACT = re.compile(
    r"driver container failed with ExitCode|driver pod not found|driver container status missing|"
    r"driver pod already exist"
)
"""Messages of the operator that say that a driver died, and nothing of why."""
_NOISE = re.compile(
    r"SLF4J|log4j|StatusLogger|NativeCodeLoader|Unable to load native-hadoop|MetricsConfig|ShutdownHookManager|"
    r"disassociated! Shutting down|Uncaught exception in thread (?:netty|okhttp|vertx)|CommitDeniedException|"
    r"TaskKilled|"
    r"Could not create the Java Virtual Machine|A fatal exception has occurred|A JNI error has occurred|CodeGenerator|"
    r"grows beyond 64 KB|Exception while deleting|ClosedByInterruptException|InterruptedException$"
)


class End(Struct, frozen=True):
    """One place that tells how a process ended.

    Attributes:
        what: the line that decides, with the chain above it.
        proof: that line as evidence.
        role: whose log; `object` where a status of Kubernetes or of an operator says so.
        sure: it is the end of the process, not only an error on the way.
        rank: the smaller, the more it is the end.
        log: where that log lies, and `lines` from where to where it tells it (from 1).
        warned: it was written as a warning.
    """

    what: Decisive
    proof: Evidence
    role: LogRole | str
    sure: bool
    rank: int
    log: str = ""
    lines: tuple[int, int] = (0, 0)
    warned: bool = False


def ends_of(case: Case) -> Sequence[End]:
    """Every telling end of the application's processes: its driver and submission before its executors."""
    if case.ends is None:
        case.ends = _found(case)
    return case.ends


def _found(case: Case) -> list[End]:
    out = list(_of_status(case))
    for text in case.texts:
        if text.log.role in ("driver", "submit", "executor", "other"):
            out.extend(ends_of_log(text))
    order = {"object": 0, "submit": 1, "driver": 1, "other": 1, "executor": 2}
    out.sort(key=lambda e: (e.what.wrapped, e.rank, order.get(e.role, 3)))
    return out


def _of_status(case: Case) -> Iterator[End]:
    """What the operator's status and the pods' own messages quote of it."""
    cr = case.group.cr if case.group is not None else None
    message = case.app.message
    if cr is not None and message:
        found = decisive(message)
        if found is None and _ONLY_THE_FACT.search(message) is not None:
            return
        found = found or _plain(message)
        yield End(found, of_workload(cr, f"state {case.app.state}: {found.line}"), "object", True, 1)


def _plain(text: str) -> Decisive:
    """A message without any exception, as the end of a chain of its own."""
    line = client_message(" ".join(text.split()))
    return Decisive(line, "", "", "", "unknown", (line,))


def ends_of_log(text: Text) -> Iterator[End]:
    """Every telling end in one log, the last of each rank first."""
    found = _places(text)
    cut = _shutdown(text)
    seen: set[int] = set()
    for rank, index in found:
        record = text.record(index)
        if record.line in seen or _NOISE.search(record.message) is not None:
            continue
        seen.add(record.line)
        bare = not record.logger
        if record.level in ("INFO", "DEBUG") or (not bare and cut is not None and record.line - 1 > cut):
            continue
        body = record.body if _structured(text, record) else whole(text, record.line - 1)
        what = decisive(body)
        if what is None or _NOISE.search(what.line) is not None:
            continue
        hit = Hit("", text.log, _line_of(text, record, what), what.line, record)
        lines = (record.line, record.line + body.count("\n"))
        yield End(
            what,
            of_hit(hit, what.line),
            text.log.role,
            rank < 3,
            rank,
            text.log.origin.locator,
            lines,
            record.level == "WARN",
        )


def _places(text: Text) -> list[tuple[int, int]]:
    """(rank, index of the line): what ended the process first; the last of many of one kind first."""
    body, starts, lines = text.unusual
    out: list[tuple[int, int]] = []
    for rank, words in ((0, _FATAL), (1, _BARE), (2, _GAVE_UP), (3, _THROWN)):
        found: list[int] = []
        for word in words:
            at = len(body)
            for _ in range(12 if rank < 3 else 6):
                at = body.rfind(word, 0, at)
                if at < 0:
                    break
                found.append(_index(starts, lines, at))
        out.extend((rank, index) for index in sorted(set(found), reverse=True))
    return out


def _index(starts: list[int], lines: list[int], at: int) -> int:
    return lines[bisect_right(starts, at) - 1]


def _shutdown(text: Text) -> int | None:
    """Index of the first line that says that the process is stopping."""
    begin = max(0, len(text.text) - _TAIL)
    found = [text.line_of(at) for mark in _MARKS if (at := text.text.find(mark, begin)) >= 0]
    return min(found, default=None)


def _structured(text: Text, record: Record) -> bool:
    return text.line(record.line - 1).lstrip()[-1:] == "}" and "{" in text.line(record.line - 1)[:80]


def _line_of(text: Text, record: Record, what: Decisive) -> int:
    """Number of the line that holds the innermost exception, else that of the record."""
    start = text.starts[record.line - 1]
    at = text.text.rfind(what.links[0].partition("\n")[0][:60], start, start + 60_000) if what.links else -1
    return text.line_of(at) + 1 if at >= 0 else record.line


def last_words(case: Case) -> End | None:
    """Of a driver that failed without an exception: the last error in its log, else the last line that it printed."""
    if not case.failed:
        return None
    for text in case.texts:
        if text.log.role in ("driver", "submit", "other") and (index := _last_line(text)) is not None:
            record = text.record(index)
            said = record.message if record.logger else text.line(index).strip()
            what = Decisive(said, "", "", "", "unknown", (said,))
            return End(what, of_hit(Hit("", text.log, index + 1, said, record)), text.log.role, False, 4)
    return None


def loud_end(case: Case) -> str:
    """The last error of a log that breaks off right after it, where nothing else is known of the process."""
    for text in case.texts:
        if text.log.role not in ("driver", "submit", "other", "executor") or _shutdown(text) is not None:
            continue
        body, starts, lines = text.unusual
        found = [
            at for word in (" ERROR ", " FATAL ", "# A fatal error has been detected") if (at := body.rfind(word)) >= 0
        ]
        index = _index(starts, lines, max(found)) if found else None
        if index is not None and len(text.starts) - index < _CLOSE and _NOISE.search(text.line(index)) is None:
            return text.line(index).strip()
    return ""


_CLOSE = 40
"""Lines below an error, its stack among them, within which a log breaks off."""


def _last_line(text: Text) -> int | None:
    """Index of the last record of level ERROR; of a text without a logger, of the last line that is no trace."""
    body, starts, lines = text.unusual
    cut = _shutdown(text)
    found = [at for word in (" ERROR ", " FATAL ") if (at := body.rfind(word)) >= 0]
    if found:
        index = _index(starts, lines, max(found))
        if (cut is None or index <= cut) and _NOISE.search(text.line(index)) is None:
            return index
    if text.first_time is not None or len(text.starts) > _SHORT:
        return None
    spoken = (i for i in range(len(text.starts) - 1, -1, -1) if text.line(i).strip())
    return next((i for i in spoken if not text.line(i).startswith("+") and not _NOISE.search(text.line(i))), None)


def outranking(case: Case) -> str:
    """How the driver's pod ended, where that explains what its log says on the way down; `` where it does not."""
    if case.driver is None:
        return ""
    death = deaths.death(case.driver, events=case.events_of(case.driver.key))
    return death.words if death is not None and death.kind in _OUTRANK else ""
