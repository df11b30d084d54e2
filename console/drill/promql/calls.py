"""Functions that need more than one argument, the time, or the selector itself."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Protocol

import promql_parser as ast

from console.drill.promql import functions, overtime
from console.drill.promql.model import (
    LOOKBACK,
    NAME,
    Labels,
    Sample,
    Series,
    Value,
    Vector,
    Window,
    check_unique,
    unnamed,
)


class Engine(Protocol):
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

    def select(self, selector: Any, reach: int) -> list[Series]:
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


def _absent(engine: Engine, args: list[Any], when: int) -> Vector:
    return [] if engine.vector(args[0], when) else [Sample(_absent_labels(args[0]), 1.0)]


def _absent_over_time(engine: Engine, args: list[Any], when: int) -> Vector:
    return [] if engine.windows(args[0], when) else [Sample(_absent_labels(args[0]), 1.0)]


def _timestamp(engine: Engine, args: list[Any], when: int) -> Vector:
    inner = args[0]
    while isinstance(inner, ast.ParenExpr):
        inner = inner.expr
    if not isinstance(inner, ast.VectorSelector):
        return functions.mapped(engine.vector(inner, when), lambda _v: when / 1000)
    at = engine.shifted(inner, when)
    found = ((s.labels, s.latest(at)) for s in engine.select(inner, LOOKBACK))
    return [Sample(unnamed(labels), point[0] / 1000) for labels, point in found if point is not None]


def _scalar(engine: Engine, args: list[Any], when: int) -> float:
    vector = engine.vector(args[0], when)
    return vector[0].value if len(vector) == 1 else math.nan


def _round(engine: Engine, args: list[Any], when: int) -> Vector:
    step = engine.scalar(args[1], when) if len(args) > 1 else 1.0
    return check_unique(functions.mapped(engine.vector(args[0], when), lambda v: functions.rounded(v, step)))


def _clamp(low: int | None, high: int | None) -> Callable[[Engine, list[Any], int], Vector]:
    def call(engine: Engine, args: list[Any], when: int) -> Vector:
        least = engine.scalar(args[low], when) if low else -math.inf
        most = engine.scalar(args[high], when) if high else math.inf
        return check_unique(functions.clamp(engine.vector(args[0], when), least, most))

    return call


def _sorted(engine: Engine, args: list[Any], when: int, reverse: bool) -> Vector:
    vector = engine.vector(args[0], when)
    worst = -math.inf if reverse else math.inf
    return sorted(vector, key=lambda s: worst if math.isnan(s.value) else s.value, reverse=reverse)


def _quantile_over_time(engine: Engine, args: list[Any], when: int) -> Vector:
    q = engine.scalar(args[0], when)
    windows = engine.windows(args[1], when)
    return check_unique([Sample(unnamed(w.labels), overtime.quantile(q, [v for _, v in w.points])) for w in windows])


def _predict_linear(engine: Engine, args: list[Any], when: int) -> Vector:
    ahead = engine.scalar(args[1], when)
    out: Vector = []
    for window in engine.windows(args[0], when):
        if len(window.points) > 1:
            slope, base = overtime.regression(window.points, when)
            out.append(Sample(unnamed(window.labels), slope * ahead + base))
    return check_unique(out)


def _label_replace(engine: Engine, args: list[Any], when: int) -> Vector:
    target, replacement, source, pattern = (_text(arg) for arg in args[1:5])
    out = functions.label_replace(engine.vector(args[0], when), target, replacement, source, pattern)
    return check_unique(out)


CALLS: dict[str, Callable[[Engine, list[Any], int], Value]] = {
    "time": lambda _e, _a, when: when / 1000,
    "vector": lambda e, a, when: [Sample((), e.scalar(a[0], when))],
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
