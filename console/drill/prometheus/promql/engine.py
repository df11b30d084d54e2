"""The evaluator: one expression at one time, or at every step of a span."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import timedelta
from functools import lru_cache
from typing import Any

import promql_parser as ast

from console.drill.prometheus.promql import functions, operators, overtime
from console.drill.prometheus.promql.calls import CALLS
from console.drill.prometheus.promql.model import (
    LOOKBACK,
    NAME,
    EvalError,
    Labels,
    Matcher,
    ParseError,
    Storage,
    TimeSeries,
    Value,
    Vector,
    VectorSample,
    Window,
    check_unique,
    unnamed,
)
from console.drill.prometheus.promql.past import PastSteps

_OPS = {"MatchOp.Equal": "=", "MatchOp.NotEqual": "!=", "MatchOp.Re": "=~", "MatchOp.NotRe": "!~"}
MAX_SUBQUERY_STEPS = 200_000


@lru_cache(maxsize=512)
def parse(text: str) -> Any:
    """The expression. Nobody changes one, so a text that is asked again and again is read once.

    Raises:
        ParseError: it is no PromQL.
    """
    try:
        return ast.parse(text)
    except ValueError as error:
        message = str(error)
        if message.startswith("unknown function"):
            name = message.rsplit("'", 2)[-2]
            message = f'unknown function with name "{name}"'
        raise ParseError(f"1:1: parse error: {message}") from None


@lru_cache(maxsize=512)
def unsupported(text: str) -> str | None:
    """The first thing in an expression that is not evaluated here, in words; None when all of it is.

    Raises:
        ParseError: it is no PromQL.
    """
    found: list[str] = []

    def visit(node: Any) -> bool:
        if isinstance(node, ast.Call) and node.func.name not in SUPPORTED:
            found.append(f"function {node.func.name}() is not served by the simulated Prometheus")
        elif isinstance(node, ast.AggregateExpr) and str(node.op) not in operators.AGGREGATIONS:
            found.append(f"aggregation {node.op} is not served by the simulated Prometheus")
        elif isinstance(node, ast.VectorSelector) and node.matchers.or_matchers:
            found.append("matchers joined by `or` are not served by the simulated Prometheus")
        return not found

    ast.walk(parse(text), visit)
    return found[0] if found else None


def problem(text: str) -> str | None:
    """Why a query would be refused, or None."""
    try:
        return unsupported(text)
    except ParseError as error:
        return str(error).removeprefix("1:1: parse error: ")


class Evaluator:
    """Evaluates one expression over one storage.

    Args:
        storage: the series.
        start: first time (ms) at which the expression is evaluated; `@ start()`.
        end: last time.
        step: default step of subqueries in ms.
        past: what former evaluations over the same storage worked out; None where nothing is kept.
    """

    def __init__(
        self, storage: Storage, start: int, end: int, step: int = 60_000, past: PastSteps | None = None
    ) -> None:
        self.storage, self.start, self.end, self.step, self.past = storage, start, end, step, past
        self._selected: dict[str, list[TimeSeries]] = {}

    def at(self, expr: Any, when: int) -> Value:
        """The value at one time.

        Raises:
            EvalError: it has none.
        """
        handler = _HANDLERS[type(expr)]
        return handler(self, expr, when)

    def vector(self, expr: Any, when: int) -> Vector:
        """The value as an instant vector."""
        value = self.at(expr, when)
        return [VectorSample((), value)] if isinstance(value, float) else value

    def scalar(self, expr: Any, when: int) -> float:
        """The value as a number."""
        value = self.at(expr, when)
        return value if isinstance(value, float) else math.nan

    # -- selectors ------------------------------------------------------------------------------------------------

    def select(self, selector: Any, reach: int) -> list[TimeSeries]:
        """Series of a selector, looked up once for the whole query."""
        key = f"{selector.prettify()}|{reach}"
        if key not in self._selected:
            matchers = [Matcher(m.name, _OPS[str(m.op)], m.value) for m in selector.matchers.matchers]
            if selector.name:
                matchers.append(Matcher(NAME, "=", selector.name))
            if all(m.test()("") for m in matchers):
                raise ParseError("1:1: parse error: vector selector must contain at least one non-empty matcher")
            shift = max(0, _milliseconds(selector.offset))
            begin = min(self.start, self._pinned(selector, self.start)) - reach - shift
            finish = max(self.end, self._pinned(selector, self.end)) + max(0, -_milliseconds(selector.offset))
            self._selected[key] = list(self.storage.select(matchers, begin, finish))
        return self._selected[key]

    def _pinned(self, node: Any, when: int) -> int:
        at = node.at
        if at is None:
            return when
        kind = str(at.type)
        if kind.endswith("Start"):
            return self.start
        if kind.endswith("End"):
            return self.end
        pinned: float = at.at.timestamp()
        return round(pinned * 1000)

    def shifted(self, node: Any, when: int) -> int:
        """The time that a selector looks at, after `@` and `offset`."""
        return self._pinned(node, when) - _milliseconds(node.offset)

    def windows(self, expr: Any, when: int, *, summary: bool = False) -> list[Window]:
        """A range vector."""
        if isinstance(expr, ast.ParenExpr):
            return self.windows(expr.expr, when, summary=summary)
        if isinstance(expr, ast.SubqueryExpr):
            return self._subquery(expr, when)
        selector, reach = expr.vector_selector, _milliseconds(expr.range)
        end = self.shifted(selector, when)
        out: list[Window] = []
        for series in self.select(selector, reach):
            ends = series.ends(end - reach, end) if summary else None
            points = [] if ends else series.points(end - reach, end)
            if ends or points:
                out.append(Window(series.labels, points, end - reach, end, ends))
        return out

    def _subquery(self, expr: Any, when: int) -> list[Window]:
        reach = _milliseconds(expr.range)
        step = _milliseconds(expr.step) if expr.step else self.step
        end = self.shifted(expr, when)
        begin = end - reach
        if reach // step > MAX_SUBQUERY_STEPS:
            raise EvalError("query processing would load too many samples into memory in query execution")
        first = step * (begin // step)
        first += step if first < begin else 0
        inner = Evaluator(self.storage, first, end, self.step, self.past)
        value = inner.vector if self.past is None else self.past.remembering(expr.expr, inner.vector)
        collected: dict[Labels, list[tuple[int, float]]] = {}
        for at in range(first, end + 1, step):
            for sample in value(expr.expr, at):
                collected.setdefault(sample.labels, []).append((at, sample.value))
        return [Window(labels, points, begin, end) for labels, points in collected.items()]

    # -- nodes ----------------------------------------------------------------------------------------------------

    def _instant(self, expr: Any, when: int) -> Vector:
        at = self.shifted(expr, when)
        found = ((s.labels, s.latest(at)) for s in self.select(expr, LOOKBACK))
        return [VectorSample(labels, point[1]) for labels, point in found if point is not None]

    def _unary(self, expr: Any, when: int) -> Value:
        value = self.at(expr.expr, when)
        return -value if isinstance(value, float) else check_unique(functions.mapped(value, lambda v: -v))

    def _binary(self, expr: Any, when: int) -> Value:
        op, modifier = str(expr.op), expr.modifier
        left = self.at(expr.lhs, when)
        if left == [] and op != "or" and not isinstance(expr.rhs, ast.NumberLiteral):
            return []  # nothing can match; the right side is not read
        right = self.at(expr.rhs, when)
        wants_bool = bool(modifier and modifier.return_bool)
        if isinstance(left, float) and isinstance(right, float):
            return operators.arithmetic(op, left, right)
        if isinstance(right, float):
            return check_unique(operators.with_scalar(op, left, right, swapped=False, return_bool=wants_bool))
        if isinstance(left, float):
            return check_unique(operators.with_scalar(op, right, left, swapped=True, return_bool=wants_bool))
        matching = _matching(modifier)
        if op in operators.SETS:
            return operators.sets(op, left, right, matching)
        return operators.vectors(op, left, right, matching)

    def _aggregate(self, expr: Any, when: int) -> Vector:
        parameter: float | str | None = None
        if expr.param is not None:
            parameter = expr.param.val if isinstance(expr.param, ast.StringLiteral) else self.scalar(expr.param, when)
        modifier = expr.modifier
        by = modifier is None or modifier.type == ast.AggModifierType.By
        names = tuple(modifier.labels) if modifier else ()
        return operators.aggregate(str(expr.op), self.vector(expr.expr, when), names, by=by, parameter=parameter)

    def _call(self, expr: Any, when: int) -> Value:
        name, args = expr.func.name, expr.args
        if name in overtime.FUNCTIONS:
            return self._over_time(name, args[0], when)
        if name in functions.SIMPLE:
            vector = self.vector(args[0], when) if args else [VectorSample((), when / 1000)]
            return check_unique(functions.mapped(vector, functions.SIMPLE[name]))
        if name in CALLS:
            return CALLS[name](self, args, when)
        raise EvalError(f"function {name}() is not served by the simulated Prometheus")

    def _over_time(self, name: str, arg: Any, when: int) -> Vector:
        function = overtime.FUNCTIONS[name]
        keep = name in overtime.KEEPS_NAME
        out: Vector = []
        for window in self.windows(arg, when, summary=name in overtime.SUMMARIZED):
            value = function(window)
            if value is not None:
                out.append(VectorSample(window.labels if keep else unnamed(window.labels), value))
        return check_unique(out)


def _milliseconds(value: timedelta | None) -> int:
    return 0 if value is None else round(value.total_seconds() * 1000)


def _matching(modifier: Any) -> operators.Matching:
    if modifier is None:
        return operators.Matching()
    card = str(modifier.card)
    side = "left" if card.endswith("ManyToOne") else "right" if card.endswith("OneToMany") else "one"
    labels = modifier.matching
    on = labels is not None and str(labels.type).endswith("Include")
    named = tuple(labels.labels) if labels is not None else ()
    return operators.Matching(on, named, side, tuple(modifier.group_labels or ()), bool(modifier.return_bool))


_HANDLERS: dict[type[Any], Callable[[Evaluator, Any, int], Value]] = {
    ast.NumberLiteral: lambda _e, x, _w: float(x.val),
    ast.StringLiteral: lambda _e, x, _w: str(x.val),
    ast.ParenExpr: lambda e, x, w: e.at(x.expr, w),
    ast.VectorSelector: Evaluator._instant,
    ast.MatrixSelector: lambda e, x, w: e.windows(x, w),
    ast.SubqueryExpr: lambda e, x, w: e.windows(x, w),
    ast.UnaryExpr: Evaluator._unary,
    ast.BinaryExpr: Evaluator._binary,
    ast.AggregateExpr: Evaluator._aggregate,
    ast.Call: Evaluator._call,
}
SUPPORTED = frozenset((*CALLS, *functions.SIMPLE, *overtime.FUNCTIONS))
"""Names of the functions that are evaluated here."""
