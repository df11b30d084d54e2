"""What kube-state-metrics shows of a pod and of its containers: one function for each metric name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from console.base.units import parse_quantity
from console.drill.state.tracks import Track, latest

Object = dict[str, Any]
ValueAt = Callable[[float], float | None]
Labelled = Iterable[tuple[dict[str, str], ValueAt]]
PHASES = ("Failed", "Pending", "Running", "Succeeded", "Unknown")
REASONS = ("Evicted", "NodeAffinity", "NodeLost", "Shutdown", "UnexpectedAdmissionError")
ALLOWED_LABELS = ("spark-role", "spark-app-selector", "spark-app-name", "sparkoperator.k8s.io/app-name")
"""Labels of pods that kube-state-metrics keeps here: its allow list."""
UNITS = {"memory": "byte", "cpu": "core", "ephemeral-storage": "byte"}
_UNUSUAL = re.compile(r"[^a-zA-Z0-9_]")


def series_of(name: str, track: Track) -> Iterator[tuple[dict[str, str], ValueAt]]:
    """(labels of its own, value at a time) of each series of that name which a pod has."""
    if name in POD:
        yield from POD[name](track)
        return
    for container in track.pod["spec"]["containers"]:
        own = {"container": container["name"]}
        yield from (({**own, **labels}, value) for labels, value in CONTAINER[name](track, container))


def _info(track: Track) -> Labelled:
    owner: Object = next(iter(track.pod["metadata"].get("ownerReferences") or ()), {})
    labels = {
        "host_ip": track.pod["status"].get("hostIP", ""),
        "pod_ip": track.pod["status"].get("podIP", ""),
        "node": track.node,
        "created_by_kind": owner.get("kind", ""),
        "created_by_name": owner.get("name", ""),
        "host_network": "false",
    }
    return [(labels, lambda _t: 1.0)]


def _owner(track: Track) -> Labelled:
    for owner in track.pod["metadata"].get("ownerReferences") or ():
        labels = {
            "owner_kind": owner["kind"],
            "owner_name": owner["name"],
            "owner_is_controller": "true" if owner.get("controller") else "false",
        }
        yield labels, lambda _t: 1.0


def _labels(track: Track) -> Labelled:
    kept = {k: v for k, v in (track.pod["metadata"].get("labels") or {}).items() if k in ALLOWED_LABELS}
    return [({f"label_{_UNUSUAL.sub('_', k)}": v for k, v in kept.items()}, lambda _t: 1.0)]


def _ready(track: Track) -> Labelled:
    return [
        ({"condition": "true"}, lambda t: float(bool(latest(track.ready, t)))),
        ({"condition": "false"}, lambda t: float(not latest(track.ready, t))),
        ({"condition": "unknown"}, lambda _t: 0.0),
    ]


def _since(moment: float | None) -> ValueAt:
    """The moment itself, in whole seconds, from then on."""
    return lambda t: float(int(moment)) if moment and t >= moment else None


def _is(changes: list[tuple[float, str]], wanted: str) -> ValueAt:
    return lambda t: float(latest(changes, t) == wanted)


def _only(changes: list[tuple[float, str]], wanted: str) -> ValueAt:
    return lambda t: 1.0 if latest(changes, t) == wanted else None


def _ended_for(track: Track, _spec: Object) -> Labelled:
    if track.reason:
        yield {"reason": track.reason}, lambda t: 1.0 if track.ended and t >= track.ended else None


def _amounts(part: str) -> Callable[[Track, Object], Labelled]:
    def series(track: Track, spec: Object) -> Labelled:
        for resource, amount in ((spec.get("resources") or {}).get(part) or {}).items():
            spelled = re.sub(r"[^a-zA-Z0-9]", "_", resource)
            labels = {"node": track.node, "resource": spelled, "unit": UNITS.get(resource, "integer")}
            value = parse_quantity(amount)
            yield labels, lambda _t, value=value: value  # type: ignore[misc]

    return series


POD: dict[str, Callable[[Track], Labelled]] = {
    "kube_pod_info": _info,
    "kube_pod_created": lambda track: [({}, lambda _t: float(int(track.created)))],
    "kube_pod_start_time": lambda track: [({}, _since(track.scheduled))],
    "kube_pod_completion_time": lambda track: [({}, _since(track.ended))],
    "kube_pod_owner": _owner,
    "kube_pod_labels": _labels,
    "kube_pod_status_phase": lambda track: [({"phase": phase}, _is(track.phases, phase)) for phase in PHASES],
    "kube_pod_status_ready": _ready,
    "kube_pod_status_reason": lambda track: [({"reason": r}, _is(track.pod_reason, r)) for r in REASONS],
    "kube_pod_status_unschedulable": lambda track: [({}, lambda t: 1.0 if latest(track.unschedulable, t) else None)],
}
CONTAINER: dict[str, Callable[[Track, Object], Labelled]] = {
    "kube_pod_container_info": lambda _track, spec: [({"image": spec["image"]}, lambda _t: 1.0)],
    "kube_pod_container_status_running": lambda track, _spec: [({}, lambda t: float(track.running(t)))],
    "kube_pod_container_status_ready": lambda track, _spec: [({}, lambda t: float(bool(latest(track.ready, t))))],
    "kube_pod_container_status_waiting": lambda track, _spec: [({}, lambda t: float(bool(latest(track.waiting, t))))],
    "kube_pod_container_status_waiting_reason": lambda track, _spec: [
        ({"reason": reason}, _only(track.waiting, reason)) for reason in sorted({r for _, r in track.waiting if r})
    ],
    "kube_pod_container_status_terminated": lambda track, _spec: [
        ({}, lambda t: float(track.ended is not None and t >= track.ended))
    ],
    "kube_pod_container_status_terminated_reason": _ended_for,
    "kube_pod_container_status_restarts_total": lambda _track, _spec: [({}, lambda _t: 0.0)],
    "kube_pod_container_resource_requests": _amounts("requests"),
    "kube_pod_container_resource_limits": _amounts("limits"),
}
