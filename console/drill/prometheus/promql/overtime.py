"""Functions of range vectors: rates and increases with Prometheus's extrapolation, and everything `_over_time`."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

from console.drill.prometheus.promql.model import SamplePoint, Window


def extrapolated(window: Window, *, counter: bool, rate: bool) -> float | None:
    """`rate`, `increase` and `delta`: what happened between the samples, stretched to the edges of the window."""
    if window.summary is not None:
        (first_at, first), (last_at, last), count, lost = window.summary
    else:
        points = window.points
        if len(points) < 2:
            return None
        (first_at, first), (last_at, last), count, lost = points[0], points[-1], len(points), resets(points)
    if count < 2:
        return None
    result = last - first + (lost if counter else 0.0)
    to_start, to_end = (first_at - window.start) / 1000, (window.end - last_at) / 1000
    sampled = (last_at - first_at) / 1000
    average = sampled / (count - 1)
    if counter and result > 0 and first >= 0:
        to_start = min(to_start, sampled * (first / result))
    threshold = average * 1.1
    stretched = sampled
    stretched += to_start if to_start < threshold else average / 2
    stretched += to_end if to_end < threshold else average / 2
    result *= stretched / sampled
    return result / ((window.end - window.start) / 1000) if rate else result


def resets(points: list[SamplePoint]) -> float:
    """What counter resets took away."""
    lost, before = 0.0, points[0][1]
    for _, value in points[1:]:
        if value < before:
            lost += before
        before = value
    return lost


def instant(window: Window, *, rate: bool) -> float | None:
    """`irate` and `idelta`: the last two samples."""
    if len(window.points) < 2:
        return None
    (before_at, before), (last_at, last) = window.points[-2:]
    result = last if rate and last < before else last - before
    if last_at == before_at:
        return None
    return result / ((last_at - before_at) / 1000) if rate else result


def regression(points: list[SamplePoint], origin: int) -> tuple[float, float]:
    """Slope per second and value at `origin` of the least squares line."""
    first = points[0][1]
    if all(value == first for _, value in points):
        return (math.nan, math.nan) if math.isinf(first) else (0.0, first)
    count = float(len(points))
    sum_x = sum_y = sum_xy = sum_xx = 0.0
    for when, value in points:
        x = (when - origin) / 1000
        sum_x, sum_y, sum_xy, sum_xx = sum_x + x, sum_y + value, sum_xy + x * value, sum_xx + x * x
    covariance, variance = sum_xy - sum_x * sum_y / count, sum_xx - sum_x * sum_x / count
    slope = covariance / variance
    return slope, sum_y / count - slope * sum_x / count


def quantile(q: float, values: list[float]) -> float:
    """The quantile as Prometheus interpolates it."""
    if not values or math.isnan(q):
        return math.nan
    if q < 0:
        return -math.inf
    if q > 1:
        return math.inf
    ordered = sorted(values, key=lambda v: (not math.isnan(v), v))
    rank = q * (len(ordered) - 1)
    low = max(0, math.floor(rank))
    high = min(len(ordered) - 1, low + 1)
    weight = rank - math.floor(rank)
    return ordered[low] * (1 - weight) + ordered[high] * weight


def deviation(values: list[float]) -> float:
    """Population variance."""
    mean = math.fsum(values) / len(values)
    return math.fsum((v - mean) ** 2 for v in values) / len(values)


def _values(window: Window) -> list[float]:
    return [value for _, value in window.points]


def _changes(values: list[float]) -> float:
    pairs = itertools.pairwise(values)
    return float(sum(1 for a, b in pairs if a != b and not (math.isnan(a) and math.isnan(b))))


FUNCTIONS: dict[str, Callable[[Window], float | None]] = {
    "rate": lambda w: extrapolated(w, counter=True, rate=True),
    "increase": lambda w: extrapolated(w, counter=True, rate=False),
    "delta": lambda w: extrapolated(w, counter=False, rate=False),
    "irate": lambda w: instant(w, rate=True),
    "idelta": lambda w: instant(w, rate=False),
    "deriv": lambda w: regression(w.points, w.points[0][0])[0] if len(w.points) > 1 else None,
    "changes": lambda w: _changes(_values(w)),
    "resets": lambda w: float(sum(1 for a, b in zip(w.points, w.points[1:], strict=False) if b[1] < a[1])),
    "avg_over_time": lambda w: math.fsum(_values(w)) / len(w.points),
    "sum_over_time": lambda w: math.fsum(_values(w)),
    "min_over_time": lambda w: min(_values(w)),
    "max_over_time": lambda w: max(_values(w)),
    "count_over_time": lambda w: float(len(w.points)),
    "stddev_over_time": lambda w: math.sqrt(deviation(_values(w))),
    "stdvar_over_time": lambda w: deviation(_values(w)),
    "last_over_time": lambda w: w.points[-1][1],
    "present_over_time": lambda w: 1.0,
}
SUMMARIZED = frozenset(("rate", "increase", "delta"))
"""Functions that need no more than the ends of a window."""
KEEPS_NAME = frozenset(("last_over_time",))
