"""Pods and applications whose objects were not saved, as events and metrics speak of them."""

from __future__ import annotations

from collections.abc import Iterable

from console.facts.model import (
    Condition,
    Container,
    Event,
    Pod,
    Sample,
    Workload,
)
from console.facts.podnames import executor_of_name, role_of_name, stem

_ENDED_BY = frozenset({"Evicted", "Preempted", "TaintManagerEviction", "ScaleDown", "Disrupted", "NodeShutdown"})


def pods_of_events(events: Iterable[Event], known: Iterable[Pod]) -> list[Pod]:
    """Spark pods that only events still speak of, by the names that Spark gives them.

    Where the pods of the namespace were saved as well, only those that something outside of them ended: one that waited
    once and is not there any more waits no longer.
    """
    spark = [p for p in known if "spark-role" in p.labels]
    listed = {p.namespace for p in spark}
    seen = {(p.namespace, p.name) for p in known}
    apps = {(p.namespace, stem(p.name)): p.labels for p in spark}
    out: dict[tuple[str, str], Pod] = {}
    for event in events:
        role = role_of_name(event.name) if event.kind == "Pod" else ""
        key = (event.namespace, event.name)
        if not role or key in out or key in seen:
            continue
        if event.namespace in listed and event.reason not in _ENDED_BY:
            continue
        labels: dict[str, str] = {"spark-role": role}
        if role == "executor":
            labels["spark-exec-id"] = executor_of_name(event.name)
        near = apps.get((event.namespace, stem(event.name)), {})
        labels.update({k: v for k, v in near.items() if k in _APP_LABELS})
        out[key] = Pod(event.namespace, event.name, event.origin, labels=labels)
    return list(out.values())


_APP_LABELS = ("spark-app-selector", "spark-app-name", "sparkoperator.k8s.io/app-name")


def pods_of_metrics(samples: Iterable[Sample], known: Iterable[Pod]) -> list[Pod]:
    """Spark pods that only metrics of kube-state-metrics and cAdvisor still speak of, by their container's name."""
    seen = {(p.namespace, p.name) for p in known}
    out: list[Pod] = []
    by_pod: dict[tuple[str, str], list[Sample]] = {}
    for sample in samples:
        labels = sample.labels
        place = (
            labels.get("exported_namespace") or labels.get("namespace", ""),
            labels.get("exported_pod") or labels.get("pod", ""),
        )
        if place[1] and place not in seen:
            by_pod.setdefault(place, []).append(sample)
    for (namespace, name), own in by_pod.items():
        role = next((r for s in own if (r := _SPARK_CONTAINERS.get(s.labels.get("container", "")))), "")
        role = role or role_of_name(name)
        if role:
            own_labels = {"spark-role": role}
            if role == "executor" and role_of_name(name) == "executor":
                own_labels["spark-exec-id"] = executor_of_name(name)
            out.append(_counted_pod(namespace, name, own_labels, own))
    return out


def _counted_pod(namespace: str, name: str, labels: dict[str, str], samples: list[Sample]) -> Pod:
    """A pod as the gauges of kube-state-metrics describe it: those that are 1."""
    said: dict[str, list[Sample]] = {}
    for sample in samples:
        if sample.value > 0:
            said.setdefault(sample.name, []).append(sample)
    waits = said.get("kube_pod_container_status_waiting_reason", [])
    reasons = [s.labels.get("reason", "") for s in said.get("kube_pod_status_reason", [])]
    phases = [s.labels.get("phase", "") for s in said.get("kube_pod_status_phase", [])]
    homeless = "kube_pod_status_unschedulable" in said
    container = Container(
        f"spark-kubernetes-{labels['spark-role']}",
        state="waiting" if waits else "unknown",
        waiting_reason=waits[-1].labels.get("reason", "") if waits else "",
    )
    phase = phases[-1] if phases else "Pending" if waits or homeless else "Failed" if reasons else "Unknown"
    return Pod(
        namespace,
        name,
        samples[0].origin,
        labels=labels,
        phase=phase,
        reason=reasons[-1] if reasons else "",
        conditions=(Condition("PodScheduled", "False", "Unschedulable"),) if homeless else (),
        containers=(container,),
    )


_SPARK_CONTAINERS = {"spark-kubernetes-driver": "driver", "spark-kubernetes-executor": "executor"}
_REFUSED = ("SparkApplicationSubmissionFailed", "SparkApplicationFailed")
_DIED = ("SparkExecutorFailed", "SparkDriverFailed")


def apps_of_events(events: Iterable[Event], known: Iterable[Workload], pods: Iterable[Pod]) -> list[Workload]:
    """Applications that only the operator's events still speak of; beside pods of Spark, only those of which it says
    that they or their pods failed."""
    named = {(w.namespace, w.name) for w in known if w.kind == "SparkApplication"}
    spark = [p for p in pods if "spark-role" in p.labels]
    led = {(p.namespace, p.labels.get("sparkoperator.k8s.io/app-name", "")) for p in spark}
    out: dict[tuple[str, str], Workload] = {}
    for event in events:
        key = (event.namespace, event.name)
        if event.kind == "SparkApplication" and key not in named and event.reason.startswith("Spark"):
            if spark and event.reason not in _REFUSED and (event.reason not in _DIED or key in led):
                continue
            out[key] = Workload(
                api_version="sparkoperator.k8s.io/v1beta2",
                kind="SparkApplication",
                namespace=event.namespace,
                name=event.name,
                origin=event.origin,
            )
    return list(out.values())
