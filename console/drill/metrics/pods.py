"""Series about pods: kube-state-metrics and cAdvisor."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from console.base.units import parse_quantity
from console.drill.metrics.scraped import Scraped, Target, named
from console.drill.sparkuse import cpu_seconds
from console.drill.sparkuse import resident as resident_of
from console.drill.tracks import Track, latest

if TYPE_CHECKING:
    from console.drill.world import World

Object = dict[str, Any]
Value = Callable[[float], float | None]
PHASES = ("Failed", "Pending", "Running", "Succeeded", "Unknown")
REASONS = ("Evicted", "NodeAffinity", "NodeLost", "Shutdown", "UnexpectedAdmissionError")
ALLOWED_LABELS = ("spark-role", "spark-app-selector", "spark-app-name", "sparkoperator.k8s.io/app-name")
"""Labels of pods that kube-state-metrics keeps here: its allow list."""
_UNUSUAL = re.compile(r"[^a-zA-Z0-9_]")
HOUSEKEEPING = 10.0
"""cAdvisor looks at a container every so many seconds: a scrape shows what it saw last."""

KSM_NAMES = (
    "kube_pod_info",
    "kube_pod_created",
    "kube_pod_start_time",
    "kube_pod_completion_time",
    "kube_pod_owner",
    "kube_pod_labels",
    "kube_pod_status_phase",
    "kube_pod_status_ready",
    "kube_pod_status_reason",
    "kube_pod_status_unschedulable",
    "kube_pod_container_info",
    "kube_pod_container_status_running",
    "kube_pod_container_status_ready",
    "kube_pod_container_status_waiting",
    "kube_pod_container_status_waiting_reason",
    "kube_pod_container_status_terminated",
    "kube_pod_container_status_terminated_reason",
    "kube_pod_container_status_restarts_total",
    "kube_pod_container_resource_requests",
    "kube_pod_container_resource_limits",
)
CADVISOR_NAMES = (
    "container_memory_working_set_bytes",
    "container_memory_rss",
    "container_spec_memory_limit_bytes",
    "container_cpu_usage_seconds_total",
    "container_oom_events_total",
)


class PodSeries:
    """Builds series of pods that existed in a span."""

    def __init__(self, world: World, ksm: Target, interval: float) -> None:
        self.world, self.ksm, self.interval = world, ksm, interval

    def build(self, name: str, start: float, end: float, now: int) -> Iterator[Scraped]:
        """Series of one metric name."""
        cadvisor = name in CADVISOR_NAMES
        for track in self.world.tracks.between(start, end):
            if cadvisor and track.node:
                yield from self._cadvisor(name, track, now)
            elif not cadvisor:
                for labels, value in self._ksm(name, track):
                    base = {"namespace": track.namespace, "pod": track.name, "uid": track.uid}
                    series = named(name, self.ksm, {**base, **labels})
                    alive = _while(track, value)
                    yield Scraped(series, self.ksm, alive, now, since=track.created, until=track.gone)

    def _ksm(self, name: str, track: Track) -> Iterator[tuple[dict[str, str], Value]]:
        pod = track.pod
        containers = [c["name"] for c in pod["spec"]["containers"]]
        if name == "kube_pod_info":
            owner: Object = next(iter(pod["metadata"].get("ownerReferences") or ()), {})
            labels = {
                "host_ip": pod["status"].get("hostIP", ""),
                "pod_ip": pod["status"].get("podIP", ""),
                "node": track.node,
                "created_by_kind": owner.get("kind", ""),
                "created_by_name": owner.get("name", ""),
                "host_network": "false",
            }
            yield labels, lambda _t: 1.0
        elif name == "kube_pod_created":
            yield {}, lambda _t: float(int(track.created))
        elif name == "kube_pod_start_time":
            yield {}, lambda t: float(int(track.scheduled)) if track.scheduled and t >= track.scheduled else None
        elif name == "kube_pod_completion_time":
            yield {}, lambda t: float(int(track.ended)) if track.ended and t >= track.ended else None
        elif name == "kube_pod_owner":
            for owner in pod["metadata"].get("ownerReferences") or ():
                labels = {
                    "owner_kind": owner["kind"],
                    "owner_name": owner["name"],
                    "owner_is_controller": "true" if owner.get("controller") else "false",
                }
                yield labels, lambda _t: 1.0
        elif name == "kube_pod_labels":
            kept = {k: v for k, v in (pod["metadata"].get("labels") or {}).items() if k in ALLOWED_LABELS}
            yield {f"label_{_UNUSUAL.sub('_', k)}": v for k, v in kept.items()}, lambda _t: 1.0
        elif name == "kube_pod_status_phase":
            for phase in PHASES:
                yield {"phase": phase}, _is(track.phases, phase)
        elif name == "kube_pod_status_ready":
            yield {"condition": "true"}, lambda t: float(bool(latest(track.ready, t)))
            yield {"condition": "false"}, lambda t: float(not latest(track.ready, t))
            yield {"condition": "unknown"}, lambda _t: 0.0
        elif name == "kube_pod_status_reason":
            for reason in REASONS:
                yield {"reason": reason}, _is(track.pod_reason, reason)
        elif name == "kube_pod_status_unschedulable":
            yield {}, lambda t: 1.0 if latest(track.unschedulable, t) else None
        else:
            for container in containers:
                yield from self._container(name, track, container)

    def _container(self, name: str, track: Track, container: str) -> Iterator[tuple[dict[str, str], Value]]:
        spec = next(c for c in track.pod["spec"]["containers"] if c["name"] == container)
        own = {"container": container}
        if name == "kube_pod_container_info":
            yield {**own, "image": spec["image"]}, lambda _t: 1.0
        elif name == "kube_pod_container_status_running":
            yield own, lambda t: float(track.running(t))
        elif name == "kube_pod_container_status_ready":
            yield own, lambda t: float(bool(latest(track.ready, t)))
        elif name == "kube_pod_container_status_waiting":
            yield own, lambda t: float(bool(latest(track.waiting, t)))
        elif name == "kube_pod_container_status_waiting_reason":
            for reason in sorted({r for _, r in track.waiting if r}):
                yield {**own, "reason": reason}, _only(track.waiting, reason)
        elif name == "kube_pod_container_status_terminated":
            yield own, lambda t: float(track.ended is not None and t >= track.ended)
        elif name == "kube_pod_container_status_terminated_reason":
            if track.reason:
                yield {**own, "reason": track.reason}, lambda t: 1.0 if track.ended and t >= track.ended else None
        elif name == "kube_pod_container_status_restarts_total":
            yield own, lambda _t: 0.0
        else:
            part = "limits" if name.endswith("limits") else "requests"
            for resource, amount in ((spec.get("resources") or {}).get(part) or {}).items():
                unit = {"memory": "byte", "cpu": "core", "ephemeral-storage": "byte"}.get(resource, "integer")
                labels = {**own, "node": track.node, "resource": re.sub(r"[^a-zA-Z0-9]", "_", resource), "unit": unit}
                value = parse_quantity(amount)
                yield labels, lambda _t, value=value: value  # type: ignore[misc]

    def _cadvisor(self, name: str, track: Track, now: int) -> Iterator[Scraped]:
        address = self.world.node_address(track.node)
        extra = (("metrics_path", "/metrics/cadvisor"), ("node", track.node))
        target = Target("kubelet", f"{address}:10250", self.interval, self.ksm.since, None, extra, "/metrics/cadvisor")
        run = self.world.spark.run_of_uid(track.uid)
        for spec in track.pod["spec"]["containers"]:
            labels = {
                "container": spec["name"],
                "id": f"/kubepods/burstable/pod{track.uid}/{spec['name']}",
                "image": spec["image"],
                "name": spec["name"],
                "namespace": track.namespace,
                "pod": track.name,
            }
            limit = parse_quantity(((spec.get("resources") or {}).get("limits") or {}).get("memory", 0))
            value: Value
            if name == "container_spec_memory_limit_bytes":
                value = lambda _t, limit=limit: limit  # type: ignore[misc]  # noqa: E731
            elif name == "container_oom_events_total":
                # The series ends with its container, so the count of a killed one is hardly ever scraped.
                value = lambda _t: 0.0  # noqa: E731
            elif name == "container_cpu_usage_seconds_total":
                labels = {**labels, "cpu": "total"}
                value = _cpu(run, track)
            else:
                value = _memory(run, track, limit, name == "container_memory_rss")
            ended = track.ended or track.gone
            alive = _running(track, value)
            yield Scraped(named(name, target, labels), target, alive, now, since=track.created, until=ended)


def _while(track: Track, value: Value) -> Value:
    return lambda t: value(t) if track.exists(t) else None


def _running(track: Track, value: Value) -> Value:
    return lambda t: value(t) if track.running(t) else None


def _is(changes: list[tuple[float, str]], wanted: str) -> Value:
    return lambda t: float(latest(changes, t) == wanted)


def _only(changes: list[tuple[float, str]], wanted: str) -> Value:
    return lambda t: 1.0 if latest(changes, t) == wanted else None


def _seen(t: float, track: Track) -> float:
    """The time of cAdvisor's latest look."""
    started = track.started or t
    return max(started, started + (t - started) // HOUSEKEEPING * HOUSEKEEPING)


def _memory(run: Any, track: Track, limit: float, resident: bool) -> Value:
    if run is None:
        share = 0.35 + (sum(track.uid.encode()) % 20) / 100
        return lambda _t: float(int(limit * share * (0.95 if resident else 1.0)))
    return lambda t: float(resident_of(run, track.uid, _seen(t, track))) * (0.97 if resident else 1.0)


def _cpu(run: Any, track: Track) -> Value:
    if run is None:
        return lambda t: round((t - (track.started or t)) * 0.05, 3)
    return lambda t: round(cpu_seconds(run, track.uid, _seen(t, track)), 3)
