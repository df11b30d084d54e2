"""Whether a PromQL expression can ever have an answer: does it parse, do its series and labels exist, is `rate` apt?"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from console.base.text import listed, shorten
from console.runbook.catalogue import Catalogue, MetricSeries

COUNTING = frozenset({"rate", "irate", "increase", "resets"})
LEVELS = frozenset({"delta", "idelta", "deriv", "predict_linear"})


class Complaint(NamedTuple):
    """A problem of an expression: `code` as in lint, a sentence, what to do."""

    code: str
    message: str
    hint: str = ""
    severity: str = "error"


def check(expr: str, catalogue: Catalogue, own: Iterable[str] = ()) -> tuple[Complaint, ...]:
    """Everything that is wrong with an expression.

    Args:
        expr: PromQL without template braces.
        catalogue: what exists.
        own: series that the runbook declares itself.
    """
    import promql_parser

    try:
        tree = promql_parser.parse(expr)
    except ValueError as error:
        said = shorten(str(error).strip().splitlines()[0], 160)
        return (Complaint("promql-syntax", f"this is no PromQL: {said}"),)
    reader = _SeriesReader(catalogue, frozenset(own))
    reader.read(tree)
    return tuple(dict.fromkeys(reader.found))


class _SeriesReader:
    def __init__(self, catalogue: Catalogue, own: frozenset[str]) -> None:
        self.catalogue, self.own = catalogue, own
        self.found: list[Complaint] = []

    def read(self, node: Any, function: str = "") -> list[MetricSeries] | None:
        """The series below a node, or None where one of them is not known (then labels cannot be judged)."""
        name = type(node).__name__
        if name == "VectorSelector":
            return self.selector(node, function)
        if name == "MatrixSelector":
            return self.selector(node.vector_selector, function)
        if name == "Call":
            parts = [self.read(arg, node.func.name) for arg in node.args]
            changed = node.func.name in ("label_replace", "label_join", "vector", "scalar", "absent", "time")
            return None if changed else _union(parts)
        if name == "AggregateExpr":
            inner = self.read(node.expr)
            modifier = node.modifier
            if modifier is not None and str(modifier.type).endswith("By"):
                self.labels(modifier.labels, inner, "grouped by")
            return inner
        if name == "BinaryExpr":
            left, right = self.read(node.lhs), self.read(node.rhs)
            matching = node.modifier.matching if node.modifier is not None else None
            if matching is not None and str(getattr(matching, "type", "")).endswith("Include"):
                for side in (left, right):
                    self.labels(matching.labels, side, "matched on")
            return _union([left, right])
        inner = getattr(node, "expr", None)
        return self.read(inner, function) if inner is not None else []

    def labels(self, labels: Iterable[str], series: list[MetricSeries] | None, how: str) -> None:
        if not series:
            return
        for label in labels:
            if not any(self.catalogue.has_label(s, label) for s in series):
                names = listed(sorted({s.name for s in series}), 3)
                self.found.append(
                    Complaint("unknown-label", f"{how} label {label!r}, which {names} never has", _near(label, series))
                )

    def selector(self, node: Any, function: str) -> list[MetricSeries] | None:
        matchers = [(m.name, str(m.op).rsplit(".", 1)[-1], m.value) for m in node.matchers.matchers]
        name = node.name or next((v for n, op, v in matchers if n == "__name__" and op == "Equal"), None)
        pattern = next((v for n, op, v in matchers if n == "__name__" and op == "Re"), None)
        series = self.named(name) if name else self.patterned(pattern, function) if pattern else None
        if series:
            self.apt(series[0], function)
            for label, _, _ in matchers:
                if label != "__name__" and not any(self.catalogue.has_label(s, label) for s in series):
                    self.found.append(
                        Complaint("unknown-label", f"{series[0].name} has no label {label!r}", _near(label, series))
                    )
        return series

    def named(self, name: str) -> list[MetricSeries] | None:
        if name in self.own:
            return None
        series = self.catalogue.find(name)
        if series is not None:
            return [series]
        use = self.catalogue.invention(name)
        if use is not None:
            self.found.append(Complaint("invented-metric", f"no exporter has a series {name!r}", f"use {use}"))
            return None
        if ":" in name:
            self.found.append(
                Complaint(
                    "unknown-recording-rule",
                    f"nothing says that the recording rule {name!r} exists",
                    "list it under `metrics` of the runbook",
                    "warning",
                )
            )
            return None
        near = self.catalogue.near(name)
        hint = f"did you mean {near!r}?" if near else "list your own series under `metrics` of the runbook"
        self.found.append(Complaint("unknown-metric", f"no known exporter has a series {name!r}", hint))
        return None

    def patterned(self, pattern: str, function: str) -> list[MetricSeries] | None:
        try:
            series = list(self.catalogue.matching(pattern))
        except re.error:
            return None
        if not series:
            self.found.append(Complaint("unknown-metric", f"no known series has a name like {pattern!r}"))
            return None
        if function in COUNTING | LEVELS:
            self.found.append(
                Complaint(
                    "rate-over-names",
                    f"{function}() over several names fails with 422: without its name, a series is not unique",
                    "set spark.metrics.namespace, or take last_over_time() with label_replace()",
                    "warning",
                )
            )
        return series

    def apt(self, series: MetricSeries, function: str) -> None:
        if function in COUNTING and series.type == "gauge" and not series.name.endswith(("_total", "_count", "_sum")):
            self.found.append(
                Complaint(
                    "rate-of-gauge",
                    f"{function}() of {series.name}, which is a gauge, says nothing",
                    "use delta() or changes(), or the gauge itself",
                    "warning",
                )
            )


def _union(parts: list[list[MetricSeries] | None]) -> list[MetricSeries] | None:
    out: list[MetricSeries] = []
    for part in parts:
        if part is None:
            return None
        out += part
    return out


def _near(label: str, series: list[MetricSeries]) -> str:
    known: Iterator[str] = (own for s in series for own in s.labels)
    if label == "pod_name":
        return "the label is pod"
    if label == "container_name":
        return "the label is container"
    return f"its labels: {', '.join(sorted(set(known)))}"
