"""What a Prometheus answered, read with suspicion: partial answers, refusals, texts and web pages told apart."""

from __future__ import annotations

import math
from typing import Any, Literal

import msgspec
from msgspec import Struct

from console.base.clock import parse_epoch
from console.base.errors import ConsoleError, ForbiddenError, LoginNeeded
from console.base.jsontext import decode_json
from console.base.redact import redact, redact_labels
from console.base.text import clean, shorten
from console.base.units import parse_number
from console.facts.model import Origin, Sample
from console.sources.prometheus.joined import ASK

ReadingState = Literal["ok", "partial", "refused", "unreachable", "forbidden", "login needed"]
MAX_SAMPLES = 50_000


class Reading(Struct, frozen=True):
    """The answer to one query.

    Attributes:
        state: `ok`; `partial` (some stores did not answer, or it was cut); `refused` (this query is wrong or too
            heavy for the server); else why nothing came. Samples are there only for `ok` and `partial`.
        detail: what the server says, on one line.
        at: the time of evaluation that the server used, epoch seconds.
    """

    query: str
    samples: tuple[Sample, ...] = ()
    state: ReadingState = "ok"
    detail: str = ""
    warnings: tuple[str, ...] = ()
    at: float | None = None


class RangeSeries(Struct, frozen=True):
    """One series of a range: labels without the name, and (epoch seconds, value) points."""

    name: str
    labels: dict[str, str]
    points: tuple[tuple[float, float], ...]


class RangeReading(Struct, frozen=True):
    """The answer to a range query; otherwise like Reading."""

    query: str
    series: tuple[RangeSeries, ...] = ()
    state: ReadingState = "ok"
    detail: str = ""
    warnings: tuple[str, ...] = ()


class _Said(Struct):
    """What an answer says about itself."""

    status: str = ""
    errorType: str = ""
    error: str = ""
    warnings: list[str] | None = None
    infos: list[str] | None = None
    data: Any = None


class Exchange(Struct):
    """One request as it went: filled by the response hook, read after the client returned or raised."""

    status: int = 0
    said: _Said | None = None
    text: str = ""
    kind: str = ""
    result: Any = None
    broken: bool = False


def hear(response: Any, raw: Exchange) -> None:
    """Response hook: keep status, warnings and the kind of result, which the client throws away."""
    raw.status, raw.text = response.status_code, shorten(clean(redact(response.text[:2000])), 300)
    try:
        raw.said = decode_json(response.content, _Said)
    except msgspec.DecodeError:
        raw.said = None
    if raw.said is not None and isinstance(raw.said.data, dict):
        raw.kind = str(raw.said.data.get("resultType") or "")


def refuses(raw: Exchange) -> bool:
    """Whether the server is well and says no to this query."""
    said = raw.said
    if said is None or said.status != "error":
        return False
    return said.errorType in ("bad_data", "execution", "timeout", "canceled") or raw.status in (400, 422)


def verdict(raw: Exchange, problem: ConsoleError | None) -> tuple[ReadingState, str, tuple[str, ...]]:
    """How an answer counts, what is said of it on one line, and the server's own warnings and notes."""
    if isinstance(problem, LoginNeeded):
        return "login needed", problem.message, ()
    if problem is not None:
        return ("forbidden" if isinstance(problem, ForbiddenError) else "unreachable"), problem.message, ()
    said = raw.said
    if said is not None and refuses(raw):
        return "refused", shorten(clean(redact(said.error or said.errorType)), 300), ()
    if raw.status != 200 or raw.broken or said is None or said.status != "success":
        return _no_answer(raw)
    infos = [text for text in said.warnings or () if text.startswith("PromQL ")]
    warnings = tuple(_line(w) for w in said.warnings or () if w not in infos)
    notes = tuple(_line(w) for w in (*infos, *(said.infos or ())))
    return ("partial", warnings[0], warnings + notes) if warnings else ("ok", "", notes)


