"""Targets that do not answer, scrapes that are missing, and scrape objects that select nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec.structs import replace

from console.base.text import clean, plural
from console.base.units import human_duration
from console.health.case import World
from console.health.evidence import excerpt
from console.health.model import Evidence, Finding, Severity
from console.health.monitoring import blind
from console.health.monitoring.model import Monitoring, Objects, Outage, Scrape, ScrapeObject
from console.health.rule import Answer, WorldRule, finding

STALE = 300.0
"""Seconds of age of the newest sample after which Prometheus itself is behind."""
YOUNG = 600.0
"""Seconds for which an object may be too new to have had an effect."""
_PASSING = ("spark-role", "spark-app-selector", "spark-app-name", "sparkoperator.k8s.io/", "spark.apache.org/")
NOTHING = "Prometheus was not asked about its targets"
NO_OBJECTS = "the cluster has no ServiceMonitor, PodMonitor or PrometheusRule, or they may not be read"


def stale(world: World) -> Answer:
    """Prometheus answers, but nothing new arrives in it."""
    seen = world.facts.monitoring
    if seen is None or seen.newest is None:
        return NOTHING
    age = seen.at - seen.newest
    if age <= STALE:
        return "the newest sample is fresh"
    return [
        finding(
            None, "monitoring-stale", None, "critical", "high",
            f"Prometheus is {human_duration(age)} behind: alerts and budgets stand still",
            subject=f"Prometheus//{seen.server}",
            since=seen.newest,
            detail="It answers queries, but its newest sample of `up` is old: scraping stopped, or its disk is full.",
            evidence=[
                Evidence("prometheus", "max(timestamp(up))", f"the newest sample is {human_duration(age)} old", seen.at)
            ],
        )
    ]  # fmt: skip


def down(world: World) -> Answer:
    """Targets that have not answered for minutes, one finding per job."""
    seen = world.facts.monitoring
    if seen is None or seen.targets is None:
        return NOTHING
    known = {target.key: target for target in seen.targets}
    ended = {(p.namespace, p.name) for p in world.facts.pods if p.gone or p.phase in ("Succeeded", "Failed")}
    jobs: dict[str, list[tuple[Outage, Scrape]]] = defaultdict(list)
    for outage in seen.down:
        target = known.get((outage.job, outage.instance))
        if target is None or target.health == "up":
            continue
        if (target.labels.get("namespace", ""), target.labels.get("pod", "")) not in ended:
            jobs[outage.job].append((outage, target))
    return [_down(seen, job, found) for job, found in jobs.items()] or "every target answers"


def _down(seen: Monitoring, job: str, found: list[tuple[Outage, Scrape]]) -> Finding:
    all_ = [target for target in seen.targets or () if target.job == job]
    ups = [outage.up for outage, _ in found]
    since = min((up for up in ups if up is not None), default=None) if all(up is not None for up in ups) else None
    what = "does not answer" if len(all_) == 1 else f"{len(found)} of {plural(len(all_), 'target')} do not answer"
    made = finding(
        None,
        "monitoring-target-down",
        None,
        "warning",
        "high",
        f"scrape job {job}: {what}" if len(all_) > 1 else f"the target of scrape job {job} {what}",
        subject=f"ScrapeJob//{job}",
        since=since,
        detail="What it exports is missing from every rule, objective and dashboard.",
        evidence=[
            Evidence("prometheus", target.url or f'up{{job="{job}", instance="{target.instance}"}}',
                     excerpt(target.error or "up is 0"), target.last)
            for _, target in found
        ],
        data={"targets": [target.instance for _, target in found], "of": len(all_)},
    )  # fmt: skip
    return made if since is not None else replace(made, since=None)


def gaps(world: World) -> Answer:
    """Scrapes that are missing while the target is there."""
    seen = world.facts.monitoring
    if seen is None or seen.targets is None:
        return NOTHING
    known = {target.key for target in seen.targets}
    dead = {(outage.job, outage.instance) for outage in seen.down}
    found = [gap for gap in seen.gaps if (gap.job, gap.instance) in known - dead]
    if not found:
        return "every target is scraped at its interval"
    everything = len(found) > 1 and len(found) >= len(known - dead)
    by_job: dict[str, list[Any]] = defaultdict(list)
    for gap in found:
        by_job["" if everything else gap.job].append(gap)
    out = []
    for job, mine in by_job.items():
        worst = min(mine, key=lambda gap: gap.got / gap.wanted)
        window = human_duration(worst.window)
        share = 1 - worst.got / worst.wanted
        who = f"scrape job {job} misses" if job else "all targets miss"
        made = finding(
            None,
            "monitoring-scrape-gap",
            None,
            "warning",
            "medium",
            f"{who} {share:.0%} of its scrapes" if job else f"{who} {share:.0%} of their scrapes",
            subject=f"ScrapeJob//{job}" if job else f"Prometheus//{seen.server}",
            detail=f"Within {window}; rates over short windows are wrong, alerts may flap."
            + (" Prometheus itself was down or too slow." if not job else ""),
            evidence=[
                Evidence(
                    "prometheus",
                    f'count_over_time(up{{job="{gap.job}", instance="{gap.instance}"}}[{window}])',
                    f"{gap.got:.0f} of {gap.wanted:.0f} samples",
                    seen.at,
                )
                for gap in mine
            ],
            data={"targets": [gap.instance for gap in mine]},
        )
        out.append(replace(made, since=None))
    return out


def monitors(world: World) -> Answer:
    """ServiceMonitors and PodMonitors whose targets cannot exist."""
    seen = world.facts.monitoring
    if seen is None or seen.objects is None:
        return NO_OBJECTS
    out = []
    for monitor in seen.objects.monitors:
        if monitor.created is not None and seen.at - monitor.created < YOUNG:
            continue
        problem = (_service_monitor if monitor.kind == "ServiceMonitor" else _pod_monitor)(monitor, seen.objects)
        if problem is not None:
            out.append(_monitor(seen, monitor, *problem))
    return out or "every monitor selects something that can be scraped"


Problem = tuple[str, str, str]
"""Code, what is wrong, what was compared."""


def _service_monitor(monitor: ScrapeObject, objects: Objects) -> Problem | None:
    if objects.services is None:
        return None
    selector = _map(monitor.spec.get("selector"))
    mine = [
        service
        for service in objects.services
        if _in_namespace(monitor, service.namespace) and matches(selector, service.labels)
    ]
    words = selector_words(selector)
    if not mine:
        return "monitoring-selects-nothing", "selects no Service", f"no Service has {words}"
    wanted = [str(e["port"]) for e in _list(monitor.spec.get("endpoints")) if e.get("port")]
    if wanted and len(wanted) == len(_list(monitor.spec.get("endpoints"))):
        fitting = [s for s in mine if any(port in wanted for port in _ports(s))]
        if not fitting:
            there = ", ".join(f"{s.namespace}/{s.name} has {', '.join(_ports(s)) or 'no named port'}" for s in mine[:3])
            return "monitoring-port-missing", f"wants a port {' or '.join(wanted)} that no Service has", there
        mine = fitting
    if objects.endpoints is None:
        return None
    if all(not objects.endpoints.get(f"{s.namespace}/{s.name}") for s in mine):
        names = ", ".join(f"{s.namespace}/{s.name}" for s in mine[:3])
        return "monitoring-no-endpoints", "has no endpoints", f"no pod is ready behind Service {names}"
    return None


def _pod_monitor(monitor: ScrapeObject, objects: Objects) -> Problem | None:
    pods = objects.pods.get(monitor.key)
    if pods is None:
        return None
    selector = _map(monitor.spec.get("selector"))
    words = selector_words(selector)
    if not pods:
        if any(key.startswith(_PASSING) for key in _keys(selector)):
            return None
        return "monitoring-selects-nothing", "selects no pod", f"no pod has {words}"
    ends = [*_list(monitor.spec.get("podMetricsEndpoints"))]
    wanted = [str(e["port"]) for e in ends if e.get("port")]
    if wanted and len(wanted) == len(ends) and not any(port in wanted for pod in pods for port in pod.ports):
        there = ", ".join(f"{p.namespace}/{p.name} has {', '.join(p.ports) or 'no named port'}" for p in pods[:3])
        return "monitoring-port-missing", f"wants a port {' or '.join(wanted)} that no pod has", there
    return None


def _monitor(seen: Monitoring, monitor: ScrapeObject, code: str, what: str, proof: str) -> Finding:
    made = finding(
        None,
        code,
        None,
        "warning",
        "high",
        f"{monitor.kind} {monitor.name} {what}",
        subject=monitor.key,
        detail="It configures a scrape that can have no target, so nothing of it is ever seen.",
        evidence=[Evidence("kubernetes", monitor.key, excerpt(proof), seen.at)],
    )
    return replace(made, since=monitor.created)


def rule_objects(world: World) -> Answer:
    """PrometheusRule objects that Prometheus cannot take, or has not taken."""
    seen = world.facts.monitoring
    if seen is None or seen.objects is None:
        return NO_OBJECTS
    loaded = {(rule.name, rule.kind) for rule in seen.rules or ()}
    out = []
    for thing in seen.objects.rules:
        rules = [rule for group in _list(thing.spec.get("groups")) for rule in _list(group.get("rules"))]
        wrong = [(rule, said) for rule in rules if isinstance(said := blind.parsed(str(rule.get("expr", ""))), str)]
        named = [
            (str(r["alert"]), "alerting") if r.get("alert") else (str(r.get("record")), "recording") for r in rules
        ]
        if wrong:
            first = _name(wrong[0][0])
            more = f" and {len(wrong) - 1} more" if len(wrong) > 1 else ""
            proof = [
                Evidence("kubernetes", f"{thing.key} rule {_name(rule)}",
                         excerpt(f"{said}: {rule.get('expr')}"), seen.at)
                for rule, said in wrong
            ]  # fmt: skip
            title = f"PrometheusRule {thing.name}: {first}{more} is no PromQL"
            out.append(_object(thing, "monitoring-rule-invalid", "warning", title, proof))
        elif seen.rules is not None and named and not any(name in loaded for name in named):
            if thing.created is not None and seen.at - thing.created < YOUNG:
                continue
            words = f"none of its {plural(len(named), 'rule')} is among the {len(seen.rules)} that {seen.server} has"
            title = f"PrometheusRule {thing.name} is not loaded"
            proof = [Evidence("kubernetes", thing.key, excerpt(words), seen.at)]
            out.append(_object(thing, "monitoring-rule-not-loaded", "info", title, proof))
    return out or "every PrometheusRule is loaded"


def _object(thing: ScrapeObject, code: str, severity: Severity, title: str, proof: list[Evidence]) -> Finding:
    loaded = code == "monitoring-rule-not-loaded"
    made = finding(
        None,
        code,
        None,
        severity,
        "medium" if loaded else "high",
        title,
        subject=thing.key,
        detail="The ruleSelector of Prometheus may not match its labels." if loaded else
        "The operator rejects it as a whole or in part: its alerts do not exist.",
        evidence=proof,
        questions=["does another Prometheus load it?"] if loaded else (),
    )  # fmt: skip
    return replace(made, since=thing.created)


def matches(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether a Kubernetes label selector matches."""
    if any(labels.get(key) != value for key, value in _map(selector.get("matchLabels")).items()):
        return False
    for rule in _list(selector.get("matchExpressions")):
        value, values = labels.get(str(rule.get("key"))), rule.get("values") or ()
        holds = {
            "In": value in values,
            "NotIn": value not in values,
            "Exists": value is not None,
            "DoesNotExist": value is None,
        }
        if not holds.get(str(rule.get("operator")), True):
            return False
    return True


