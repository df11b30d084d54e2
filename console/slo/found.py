"""Objectives that Prometheus already knows: series of Sloth and Pyrra, with the factors of their own rules. Pure.

Their figures are taken as they are and named for what they are: Sloth's budget is a mean of 5-minute ratios, Pyrra's is
counted in events. A factor is read from the alerting rules; where those cannot be read, the status says that it is the
tool's default.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import promql_parser
from msgspec import Struct
from msgspec.structs import replace

from console.base.text import shorten
from console.base.units import parse_duration
from console.facts.model import Sample
from console.slo.arithmetic import Measure, Measured, budget
from console.slo.spec import GOOGLE, Alerting, Pair, Ratio, Sli, SloSpec, promql_duration, tidy

QUERY = (
    '{__name__=~"slo:(sli_error:ratio_rate.+|objective:ratio|time_period:days|period_error_budget_remaining:ratio)'
    '|pyrra_(objective|window|availability)|.+:burnrate[0-9]+[smhdwy]"}'
)
"""Everything that Sloth and Pyrra record, in one query."""
DAY = 86400.0
_WINDOW = re.compile(r"^(?:slo:sli_error:ratio_rate|.+:burnrate)((?:[0-9]+[smhdwy])+)$")
_PYRRA_FACTORS = (14.0, 7.0, 2.0, 1.0)


class AlertRule(Struct, frozen=True):
    """One alerting rule as Prometheus lists it. `duration` is its `for`, in seconds."""

    name: str
    query: str
    labels: Mapping[str, str] = {}
    duration: float = 0.0


class RecordedObjective(Struct, frozen=True):
    """One objective as its tool records it."""

    tool: str
    spec: SloSpec
    measured: Measured


def found(samples: Iterable[Sample], rules: Sequence[AlertRule] | None, at: float) -> tuple[RecordedObjective, ...]:
    """The objectives in the answer to `QUERY`.

    Args:
        rules: the alerting rules of the server; None where they could not be read.
        at: when it was asked.
    """
    sloth: dict[str, dict[str, float]] = defaultdict(dict)
    pyrra: dict[str, dict[str, float]] = defaultdict(dict)
    titles: dict[str, str] = {}
    for sample in samples:
        name = sample.name or sample.labels.get("__name__", "")
        if not math.isfinite(sample.value):
            continue
        if id := sample.labels.get("sloth_id"):
            sloth[id][name] = sample.value
            titles[id] = sample.labels.get("sloth_slo", id)
        elif id := sample.labels.get("slo"):
            window = _WINDOW.match(name)
            key = f"burnrate:{window.group(1)}" if window else name
            pyrra[id][key] = max(sample.value, pyrra[id].get(key, -math.inf)) if window else sample.value
    read = _pairs_by_slo(rules, _goals(sloth, pyrra)) if rules is not None else {}
    out = [_sloth(id, titles[id], values, read.get(id), at) for id, values in sloth.items()]
    out += [_pyrra(id, values, read.get(id), at) for id, values in pyrra.items()]
    return tuple(sorted((known for known in out if known is not None), key=lambda known: known.spec.id))


def _goals(sloth: Mapping[str, Mapping[str, float]], pyrra: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    out = {id: values["slo:objective:ratio"] for id, values in sloth.items() if "slo:objective:ratio" in values}
    return out | {id: values["pyrra_objective"] for id, values in pyrra.items() if "pyrra_objective" in values}


def _sloth(
    id: str, title: str, values: Mapping[str, float], pairs: tuple[Pair, ...] | None, at: float
) -> RecordedObjective | None:
    goal = values.get("slo:objective:ratio")
    if goal is None:
        return None
    period = values.get("slo:time_period:days", 30.0) * DAY
    prefix = "slo:sli_error:ratio_rate"
    windows = {parse_duration(name[len(prefix) :]): v for name, v in values.items() if name.startswith(prefix)}
    spec = _spec(id, title, goal, period, pairs or GOOGLE, f"Sloth: slo:sli_error:ratio_rate*{{sloth_id={id!r}}}")
    length = promql_duration(period)
    measured = Measured(
        windows=tuple(Measure(window, ratio=value) for window, value in windows.items()),
        at=at,
        source=spec.origin,
        arithmetic=f"Sloth: mean of 5-minute ratios over {length}; {_factors(spec, pairs, 'Sloth')}",
        budget_left=values.get("slo:period_error_budget_remaining:ratio"),
        queries=(f'slo:sli_error:ratio_rate1h{{sloth_id="{id}"}}', f'slo:objective:ratio{{sloth_id="{id}"}}'),
    )
    return RecordedObjective("sloth", spec, measured)


def _pyrra(id: str, values: Mapping[str, float], pairs: tuple[Pair, ...] | None, at: float) -> RecordedObjective | None:
    windows = {parse_duration(k.split(":")[1]): v for k, v in values.items() if k.startswith("burnrate:")}
    goal = values.get("pyrra_objective")
    if goal is None or not windows:
        return None
    period = values.get("pyrra_window", 28 * DAY)
    spec = _spec(id, id, goal, period, pairs or pyrra_pairs(period), f"Pyrra: *:burnrate*{{slo={id!r}}}")
    availability = values.get("pyrra_availability")
    allowed = budget(spec.goal)
    left = 1 - (1 - availability) / allowed if availability is not None and allowed else None
    known = f"events over {promql_duration(period)}" if left is not None else "no series of its budget is recorded"
    measured = Measured(
        windows=tuple(Measure(window, ratio=value) for window, value in windows.items()),
        at=at,
        source=spec.origin,
        arithmetic=f"Pyrra: {known}; {_factors(spec, pairs, 'Pyrra')}",
        budget_left=left,
        queries=(f'{{__name__=~".+:burnrate.+", slo="{id}"}}', f'pyrra_availability{{slo="{id}"}}'),
    )
    return RecordedObjective("pyrra", spec, measured)


def _spec(id: str, title: str, goal: float, period: float, pairs: tuple[Pair, ...], origin: str) -> SloSpec:
    return SloSpec(
        id=id,
        title=shorten(title, 60),
        objective=tidy(goal * 100),
        period=period,
        sli=Sli(ratio=Ratio(errors=origin)),
        alerting=Alerting(pairs=pairs),
        origin=origin,
    )


def pyrra_pairs(period: float) -> tuple[Pair, ...]:
    """Pyrra's windows grow with the period: an hour and five minutes at four weeks."""
    scale = period / (28 * DAY)
    lengths = ((3600.0, 300.0), (21600.0, 1800.0), (86400.0, 7200.0), (345600.0, 21600.0))
    return tuple(
        Pair(round(long * scale), round(short * scale), "page" if n < 2 else "ticket", factor=factor)
        for n, ((long, short), factor) in enumerate(zip(lengths, _PYRRA_FACTORS, strict=True))
    )


