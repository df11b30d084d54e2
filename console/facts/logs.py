"""Log text → records around the places that matter. Plain log4j, ISO and structured JSON layouts, multi-line records,
with or without the prefix of a container runtime or of `kubectl logs --timestamps`.

Whole logs are never parsed: wording is found by plain substring search, then only the record around a hit is read.
Times without a zone are taken as UTC, which is what containers run in.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import msgspec

from console.base.clock import parse_time
from console.facts.model import Log
from console.facts.wordings import COUNTED

LogRole = Literal["driver", "executor", "submit", "master", "worker", "operator", "other"]
MAX_HITS = 120
"""Hits of one wording that are kept per log; more add nothing to a verdict."""
MAX_COUNTED = 5_000
"""The same of wordings of which the places are counted."""
_BACK_LINES = 160
_BODY = 6_000

_PREFIX = r"(?:\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d) )?(?:(?:stdout|stderr) [FP] )?"
_AT = (
    r"\d\d/\d\d/\d\d \d\d:\d\d:\d\d(?:[.,]\d+)?"
    r"|\d{4}[-/]\d\d[-/]\d\d[ T]\d\d:\d\d:\d\d(?:[.,]\d+)?(?: ?(?:Z|UTC|GMT|[+-]\d\d:?\d\d)(?![\w:]))?"
    r"|\d\d? [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d(?:[.,]\d+)?"
    r"|(?:\d\d-\d\d |\d\d/\d\d )?\d\d:\d\d:\d\d(?:[.,]\d+)?"
)
_LEVEL = r"TRACE|DEBUG|INFO|WARN|WARNING|ERROR|FATAL|SEVERE"
_LOGGER = r"(?P<logger>[\w$.\-]+(?:\[[^\]]*\])?)(?: *\[[^\]]*\])?(?::\d+)?:? ?(?:- )?(?P<message>.*)"
_PLAIN = re.compile(
    _PREFIX
    + rf"\[?(?P<at>{_AT})\]?"
    + rf" *(?:\[[^\]]*\] *)?\[?(?P<level>{_LEVEL})\]? +(?:\[[^\]]*\] *)?(?:\([^)]*\) *)?"
    + _LOGGER
)
_LEVEL_FIRST = re.compile(
    _PREFIX
    + rf"\[?(?P<level>{_LEVEL})\]? +(?:\[[^\]\d][^\]]*\] *)?(?:\[?(?P<at>{_AT})\]? +)?(?:\[[^\]]*\] *)?"
    + r"(?P<logger>[\w$.\-]+)(?::\d+)?(?:: | - )(?P<message>.*)"
)
"""Layouts that begin with the level, with a time after it or none at all."""
_JSON_LINE = re.compile(
    _PREFIX + r"(\{ ?\"(?:ts|@timestamp|timestamp|level|time|timeMillis|instant|log\.level|thread)\".*)"
)
_BARE = re.compile(
    _PREFIX + r"(?:Traceback \(most recent call last\)|Exception in thread |py4j\.protocol\.|pyspark\.errors\.|Error: "
    r"|# A fatal error has been detected)"
)
"""Lines that a process prints itself, past its logging: a trace of the main program."""
_SPLIT_EXCEPTION = re.compile(r'"exception":\{"class":"([\w.$]+)","msg":"')


@dataclass(frozen=True, slots=True)
class Record:
    """One log record. `body` is the whole record, its stack trace too, as far as it was kept."""

    at: float | None
    level: str
    logger: str
    message: str
    body: str
    line: int


@dataclass(frozen=True, slots=True)
class Hit:
    """A place where a wording was found: the line itself and the record around it."""

    wording: str
    log: Log
    line: int
    text: str
    record: Record

    @property
    def at(self) -> float | None:
        return self.record.at

    @property
    def locator(self) -> str:
        return f"{self.log.origin.locator}:{self.line}"


@lru_cache(maxsize=8_192)
def log_time(text: str) -> float | None:
    """Epoch seconds of `26/11/23 08:47:41` or of an ISO time; None where the text has no year."""
    text = text.replace(",", ".")
    if len(text) > 8 and text[2] == text[5] == "/":
        return parse_time(f"20{text[0:2]}-{text[3:5]}-{text[6:8]}T{text[9:]}")
    if len(text) > 18 and text[4] == "/":
        text = text.replace("/", "-", 2)
    if text[1:2] == " " or text[2:3] == " ":
        return _worded(text)
    if len(text) < 19:
        return None
    return parse_time(text.removesuffix(" UTC").removesuffix(" GMT").replace(" +", "+").replace(" -", "-"))


def _worded(text: str) -> float | None:
    """Epoch seconds of `23 Nov 2026 08:47:41.5`."""
    day, month, year, clock = text.split(" ", 3)
    number = "JanFebMarAprMayJunJulAugSepOctNovDec".find(month) // 3 + 1
    return parse_time(f"{year}-{number:02d}-{int(day):02d}T{clock}")


class Text:
    """The text of one log with its line starts and what was found in it, made once."""

    def __init__(self, log: Log) -> None:
        self.log, self.text = log, log.text
        if '"exception":{"class":"' in self.text:
            self.text = _SPLIT_EXCEPTION.sub(r'"exception":{"class":"\1","msg":"\1: ', self.text)
        self._starts: list[int] | None = None
        self._unusual: tuple[str, list[int], list[int]] | None = None
        self._hits: dict[tuple[str, tuple[str, ...], bool], list[Hit]] = {}

    @property
    def unusual(self) -> tuple[str, list[int], list[int]]:
        """The lines that begin no record of level INFO, joined; where each starts, and its index in the whole.

        A fraction of a log, so that what is never said at INFO is searched for in little time.
        """
        if self._unusual is None:
            kept: list[str] = []
            starts: list[int] = []
            lines: list[int] = []
            at = 0
            for index, line in enumerate(self.text.split("\n")):
                if line.find(" INFO", 0, 96) >= 0 or line.find('"level":"INFO"', 0, 160) >= 0:
                    continue
                kept.append(line)
                starts.append(at)
                lines.append(index)
                at += len(line) + 1
            self._unusual = "\n".join(kept), starts, lines
        return self._unusual

    @property
    def starts(self) -> list[int]:
        if self._starts is None:
            starts, find, at = [0], self.text.find, 0
            while (at := find("\n", at) + 1) > 0:
                starts.append(at)
            self._starts = starts
        return self._starts

    @property
    def last_time(self) -> float | None:
        """When its last dated record was written."""
        for line in reversed(self.text[-20_000:].splitlines()):
            at = time_of(line)
            if at is not None:
                return at
        return None

    @property
    def first_time(self) -> float | None:
        """When its first dated record was written."""
        return next((at for line in self.text[:20_000].splitlines() if (at := time_of(line)) is not None), None)

    def line_of(self, position: int) -> int:
        """Index (from 0) of the line that holds `position`."""
        return bisect_right(self.starts, position) - 1

    def line(self, index: int) -> str:
        starts = self.starts
        end = starts[index + 1] - 1 if index + 1 < len(starts) else len(self.text)
        return self.text[starts[index] : min(end, starts[index] + 8_000)].rstrip("\r")

    def hits(self, wording: str, needles: tuple[str, ...], *, usual: bool) -> list[Hit]:
        """Records that hold one of the needles, in the order of the needles; found once and kept."""
        key = (wording, needles, usual)
        if key not in self._hits:
            self._hits[key] = self._search(wording, needles, usual=usual)
        return self._hits[key]

    def _search(self, wording: str, needles: tuple[str, ...], *, usual: bool) -> list[Hit]:
        body, starts, lines = (self.text, [], []) if usual else self.unusual
        seen: set[int] = set()
        out: list[Hit] = []
        most = most_of(wording)
        for needle in needles:
            at = -1
            while len(seen) < most and (at := body.find(needle, at + 1)) >= 0:
                index = self.line_of(at) if usual else lines[bisect_right(starts, at) - 1]
                if index in seen:
                    continue
                seen.add(index)
                record = self.record(index)
                line = self.line(index)
                shown = line if "\\n" not in line[:400] or record.line != index + 1 else record.message
                out.append(Hit(wording, self.log, index + 1, shown, record))
        return out

    def record(self, index: int) -> Record:
        """The record that the line `index` belongs to."""
        own = self.line(index)
        bare: int | None = None
        for back in range(index, max(-1, index - _BACK_LINES), -1):
            line = own if back == index else self.line(back)
            head = _head(line)
            if head is not None:
                at, level, logger, message, structured = head
                if bare is not None:
                    return self._bare(bare, at)
                return Record(at, level, logger, message, structured or self._body(back, message), back + 1)
            if _BARE.match(line) is not None:
                bare = back
        if bare is not None:
            return self._bare(bare, None)
        return Record(None, "", "", own, own, index + 1)

    def _bare(self, index: int, at: float | None) -> Record:
        """A trace that the process printed past its logging, `at` being the time of the record before it."""
        line = self.line(index)
        return Record(at, "", "", line, self._body(index, line), index + 1)

    def _body(self, index: int, message: str) -> str:
        out, size = [message], len(message)
        for ahead in range(index + 1, min(index + 120, len(self.starts))):
            line = self.line(ahead)
            if is_head(line) or size > _BODY:
                break
            out.append(line)
            size += len(line)
        return "\n".join(out)


def is_head(line: str) -> bool:
    """Whether a line begins a log record."""
    return any(one.match(line) is not None for one in (_PLAIN, _JSON_LINE, _LEVEL_FIRST))


def time_of(line: str) -> float | None:
    """The time that a line gives, if it begins a record."""
    head = _head(line)
    return head[0] if head is not None else None


def _head(line: str) -> tuple[float | None, str, str, str, str] | None:
    """(time, level, logger, message, whole body of a structured record) of a line that begins a record."""
    plain = _PLAIN.match(line) or _LEVEL_FIRST.match(line)
    if plain is not None:
        return (
            log_time(plain["at"] or ""),
            _LEVELS.get(plain["level"], plain["level"]),
            plain["logger"].rsplit(".", 1)[-1],
            plain["message"],
            "",
        )
    structured = _JSON_LINE.match(line)
    if structured is not None:
        return _structured(structured.group(1))
    return None


_LEVELS = {"WARNING": "WARN", "SEVERE": "ERROR"}


def _structured(text: str) -> tuple[float | None, str, str, str, str] | None:
    try:
        tree: Any = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return None
    if not isinstance(tree, dict):
        return None
    stamp = next((tree[k] for k in ("ts", "@timestamp", "timestamp", "time") if isinstance(tree.get(k), str)), "")
    millis = tree.get("timeMillis")
    at = log_time(stamp) if stamp else millis / 1000 if isinstance(millis, int | float) else None
    message = str(tree.get("msg", tree.get("message", "")))
    body = [message, *_thrown(tree)]
    level = str(tree.get("level") or tree.get("log.level") or "").upper()
    logger = str(next((tree[k] for k in ("logger", "log.logger", "loggerName", "logger_name") if tree.get(k)), ""))
    return at, _LEVELS.get(level, level), logger.rsplit(".", 1)[-1], message, "\n".join(body)[: _BODY * 2]


def _thrown(tree: dict[str, Any]) -> list[str]:
    """The exception of a structured record, as Spark's, ECS', Log4j's and Logstash's layouts give it."""
    trouble = tree.get("exception")
    out: list[str] = []
    if isinstance(trouble, dict):
        named, said = str(trouble.get("class", "")), str(trouble.get("msg", ""))
        out.append(said if said.startswith(f"{named}: ") else f"{named}: {said}")
        frames = trouble.get("stacktrace")
        if isinstance(frames, list):
            out.extend(
                f"\tat {f.get('class')}.{f.get('method')}({f.get('file')}:{f.get('line')})"
                if isinstance(f, dict)
                else str(f)
                for f in frames[:60]
            )
        elif isinstance(frames, str):
            out.append(frames[:_BODY])
    thrown = tree.get("thrown")
    if isinstance(thrown, dict):
        out.append(f"{thrown.get('name', '')}: {thrown.get('message', '')}")
        if isinstance(thrown.get("extendedStackTrace"), str):
            out.append(thrown["extendedStackTrace"][:_BODY])
    for key in ("error.stack_trace", "stack_trace", "stacktrace"):
        if isinstance(tree.get(key), str):
            out.append(tree[key][:_BODY])
    return out


def most_of(wording: str) -> int:
    """How many places of a wording are kept of one log."""
    return MAX_COUNTED if wording in COUNTED else MAX_HITS


def cut_short(hits: Iterable[Hit]) -> bool:
    """Whether there may be more of them than were kept, so that their number is told as `at least`."""
    kept = Counter((id(hit.log), hit.wording) for hit in hits)
    return any(count >= most_of(wording) for (_, wording), count in kept.items())


def find(texts: Iterable[Text], wording: str, needles: Sequence[str], *, usual: bool = True) -> list[Hit]:
    """Every record of these logs that holds one of the needles, at most `most_of(wording)` per log.

    Args:
        usual: look at records of level INFO too.
    """
    out = [hit for text in texts for hit in text.hits(wording, tuple(needles), usual=usual)]
    out.sort(key=lambda h: (h.at or 0.0, h.log.origin.locator, h.line))
    return out