def selector_words(selector: Mapping[str, Any]) -> str:
    """A label selector as `kubectl -l` writes it; `any label` where it selects everything."""
    parts = [f"{key}={value}" for key, value in sorted(_map(selector.get("matchLabels")).items())]
    for rule in _list(selector.get("matchExpressions")):
        key, values = rule.get("key"), ",".join(map(str, rule.get("values") or ()))
        word = str(rule.get("operator"))
        parts.append({"Exists": f"{key}", "DoesNotExist": f"!{key}"}.get(word, f"{key} {word.lower()} ({values})"))
    return ",".join(parts) or "any label"


def _in_namespace(monitor: ScrapeObject, namespace: str) -> bool:
    chosen = _map(monitor.spec.get("namespaceSelector"))
    if chosen.get("any"):
        return True
    names = chosen.get("matchNames") or [monitor.namespace]
    return namespace in names


def _keys(selector: Mapping[str, Any]) -> Iterable[str]:
    yield from _map(selector.get("matchLabels"))
    for rule in _list(selector.get("matchExpressions")):
        yield str(rule.get("key"))


def _ports(service: ScrapeObject) -> list[str]:
    return [str(port["name"]) for port in _list(service.spec.get("ports")) if port.get("name")]


def _name(rule: Mapping[str, Any]) -> str:
    return clean(str(rule.get("alert") or rule.get("record") or "without a name"))


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


RULES = [
    WorldRule("monitoring-stale", None, stale),
    WorldRule("monitoring-target-down", None, down),
    WorldRule("monitoring-scrape-gap", None, gaps),
    WorldRule("monitoring-selects-nothing", None, monitors),
    WorldRule("monitoring-rule-not-loaded", None, rule_objects),
]
