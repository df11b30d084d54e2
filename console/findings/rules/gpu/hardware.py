"""GPU hardware (I28): XIDs that need a reset, a reboot or a person; ECC and row remapping. One finding for one GPU."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from console.apps.evidence import of_node, of_sample
from console.base.clock import rfc3339
from console.base.text import plural
from console.facts.evidence import Evidence
from console.findings.case import ClusterView
from console.findings.figures.gpu import GpuError, GpuRowRemap
from console.findings.model import Finding
from console.findings.rule import Answer, WorldRule, finding
from console.gpu.build import Inventory
from console.gpu.faults import Kernel, stale
from console.gpu.model import Gpu, Xid
from console.gpu.read import Entity
from console.gpu.xid import XidMeaning, meaning

_WORST = ("reboot", "hardware", "drain", "reset", "nvlink", "escalate", "unknown")
UNCORRECTABLE = 8
"""Rows of a bank that may be remapped after uncorrectable errors before the card is to be replaced."""


def hardware(world: ClusterView) -> Answer:
    """GPUs whose errors no application can help."""
    inventory = world.gpus
    out: list[Finding] = []
    for gpu in inventory.fleet.gpus:
        if gpu.xids or gpu.faults or gpu.remap_pending:
            out += _of_gpu(world, inventory, gpu)
    known = [k for gpu in inventory.fleet.gpus for k in inventory.lines_of(gpu)]
    out += _unplaced(world, [k for k in inventory.kernel if k not in known])
    return out or "no XID, ECC or row remap error is known"


def _of_gpu(world: ClusterView, inventory: Inventory, gpu: Gpu) -> list[Finding]:
    entity = inventory.entities.get(gpu.id)
    if entity is None:
        return []
    lines = inventory.lines_of(gpu)
    bad = [x for x in gpu.xids if meaning(x.number).hardware]
    if gpu.faults or bad:
        return [_fault(world, gpu, inventory.parts[gpu.id], bad, lines)]
    if gpu.remap_pending:
        return [_pending(gpu, entity)]
    parts = inventory.parts[gpu.id]
    return [f for xid in gpu.xids[:2] if not stale(xid) for f in _soft(gpu, xid, _proof(parts, xid, lines))]


def _fault(
    world: ClusterView, gpu: Gpu, parts: Sequence[Entity], bad: Sequence[Xid], lines: Sequence[Kernel]
) -> Finding:
    action, worst = _worst(gpu, bad)
    number = worst.number if worst is not None else 48 if gpu.ecc_double else 64
    said = meaning(number)
    faults = gpu.faults or (f"XID {number} ({said.meaning})",)
    old = not gpu.faults
    latched = worst is not None and worst.latched
    details, questions = _details(gpu, worst, said)
    times = [x.since for x in bad if x.since is not None and not x.bound]
    times += [k.evidence.at for k in lines if k.evidence.at is not None and meaning(k.number).hardware]
    found = finding(
        None,
        "gpu-hardware",
        "I28",
        "warning" if old else "critical",
        "low" if old else "medium" if latched else "high",
        f"GPU fault on {place(gpu)}: {', '.join(faults)}",
        subject=f"GPU//{gpu.id}",
        detail="; ".join(details),
        evidence=_fault_proof(world, gpu, parts, bad, lines),
        ruled_out=[("I27", "this error is of the hardware: no application causes it or can end it")],
        questions=questions,
        data=GpuError(xid=number, gpu=gpu.id, nodes=(gpu.node,), pods=pods_of([gpu]), action=action),
    )
    return replace(found, since=min(times, default=None))


def _worst(gpu: Gpu, bad: Sequence[Xid]) -> tuple[str, Xid | None]:
    """What ends the fault, and the XID that asks for it; counters of ECC and row remapping count where no XID came."""
    actions = [meaning(x.number).action for x in bad]
    if not actions:
        return "drain" if gpu.ecc_double else "reset", None
    action = min(actions, key=_WORST.index)
    return action, next(x for x in bad if meaning(x.number).action == action)


def _fault_proof(
    world: ClusterView, gpu: Gpu, parts: Sequence[Entity], bad: Sequence[Xid], lines: Sequence[Kernel]
) -> list[Evidence]:
    out = [proof for xid in bad for proof in _proof(parts, xid, lines)]
    entity = world.gpus.entities[gpu.id]
    for name in ("ecc_double", "remap_failed", "remap_pending", "remap_uncorrectable"):
        if entity.values.get(name, 0.0) > 0:
            out.append(of_sample(entity.samples[name]))
    node, offers = world.nodes.get(gpu.node), world.gpus.fleet.node(gpu.node)
    if node is not None and offers is not None and offers.lost and gives_up(gpu):
        out.append(of_node(node, f"{plural(round(offers.lost), 'GPU')} of {gpu.node} not allocatable"))
    return out


def _details(gpu: Gpu, worst: Xid | None, said: XidMeaning) -> tuple[list[str], list[str]]:
    """(what to do and to know, what is still open)."""
    details, questions = [said.what_to_do], []
    if said.plugin_ignores:
        details.append("the device plugin ignores this XID, so pods are still placed on the GPU")
    if (gpu.remap_uncorrectable or 0.0) >= UNCORRECTABLE:
        details.append(f"{gpu.remap_uncorrectable:.0f} rows were remapped after uncorrectable errors: replace the card")
    if worst is not None and worst.latched and stale(worst):
        details.append("the gauge holds the last XID until the driver is loaded again: when it came is not known")
        questions.append("the time in the node's kernel log (NVRM: Xid)")
    if not gpu.faults:
        questions.append("whether it was repaired since: the GPU works, and only the gauge still remembers the error")
    return details, questions


def gives_up(gpu: Gpu) -> bool:
    """Whether the device plugin marks it unhealthy, so that the node's allocatable drops by it."""
    return any(meaning(x.number).hardware and not meaning(x.number).plugin_ignores for x in gpu.xids)


