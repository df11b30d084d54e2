"""Faults: what a scenario changes in the world, and when. Each changes a cause; symptoms follow by themselves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from console.base.units import parse_duration, parse_jvm_size
from console.drill import gpu_faults
from console.drill.ids import stamp
from console.drill.memory import Demand
from console.drill.resources import NODES, PODS, SPARKAPPS

if TYPE_CHECKING:
    from console.drill.scenario import FaultDoc, Scenario
    from console.drill.world import World

Object = dict[str, Any]
PRESSURE = {
    "MemoryPressure": ("KubeletHasInsufficientMemory", "kubelet has insufficient memory available", "memory"),
    "DiskPressure": ("KubeletHasDiskPressure", "kubelet has disk pressure", "ephemeral-storage"),
}
HEALTHY = {
    "MemoryPressure": ("KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    "DiskPressure": ("KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
}


def inject(world: World, scenario: Scenario, fault: FaultDoc, begin: float, deny: Callable[[Object], None]) -> None:
    """Plan a fault. A time before the world's own begin means: from the start."""
    when = max(world.start, begin + fault.at)
    options = fault.options
    if fault.kind in gpu_faults.KINDS:
        gpu_faults.plan(world, fault.kind, fault.target, options, begin + fault.at)
    elif fault.kind == "workload":
        world.heap.at(when, lambda: _workload(world, scenario, fault.target, options))
    elif fault.kind == "conf":
        world.heap.at(when, lambda: _conf(world, scenario, fault.target, options.get("set") or {}))
    elif fault.kind == "node-pressure":
        until = begin + parse_duration(str(options["until"])) if options.get("until") else None
        kind = str(options.get("condition", "DiskPressure"))
        if options.get("nodes"):
            nodes, every = [str(name) for name in options["nodes"]], parse_duration(str(options.get("every", "60s")))
            world.heap.at(when, lambda: _round(world, nodes, 0, kind, every, until or float("inf")))
        else:
            world.heap.at(when, lambda: _pressure(world, fault.target, kind, until))
    elif fault.kind == "drain":
        until = begin + parse_duration(str(options["until"])) if options.get("until") else float("inf")
        nodes = [str(name) for name in options.get("nodes") or [fault.target]]
        every = parse_duration(str(options.get("every", "60s")))
        world.heap.at(when, lambda: _drain(world, nodes, 0, every, until))
    elif fault.kind == "deny":
        world.heap.at(when, lambda: deny(options))


def _bytes(value: Any) -> int:
    return parse_jvm_size(str(value).removesuffix("i"))


def _workload(world: World, scenario: Scenario, target: str, options: Object) -> None:
    app = next(app for app in scenario.world.apps if app.name == target)
    file = str(app.spec.get("mainApplicationFile") or f"local:///opt/jobs/{app.name}.py")
    program = world.workloads.of(file)
    index = int(options.get("stage", 0))
    stage = program.stages[index]
    old = stage.executor
    demand = Demand(
        _bytes(options["heap"]) if "heap" in options else old.heap,
        _bytes(options["python"]) if "python" in options else old.python,
        _bytes(options["native"]) if "native" in options else old.native,
        parse_duration(options["ramp"]) if "ramp" in options else old.ramp,
    )
    driver = stage.driver
    if "driver" in options:
        sizes = {k: _bytes(v) for k, v in options["driver"].items() if k != "ramp"}
        driver = Demand(**sizes, ramp=parse_duration(options["driver"].get("ramp", 20)))
    changed = replace(stage, executor=demand, driver=driver)
    if "result" in options:
        changed = replace(changed, result_bytes=_bytes(options["result"]))
    if "sparesJvm" in options:
        changed = replace(changed, spares_jvm=bool(options["sparesJvm"]))
    world.workloads.by_file[file] = program.with_stage(index, changed)


def _conf(world: World, scenario: Scenario, target: str, changes: Object) -> None:
    app = world.store.get(SPARKAPPS, scenario.world.namespace, target)
    if app is not None:
        conf = {**(app["spec"].get("sparkConf") or {}), **{k: str(v) for k, v in changes.items()}}
        meta = {**app["metadata"], "generation": app["metadata"].get("generation", 1) + 1}
        world.store.update(SPARKAPPS, {**app, "metadata": meta, "spec": {**app["spec"], "sparkConf": conf}})


def set_condition(world: World, node: str, kind: str, status: str, reason: str, message: str) -> None:
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


def _round(world: World, nodes: list[str], turn: int, kind: str, every: float, until: float) -> None:
    """Pressure goes from node to node: each has it for `every` seconds."""
    if world.heap.now < until:
        _pressure(world, nodes[turn % len(nodes)], kind, world.heap.now + every)
        world.heap.after(every, lambda: _round(world, nodes, turn + 1, kind, every, until))


def _pressure(world: World, node: str, kind: str, until: float | None) -> None:
    reason, message, resource = PRESSURE[kind]
    set_condition(world, node, kind, "True", reason, message)
    obj = world.store.get(NODES, "", node)
    if obj is not None:
        what = {"memory": "NodeHasInsufficientMemory", "ephemeral-storage": "NodeHasDiskPressure"}[resource]
        text = f"Node {node} status is now: {what}"
        world.recorder.record(obj, "Normal", what, text, "kubelet", host=node)
    _evict_from(world, node, resource, until)
    if until is not None:
        healthy = HEALTHY[kind]
        world.heap.at(until, lambda: set_condition(world, node, kind, "False", *healthy))


def _evict_from(world: World, node: str, resource: str, until: float | None) -> None:
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
            world.evict_by_kubelet(pod, resource)
            break
    if until is None or world.heap.now + 10 < until:
        world.heap.after(10.0, lambda: _evict_from(world, node, resource, until))


def _drain(world: World, nodes: list[str], turn: int, every: float, until: float) -> None:
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
            world.evict_by_api(pod)
    world.heap.after(every, lambda: _drain(world, nodes, turn + 1, every, until))


def _cordon(world: World, name: str, on: bool) -> None:
    node = world.store.get(NODES, "", name)
    if node is None:
        return
    key = "node.kubernetes.io/unschedulable"
    taints = [t for t in node["spec"].get("taints", ()) if t["key"] != key]
    spec = {k: v for k, v in node["spec"].items() if k not in ("taints", "unschedulable")}
    if on:
        spec["unschedulable"] = True
        taints.append({"effect": "NoSchedule", "key": key, "timeAdded": stamp(world.heap.now)})
    if taints:
        spec["taints"] = taints
    world.store.update(NODES, {**node, "spec": spec})
    word = "NodeNotSchedulable" if on else "NodeSchedulable"
    world.recorder.record(node, "Normal", word, f"Node {name} status is now: {word}", "kubelet", host=name)