def _factors(spec: SloSpec, pairs: tuple[Pair, ...] | None, tool: str) -> str:
    numbers = ", ".join(f"{pair.threshold(spec.period):.4g}" for pair in spec.alerting.pairs)
    if pairs is None:
        return f"factors {numbers}: {tool}'s defaults, its rules could not be read"
    return f"factors {numbers} read from its rules"


def _pairs_by_slo(rules: Iterable[AlertRule], goals: Mapping[str, float]) -> dict[str, tuple[Pair, ...]]:
    """The pairs of windows of each objective, as its alerting rules compare them, the most urgent first."""
    out: dict[str, dict[tuple[float, float], Pair]] = defaultdict(dict)
    for rule in rules:
        if "ratio_rate" not in rule.query and ":burnrate" not in rule.query:
            continue
        for id, long, short, limit in _comparisons(rule.query):
            allowed = budget(goals[id]) if id in goals else 0
            if not allowed:
                continue
            severe = rule.labels.get("sloth_severity") == "page" or rule.labels.get("severity") == "critical"
            severe = severe or rule.labels.get("severity") == "page"
            out[id][(long, short)] = Pair(
                long, short, "page" if severe else "ticket", factor=tidy(round(limit / allowed, 6)), hold=rule.duration
            )
    return {id: tuple(sorted(pairs.values(), key=lambda p: (-(p.factor or 0), p.long))) for id, pairs in out.items()}


def _comparisons(query: str) -> Iterator[tuple[str, float, float, float]]:
    """(objective, long window, short window, limit of the error ratio) of each `… > limit and … > limit`."""
    try:
        tree = promql_parser.parse(query)
    except ValueError:
        return
    for node in _walk(tree):
        if isinstance(node, promql_parser.BinaryExpr) and str(node.op) == "and":
            sides = [list(_limits(side)) for side in (node.lhs, node.rhs)]
            if all(len(side) == 1 for side in sides):
                (one, other) = sorted((sides[0][0], sides[1][0]), key=lambda limit: limit[1])
                if one[0] == other[0]:
                    yield one[0], other[1], one[1], other[2]


def _limits(tree: Any) -> Iterator[tuple[str, float, float]]:
    """(objective, window, limit) of each comparison of a recorded ratio with a constant."""
    for node in _walk(tree):
        if not isinstance(node, promql_parser.BinaryExpr) or str(node.op) not in (">", ">="):
            continue
        limit = _constant(node.rhs)
        series = [s for s in _walk(node.lhs) if isinstance(s, promql_parser.VectorSelector)]
        if limit is None or len(series) != 1:
            continue
        window = _WINDOW.match(series[0].name or "")
        labels = {m.name: m.value for m in series[0].matchers.matchers}
        id = labels.get("sloth_id") or labels.get("slo")
        if window and id:
            yield id, parse_duration(window.group(1)), limit


def _walk(node: Any) -> Iterator[Any]:
    yield node
    for name in ("lhs", "rhs", "expr", "vector_selector"):
        child = getattr(node, name, None)
        if hasattr(child, "prettify"):
            yield from _walk(child)
    for child in getattr(node, "args", None) or ():
        yield from _walk(child)


def _constant(node: Any) -> float | None:
    """The value of an expression of numbers; None where it is more than that."""
    if isinstance(node, promql_parser.NumberLiteral):
        return float(node.val)
    if isinstance(node, promql_parser.ParenExpr):
        return _constant(node.expr)
    if isinstance(node, promql_parser.BinaryExpr):
        one, other = _constant(node.lhs), _constant(node.rhs)
        if one is None or other is None:
            return None
        match str(node.op):
            case "*":
                return one * other
            case "+":
                return one + other
            case "-":
                return one - other
            case "/":
                return one / other if other else None
    return None


def joined(own: Measured, known: RecordedObjective, spec: SloSpec) -> Measured:
    """Our own event counts over the period, and the recorded ratios of the short windows: nothing is computed twice."""
    recorded = {measure.window: measure for measure in known.measured.windows}
    windows = tuple(recorded.get(m.window, m) if m.window != spec.period else m for m in own.windows)
    whole = recorded.get(known.spec.period)
    mean = whole.ratio if known.tool == "sloth" and whole is not None and known.spec.period == spec.period else None
    return replace(
        own,
        windows=windows,
        at=known.measured.at if own.at is None else own.at,
        source=f"{own.source}; short windows from {known.spec.origin}",
        mean_ratio=mean,
    )
