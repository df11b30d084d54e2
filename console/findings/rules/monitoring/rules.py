"""Monitoring that is blind: rules that fail or can never fire, objectives that count nothing, labels that are not kept.

Only what was read is judged; a Prometheus that is absent is a state of its source and no finding.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

from msgspec.structs import replace

from console.apps.evidence import excerpt
from console.base.text import plural
from console.base.units import human_duration
from console.facts.evidence import Evidence
from console.facts.monitoring import SPAN, Loaded, Monitoring
from console.findings.case import ClusterView
from console.findings.figures.monitoring import LabelsNotKept, RuleGroupFigures, SilentObjective, SilentRules
from console.findings.model import Finding, Severity
from console.findings.rule import Answer, WorldRule, finding
from console.monitoring import blind

LATE_INTERVALS, LATE_AT_LEAST = 5, 300.0
"""A rule is late after so many of its intervals, and at least so many seconds."""
ALLOW_LIST = (
    "--metric-labels-allowlist=pods=[spark-role,spark-app-selector,spark-app-name,sparkoperator.k8s.io/app-name]"
)
NOTHING = "Prometheus was not asked about itself"


def failing_rules(world: ClusterView) -> Answer:
    """Rules that Prometheus cannot evaluate, with its own error."""
    seen = world.facts.monitoring
    if seen is None or seen.rules is None:
        return NOTHING
    bad = [rule for rule in seen.rules if rule.health == "err"]
    return [
        _rules(
            "monitoring-rule-error",
            group,
            f"{_named(rules)} cannot be evaluated",
            "An alert of a rule that fails neither fires nor resolves: silence of it says nothing.",
            [_of_rule(rule, rule.error or "health err", rule.evaluated) for rule in rules],
            rules,
            "warning",
        )
        for group, rules in _by_group(bad)
    ] or "every rule is evaluated"


def late_rules(world: ClusterView) -> Answer:
    """Rules that have not been evaluated for several of their intervals."""
    seen = world.facts.monitoring
    if seen is None or seen.rules is None:
        return NOTHING
    late = [
        rule
        for rule in seen.rules
        if rule.evaluated is not None
        and seen.at - rule.evaluated > max(LATE_AT_LEAST, LATE_INTERVALS * rule.interval)
        and rule.interval
    ]
    return [
        _rules(
            "monitoring-rule-late",
            group,
            f"{_named(rules)} not evaluated for {human_duration(seen.at - min(r.evaluated or seen.at for r in rules))}",
            "Prometheus does not get round to this group: its alerts come late or never.",
            [_of_rule(rule, f"every {human_duration(rule.interval)}", rule.evaluated) for rule in rules],
            rules,
            "warning",
            since=min(r.evaluated or seen.at for r in rules),
        )
        for group, rules in _by_group(late)
    ] or "every rule is evaluated in time"


def silent_rules(world: ClusterView) -> Answer:
    """Rules that can never give anything: their series do not exist, or their selectors match nothing."""
    seen = world.facts.monitoring
    if seen is None or seen.rules is None or seen.names is None:
        return NOTHING
    missing, empty = _silent(seen)
    span = human_duration(SPAN)
    out = [
        _rules(
            "monitoring-series-missing",
            group,
            f"{_named([rule for rule, _ in found])} can never fire: nobody exports {_first(found)}",
            f"No series of that name existed within {span}, so the expression gives nothing whatever happens.",
            [_of_rule(rule, f"{'; '.join(why)}: {rule.query}", seen.at) for rule, why in found],
            [rule for rule, _ in found],
            _worth([rule for rule, _ in found]),
            series=sorted({name for _, why in found for name in why}),
        )
        for group, found in _grouped(missing)
    ]
    out += [
        _rules(
            "monitoring-selector-empty",
            group,
            f"{_named([rule for rule, _ in found])} can never fire: nothing matches {_first(found)}",
            f"The series exist, but within {span} none came from there: the label or its value is wrong, or gone.",
            [_of_rule(rule, f"{'; '.join(why)}: {rule.query}", seen.at) for rule, why in found],
            [rule for rule, _ in found],
            _worth([rule for rule, _ in found]),
            series=sorted({name for _, why in found for name in why}),
        )
        for group, found in _grouped(empty)
    ]
    return out or "every rule reads series that exist"


def silent_objectives(world: ClusterView) -> Answer:
    """Objectives of the preset that have nothing to count."""
    seen = world.facts.monitoring
    if seen is None or seen.names is None:
        return NOTHING
    why = _absent(seen)
    out = []
    for objective in seen.objectives:
        reasons = blind.silence(objective.total, why)
        if not reasons:
            continue
        found = finding(
            None,
            "monitoring-objective-blind",
            None,
            "warning",
            "high",
            f"the objective {objective.title} counts nothing: nobody exports {_short(reasons[0])}",
            subject=f"Slo//{objective.id}",
            detail=f"No series of that name existed within {human_duration(SPAN)}; its budget is unknown, not whole.",
            evidence=[Evidence("prometheus", objective.total, excerpt("; ".join(reasons)), seen.at)],
            data=SilentObjective(series=tuple(reasons)),
        )
        out.append(_undated(found))
    return out or "every objective reads series that exist"


def pod_labels(world: ClusterView) -> Answer:
    """kube-state-metrics without the labels that tell Spark applications apart."""
    seen = world.facts.monitoring
    if seen is None or seen.pod_labels is None:
        return NOTHING
    counted = seen.pod_labels
    if not counted.containers:
        return "kube-state-metrics shows no Spark container now"
    if counted.spark:
        return "kube_pod_labels carries label_spark_role"
    users = [rule for rule in seen.rules or () if "label_spark" in rule.query or "kube_pod_labels" in rule.query]
    objectives = [o.id for o in seen.objectives if "label_spark" in o.total or "kube_pod_labels" in o.total]
    words = ""
    if users or objectives:
        words = f"{plural(len(users), 'rule')} and {plural(len(objectives), 'objective')} read them"
    proof = [
        Evidence(
            "prometheus", 'count(kube_pod_labels{label_spark_role!=""})',
            f"no series; kube_pod_labels has {counted.labelled:.0f}, and {counted.containers:.0f} Spark containers run",
            seen.at,
        ),
        *(_of_rule(rule, rule.query, seen.at) for rule in users),
    ]  # fmt: skip
    found = finding(
        None,
        "monitoring-pod-labels",
        None,
        "warning" if words else "info",
        "high",
        "kube-state-metrics does not keep Spark's pod labels",
        subject="Exporter//kube-state-metrics",
        detail=(f"{words}. " if words else "")
        + f"Series of pods cannot be joined to applications. It needs {ALLOW_LIST}",
        evidence=proof,
        data=LabelsNotKept(containers=counted.containers, allow_list=ALLOW_LIST),
    )
    return [_undated(found)]


@lru_cache(maxsize=4)
def _silent(
    seen: Monitoring,
) -> tuple[list[tuple[Loaded, tuple[str, ...]]], list[tuple[Loaded, tuple[str, ...]]]]:
    """(rules whose series are missing, rules whose selectors are empty), each with why. Made once per reading."""
    why = _absent(seen)

    def either(selector: Any) -> str:
        mine = blind.identity(selector)
        return why(selector) or (mine if mine in seen.empty else "")

    missing, empty = [], []
    for rule in seen.rules or ():
        if rule.health == "err":
            continue
        if reasons := blind.silence(rule.query, why):
            missing.append((rule, reasons))
        elif reasons := blind.silence(rule.query, either):
            empty.append((rule, reasons))
    return missing, empty


@lru_cache(maxsize=4)
def _absent(seen: Monitoring) -> Callable[[Any], str]:
    """Why the series of a selector do not exist, or ``."""
    names = seen.names or frozenset()
    recorded = {rule.name for rule in seen.rules or () if rule.kind == "recording"}
    families = {blind.family(name) for name in names} | names

    def why(selector: Any) -> str:
        name = blind.name_of(selector)
        if not name or name in names or name in recorded or name in blind.PASSING:
            return ""
        if use := seen.instead.get(name):
            return f"{name} (no exporter has it; there is {use})"
        if exporter := seen.exporters.get(name):
            return "" if exporter in seen.scraped else f"{name} (of {exporter}, of which nothing is scraped)"
        return "" if blind.family(name) in families else name

    return why


def _by_group(rules: Iterable[Loaded]) -> Iterable[tuple[str, list[Loaded]]]:
    out: dict[str, list[Loaded]] = defaultdict(list)
    for rule in rules:
        out[rule.group].append(rule)
    return out.items()


def _grouped(
    found: Iterable[tuple[Loaded, tuple[str, ...]]],
) -> Iterable[tuple[str, list[tuple[Loaded, tuple[str, ...]]]]]:
    out: dict[str, list[tuple[Loaded, tuple[str, ...]]]] = defaultdict(list)
    for rule, why in found:
        out[rule.group].append((rule, why))
    return out.items()


def _rules(
    code: str,
    group: str,
    title: str,
    detail: str,
    evidence: list[Evidence],
    rules: list[Loaded],
    severity: Severity,
    *,
    since: float | None = None,
    series: Iterable[str] = (),
) -> Finding:
    names, file = tuple(rule.name for rule in rules), rules[0].file
    silent = SilentRules(rules=names, file=file, series=tuple(series)) if series else None
    made = finding(
        None, code, None, severity, "high", title, subject=f"RuleGroupFigures//{group}", since=since, detail=detail,
        evidence=evidence, data=silent or RuleGroupFigures(rules=names, file=file),
    )  # fmt: skip
    return made if since is not None else _undated(made)


def _undated(made: Finding) -> Finding:
    """Evidence says when it was read; since when it holds is not known."""
    return replace(made, since=None)


def _worth(rules: list[Loaded]) -> Severity:
    return "warning" if any(rule.kind == "alerting" for rule in rules) else "info"


def _named(rules: list[Loaded]) -> str:
    if len(rules) == 1:
        return f"the rule {rules[0].name}"
    return f"{plural(len(rules), 'rule')} of {rules[0].group or 'one group'}"


def _first(found: list[tuple[Loaded, tuple[str, ...]]]) -> str:
    names = list(dict.fromkeys(_short(name) for _, why in found for name in why))
    return names[0] + (f" and {len(names) - 1} more" if len(names) > 1 else "")


def _short(reason: str) -> str:
    return reason.partition(" (")[0]


def _of_rule(rule: Loaded, words: str, at: float | None) -> Evidence:
    where = f"rule {rule.name} of group {rule.group}" + (f" in {rule.file}" if rule.file else "")
    return Evidence("prometheus", where, excerpt(words), at)


RULES = [
    WorldRule("monitoring-rule-error", None, failing_rules),
    WorldRule("monitoring-rule-late", None, late_rules),
    WorldRule("monitoring-series-missing", None, silent_rules),
    WorldRule("monitoring-objective-blind", None, silent_objectives),
    WorldRule("monitoring-pod-labels", None, pod_labels),
]
