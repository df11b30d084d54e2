"""The fleet as a whole: idle GPUs by holder, the parts of the GPU stack, and what is not known."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from console.base.text import listed
from console.base.units import human_duration
from console.facts.model import Workload
from console.facts.replicas import replicas
from console.gpu.asks import CLAIMS, NOW, PAST
from console.gpu.cells import idleness
from console.gpu.model import Fleet, Gpu, GpuNode, Holder, Slice, StackPart, Waste
from console.gpu.read import Told

STALE_AFTER = 900.0
"""Seconds after which figures tell nothing of the present any more."""
_STACK = re.compile(r"nvidia|dcgm|gpu-operator|gpu-feature|mig-manager", re.IGNORECASE)


def parts_of(workloads: Iterable[Workload]) -> tuple[StackPart, ...]:
    """DaemonSets and Deployments of the GPU stack: how many of each are ready."""
    out = []
    for item in workloads:
        if item.kind not in ("DaemonSet", "Deployment") or not _STACK.search(item.name):
            continue
        counted = replicas(item.kind, item.spec, item.status)
        if counted is not None and counted[0]:
            out.append(StackPart(item.name, ready=counted[1], wanted=counted[0]))
    return tuple(sorted(out, key=lambda part: part.name))


def waste_of(nodes: Sequence[GpuNode], now: float) -> tuple[Waste, ...]:
    """Idle GPUs by holder, the longest first."""
    grouped: dict[str, list[Gpu | Slice]] = {}
    where: dict[int, str] = {}
    holder_of: dict[str, Holder] = {}
    for node in nodes:
        for gpu in node.gpus:
            for cell in gpu.cells:
                if cell.state == "idle" and cell.holder is not None and cell.idle_since is not None:
                    grouped.setdefault(cell.holder.name, []).append(cell)
                    holder_of.setdefault(cell.holder.name, cell.holder)
                    where[id(cell)] = node.name
    out = []
    for name, cells in grouped.items():
        idle = idleness(cells, now)
        out.append(
            Waste(
                holder=holder_of[name],
                gpus=tuple(c.id for c in cells),
                nodes=tuple(dict.fromkeys(where[id(c)] for c in cells)),
                since=idle.since,
                bound=idle.bound,
                seconds=idle.seconds,
                covered=idle.covered,
            )
        )
    return tuple(sorted(out, key=lambda w: -w.seconds))


def noted(fleet: Fleet, told: Told) -> Fleet:
    """The fleet with what cannot be known of it, in words."""
    return replace(fleet, notes=(*_unmeasured(fleet, told), *_unattributed(fleet, told)))


def _unmeasured(fleet: Fleet, told: Told) -> list[str]:
    """What is not known because figures are missing, old or not whole."""
    notes: list[str] = []
    if fleet.metrics == "none":
        notes.append("no exporter of GPUs is scraped: how busy, hot or broken they are is not known")
    elif NOW in told.asked and not told.alive and CLAIMS in told.asked and fleet.metrics == "unknown":
        notes.append("Prometheus has no fresh sample of anything: only capacity, allocatable and requests are known")
    elif fleet.metrics == "unknown":
        notes.append("no metrics of GPUs: only capacity, allocatable and requests are known")
    if told.at is not None and fleet.at - told.at > STALE_AFTER:
        notes.append(f"the figures are {human_duration(fleet.at - told.at)} old: what the GPUs do now is not known")
    if fleet.metrics == "dcgm" and NOW in told.asked and PAST not in told.asked:
        notes.append("what GPUs did before is not known yet: neither since when one is idle, nor when an error came")
    return [*notes, *(f"the figures are not whole: {note}" for note in dict.fromkeys(told.notes.values()))]


def _some(names: Sequence[str]) -> str:
    """The first four names, and how many more there are."""
    return listed(names, 4)


def _unattributed(fleet: Fleet, told: Told) -> list[str]:
    """What is not known of holders, of scales and of nodes."""
    notes: list[str] = []
    if fleet.nodes and not fleet.complete:
        notes.append("only what Spark pods ask for is known: others may hold GPUs too (kube-state-metrics would say)")
    spoken = [n for n in fleet.nodes if n.exporter == "series" and not n.labelled]
    unnamed = [n.name for n in spoken if n.claims or not fleet.complete]
    if unnamed:
        notes.append(f"the exporter names no holders on {_some(unnamed)}: they are known per node only")
    if told.doubtful:
        notes.append("utilisation was only ever 0 or 1: whether that is a share or percent is not known")
    strangers = [n.name for n in fleet.nodes if not n.known]
    if strangers:
        notes.append(f"an exporter speaks of {_some(strangers)}, which is no node of this cluster")
    return notes
