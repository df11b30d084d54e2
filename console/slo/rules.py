"""Recording and alerting rules for Prometheus from objectives, and unit tests that hold each alert to its factor. Pure.

Everything is computed from event counts in one window at a time, so the rules say what `evaluate` says. Windows without
events give no series, never zero.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import promql_parser

from console.slo.arithmetic import budget
from console.slo.asks import selectors
from console.slo.spec import Pair, SloSpec, promql_duration, tidy

Tree = dict[str, Any]
RATIO = "console_slo:error_ratio:rate"
BAD = "console_slo:bad_events:increase"
SLICE = "console_slo:slice:good"
LEFT = "console_slo:budget_left:ratio"
OBJECTIVE = "console_slo:objective:ratio"
SEVERITIES = {"page": "critical", "ticket": "warning"}
NO_DATA_AFTER = 900.0
STEP = 300.0
"""Interval at which unit tests evaluate: every rule of the file runs at each step of each test."""


def groups(specs: Iterable[SloSpec]) -> list[Tree]:
    """Rule groups: for each objective its ratios, its budget (rarely) and its alerts."""
    out: list[Tree] = []
    for spec in specs:
        labels = {"slo": spec.id}
        fast = [
            {"record": f"{RATIO}{promql_duration(w)}", "labels": labels, "expr": ratio(spec, w)} for w in _windows(spec)
        ]
        if spec.sli.slices is not None:
            every = promql_duration(spec.sli.slices.every)
            slices = [{"record": SLICE, "labels": labels, "expr": spec.sli.slices.good}]
            out.append({"name": f"console-slo-{spec.id}-slices", "interval": every, "rules": slices})
        if spec.alerting.at_least:
            fast += [
                {"record": f"{BAD}{promql_duration(pair.long)}", "labels": labels, "expr": counted}
                for pair in pairs(spec)
                if (counted := bad(spec, pair.long)) is not None
            ]
        slow = [
            {"record": OBJECTIVE, "labels": labels, "expr": f"vector({spec.goal:.10g})"},
            {"record": LEFT, "labels": labels, "expr": left(spec)},
        ]
        out.append({"name": f"console-slo-{spec.id}-ratios", "interval": "30s", "rules": fast})
        out.append({"name": f"console-slo-{spec.id}-budget", "interval": "5m", "rules": slow})
        out.append(
            {"name": f"console-slo-{spec.id}-alerts", "rules": [*(_alert(spec, p) for p in pairs(spec)), *_blind(spec)]}
        )
    return out


def rule_file(specs: Sequence[SloSpec]) -> Tree:
    """A rule file of Prometheus."""
    return {"groups": groups(specs)}


def prometheus_rule(
    specs: Sequence[SloSpec], name: str, namespace: str = "", labels: dict[str, str] | None = None
) -> Tree:
    """A PrometheusRule object of the Prometheus operator."""
    meta: Tree = {
        "name": name,
        **({"namespace": namespace} if namespace else {}),
        **({"labels": labels} if labels else {}),
    }
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": meta,
        "spec": {"groups": groups(specs)},
    }


def pairs(spec: SloSpec) -> tuple[Pair, ...]:
    """The pairs of windows that can alert: an error ratio above 1 does not exist."""
    return tuple(pair for pair in spec.alerting.pairs if _limit(spec, pair) < 1)


def impossible(spec: SloSpec) -> tuple[str, ...]:
    """What of its alerting can never fire, in sentences."""
    return tuple(
        f"{spec.id}: a burn of {pair.threshold(spec.period):.3g} over {promql_duration(pair.long)} would need an error "
        f"ratio of {_limit(spec, pair):.3g}, so it can never alert"
        for pair in spec.alerting.pairs
        if pair not in pairs(spec)
    )


def ratio(spec: SloSpec, window: float) -> str:
    """PromQL of the error ratio in one window; no series where there were no events."""
    ready = spec.ratio(window)
    if ready is not None:
        return ready
    if spec.sli.slices is not None:
        return f'1 - avg_over_time({SLICE}{{slo="{spec.id}"}}[{promql_duration(window)}])'
    return f"({spec.bad(window)}) / (({spec.total(window)}) > 0)"


def bad(spec: SloSpec, window: float) -> str | None:
    """PromQL of the number of bad events in one window; None where only a ratio is known."""
    if spec.sli.slices is not None:
        series = f'{SLICE}{{slo="{spec.id}"}}[{promql_duration(window)}]'
        return f"count_over_time({series}) - sum_over_time({series})"
    return spec.bad(window)


def left(spec: SloSpec) -> str:
    """PromQL of the share of the budget that is left."""
    allowed = budget(spec.goal)
    if allowed == 0:
        return f"1 - (({ratio(spec, spec.period)}) > bool 0)"
    return f"1 - ({ratio(spec, spec.period)}) / {allowed:.10g}"


def _windows(spec: SloSpec) -> list[float]:
    return sorted({window for pair in pairs(spec) for window in (pair.long, pair.short)})


def _limit(spec: SloSpec, pair: Pair) -> float:
    return pair.threshold(spec.period) * budget(spec.goal)


def alert_name(spec: SloSpec, what: str) -> str:
    """`JobSuccessBudgetBurn`, `JobSuccessNoData`."""
    return "".join(word.capitalize() for word in spec.id.split("-")) + what


def _labels(spec: SloSpec, severity: str) -> dict[str, str]:
    runbook = {"runbook": spec.runbooks[0]} if spec.runbooks else {}
    return {**spec.labels, "slo": spec.id, "severity": severity, **runbook}


def _annotations(spec: SloSpec, summary: str, description: str) -> dict[str, str]:
    command = {"console": f"console runbook {spec.runbooks[0]}"} if spec.runbooks else {}
    return {"summary": summary, "description": description, **command}


def _alert(spec: SloSpec, pair: Pair) -> Tree:
    factor = tidy(round(pair.threshold(spec.period), 6))
    long, short = promql_duration(pair.long), promql_duration(pair.short)
    limit = f"({factor:g} * {budget(spec.goal):.10g})"
    expr = " and ".join(f'{RATIO}{window}{{slo="{spec.id}"}} > {limit}' for window in (long, short))
    if spec.alerting.at_least and spec.bad(pair.long) is not None:
        expr += f' and {BAD}{long}{{slo="{spec.id}"}} >= {spec.alerting.at_least}'
    return {
        "alert": alert_name(spec, "BudgetBurn"),
        "expr": expr,
        **({"for": promql_duration(pair.hold)} if pair.hold else {}),
        "labels": {**_labels(spec, SEVERITIES[pair.severity]), "long": long, "short": short},
        "annotations": _annotations(
            spec,
            f"{spec.title} burns its budget {factor:g} times too fast",
            f"The error ratio over {long} and {short} is above {factor:g} times the {budget(spec.goal) * 100:g}% that "
            f"{spec.objective:g}% over {promql_duration(spec.period)} allows.",
        ),
    }


def _blind(spec: SloSpec) -> Iterable[Tree]:
    """An alert for series that nobody exports; nothing for objectives whose series cannot be told."""
    series = selectors([spec.total(300.0), spec.ratio(300.0)])
    if not series:
        return
    yield {
        "alert": alert_name(spec, "NoData"),
        "expr": " and ".join(f"absent(sum({selector}))" for selector in series),
        "for": promql_duration(NO_DATA_AFTER),
        "labels": _labels(spec, "warning"),
        "annotations": _annotations(
            spec,
            f"{spec.title} cannot be measured",
            "Nobody exports the series that it is computed from, so nothing is known about it.",
        ),
    }


def unit_tests(specs: Sequence[SloSpec], rule_file_name: str) -> Tree:
    """Tests for `promtool test rules`: for each alert a firing, a silent and a no-data case.

    They feed the recorded ratios: just above the factor it fires, just below it and with one window alone it does not.
    """
    tests: list[Tree] = []
    for spec in specs:
        for pair in pairs(spec):
            tests += _pair_tests(spec, pair)
        for blind in _blind(spec):
            tests += _blind_tests(spec, blind)
    return {"rule_files": [rule_file_name], "evaluation_interval": promql_duration(STEP), "tests": tests}


def _pair_tests(spec: SloSpec, pair: Pair) -> Iterable[Tree]:
    limit = _limit(spec, pair)
    above = min(limit * 1.001, (1 + limit) / 2) if limit else 0.001
    names = {"long": f"{RATIO}{promql_duration(pair.long)}", "short": f"{RATIO}{promql_duration(pair.short)}"}
    rule = _alert(spec, pair)
    expected = {"exp_labels": rule["labels"], "exp_annotations": rule["annotations"]}
    cases = [
        ("fires", {"long": above, "short": above}, [expected]),
        ("silent below the factor", {"long": limit * 0.999, "short": limit * 0.999}, []),
        ("silent while only the long window burns", {"long": above, "short": 0.0}, []),
        ("silent while only the short window burns", {"long": 0.0, "short": above}, []),
        ("silent without data", {}, []),
    ]
    wait = (pair.hold // STEP + 2) * STEP
    points = round(wait / 60) + 5
    for words, values, alerts in cases:
        series = [
            {"series": f'{names[which]}{{slo="{spec.id}"}}', "values": f"{value:.12g}x{points}"}
            for which, value in values.items()
        ]
        if spec.alerting.at_least and values:
            name = f'{BAD}{promql_duration(pair.long)}{{slo="{spec.id}"}}'
            series.append({"series": name, "values": f"{spec.alerting.at_least}x{points}"})
        yield {
            "name": f"{spec.id}: {promql_duration(pair.long)} and {promql_duration(pair.short)}: {words}",
            "interval": "1m",
            "input_series": series,
            "alert_rule_test": [{"eval_time": f"{round(wait)}s", "alertname": rule["alert"], "exp_alerts": alerts}],
        }


def _blind_tests(spec: SloSpec, rule: Tree) -> Iterable[Tree]:
    expected = {"exp_labels": rule["labels"], "exp_annotations": rule["annotations"]}
    one = _example(selectors([spec.total(300.0), spec.ratio(300.0)])[0])
    minutes = round(NO_DATA_AFTER / 60)
    cases: list[tuple[str, list[Tree], list[Tree]]] = [("fires without data", [], [expected])]
    if one is not None:
        cases.append(("silent with data", [{"series": one, "values": f"0+1x{minutes + 10}"}], []))
    for words, series, alerts in cases:
        yield {
            "name": f"{spec.id}: no data: {words}",
            "interval": "1m",
            "input_series": series,
            "alert_rule_test": [{"eval_time": f"{minutes + 5}m", "alertname": rule["alert"], "exp_alerts": alerts}],
        }


def _example(selector: str) -> str | None:
    """A series that the selector takes; None where its patterns are not met by a simple guess."""
    parsed = promql_parser.parse(selector)
    assert isinstance(parsed, promql_parser.VectorSelector)
    labels = {}
    for matcher in parsed.matchers.matchers:
        value = str(matcher.value)
        if str(matcher.op) == "MatchOp.Re":
            value = value.split("|")[0].replace(".*", "x").replace(".+", "x").replace("[0-9]+", "0")
            if not re.fullmatch(matcher.value, value):
                return None
        elif str(matcher.op) != "MatchOp.Equal":
            continue
        labels[matcher.name] = value
    name = labels.pop("__name__", parsed.name)
    inside = ", ".join(f'{key}="{value}"' for key, value in labels.items())
    return f"{name}{{{inside}}}" if name else None