def place(gpu: Gpu) -> str:
    """A GPU in words: node and number where they are known."""
    return f"{gpu.node} GPU {gpu.index}" if gpu.index and gpu.node else gpu.id


def pods_of(gpus: Iterable[Gpu]) -> tuple[str, ...]:
    """Pods that hold GPUs, whole or in part."""
    return tuple(sorted({c.holder.pod for g in gpus for c in g.cells if c.holder is not None}))


def _proof(parts: Sequence[Entity], xid: Xid, lines: Sequence[Kernel]) -> list[Evidence]:
    """Where an XID is told: the counter, the gauge (of the card or an instance), the kernel."""
    out: list[Evidence] = []
    for entity in parts:
        if (counted := entity.counted.get(xid.number)) is not None:
            out.append(_at(of_sample(counted), xid))
        gauge = entity.samples.get("xid")
        if gauge is None:
            continue
        if int(gauge.value) == xid.number:
            words = f"{gauge.name} {gauge.value:g} (the last XID, held until the driver is loaded again)"
            if xid.since is not None:
                words += f", {'at least since' if xid.bound else 'since'} {rfc3339(xid.since)}"
            out.append(of_sample(gauge, words))
        elif xid.number in entity.xid_since:
            since = rfc3339(entity.xid_since[xid.number])
            out.append(of_sample(gauge, f"{gauge.name} was {xid.number} at {since}, before it was {gauge.value:g}"))
    return [*out, *(k.evidence for k in lines if k.number == xid.number)]


def _at(evidence: Evidence, xid: Xid) -> Evidence:
    return evidence if xid.since is None else Evidence(evidence.source, evidence.locator, evidence.excerpt, xid.since)


def _pending(gpu: Gpu, entity: Entity) -> Finding:
    found = finding(
        None,
        "gpu-row-remap",
        "I28",
        "warning",
        "medium",
        f"{place(gpu)}: a row remap waits for a reset",
        subject=f"GPU//{gpu.id}",
        detail="the memory row is replaced when the GPU is reset: do it when no pod holds it",
        evidence=[of_sample(entity.samples["remap_pending"])],
        data=GpuRowRemap(gpu=gpu.id, nodes=(gpu.node,), action="reset"),
    )
    return replace(found, since=None)


def _soft(gpu: Gpu, xid: Xid, proof: list[Evidence]) -> list[Finding]:
    """XIDs that an application causes, and those that are only to be watched."""
    said = meaning(xid.number)
    application = said.action == "restart-app"
    follows = xid.number in (43, 45)
    questions = ["whether it comes back with another job on the same GPU: then it is hardware (I28)"]
    if follows:
        questions = ["the application's own error, or the XID before it: this one only cleans up after it"]
    return [
        finding(
            None,
            "gpu-xid-application" if application else "gpu-xid",
            "I27" if application or follows else "I28",
            "warning" if application else "info",
            "medium",
            f"XID {xid.number} on {place(gpu)}: {said.meaning}"
            + (", usually of the application" if application else ""),
            subject=f"GPU//{gpu.id}",
            since=None if xid.bound else xid.since,
            detail=said.what_to_do,
            evidence=proof,
            questions=questions,
            data=GpuError(xid=xid.number, gpu=gpu.id, nodes=(gpu.node,), pods=pods_of([gpu]), action=said.action),
        )
    ]


def _unplaced(world: ClusterView, lines: Sequence[Kernel]) -> list[Finding]:
    """Lines of kernels about GPUs that no exporter knows."""
    seen: dict[tuple[str, int], list[Evidence]] = {}
    for line in lines:
        seen.setdefault((f"{line.node}/{line.pci}".strip("/") or "?", line.number), []).append(line.evidence)
    out: list[Finding] = []
    for (where, number), proof in seen.items():
        node = where.partition("/")[0] if where.partition("/")[0] in world.nodes else ""
        gpu = Gpu(where, node, "unknown")
        xid = Xid(number, min((e.at for e in proof if e.at is not None), default=None))
        said = meaning(number)
        if not said.hardware:
            out += _soft(gpu, xid, proof)
            continue
        out.append(
            finding(
                None,
                "gpu-hardware",
                "I28",
                "critical",
                "high",
                f"GPU fault on {where}: XID {number} ({said.meaning})",
                subject=f"GPU//{where}",
                detail=said.what_to_do,
                evidence=proof,
                ruled_out=[("I27", "this error is of the hardware: no application causes it or can end it")],
                data=GpuError(xid=number, gpu=where, nodes=(node,) if node else (), pods=(), action=said.action),
            )
        )
    return out


RULES = [WorldRule("gpu-hardware", "I28", hardware)]
