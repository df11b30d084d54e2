"""Rules that are written in the cluster and that no Prometheus has: PrometheusRules, and files in ConfigMaps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from console.apps.evidence import excerpt
from console.base.text import clean, plural
from console.facts.evidence import Evidence
from console.facts.model import Workload
from console.facts.monitoring import Monitoring
from console.facts.objectpaths import walk
from console.facts.references import POD_SPEC, references
from console.findings.case import ClusterView
from console.findings.figures.monitoring import WrittenRuleFigures
from console.findings.model import Confidence, Finding, Severity
from console.findings.rule import Answer, WorldRule, finding
from console.findings.rules.monitoring import scraping
from console.monitoring import rulefiles
from console.monitoring.rulefiles import ExpressionFault, WrittenRule

INVALID, NOT_LOADED, NOT_MOUNTED = (
    "monitoring-rule-invalid",
    "monitoring-rule-not-loaded",
    "monitoring-rules-not-mounted",
)
_CONFIGMAP = "ConfigMap"
_REFUSED = {
    "PrometheusRule": "The Prometheus operator refuses the object as a whole: {none} reaches Prometheus",
    _CONFIGMAP: "Prometheus refuses a file as a whole: {none} is loaded; one that runs keeps the rules that it had, "
    "and one that starts with the file ends at once",
}


class RuleHolder(Struct, frozen=True):
    """An object in which rules are written."""

    kind: str
    namespace: str
    name: str
    created: float | None
    rules: tuple[WrittenRule, ...]
    labels: Mapping[str, str] = {}

    @property
    def key(self) -> str:
        return f"{self.kind}/{self.namespace}/{self.name}"

    @property
    def title(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}"


def rule_objects(world: ClusterView) -> Answer:
    """Objects whose rules Prometheus cannot take, or has not taken."""
    seen, at = world.facts.monitoring, world.facts.at
    holders = [*_objects(seen), *_files(world.facts.workloads)]
    if not holders and (seen is None or seen.objects is None):
        return scraping.NO_OBJECTS
    mounted = _mounted(world) if any(holder.kind == _CONFIGMAP for holder in holders) else frozenset()
    out: list[Finding] = []
    for holder in holders:
        wrong = _invalid(holder, at)
        lonely = _not_mounted(holder, mounted, seen, at) if holder.kind == _CONFIGMAP else None
        stray = _not_loaded(holder, seen) if seen is not None and not (wrong or lonely) else None
        out += [one for one in (wrong, lonely, stray) if one is not None]
    return out or "every rule that is written in the cluster is loaded"


def _objects(seen: Monitoring | None) -> Iterable[RuleHolder]:
    for one in seen.objects.rules if seen is not None and seen.objects is not None else ():
        rules = rulefiles.of_groups(one.spec.get("groups"))
        yield RuleHolder(one.kind, one.namespace, one.name, one.created, rules, one.labels)


def _files(workloads: Iterable[Workload]) -> Iterable[RuleHolder]:
    for one in workloads:
        if one.kind == _CONFIGMAP and not one.gone and (rules := rulefiles.written(one.spec.get("rules"))):
            yield RuleHolder(one.kind, one.namespace, one.name, one.created, rules, one.labels)


def _invalid(holder: RuleHolder, at: float) -> Finding | None:
    """Files that are no YAML, and expressions that are no PromQL."""
    wrong = [
        (rule, said)
        for rule in holder.rules
        if (said := ExpressionFault(rule.error) if rule.error else rulefiles.fault(rule.expr)) is not None
    ]
    if not wrong:
        return None
    torn = {rule.file for rule, _ in wrong}
    lost = sum(1 for rule in holder.rules if rule.file in torn and not rule.error)
    none = f"none of its {plural(lost, 'rule')}" if lost else "nothing of it"
    first = wrong[0][0]
    more = f" and {len(wrong) - 1} more" if len(wrong) > 1 else ""
    what = f"{clean(first.file)} is no YAML" if first.error else f"{_name(first)}{more} is no PromQL"
    return _finding(
        holder,
        INVALID,
        "warning",
        "high",
        f"{holder.title}: {what}",
        f"{_REFUSED[holder.kind].format(none=none)}. Their alerts do not exist.",
        [_proof(holder, rule, said, at) for rule, said in wrong],
        rules=[_name(rule) for rule, _ in wrong if not rule.error],
        of=lost,
    )


def _proof(holder: RuleHolder, rule: WrittenRule, said: ExpressionFault, at: float) -> Evidence:
    """Where it stands: the file, the group, the rule, and the place in its expression."""
    where = [holder.key, *([f"{rule.file}:{rule.line}" if rule.line else rule.file] if rule.file else [])]
    where += [f"group {rule.group}"] * bool(rule.group) + [f"rule {_name(rule)}"] * (not rule.error)
    place = f"at {said.line}:{said.column} " if said.line else ""
    text = " ".join(rule.expr.split())
    return Evidence(
        "kubernetes", clean(" ".join(where)), excerpt(f"{place}{said.words}" + f": {text}" * bool(text)), at
    )


def _not_mounted(holder: RuleHolder, mounted: frozenset[str], seen: Monitoring | None, at: float) -> Finding | None:
    """No pod template mounts the ConfigMap, and no Prometheus that was asked has one of its rules."""
    if holder.key in mounted or any(
        f"{key}={value}" in mounted or key in mounted for key, value in holder.labels.items()
    ):
        return None
    if _loaded(holder, seen):
        return None
    count = plural(sum(1 for rule in holder.rules if not rule.error), "rule")
    asked = seen is not None and seen.rules is not None
    return _finding(
        holder,
        NOT_MOUNTED,
        "warning",
        "high" if asked else "medium",
        f"{holder.title} holds {count}, and no workload mounts it",
        "A ConfigMap is no PrometheusRule: its files reach Prometheus only as a volume, or by a sidecar that asks for "
        "its label. Their alerts do not exist.",
        [Evidence("kubernetes", holder.key, excerpt(", ".join(dict.fromkeys(r.file for r in holder.rules))), at)],
        ["does a Prometheus outside of what is read load it?"],
        rules=[_name(rule) for rule in holder.rules if not rule.error],
        of=len(holder.rules),
    )


def _loaded(holder: RuleHolder, seen: Monitoring | None) -> bool:
    """Whether the server has any of its rules."""
    there = {(rule.name, rule.kind) for rule in seen.rules or ()} if seen is not None else set()
    return any((rule.name, rule.kind) in there for rule in holder.rules)


def _mounted(world: ClusterView) -> frozenset[str]:
    """Keys of ConfigMaps that workloads name, and labels by which sidecars look for them (`key`, `key=value`)."""
    keys = {one.target for one in references(world.facts) if one.kind == _CONFIGMAP}
    for workload in world.facts.workloads:
        for containers in walk({"spec": workload.spec}, f"{POD_SPEC.get(workload.kind, 'none')}.containers.*"):
            env = {one.get("name"): one.get("value") for one in walk(containers, "env.*") if isinstance(one, Mapping)}
            if isinstance(label := env.get("LABEL"), str):
                keys.add(f"{label}={value}" if (value := env.get("LABEL_VALUE")) else label)
    return frozenset(keys)


def _not_loaded(holder: RuleHolder, seen: Monitoring) -> Finding | None:
    """None of its rules is among those of the server, for long enough."""
    if seen.rules is None or not holder.rules or _loaded(holder, seen):
        return None
    if holder.created is not None and seen.at - holder.created < scraping.YOUNG:
        return None
    words = f"none of its {plural(len(holder.rules), 'rule')} is among the {len(seen.rules)} that {seen.server} has"
    why = "The ruleSelector of Prometheus may not match its labels."
    if holder.kind == _CONFIGMAP:
        why = "It is mounted; `rule_files` may not name its files, or Prometheus has not read them anew."
    return _finding(
        holder, NOT_LOADED, "info", "medium", f"{holder.title} is not loaded", why,
        [Evidence("kubernetes", holder.key, excerpt(words), seen.at)], ["does another Prometheus load it?"],
        rules=[_name(rule) for rule in holder.rules], of=len(holder.rules),
    )  # fmt: skip


def _finding(
    holder: RuleHolder,
    code: str,
    severity: Severity,
    confidence: Confidence,
    title: str,
    detail: str,
    proof: list[Evidence],
    questions: Sequence[str] = (),
    **figures: Any,
) -> Finding:
    made = finding(
        None,
        code,
        None,
        severity,
        confidence,
        title,
        subject=holder.key,
        detail=detail,
        evidence=proof,
        questions=questions,
        data=WrittenRuleFigures(rules=tuple(dict.fromkeys(figures["rules"])), of=figures["of"]),
    )
    return replace(made, since=holder.created)


def _name(rule: WrittenRule) -> str:
    return clean(rule.name or "without a name")


RULES = [WorldRule(NOT_LOADED, None, rule_objects)]
