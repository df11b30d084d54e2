"""Nodes of which nothing is heard any more, and nodes that say themselves that they are not ready."""

from __future__ import annotations

from typing import Any

from console.drill.scenario.faults.base import FaultKind, FaultPlan
from console.drill.state.ids import stamp
from console.drill.state.resources import NODES

Object = dict[str, Any]
GRACE = 50.0
"""Seconds without a word after which a node counts as lost."""
SILENT = ("Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status.")
WELL = ("True", "KubeletReady", "kubelet is posting ready status")


def _set(plan: FaultPlan, kinds: tuple[str, ...], status: str, reason: str, message: str) -> None:
    node = plan.world.store.get(NODES, "", plan.target)
    if node is None:
        return
    now = stamp(plan.world.heap.now)
    conditions = [
        {**c, "lastTransitionTime": now, "status": status, "reason": reason, "message": message}
        if c["type"] in kinds
        else c
        for c in node["status"]["conditions"]
    ]
    plan.world.store.update(NODES, {**node, "status": {**node["status"], "conditions": conditions}})
    word = "NodeReady" if status == "True" else "NodeNotReady"
    text = f"Node {plan.target} status is now: {word}"
    by = "kubelet" if status == "True" else "node-controller"
    plan.world.cluster.recorder.record(node, "Normal", word, text, by, host=plan.target)


def _dies(plan: FaultPlan) -> None:
    """Its kubelet is silent at once; the others notice when it should have reported."""
    cluster, name = plan.world.cluster, plan.target

    def silence() -> None:
        cluster.dead_nodes.add(name)
        plan.world.spark.cut_off(name)
        plan.world.heap.after(GRACE, noticed)

    def noticed() -> None:
        if name in cluster.dead_nodes:
            _set(plan, ("Ready", "MemoryPressure", "DiskPressure", "PIDPressure"), *SILENT)

    plan.at(silence)
    if plan.until is not None:
        plan.world.heap.at(plan.until, lambda: _returns(plan))


def _returns(plan: FaultPlan) -> None:
    plan.world.cluster.dead_nodes.discard(plan.target)
    _set(plan, ("Ready",), *WELL)
    plan.world.kubelet.back(plan.target)


def _unready(plan: FaultPlan) -> None:
    message = str(plan.options.get("says", "container runtime is down"))
    plan.at(lambda: _set(plan, ("Ready",), "False", "KubeletNotReady", message))
    if plan.until is not None:
        plan.world.heap.at(plan.until, lambda: _set(plan, ("Ready",), *WELL))


FAULTS = [
    FaultKind("node-dies", ("until",), "node", _dies),
    FaultKind("node-not-ready", ("says", "until"), "node", _unready),
]
