"""What kube-state-metrics shows of workloads and quotas, as they were at each time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from console.base.units import parse_quantity
from console.drill.prometheus.metrics.scraped import Scraped, ScrapeTarget, named
from console.drill.state.cluster import ClusterState
from console.drill.state.resources import DAEMONSETS, DEPLOYMENTS, QUOTAS, STATEFULSETS, ServedResource
from console.drill.state.store import ObjectChange

Object = dict[str, Any]
ReadFigure = Callable[[Object], float | None]
Key = tuple[str, str, str]


def _spec(field: str, default: float = 0.0) -> ReadFigure:
    return lambda obj: float(obj["spec"].get(field, default))


def _status(field: str) -> ReadFigure:
    return lambda obj: float((obj.get("status") or {}).get(field, 0))


PLAIN: dict[str, tuple[ServedResource, ReadFigure]] = {
    "kube_deployment_spec_replicas": (DEPLOYMENTS, _spec("replicas", 1)),
    "kube_deployment_spec_paused": (DEPLOYMENTS, _spec("paused")),
    "kube_deployment_metadata_generation": (DEPLOYMENTS, lambda obj: float(obj["metadata"].get("generation", 1))),
    "kube_deployment_status_observed_generation": (DEPLOYMENTS, _status("observedGeneration")),
    "kube_deployment_status_replicas": (DEPLOYMENTS, _status("replicas")),
    "kube_deployment_status_replicas_available": (DEPLOYMENTS, _status("availableReplicas")),
    "kube_deployment_status_replicas_ready": (DEPLOYMENTS, _status("readyReplicas")),
    "kube_deployment_status_replicas_unavailable": (DEPLOYMENTS, _status("unavailableReplicas")),
    "kube_deployment_status_replicas_updated": (DEPLOYMENTS, _status("updatedReplicas")),
    "kube_daemonset_status_desired_number_scheduled": (DAEMONSETS, _status("desiredNumberScheduled")),
    "kube_daemonset_status_number_ready": (DAEMONSETS, _status("numberReady")),
    "kube_daemonset_status_number_unavailable": (DAEMONSETS, _status("numberUnavailable")),
    "kube_statefulset_replicas": (STATEFULSETS, _spec("replicas", 1)),
    "kube_statefulset_status_replicas_ready": (STATEFULSETS, _status("readyReplicas")),
}
WORKLOAD_NAMES = (*PLAIN, "kube_deployment_status_condition", "kube_resourcequota")


class WorkloadSeries:
    """Remembers workloads and quotas, and builds their series."""

    def __init__(self, cluster: ClusterState, ksm: ScrapeTarget, since: float) -> None:
        self.cluster, self.ksm, self.since = cluster, ksm, since
        self._past: dict[Key, list[tuple[float, Object | None]]] = {}
        for resource in (DEPLOYMENTS, DAEMONSETS, STATEFULSETS, QUOTAS):
            for obj in cluster.store.all(resource):
                self._past[_key(resource, obj)] = [(since, obj)]
            cluster.store.listen(resource, self._changed)

    def _changed(self, change: ObjectChange) -> None:
        past = self._past.setdefault(_key(change.resource, change.object), [])
        past.append((self.cluster.heap.now, None if change.type == "DELETED" else change.object))

    def _each(self, resource: ServedResource) -> Iterator[tuple[str, str, list[tuple[float, Object | None]]]]:
        for (kind, namespace, name), past in self._past.items():
            if kind == resource.id:
                yield namespace, name, past

    def build(self, name: str, start: float, end: float, now: int) -> Iterator[Scraped]:
        """Series of one metric name."""
        if name == "kube_resourcequota":
            yield from self._quotas(name, now)
        elif name == "kube_deployment_status_condition":
            yield from self._conditions(name, now)
        else:
            resource, read = PLAIN[name]
            for namespace, own, past in self._each(resource):
                labels = {"namespace": namespace, resource.kind.lower(): own}
                yield Scraped(named(name, self.ksm, labels), self.ksm, _over(past, read), now)

    def _quotas(self, name: str, now: int) -> Iterator[Scraped]:
        for namespace, own, past in self._each(QUOTAS):
            latest = next((obj for _, obj in reversed(past) if obj is not None), None)
            status = (latest or {}).get("status") or {}
            for kind in ("hard", "used"):
                for resource in status.get(kind, {}):
                    labels = {"namespace": namespace, "resourcequota": own, "resource": resource, "type": kind}
                    value = _over(past, lambda obj, k=kind, r=resource: _amount(obj, k, r))  # type: ignore[misc]
                    yield Scraped(named(name, self.ksm, labels), self.ksm, value, now)

    def _conditions(self, name: str, now: int) -> Iterator[Scraped]:
        for namespace, own, past in self._each(DEPLOYMENTS):
            kinds = {c["type"] for _, obj in past if obj for c in (obj.get("status") or {}).get("conditions", ())}
            for kind in sorted(kinds):
                for status in ("true", "false", "unknown"):
                    labels = {"namespace": namespace, "deployment": own, "condition": kind, "status": status}
                    value = _over(past, lambda obj, k=kind, s=status: _holds(obj, k, s))  # type: ignore[misc]
                    yield Scraped(named(name, self.ksm, labels), self.ksm, value, now)


def _key(resource: ServedResource, obj: Object) -> Key:
    return resource.id, obj["metadata"]["namespace"], obj["metadata"]["name"]


def _over(past: list[tuple[float, Object | None]], read: ReadFigure) -> Callable[[float], float | None]:
    def value(when: float) -> float | None:
        for since, obj in reversed(past):
            if since <= when:
                return None if obj is None else read(obj)
        return None

    return value


def _amount(obj: Object, kind: str, resource: str) -> float | None:
    found = ((obj.get("status") or {}).get(kind) or {}).get(resource)
    return None if found is None else float(parse_quantity(found))


def _holds(obj: Object, kind: str, status: str) -> float | None:
    for condition in (obj.get("status") or {}).get("conditions", ()):
        if condition["type"] == kind:
            return float(condition["status"].lower() == status)
    return None