def _no_answer(raw: Exchange) -> tuple[ReadingState, str, tuple[str, ...]]:
    """Why what came is no answer of Prometheus."""
    what = "a web page" if raw.text.startswith("<") else raw.text
    if raw.status in (401, 403):
        return "forbidden", f"HTTP {raw.status} {what}".strip(), ()
    if raw.status == 200:
        return "unreachable", f"the answer makes no sense: {what}", ()
    return "unreachable", f"HTTP {raw.status}: {what}" if raw.status else "no answer", ()


def _line(text: str) -> str:
    return shorten(clean(redact(text)), 200)


def reading_of(query: str, raw: Exchange, problem: ConsoleError | None, now: float) -> Reading:
    state, detail, warnings = verdict(raw, problem)
    if state not in ("ok", "partial"):
        return Reading(query, (), state, detail, warnings)
    origin = Origin("prometheus", query, now)
    samples: list[Sample] = []
    at: float | None = None
    result = raw.result if isinstance(raw.result, list) else []
    if raw.kind in ("scalar", "string"):
        point = _point(result)
        if point is not None:
            at = point[0]
            samples.append(Sample("", {}, point[1], at, origin))
    else:
        if len(result) > MAX_SAMPLES:
            state, detail = "partial", f"{len(result)} series, of which {MAX_SAMPLES} are read"
        for item in result[:MAX_SAMPLES]:
            if not isinstance(item, dict):
                continue
            value = item.get("value") or (item.get("values") or [None])[-1]
            point = _point(value)
            if point is not None:
                labels = _labels(item.get("metric"))
                at = point[0]
                samples.append(Sample(labels.pop("__name__", ""), labels, point[1], at, origin))
    return Reading(query, tuple(samples), state, detail, warnings, at)


def _point(value: Any) -> tuple[float, float] | None:
    """A time and a value; None where it is no point. A value beyond 64 bits is how exporters say "not supported"."""
    try:
        at, number = parse_epoch(float(value[0])), float(value[1])
    except (TypeError, ValueError, IndexError, KeyError, OverflowError):
        return None
    if at is None or (math.isfinite(number) and parse_number(number) is None):
        return None
    return at, number


def _labels(value: Any) -> dict[str, str]:
    return redact_labels({str(k): str(v) for k, v in value.items()}) if isinstance(value, dict) else {}


def _without(sample: Sample) -> Sample:
    return msgspec.structs.replace(sample, labels={k: v for k, v in sample.labels.items() if k != ASK})


def _resaid(samples: tuple[Sample, ...], query: str) -> tuple[Sample, ...]:
    """Samples of a joined answer cite their own query."""
    if not samples:
        return ()
    origin = msgspec.structs.replace(samples[0].origin, locator=query)
    return tuple(msgspec.structs.replace(sample, origin=origin) for sample in samples)


def ranges_of(query: str, raw: Exchange, problem: ConsoleError | None) -> RangeReading:
    """The reading of a range query."""
    state, detail, warnings = verdict(raw, problem)
    if state not in ("ok", "partial"):
        return RangeReading(query, (), state, detail, warnings)
    series = []
    for item in raw.result if isinstance(raw.result, list) else []:
        if not isinstance(item, dict):
            continue
        labels = _labels(item.get("metric"))
        points = tuple(p for p in map(_point, item.get("values") or ()) if p is not None)
        series.append(RangeSeries(labels.pop("__name__", ""), labels, points))
    return RangeReading(query, tuple(series), state, detail, warnings)


def taken_apart(reading: Reading, group: list[tuple[str, str]]) -> dict[str, Reading]:
    """The readings of a joined query, by name; each cites its own expression."""
    out = {}
    for name, expr in group:
        mine = tuple(_without(s) for s in reading.samples if s.labels.get(ASK) == name)
        out[name] = msgspec.structs.replace(reading, query=expr, samples=_resaid(mine, expr))
    return out
