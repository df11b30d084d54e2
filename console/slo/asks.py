"""Which PromQL an SLO needs, and what the answers mean. Pure.

An *ask* is one wanted value with a key `slo|what|window`. Slow asks (windows over six hours) are repeated rarely.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import promql_parser
from msgspec import Struct

from console.base.text import listed
from console.facts.model import Sample
from console.facts.series import Ask
from console.slo.arithmetic import Measure, Measured
from console.slo.spec import SloSpec, fill, promql_duration

FAST_UP_TO = 6 * 3600.0


class ObjectiveQueries(Struct, frozen=True):
    """Everything that one SLO needs. `series`: the selectors behind its events, `broken`: why it cannot be asked."""

    spec: SloSpec
    asks: tuple[Ask, ...]
    series: tuple[str, ...] = ()
    broken: str = ""


def plan(spec: SloSpec) -> ObjectiveQueries:
    """The asks of an SLO: bad and total of each window, the newest sample, how far the data reaches, contributors."""
    asks: list[Ask] = []

    def add(what: str, window: float, expr: str | None, *, slow: bool | None = None) -> None:
        if expr is not None:
            late = window > FAST_UP_TO if slow is None else slow
            asks.append(Ask(f"{spec.id}|{what}|{round(window)}", expr, late))

    for window in spec.windows:
        add("bad", window, spec.bad(window))
        add("total", window, spec.total(window))
        add("ratio", window, spec.ratio(window))
    try:
        series = selectors([spec.total(300.0), spec.ratio(300.0)])
        for ask in asks:
            promql_parser.parse(ask.expr)
    except ValueError as error:
        return ObjectiveQueries(spec, (), broken=f"this is no PromQL: {str(error).splitlines()[0]}")
    if series:
        times = " or ".join(f"timestamp({selector})" for selector in series)
        steps = f"{promql_duration(spec.period)}:{promql_duration(grid(spec.period))}"
        add("newest", 0, f"max_over_time((max({times}))[30m:1m])")
        add("first", spec.period, f"min_over_time((min({times}))[1h:1m])", slow=True)
        add("since", spec.period, f"min_over_time((min({times}))[{steps}])", slow=True)
        add("last", spec.period, f"max_over_time((max({times}))[{steps}])", slow=True)
        add("present", spec.period, f"count_over_time((max({times}))[{steps}])", slow=True)
    if spec.contributors is not None:
        by = ", ".join(spec.contributors.by)
        bad = fill(spec.contributors.bad, spec.period)
        add("by", spec.period, f"topk(10, sum by ({by}) ({bad}) > 0)", slow=True)
    return ObjectiveQueries(spec, tuple(asks), series)


def grid(period: float) -> float:
    """Step at which presence of data over a period is looked at: an hour for 30 days."""
    return max(60.0, math.ceil(period / 720 / 60) * 60.0)


def selectors(expressions: Iterable[str | None]) -> tuple[str, ...]:
    """The vector selectors that the expressions read, without ranges, each once.

    Raises:
        ValueError: an expression is no PromQL.
    """
    found: dict[str, None] = {}
    for expression in expressions:
        if expression is not None:
            for selector in _selectors(promql_parser.parse(expression)):
                found[selector] = None
    return tuple(found)


def _selectors(node: Any) -> Iterable[str]:
    if isinstance(node, promql_parser.VectorSelector):
        matchers = ", ".join(f"{m.name}{_OPS[str(m.op)]}{_quoted(m.value)}" for m in node.matchers.matchers)
        yield f"{node.name or ''}{{{matchers}}}" if matchers else str(node.name)
        return
    for name in ("lhs", "rhs", "expr", "vector_selector", "param"):
        child = getattr(node, name, None)
        if isinstance(child, promql_parser.Expr) or hasattr(child, "prettify"):
            yield from _selectors(child)
    for child in getattr(node, "args", None) or ():
        yield from _selectors(child)


_OPS = {"MatchOp.Equal": "=", "MatchOp.NotEqual": "!=", "MatchOp.Re": "=~", "MatchOp.NotRe": "!~"}


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


class QueryAnswer(Struct, frozen=True):
    """What came back for one expression: its series, or why it was refused. `note`: why the answer is partial; `lost`:
    nothing came, so that no series does not mean that there is none."""

    samples: tuple[Sample, ...] = ()
    problem: str = ""
    note: str = ""
    at: float = 0.0
    lost: bool = False

    @property
    def value(self) -> float | None:
        """The one number of an aggregated answer; None where there is none, or it is not finite."""
        values = [s.value for s in self.samples if math.isfinite(s.value)]
        return values[0] if len(values) == 1 else sum(values) if values else None


def measured(plan: ObjectiveQueries, answers: Mapping[str, QueryAnswer]) -> Measured:
    """The measurements of one SLO from the answers by expression."""
    spec = plan.spec
    if plan.broken:
        return Measured(problem=plan.broken, source=spec.origin)
    given = _Given(spec, {ask.key: answers[ask.expr] for ask in plan.asks if ask.expr in answers})
    at = _asked_at(plan, answers)
    windows = tuple(
        Measure(
            window,
            bad=given.value("bad", window),
            total=given.value("total", window),
            ratio=given.value("ratio", window),
            covered=_covered(given, window, at),
        )
        for window in spec.windows
    )
    newest = next((t for t in (given.value("newest", 0), given.value("last", spec.period)) if t is not None), None)
    problems = list(dict.fromkeys(a.problem or a.note for a in given.answers.values() if a.problem or a.note))
    if not problems and at is not None:
        problems = _silence(plan, windows, newest)
    by = given.answer("by", spec.period)
    return Measured(
        windows=windows,
        at=at,
        newest=newest,
        problem=listed(problems, 2, "; "),
        partial=any(a.note for a in given.answers.values()),
        source=f"Prometheus: {', '.join(plan.series)}" if plan.series else "Prometheus",
        queries=tuple(ask.expr for ask in plan.asks if ask.key.split("|")[1] in ("bad", "total", "ratio")),
        contributors=tuple(_named(sample, spec) for sample in by.samples) if by is not None else (),
    )


def _asked_at(plan: ObjectiveQueries, answers: Mapping[str, QueryAnswer]) -> float | None:
    """When the oldest of the quick answers came; slow ones stand for a while."""
    return min((answers[ask.expr].at for ask in plan.asks if not ask.slow and ask.expr in answers), default=None)


class _Given(Struct, frozen=True):
    """What was answered for one SLO, by the key of the ask."""

    spec: SloSpec
    answers: Mapping[str, QueryAnswer]

    def answer(self, what: str, window: float) -> QueryAnswer | None:
        return self.answers.get(f"{self.spec.id}|{what}|{round(window)}")

    def value(self, what: str, window: float) -> float | None:
        found = self.answer(what, window)
        return found.value if found is not None else None


def _covered(given: _Given, window: float, at: float | None) -> float | None:
    """Share of a window for which there is data: from its oldest sample on, and over the period by its points too."""
    period = given.spec.period
    known = [t for t in (given.value("since", period), given.value("first", period)) if t is not None]
    if not known or at is None:
        return None
    step = grid(period)
    reach = at - min(known) + (step if window == period else 0.0)
    covered = min(1.0, max(0.0, reach) / window)
    present = given.value("present", period)
    return min(covered, (present + 1) * step / window) if window == period and present is not None else covered


def _silence(plan: ObjectiveQueries, windows: tuple[Measure, ...], newest: float | None) -> list[str]:
    """Why there is no ratio although every query was answered."""
    if not plan.series or any(m.error_ratio is not None for m in windows):
        return []
    if newest is None and all(m.total is None for m in windows):
        return [f"no series {', '.join(plan.series)}"]
    if any(m.total for m in windows):
        return ["the total is counted, but nothing gives the bad events"]
    return []


def _named(sample: Sample, spec: SloSpec) -> tuple[str, float]:
    labels = spec.contributors.by if spec.contributors is not None else ()
    return "/".join(sample.labels.get(label) or "(none)" for label in labels), sample.value
