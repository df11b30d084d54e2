"""Functions of instant vectors and scalars."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime

from console.drill.prometheus.promql.model import (
    NAME,
    EvalError,
    Labels,
    Vector,
    VectorSample,
    compiled,
    labels_of,
    unnamed,
    without,
)


def rounded(value: float, step: float) -> float:
    """`round(v, to)`: ties upwards."""
    if math.isnan(value) or math.isinf(value):
        return value
    return math.floor(value / step + 0.5) * step if step == 1 else math.floor(value * (1 / step) + 0.5) / (1 / step)


def _safe(function: Callable[[float], float]) -> Callable[[float], float]:
    def call(value: float) -> float:
        try:
            return function(value)
        except ValueError:
            return math.nan
        except OverflowError:
            return math.inf

    return call


def _log(value: float, base: Callable[[float], float]) -> float:
    return -math.inf if value == 0 else base(value)


def _whole(function: Callable[[float], int]) -> Callable[[float], float]:
    return lambda value: value if math.isnan(value) or math.isinf(value) else float(function(value))


def _date(part: Callable[[datetime], int]) -> Callable[[float], float]:
    return _safe(lambda value: float(part(datetime.fromtimestamp(value, UTC))))


SIMPLE: dict[str, Callable[[float], float]] = {
    "abs": abs,
    "ceil": _whole(math.ceil),
    "floor": _whole(math.floor),
    "exp": _safe(math.exp),
    "sqrt": _safe(math.sqrt),
    "ln": _safe(lambda v: _log(v, math.log)),
    "log2": _safe(lambda v: _log(v, math.log2)),
    "log10": _safe(lambda v: _log(v, math.log10)),
    "sgn": lambda v: v if math.isnan(v) else float((v > 0) - (v < 0)),
    "minute": _date(lambda d: d.minute),
    "hour": _date(lambda d: d.hour),
    "day_of_month": _date(lambda d: d.day),
    "day_of_week": _date(lambda d: d.isoweekday() % 7),
    "day_of_year": _date(lambda d: d.timetuple().tm_yday),
    "month": _date(lambda d: d.month),
    "year": _date(lambda d: d.year),
}


def mapped(vector: Vector, function: Callable[[float], float]) -> Vector:
    """The function of each value; names go."""
    return [VectorSample(unnamed(s.labels), function(s.value)) for s in vector]


def clamp(vector: Vector, low: float, high: float) -> Vector:
    """`clamp`, `clamp_min`, `clamp_max`."""
    if low > high:
        return []
    if math.isnan(low) or math.isnan(high):
        return mapped(vector, lambda _v: math.nan)
    return mapped(vector, lambda v: v if math.isnan(v) else max(low, min(high, v)))


def label_replace(vector: Vector, target: str, replacement: str, source: str, pattern: str) -> Vector:
    """`label_replace`.

    Raises:
        EvalError: a label name or the pattern is none.
    """
    if not re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]*", target):
        raise EvalError(f"invalid destination label name in label_replace(): {target}")
    expression = compiled(pattern)
    template = re.sub(r"\$(\d+|\w+|\{\w+\})", lambda m: "\\g<" + m.group(1).strip("{}") + ">", replacement)
    out: Vector = []
    for sample in vector:
        have = dict(sample.labels)
        found = expression.fullmatch(have.get(source, ""))
        if found:
            try:
                have[target] = found.expand(template)
            except (re.error, IndexError):
                have[target] = ""
        out.append(VectorSample(labels_of(have), sample.value))
    return out


def label_join(vector: Vector, target: str, separator: str, sources: list[str]) -> Vector:
    """`label_join`."""
    out: Vector = []
    for sample in vector:
        have = dict(sample.labels)
        have[target] = separator.join(have.get(name, "") for name in sources)
        out.append(VectorSample(labels_of(have), sample.value))
    return out


def histogram_quantile(q: float, vector: Vector) -> Vector:
    """`histogram_quantile` over classic buckets."""
    grouped: dict[Labels, list[tuple[float, float]]] = {}
    for sample in vector:
        have = dict(sample.labels)
        try:
            bound = float(have.get("le", ""))
        except ValueError:
            continue
        grouped.setdefault(without(sample.labels, "le", NAME), []).append((bound, sample.value))
    return [VectorSample(labels, bucket_quantile(q, buckets)) for labels, buckets in grouped.items()]


def bucket_quantile(q: float, buckets: list[tuple[float, float]]) -> float:
    """The quantile of cumulative buckets, interpolated within one."""
    if math.isnan(q):
        return math.nan
    if q < 0:
        return -math.inf
    if q > 1:
        return math.inf
    merged: dict[float, float] = {}
    for bound, count in buckets:
        merged[bound] = merged.get(bound, 0.0) + count
    ordered = sorted(merged.items())
    if not math.isinf(ordered[-1][0]) or len(ordered) < 2:
        return math.nan
    counts, most = [], -math.inf
    for _, count in ordered:
        most = max(most, count)
        counts.append(most)
    total = counts[-1]
    if total == 0 or math.isnan(total):
        return math.nan
    rank = q * total
    at = next((i for i in range(len(counts) - 1) if counts[i] >= rank), len(counts) - 1)
    if at == len(counts) - 1:
        return ordered[-2][0]
    if at == 0 and ordered[0][0] <= 0:
        return ordered[0][0]
    start, end, count = 0.0, ordered[at][0], counts[at]
    if at > 0:
        start, count, rank = ordered[at - 1][0], count - counts[at - 1], rank - counts[at - 1]
    return start + (end - start) * (rank / count)
