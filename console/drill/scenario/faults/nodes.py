"""Faults of nodes: pressure that evicts, and people who drain."""

from __future__ import annotations

from typing import Any

from console.base.units import parse_duration
from console.drill.scenario.edits import edit
from console.drill.scenario.faults.base import FaultKind, FaultPlan
from console.drill.state.ids import stamp
from console.drill.state.resources import NODES, PODS
from console.drill.world import SimulatedWorld

Object = dict[str, Any]
PRESSURE = {
    "MemoryPressure": ("KubeletHasInsufficientMemory", "kubelet has insufficient memory available", "memory"),
    "DiskPressure": ("KubeletHasDiskPressure", "kubelet has disk pressure", "ephemeral-storage"),
}
HEALTHY = {
    "MemoryPressure": ("KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    "DiskPressure": ("KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
}


def _plan_pressure(plan: FaultPlan) -> None:
    """On one node until it ends, or from node to node."""
    world, options = plan.world, plan.options
    kind = str(options.get("condition", "DiskPressure"))
    if options.get("nodes"):
        names, every = [str(name) for name in options["nodes"]], parse_duration(str(options.get("every", "60s")))
        until = float("inf") if plan.until is None else plan.until
        plan.at(lambda: _round(world, names, 0, kind, every, until))
    else:
        plan.at(lambda: _pressure(world, plan.target, kind, plan.until))


def _plan_drain(plan: FaultPlan) -> None:
    names = [str(name) for name in plan.options.get("nodes") or [plan.target]]
    every = parse_duration(str(plan.options.get("every", "60s")))
    until = float("inf") if plan.until is None else plan.until
    plan.at(lambda: _drain(plan.world, names, 0, every, until))


def set_condition(world: SimulatedWorld, node: str, kind: str, status: str, reason: str, message: str) -> None:
    """Change a condition of a node, and its taint with it."""
    obj = world.store.get(NODES, "", node)
    if obj is None:
        return
    now = stamp(world.heap.now)
    conditions = [
        {
            **c,
            "lastHeartbeatTime": now,
            "lastTransitionTime": now,
            "status": status,
            "reason": reason,
            "message": message,
        }
        if c["type"] == kind
        else c
        for c in obj["status"]["conditions"]
    ]
    key = {"MemoryPressure": "node.kubernetes.io/memory-pressure", "DiskPressure": "node.kubernetes.io/disk-pressure"}[
        kind
    ]
    taints = [t for t in obj["spec"].get("taints", ()) if t["key"] != key]
    if status == "True":
        taints.append({"effect": "NoSchedule", "key": key, "timeAdded": now})
    spec = {k: v for k, v in obj["spec"].items() if k != "taints"} | ({"taints": taints} if taints else {})
    world.store.update(NODES, {**obj, "spec": spec, "status": {**obj["status"], "conditions": conditions}})


def _round(world: SimulatedWorld, nodes: list[str], turn: int, kind: str, every: float, until: float) -> None:
    """Pressure goes from node to node: each has it for `every` seconds."""
    if world.heap.now < until:
        _pressure(world, nodes[turn % len(nodes)], kind, world.heap.now + every)
        world.heap.after(every, lambda: _round(world, nodes, turn + 1, kind, every, until))


def _pressure(world: SimulatedWorld, node: str, kind: str, until: float | None) -> None:
    reason, message, resource = PRESSURE[kind]
    set_condition(world, node, kind, "True", reason, message)
    obj = world.store.get(NODES, "", node)
    if obj is not None:
        what = {"memory": "NodeHasInsufficientMemory", "ephemeral-storage": "NodeHasDiskPressure"}[resource]
        text = f"Node {node} status is now: {what}"
        world.cluster.recorder.record(obj, "Normal", what, text, "kubelet", host=node)
    _evict_from(world, node, resource, until)
    if until is not None:
        healthy = HEALTHY[kind]
        world.heap.at(until, lambda: set_condition(world, node, kind, "False", *healthy))


def _evict_from(world: SimulatedWorld, node: str, resource: str, until: float | None) -> None:
    """The kubelet of a node under pressure evicts Spark pods, the youngest last, one every ten seconds."""
    obj = world.store.get(NODES, "", node)
    pressed = obj is not None and any(
        c["status"] == "True" and c["type"] in PRESSURE for c in obj["status"]["conditions"]
    )
    if not pressed:
        return
    for pod in world.store.all(PODS):
        labels = pod["metadata"].get("labels") or {}
        if (
            pod["spec"].get("nodeName") == node
            and pod["status"].get("phase") == "Running"
            and labels.get("spark-role") == "executor"
            and "deletionTimestamp" not in pod["metadata"]
        ):
            world.kubelet.evict(pod, resource)
            break
    if until is None or world.heap.now + 10 < until:
        world.heap.after(10.0, lambda: _evict_from(world, node, resource, until))


def _drain(world: SimulatedWorld, nodes: list[str], turn: int, every: float, until: float) -> None:
    """Somebody drains one node after the other: cordon, evict the Spark executors, uncordon, next."""
    node = nodes[turn % len(nodes)]
    before = nodes[(turn - 1) % len(nodes)]
    if turn and before != node:
        _cordon(world, before, False)
    if world.heap.now >= until:
        return
    _cordon(world, node, True)
    for pod in world.store.all(PODS):
        if (
            pod["spec"].get("nodeName") == node
            and (pod["metadata"].get("labels") or {}).get("spark-role") == "executor"
            and pod["status"].get("phase") == "Running"
            and "deletionTimestamp" not in pod["metadata"]
        ):
            world.cluster.evict(pod)
    world.heap.after(every, lambda: _drain(world, nodes, turn + 1, every, until))


def _cordon(world: SimulatedWorld, name: str, on: bool, by: str = "kubectl-cordon") -> None:
    """As `kubectl cordon` does it; the taint is the node controller's."""
    node = world.store.get(NODES, "", name)
    if node is not None:
        edit(world.cluster, NODES, node, {"spec": {"unschedulable": on or None}}, by)


def _taint(plan: FaultPlan, on: bool) -> None:
    """As `kubectl taint` does it: one taint of that key and effect, or none."""
    options = plan.options
    node = plan.world.store.get(NODES, "", plan.target)
    if node is None:
        return
    taint: Object = {key: str(options[key]) for key in ("key", "value") if key in options}
    taint["effect"] = str(options.get("effect", "NoSchedule"))
    kept = [t for t in node["spec"].get("taints", ()) if (t["key"], t["effect"]) != (taint["key"], taint["effect"])]
    taints = [*kept, taint] if on else kept
    bare = {**node, "spec": {k: v for k, v in node["spec"].items() if k != "taints"}}
    by = str(options.get("by", "kubectl-taint"))
    edit(plan.world.cluster, NODES, bare, {"spec": {"taints": taints or None}}, by)


def _by(plan: FaultPlan) -> str:
    return str(plan.options.get("by", "kubectl-cordon"))


FAULTS = [
    FaultKind("cordon", ("by",), "node", lambda it: it.at(lambda: _cordon(it.world, it.target, True, _by(it)))),
    FaultKind("uncordon", ("by",), "node", lambda it: it.at(lambda: _cordon(it.world, it.target, False, _by(it)))),
    FaultKind(
        "taint", ("key", "value", "effect", "by"), "node", lambda it: it.at(lambda: _taint(it, True)), needs=("key",)
    ),
    FaultKind("untaint", ("key", "effect", "by"), "node", lambda it: it.at(lambda: _taint(it, False)), needs=("key",)),
    FaultKind("node-pressure", ("condition", "until", "nodes", "every"), "node", _plan_pressure),
    FaultKind("drain", ("nodes", "every", "until"), "node", _plan_drain),
]
