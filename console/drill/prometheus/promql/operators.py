"""Binary operators, set operators and aggregations, matched and grouped as Prometheus does."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass

from console.drill.prometheus.promql.model import (
    NAME,
    EvalError,
    Labels,
    Vector,
    VectorSample,
    labels_of,
    only,
    shown,
    unnamed,
    without,
)
from console.drill.prometheus.promql.overtime import deviation, quantile

COMPARISONS = ("==", "!=", ">", "<", ">=", "<=")
SETS = ("and", "or", "unless")


def arithmetic(op: str, left: float, right: float) -> float:
    """One arithmetic or comparison operator; comparisons give 1 or 0."""
    if op == "+":
        return left + right
    if op == "-":
        return left - right
    if op == "*":
        return left * right
    if op == "/":
        if right == 0:
            return (
                math.nan if left == 0 or math.isnan(left) else math.copysign(math.inf, left) * math.copysign(1, right)
            )
        return left / right
    if op == "%":
        return math.nan if right == 0 or math.isinf(left) else math.fmod(left, right)
    if op == "^":
        try:
            result = left**right
        except ZeroDivisionError:
            return math.inf
        except OverflowError:
            return math.inf
        return math.nan if isinstance(result, complex) else result
    if op == "atan2":
        return math.atan2(left, right)
    return float(compare(op, left, right))


def compare(op: str, left: float, right: float) -> bool:
    """One comparison."""
    if op == "==":
        return left == right
    if op == "!=":
        return left != right
    if op == ">":
        return left > right
    if op == "<":
        return left < right
    return left >= right if op == ">=" else left <= right


@dataclass(frozen=True)
class Matching:
    """How two vectors are matched."""

    on: bool = False
    labels: tuple[str, ...] = ()
    side: str = "one"
    """`one`, `left` (group_left: many on the left) or `right`."""
    include: tuple[str, ...] = ()
    return_bool: bool = False

    def key(self, labels: Labels) -> Labels:
        """What is compared."""
        return only(labels, self.labels) if self.on else without(labels, NAME, *self.labels)


def with_scalar(op: str, vector: Vector, scalar: float, *, swapped: bool, return_bool: bool) -> Vector:
    """vector OP scalar, or scalar OP vector when `swapped`."""
    out: Vector = []
    for sample in vector:
        left, right = (scalar, sample.value) if swapped else (sample.value, scalar)
        if op in COMPARISONS:
            held = compare(op, left, right)
            if return_bool:
                out.append(VectorSample(unnamed(sample.labels), float(held)))
            elif held:
                out.append(sample)
        else:
            out.append(VectorSample(unnamed(sample.labels), arithmetic(op, left, right)))
    return out


def sets(op: str, left: Vector, right: Vector, matching: Matching) -> Vector:
    """`and`, `or`, `unless`."""
    if op == "or":
        have = {matching.key(s.labels) for s in left}
        return [*left, *(s for s in right if matching.key(s.labels) not in have)]
    have = {matching.key(s.labels) for s in right}
    return [s for s in left if (matching.key(s.labels) in have) is (op == "and")]


def vectors(op: str, left: Vector, right: Vector, matching: Matching) -> Vector:
    """vector OP vector.

    Raises:
        EvalError: elements cannot be matched one to one, or the result has two of the same labels.
    """
    many, one = (right, left) if matching.side == "right" else (left, right)
    side = "left" if matching.side == "right" else "right"
    partners: dict[Labels, VectorSample] = {}
    for sample in one:
        key = matching.key(sample.labels)
        if key in partners:
            raise EvalError(
                f"found duplicate series for the match group {shown(key)} on the {side} hand-side of the operation: "
                f"[{shown(sample.labels)}, {shown(partners[key].labels)}];many-to-many matching not allowed: matching "
                "labels must be unique on one side"
            )
        partners[key] = sample
    out: Vector = []
    seen: set[Labels] = set()
    for sample in many:
        key = matching.key(sample.labels)
        partner = partners.get(key)
        if partner is None:
            continue
        a, b = (partner.value, sample.value) if matching.side == "right" else (sample.value, partner.value)
        comparing = op in COMPARISONS
        if comparing and not matching.return_bool:
            if not compare(op, a, b):
                continue
            value = a
        else:
            value = arithmetic(op, a, b)
        labels = _result(sample.labels, partner.labels, matching, keep=comparing and not matching.return_bool)
        taken = key if matching.side == "one" else labels
        if taken in seen:
            if matching.side == "one":
                raise EvalError(
                    "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)"
                )
            raise EvalError("multiple matches for labels: grouping labels must ensure unique matches")
        seen.add(taken)
        out.append(VectorSample(labels, value))
    return out


def _result(many: Labels, one: Labels, matching: Matching, *, keep: bool) -> Labels:
    labels = many if keep else unnamed(many)
    if matching.side == "one":
        return only(labels, matching.labels) if matching.on else without(labels, *matching.labels)
    if not matching.include:
        return labels
    have, extra = dict(labels), dict(one)
    for name in matching.include:
        have[name] = extra.get(name, "")
    return labels_of(have)


def _mean(values: list[float]) -> float:
    return math.fsum(values) / len(values) if all(map(math.isfinite, values)) else sum(values) / len(values)


def _sum(values: list[float]) -> float:
    return math.fsum(values) if all(map(math.isfinite, values)) else sum(values)


def _least(values: list[float]) -> float:
    real = [v for v in values if not math.isnan(v)]
    return min(real) if real else math.nan


def _most(values: list[float]) -> float:
    real = [v for v in values if not math.isnan(v)]
    return max(real) if real else math.nan


FOLDS: dict[str, Callable[[list[float]], float]] = {
    "sum": _sum,
    "avg": _mean,
    "min": _least,
    "max": _most,
    "count": lambda v: float(len(v)),
    "group": lambda _v: 1.0,
    "stddev": lambda v: math.sqrt(deviation(v)),
    "stdvar": deviation,
}
AGGREGATIONS = frozenset((*FOLDS, "topk", "bottomk", "quantile", "count_values"))


def aggregate(op: str, vector: Vector, names: tuple[str, ...], *, by: bool, parameter: float | str | None) -> Vector:
    """One aggregation.

    Raises:
        EvalError: the parameter is of no use.
    """
    grouped: dict[Labels, Vector] = {}
    for sample in vector:
        key = only(sample.labels, names) if by else without(sample.labels, NAME, *names)
        grouped.setdefault(key, []).append(sample)
    if op == "count_values":
        return _count_values(grouped, str(parameter))
    out: Vector = []
    for key, samples in grouped.items():
        if op in ("topk", "bottomk"):
            count = int(float(parameter or 0))
            ordered = sorted(samples, key=lambda s: _rank(s.value, op), reverse=op == "topk")
            out.extend(ordered[: max(0, count)])
        elif op == "quantile":
            out.append(VectorSample(key, quantile(float(parameter or 0.0), [s.value for s in samples])))
        else:
            out.append(VectorSample(key, FOLDS[op]([s.value for s in samples])))
    return out


def _rank(value: float, op: str) -> float:
    if math.isnan(value):
        return -math.inf if op == "topk" else math.inf
    return value


def _count_values(grouped: dict[Labels, Vector], label: str) -> Vector:
    if not re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]*", label):
        raise EvalError(f'invalid label name "{label}"')
    counted: dict[Labels, float] = {}
    for key, samples in grouped.items():
        for sample in samples:
            labels = labels_of({**dict(key), label: number(sample.value)})
            counted[labels] = counted.get(labels, 0.0) + 1
    return [VectorSample(labels, count) for labels, count in counted.items()]


def number(value: float) -> str:
    """A sample value as Prometheus prints it in JSON."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    if value == int(value) and abs(value) < 1e21:
        return str(int(value)) if value or math.copysign(1, value) > 0 else "-0"
    text = repr(value)
    if "e" in text:
        mantissa, exponent = text.split("e")
        power = int(exponent)
        if -7 < power < 21:
            return format(value, "f").rstrip("0") if power < 0 else format(value, "f").rstrip("0").rstrip(".")
        return f"{mantissa}e{'-' if power < 0 else '+'}{abs(power):02d}"
    return text
