"""Devices that are ill by whoever knows it: the kubelet, conditions of the node, taints of a driver (I28)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import Struct

from console.apps.evidence import of_node, of_pod, of_workload
from console.apps.remediation import SENTINEL, acting, gave_up, meaning, repair_due
from console.base.clock import rfc3339
from console.base.shapes import mappings
from console.base.text import listed
from console.facts.evidence import Evidence
from console.facts.model import Node, Pod
from console.findings.case import ClusterView
from console.findings.figures.gpu import DeviceFigures
from console.findings.model import Finding
from console.findings.rule import Answer, WorldRule, finding

_BLOCKS = ("NoSchedule", "NoExecute")
_REPAIRED = ("eks.amazonaws.com/nodegroup", "karpenter.sh/nodepool")
_HANDS_OFF = "uncordoning, draining, rebooting or resetting it by hand"


class Sign(Struct, frozen=True):
    """Somebody says that a device of a node is ill (or that nobody watches it).

    Attributes:
        device: `` where only the node is named.
        pod: who holds it, by its key; `` where that is not known.
    """

    node: str
    device: str
    told_by: str
    words: str
    proof: Evidence
    pod: str = ""
    watched: bool = True


def ill_devices(world: ClusterView) -> Answer:
    """Devices that are called ill, by node: who suffers, who acts, what must not be done."""
    by_node: dict[str, list[Sign]] = {}
    for sign in (*_by_kubelet(world), *_by_conditions(world), *_by_taints(world)):
        by_node.setdefault(sign.node, []).append(sign)
    for node in world.facts.nodes:
        if node.labels.get(SENTINEL) and node.name not in by_node:
            by_node[node.name] = [_by_sentinel(node)]
    return [_of_node(world, name, signs) for name, signs in by_node.items()] or "nobody calls a device ill"


def _by_kubelet(world: ClusterView) -> Iterator[Sign]:
    for pod in world.facts.pods:
        for container in pod.containers if pod.node and not pod.gone else ():
            for one in container.devices:
                if one.health == "Unhealthy":
                    words = f"{one.resource} {one.id} {one.health}" + (f": {one.message}" if one.message else "")
                    yield Sign(pod.node, one.id, "kubelet", words, of_pod(pod, words), pod.key)


def _by_conditions(world: ClusterView) -> Iterator[Sign]:
    for node in world.facts.nodes:
        for one in node.conditions:
            if means := meaning(one):
                words = f"{one.type}={one.status} ({one.reason}): {one.message}"
                yield Sign(node.name, "", one.type, words, of_node(node, words), watched=means == "ill")


def _by_taints(world: ClusterView) -> Iterator[Sign]:
    """Devices that their driver, or an administrator by a rule, has tainted so that nothing is put on them."""
    held = dict(_held(world))
    for made in world.workloads.get("ResourceSlice", []):
        node, driver = str(made.spec.get("nodeName") or ""), str(made.spec.get("driver") or "")
        pool = made.spec.get("pool")
        of_pool = str(pool.get("name") or "") if isinstance(pool, dict) else ""
        for device in mappings(made.spec.get("devices")):
            name = str(device.get("name") or "")
            inner = device.get("basic")  # where v1beta1 keeps it
            for taint in mappings(device.get("taints") or (inner.get("taints") if isinstance(inner, dict) else None)):
                if taint.get("effect") in _BLOCKS and node:
                    id = f"{driver}/{of_pool}/{name}"
                    words = f"{id} has taint {taint.get('key')}={taint.get('value', '')}:{taint.get('effect')}"
                    yield Sign(node, id, "driver", words, of_workload(made, words), held.get(id, ""))


def _held(world: ClusterView) -> Iterator[tuple[str, str]]:
    """Id of a device → key of the pod that holds it."""
    for claim in world.workloads.get("ResourceClaim", []):
        given = claim.status.get("allocation")
        devices = given.get("devices") if isinstance(given, dict) else None
        users = [
            str(one.get("name")) for one in mappings(claim.status.get("reservedFor")) if one.get("resource") == "pods"
        ]
        for one in mappings(devices.get("results") if isinstance(devices, dict) else None):
            if users:
                yield f"{one.get('driver')}/{one.get('pool')}/{one.get('device')}", f"Pod/{claim.namespace}/{users[0]}"


def _by_sentinel(node: Node) -> Sign:
    words = f"{SENTINEL}={node.labels[SENTINEL]}"
    return Sign(node.name, "", "nvsentinel", words, of_node(node, words))


def _of_node(world: ClusterView, name: str, signs: list[Sign]) -> Finding:
    node = world.nodes.get(name)
    devices = tuple(dict.fromkeys(sign.device for sign in signs if sign.device))
    ill = any(sign.watched for sign in signs)
    pods = _sufferers(world, name, signs)
    apps = tuple(dict.fromkeys(key for pod in pods if (key := _app_of(world, pod))))
    acts, forbids = _acts(node)
    told_by = tuple(dict.fromkeys(sign.told_by for sign in signs))
    parts = (f"told by {', '.join(told_by)}", acts, f"not: {forbids}" if forbids else "")
    return finding(
        None,
        "device-ill" if ill else "device-unwatched",
        "I28",
        "critical" if ill and apps else "warning",
        "high",
        _title(name, devices, apps) if ill else f"nobody watches the GPUs of node {name}: nothing is known of them",
        subject=f"Node//{name}",
        since=_since(node),
        detail=". ".join(part for part in parts if part),
        evidence=[sign.proof for sign in signs],
        questions=[] if acts else ["who owns repairs of nodes here: no sign of anybody who acts was seen"],
        data=DeviceFigures(
            nodes=(name,), pods=tuple(p.key for p in pods), apps=apps, devices=devices, told_by=told_by, acts=acts,
            forbids=forbids,
        ),
    )  # fmt: skip


def _since(node: Node | None) -> float | None:
    """Since when the first condition of the node says so."""
    times = [c.since for c in node.conditions if meaning(c) and c.since] if node is not None else []
    return min(times, default=None)


def _title(node: str, devices: Sequence[str], apps: Sequence[str]) -> str:
    what = f"{listed(devices, 3)} of node {node}" if devices else f"a device of node {node}"
    whom = f": {listed(apps, 3)} {'has' if len(apps) == 1 else 'have'} pods on it" if apps else ""
    return f"{what} is ill{whom}"


def _sufferers(world: ClusterView, node: str, signs: list[Sign]) -> list[Pod]:
    """Pods that hold the ill devices; where only the node is named, its Spark pods that ask for such devices."""
    named = {sign.pod for sign in signs if sign.pod}
    there = world.on_node(node)
    if named:
        return [pod for pod in there if pod.key in named]
    return [pod for pod in there if any("gpu" in r for c in pod.containers for r in (*c.requests, *c.limits))]


def _app_of(world: ClusterView, pod: Pod) -> str:
    return next((g.key for g in world.groups.values() if pod.key in g.pod_keys), "")


def _acts(node: Node | None) -> tuple[str, str]:
    """(who works on the node already, what must not be done)."""
    if node is None:
        return "", ""
    told: list[Any] = list(acting(node.labels, node.taints))
    if told:
        return "; ".join(told), _HANDS_OFF
    if words := gave_up(node.labels):
        return words, ""
    due = repair_due(node.conditions)
    if due is not None and any(label in node.labels for label in _REPAIRED):
        return f"EKS or Karpenter replaces it at {rfc3339(due)}, where repair is on: move the work away", _HANDS_OFF
    return "", ""


RULES = [WorldRule("device-ill", "I28", ill_devices)]
