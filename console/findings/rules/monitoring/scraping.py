"""Targets that do not answer, scrapes that are missing, and scrape objects that select nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec.structs import replace

from console.apps.evidence import excerpt
from console.base.shapes import mapping, mappings
from console.base.text import listed, plural
from console.base.units import human_duration
from console.facts.evidence import Evidence
from console.facts.monitoring import Monitoring, Objects, Outage, Scrape, ScrapeObject
from console.findings.case import ClusterView
from console.findings.figures.monitoring import ScrapesMissing, TargetsDown
from console.findings.model import Finding
from console.findings.rule import Answer, WorldRule, finding

STALE = 300.0
"""Seconds of age of the newest sample after which Prometheus itself is behind."""
YOUNG = 600.0
"""Seconds for which an object may be too new to have had an effect."""
_PASSING = ("spark-role", "spark-app-selector", "spark-app-name", "sparkoperator.k8s.io/", "spark.apache.org/")
NOTHING = "Prometheus was not asked about its targets"
NO_OBJECTS = "the cluster has no ServiceMonitor, PodMonitor or PrometheusRule, or they may not be read"


def stale(world: ClusterView) -> Answer:
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


def down(world: ClusterView) -> Answer:
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
        data=TargetsDown(targets=tuple(target.instance for _, target in found), of=len(all_)),
    )  # fmt: skip
    return made if since is not None else replace(made, since=None)


def gaps(world: ClusterView) -> Answer:
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
            data=ScrapesMissing(targets=tuple(gap.instance for gap in mine)),
        )
        out.append(replace(made, since=None))
    return out


def monitors(world: ClusterView) -> Answer:
    """ServiceMonitors and PodMonitors whose targets cannot exist."""
    seen = world.facts.monitoring
    if seen is None or seen.objects is None:
        return NO_OBJECTS
    out = []
    for monitor in seen.objects.monitors:
        if too_young(seen, monitor):
            continue
        problem = (_service_monitor if monitor.kind == "ServiceMonitor" else _pod_monitor)(monitor, seen.objects)
        if problem is not None:
            out.append(_monitor(seen, monitor, *problem))
    waiting = [monitor for monitor in seen.objects.monitors if too_young(seen, monitor)]
    if waiting and not out:
        return (
            f"{plural(len(waiting), 'monitor')} of {len(seen.objects.monitors)} not judged yet: younger than 10 minutes"
        )
    return out or "every monitor selects something that can be scraped"


def too_young(seen: Monitoring, object_: ScrapeObject) -> bool:
    """Whether an object is too new to have had an effect: nobody can say yet whether it matches anything."""
    return object_.created is not None and seen.at - object_.created < YOUNG


Problem = tuple[str, str, str]
"""Code, what is wrong, what was compared."""


def _service_monitor(monitor: ScrapeObject, objects: Objects) -> Problem | None:
    if objects.services is None:
        return None
    selector = mapping(monitor.spec.get("selector"))
    mine = [
        service
        for service in objects.services
        if _in_namespace(monitor, service.namespace) and matches(selector, service.labels)
    ]
    words = selector_words(selector)
    if not mine:
        return "monitoring-selects-nothing", "selects no Service", f"no Service has {words}"
    wanted = [str(e["port"]) for e in mappings(monitor.spec.get("endpoints")) if e.get("port")]
    if wanted and len(wanted) == len(mappings(monitor.spec.get("endpoints"))):
        fitting = [s for s in mine if any(port in wanted for port in _ports(s))]
        if not fitting:
            there = listed((f"{s.namespace}/{s.name} has {', '.join(_ports(s)) or 'no named port'}" for s in mine), 3)
            return "monitoring-port-missing", f"wants a port {' or '.join(wanted)} that no Service has", there
        mine = fitting
    if objects.endpoints is None:
        return None
    if all(not objects.endpoints.get(f"{s.namespace}/{s.name}") for s in mine):
        names = listed((f"{s.namespace}/{s.name}" for s in mine), 3)
        return "monitoring-no-endpoints", "has no endpoints", f"no pod is ready behind Service {names}"
    return None


def _pod_monitor(monitor: ScrapeObject, objects: Objects) -> Problem | None:
    pods = objects.pods.get(monitor.key)
    if pods is None:
        return None
    selector = mapping(monitor.spec.get("selector"))
    words = selector_words(selector)
    if not pods:
        if any(key.startswith(_PASSING) for key in _keys(selector)):
            return None
        return "monitoring-selects-nothing", "selects no pod", f"no pod has {words}"
    ends = [*mappings(monitor.spec.get("podMetricsEndpoints"))]
    wanted = [str(e["port"]) for e in ends if e.get("port")]
    if wanted and len(wanted) == len(ends) and not any(port in wanted for pod in pods for port in pod.ports):
        there = listed((f"{p.namespace}/{p.name} has {', '.join(p.ports) or 'no named port'}" for p in pods), 3)
        return "monitoring-port-missing", f"wants a port {' or '.join(wanted)} that no pod has", there
    return None


def _monitor(seen: Monitoring, monitor: ScrapeObject, code: str, what: str, proof: str) -> Finding:
    made = finding(
        None,
        code,
        None,
        "warning",
        "high",
        f"{monitor.kind} {monitor.namespace}/{monitor.name} {what}",
        subject=monitor.key,
        detail="It configures a scrape that can have no target, so nothing of it is ever seen.",
        evidence=[Evidence("kubernetes", monitor.key, excerpt(proof), seen.at)],
    )
    return replace(made, since=monitor.created)


def matches(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether a Kubernetes label selector matches."""
    if any(labels.get(key) != value for key, value in mapping(selector.get("matchLabels")).items()):
        return False
    for rule in mappings(selector.get("matchExpressions")):
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
    parts = [f"{key}={value}" for key, value in sorted(mapping(selector.get("matchLabels")).items())]
    for rule in mappings(selector.get("matchExpressions")):
        key, values = rule.get("key"), ",".join(map(str, rule.get("values") or ()))
        word = str(rule.get("operator"))
        parts.append({"Exists": f"{key}", "DoesNotExist": f"!{key}"}.get(word, f"{key} {word.lower()} ({values})"))
    return ",".join(parts) or "any label"


def _in_namespace(monitor: ScrapeObject, namespace: str) -> bool:
    chosen = mapping(monitor.spec.get("namespaceSelector"))
    if chosen.get("any"):
        return True
    names = chosen.get("matchNames") or [monitor.namespace]
    return namespace in names


def _keys(selector: Mapping[str, Any]) -> Iterable[str]:
    yield from mapping(selector.get("matchLabels"))
    for rule in mappings(selector.get("matchExpressions")):
        yield str(rule.get("key"))


def _ports(service: ScrapeObject) -> list[str]:
    return [str(port["name"]) for port in mappings(service.spec.get("ports")) if port.get("name")]


RULES = [
    WorldRule("monitoring-stale", None, stale),
    WorldRule("monitoring-target-down", None, down),
    WorldRule("monitoring-scrape-gap", None, gaps),
    WorldRule("monitoring-selects-nothing", None, monitors),
]
