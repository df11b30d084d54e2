"""Functions that need more than one argument, the time, or the selector itself."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Protocol

import promql_parser as ast

from console.drill.prometheus.promql import functions, overtime
from console.drill.prometheus.promql.model import (
    LOOKBACK,
    NAME,
    Labels,
    TimeSeries,
    Value,
    Vector,
    VectorSample,
    Window,
    check_unique,
    unnamed,
)


class ExpressionEvaluator(Protocol):
    """What functions ask of the evaluator."""

    def vector(self, expr: Any, when: int) -> Vector:
        """The value as an instant vector."""
        ...

    def scalar(self, expr: Any, when: int) -> float:
        """The value as a number."""
        ...

    def windows(self, expr: Any, when: int, *, summary: bool = False) -> list[Window]:
        """A range vector."""
        ...

    def select(self, selector: Any, reach: int) -> list[TimeSeries]:
        """Series of a selector."""
        ...

    def shifted(self, node: Any, when: int) -> int:
        """The time that a selector looks at."""
        ...


def _absent_labels(expr: Any) -> Labels:
    if isinstance(expr, ast.MatrixSelector):
        expr = expr.vector_selector
    if not isinstance(expr, ast.VectorSelector):
        return ()
    equal: dict[str, str] = {}
    dropped: set[str] = set()
    for matcher in expr.matchers.matchers:
        if matcher.name == NAME:
            continue
        if str(matcher.op) == "MatchOp.Equal" and matcher.name not in equal and matcher.name not in dropped:
            equal[matcher.name] = matcher.value
        else:
            equal.pop(matcher.name, None)
            dropped.add(matcher.name)
    return tuple(sorted((k, v) for k, v in equal.items() if v))


def _text(expr: Any) -> str:
    return str(expr.val)


def _absent(evaluator: ExpressionEvaluator, args: list[Any], when: int) -> Vector:
    return [] if evaluator.vector(args[0], when) else [VectorSample(_absent_labels(args[0]), 1.0)]


def _absent_over_time(evaluator: ExpressionEvaluator, args: list[Any], when: int) -> Vector:
    return [] if evaluator.windows(args[0], when) else [VectorSample(_absent_labels(args[0]), 1.0)]


def _timestamp(evaluator: ExpressionEvaluator, args: list[Any], when: int) -> Vector:
    inner = args[0]
    while isinstance(inner, ast.ParenExpr):
        inner = inner.expr
    if not isinstance(inner, ast.VectorSelector):
        return functions.mapped(evaluator.vector(inner, when), lambda _v: when / 1000)
    at = evaluator.shifted(inner, when)
    found = ((s.labels, s.latest(at)) for s in evaluator.select(inner, LOOKBACK))
    return [VectorSample(unnamed(labels), point[0] / 1000) for labels, point in found if point is not None]


def _scalar(evaluator: ExpressionEvaluator, args: list[Any], when: int) -> float:
    vector = evaluator.vector(args[0], when)
    return vector[0].value if len(vector) == 1 else math.nan


def _round(evaluator: ExpressionEvaluator, args: list[Any], when: int) -> Vector:
    step = evaluator.scalar(args[1], when) if len(args) > 1 else 1.0
    return check_unique(functions.mapped(evaluator.vector(args[0], when), lambda v: functions.rounded(v, step)))


def _clamp(low: int | None, high: int | None) -> Callable[[ExpressionEvaluator, list[Any], int], Vector]:
    def call(evaluator: ExpressionEvaluator, args: list[Any], when: int) -> Vector:
        least = evaluator.scalar(args[low], when) if low else -math.inf
        most = evaluator.scalar(args[high], when) if high else math.inf
        return check_unique(functions.clamp(evaluator.vector(args[0], when), least, most))

    return call


def _sorted(evaluator: ExpressionEvaluator, args: list[Any], when: int, reverse: bool) -> Vector:
    vector = evaluator.vector(args[0], when)
    worst = -math.inf if reverse else math.inf
    return sorted(vector, key=lambda s: worst if math.isnan(s.value) else s.value, reverse=reverse)


def _quantile_over_time(evaluator: ExpressionEvaluator, args: list[Any], when: int) -> Vector:
    q = evaluator.scalar(args[0], when)
    windows = evaluator.windows(args[1], when)
    return check_unique(
        [VectorSample(unnamed(w.labels), overtime.quantile(q, [v for _, v in w.points])) for w in windows]
    )


def _predict_linear(evaluator: ExpressionEvaluator, args: list[Any], when: int) -> Vector:
    ahead = evaluator.scalar(args[1], when)
    out: Vector = []
    for window in evaluator.windows(args[0], when):
        if len(window.points) > 1:
            slope, base = overtime.regression(window.points, when)
            out.append(VectorSample(unnamed(window.labels), slope * ahead + base))
    return check_unique(out)


def _label_replace(evaluator: ExpressionEvaluator, args: list[Any], when: int) -> Vector:
    target, replacement, source, pattern = (_text(arg) for arg in args[1:5])
    out = functions.label_replace(evaluator.vector(args[0], when), target, replacement, source, pattern)
    return check_unique(out)


CALLS: dict[str, Callable[[ExpressionEvaluator, list[Any], int], Value]] = {
    "time": lambda _e, _a, when: when / 1000,
    "vector": lambda e, a, when: [VectorSample((), e.scalar(a[0], when))],
    "scalar": _scalar,
    "absent": _absent,
    "absent_over_time": _absent_over_time,
    "timestamp": _timestamp,
    "round": _round,
    "clamp": _clamp(1, 2),
    "clamp_min": _clamp(1, None),
    "clamp_max": _clamp(None, 1),
    "sort": lambda e, a, when: _sorted(e, a, when, False),
    "sort_desc": lambda e, a, when: _sorted(e, a, when, True),
    "histogram_quantile": lambda e, a, when: functions.histogram_quantile(e.scalar(a[0], when), e.vector(a[1], when)),
    "quantile_over_time": _quantile_over_time,
    "predict_linear": _predict_linear,
    "label_replace": _label_replace,
    "label_join": lambda e, a, when: check_unique(
        functions.label_join(e.vector(a[0], when), _text(a[1]), _text(a[2]), [_text(x) for x in a[3:]])
    ),
}
