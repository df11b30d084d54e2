"""What capacity, allocatable and requests tell of GPUs: who asks for them, how many there are, how many are lost."""

from __future__ import annotations

import re
from collections.abc import Iterable

from msgspec.structs import replace

from console.apps.members import GPU_RESOURCE
from console.apps.model import SparkApp
from console.base.units import parse_count
from console.facts.model import Node, Pod
from console.gpu.model import ExtendedResource, Gpu, GpuNode, GpuRequest, Holder

MOST_GPUS = 4_096
"""GPUs of one node that are told apart."""


def members_of(apps: Iterable[SparkApp]) -> dict[tuple[str, str], tuple[str, str]]:
    """(namespace, pod) → (application, member), of members that ask for GPUs or may hold one."""
    out: dict[tuple[str, str], tuple[str, str]] = {}
    for app in apps:
        for member in (*app.executors, *((app.driver,) if app.driver is not None else ())):
            if member.pod and member.gpus:
                out[(member.namespace or app.namespace, member.pod)] = (app.key, member.id)
    return out


def gpus_asked(pod: Pod) -> dict[str, float]:
    """GPU resources that the containers of a pod ask for."""
    out: dict[str, float] = {}
    for container in pod.containers:
        if container.role != "init":
            for name, count in {**container.requests, **container.limits}.items():
                if GPU_RESOURCE.fullmatch(name):
                    out[name] = out.get(name, 0.0) + count
    return out


def spelled_in_metrics(resource: str) -> str:
    """A resource's name as labels of kube-state-metrics spell it."""
    return re.sub(r"[^a-zA-Z0-9]", "_", resource)


def only_holder(claims: tuple[GpuRequest, ...], node: Node | None) -> Holder | None:
    """Where one pod asks for every GPU of a node, it holds each of them."""
    if len(claims) != 1 or node is None:
        return None
    return claims[0].holder if claims[0].count >= node.capacity.get(claims[0].resource, 0.0) > 0 else None


def whole_gpus(count: float) -> int:
    """A count of GPUs of one node, each of which gets a cell: no machine has more than `MOST_GPUS`, shared ones too."""
    return min(round(count), MOST_GPUS)


def physical_count(node: Node | None, capacity: dict[str, float]) -> int:
    """GPUs in the machine: as feature discovery counts them, else by the capacity without sharing and MIG."""
    if node is None:
        return 0
    counted = parse_count(node.labels.get("nvidia.com/gpu.count", ""))
    if counted is not None:
        return whole_gpus(counted)
    divided = any(name.startswith("nvidia.com/mig-") for name in capacity)
    if divided or node.labels.get("nvidia.com/mig.strategy") == "single":
        return 0
    replicas = parse_count(node.labels.get("nvidia.com/gpu.replicas", "1"))
    return whole_gpus(sum(capacity.values()) / (replicas or 1))


def gpus_from_requests(
    name: str,
    node: Node | None,
    resources: tuple[ExtendedResource, ...],
    claims: tuple[GpuRequest, ...],
    physical: int,
    complete: bool,
) -> list[Gpu]:
    """What capacity, allocatable and requests alone tell: how many are held, by whom, and how many are lost. With MIG
    or sharing a cell is what the node offers, not a card."""
    total = whole_gpus(sum(r.capacity for r in resources)) or physical
    lost = whole_gpus(sum(max(0.0, r.capacity - r.allocatable) for r in resources)) if resources else physical
    cells: list[Gpu] = []
    for claim in claims:
        for _ in range(whole_gpus(claim.count)):
            cells.append(Gpu(f"{name}/{len(cells)}", name, "held", holder=claim.holder))
    cells = cells[:total]
    rest = total - len(cells)
    gone = min(lost, rest)
    cells += [Gpu(f"{name}/{len(cells) + n}", name, "free" if complete else "unknown") for n in range(rest - gone)]
    return cells + [Gpu(f"{name}/?{n}", name, "lost") for n in range(gone)]


def with_silent(gpus: list[Gpu], physical: int) -> list[Gpu]:
    """GPUs that had series and have none now are lost, where the others still have; one that was replaced is left out,
    where the machine has no place for it."""
    speaking = [g for g in gpus if g.series]
    if not speaking or len(speaking) == len(gpus):
        return gpus
    if physical and len(speaking) >= physical:
        return speaking
    return [g if g.series else replace(g, state="lost") for g in gpus]


def with_lost(node: GpuNode) -> GpuNode:
    """GPUs that are not allocatable and neither broken nor missing: where only as many are without a holder, those."""
    missing = round(node.lost) - sum(g.state in ("faulty", "lost") for g in node.gpus)
    candidates = [g.id for g in node.gpus if g.holder is None and g.state in ("free", "unknown") and not g.slices]
    if missing <= 0 or len(candidates) != missing:
        return node
    return replace(node, gpus=tuple(replace(g, state="lost") if g.id in candidates else g for g in node.gpus))
