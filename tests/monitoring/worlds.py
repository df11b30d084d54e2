"""A Prometheus that sees everything, as facts; and the rules of tests/data/monitoring with what is wrong with each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from msgspec.structs import replace

from console.facts.model import Facts
from console.facts.monitoring import CountedObjective, Loaded, Monitoring, Objects, PodLabels, Scrape, ScrapeObject
from console.findings.diagnose import diagnose
from console.findings.model import Finding
from console.monitoring import blind

NOW = 1_800_000_000.0
RULES = Path(__file__).parents[1] / "data" / "monitoring" / "rules.yaml"
NAMES = frozenset(
    {
        "up",
        "kube_pod_info",
        "kube_pod_labels",
        "kube_pod_status_ready",
        "kube_pod_container_status_restarts_total",
        "kube_pod_container_status_terminated_reason",
        "kube_node_status_condition",
        "spark_application_count",
        "spark_executor_running_count",
    }
)
"""What a healthy cluster exports before anything has failed: no counter of failures yet."""
SOURCES = {"spark_application_failure_count": "spark-operator 2", "spark_app_failure_count": "spark-operator 1"}


def written() -> list[tuple[Loaded, str]]:
    """The rules of the file with their label `blind`."""
    out = []
    for group in yaml.safe_load(RULES.read_text())["groups"]:
        for rule in group["rules"]:
            loaded = Loaded("alerting", rule["alert"], rule["expr"], group["name"], "rules.yaml", "ok", "", NOW, 30.0)
            out.append((loaded, rule["labels"]["blind"]))
    return out


def scrape(job: str, instance: str = "10.0.0.1:8080", **over: Any) -> Scrape:
    fields: dict[str, Any] = {"health": "up", "last": NOW - 5, "interval": 30.0, "labels": {}}
    return Scrape(job, instance, f"http://{instance}/metrics", **{**fields, **over})


TARGETS = (scrape("kube-state-metrics"), scrape("spark-operator", "10.0.0.2:8080"), scrape("kubelet", "10.0.0.3:10250"))


def seen(**over: Any) -> Monitoring:
    """A healthy reading, with some fields replaced."""
    healthy = Monitoring(
        at=NOW,
        server="service monitoring/prometheus",
        targets=TARGETS,
        rules=tuple(rule for rule, what in written() if what == "no"),
        objectives=(CountedObjective("jobs", "Job success", "sum(increase(spark_application_count[5m]))"),),
        names=NAMES,
        exporters=SOURCES,
        scraped=frozenset({"spark-operator 2", "kube-state-metrics"}),
        newest=NOW - 10,
        pod_labels=PodLabels(containers=4, labelled=40, spark=4),
        objects=Objects(),
    )
    return replace(healthy, **over)


def findings(monitoring: Monitoring | None, **facts: Any) -> dict[str, Finding]:
    """What is found, by subject and code."""
    return {one.key: one for one in diagnose(Facts(at=NOW, monitoring=monitoring, **facts), ())}


def identities(rules: tuple[Loaded, ...], jobs: set[str]) -> frozenset[str]:
    """What a cluster without those jobs, labels and containers finds empty."""
    wrong = ('container="spark-driver"', 'container="spark-executor"', "app=")
    texts = {blind.identity(s) for rule in rules for s in blind.selected(rule.query)} - {""}
    known = {f'up{{job="{job}"}}' for job in jobs}
    return frozenset(t for t in texts if t not in known and (t.startswith("up{") or any(w in t for w in wrong)))


def thing(kind: str, name: str, namespace: str = "spark", age: float = 86400.0, **spec: Any) -> ScrapeObject:
    labels = spec.pop("labels", {})
    return ScrapeObject(kind, namespace, name, labels, NOW - age, spec)
