"""What somebody does to objects: the verbs of runbooks, turned against the world."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from console.base.errors import UsageError
from console.drill.scenario.defaults import filled_in
from console.drill.scenario.edits import edit
from console.drill.scenario.faults.base import FaultKind, FaultPlan
from console.drill.scenario.manifests import complete, filled
from console.drill.scenario.population import SPARK_IMAGE
from console.drill.scenario.references import Place, place
from console.drill.state.ids import stamp
from console.drill.state.resources import PODS, ServedResource
from console.drill.state.store import private

Object = dict[str, Any]
ObjectEdit = Callable[[FaultPlan, ServedResource, Object], Object]
PATIENCE = 5.0
"""Seconds after which an object that is not there yet is looked for again."""
RESTARTED = "kubectl.kubernetes.io/restartedAt"


def _place(plan: FaultPlan) -> Place:
    return place(plan.target, plan.scenario.world.namespace)


def _on_object(plan: FaultPlan, work: Callable[[ServedResource, Object], None]) -> None:
    """Have `work` done on the object when its time has come and it is there.

    Raises:
        UsageError: (then) it is not there when the drill begins, so the incident would not be the one that is told.
    """
    resource, namespace, name = _place(plan)
    heap, store = plan.world.heap, plan.world.store

    def attempt() -> None:
        obj = store.get(resource, namespace, name)
        if obj is not None:
            work(resource, obj)
        elif heap.now >= max(plan.begin, plan.since):
            raise UsageError(f"the drill breaks {plan.target}, which its world does not have")
        else:
            heap.after(PATIENCE, attempt)

    # What stands in the world at its beginning is made at that very moment.
    heap.at(max(plan.when, plan.world.start + 0.001), attempt)


def _changing(change: ObjectEdit) -> Callable[[FaultPlan], None]:
    """A fault that merges what `change` gives into the object."""

    def plan(it: FaultPlan) -> None:
        manager = str(it.options.get("by", "kubectl-edit"))
        _on_object(it, lambda resource, obj: _edit(it, resource, obj, manager))

    def _edit(it: FaultPlan, resource: ServedResource, obj: Object, manager: str) -> None:
        edit(it.world.cluster, resource, obj, change(it, resource, obj), manager)

    return plan


def _plan_delete(it: FaultPlan) -> None:
    _on_object(it, lambda resource, obj: _gone(it, resource, obj))


def _gone(it: FaultPlan, resource: ServedResource, obj: Object) -> None:
    it.world.cluster.delete(resource, obj["metadata"])


def _plan_create(it: FaultPlan) -> None:
    it.world.heap.at(max(it.when, it.world.start + 0.001), lambda: _create(it))


def _create(it: FaultPlan) -> None:
    namespace = it.scenario.world.namespace
    values = {"namespace": namespace, "spark_image": SPARK_IMAGE}
    manifest = filled_in(filled(private(it.options["object"]), values, strict=False), it.world.ids)
    resource, made = complete(manifest, it.world.heap.now, it.world.ids)
    if resource.namespaced and not made["metadata"]["namespace"]:
        made["metadata"]["namespace"] = namespace
    if resource is PODS:
        made["status"] = {"phase": "Pending", "qosClass": "Burstable"}
    it.world.cluster.create(resource, made)


def _suspended(on: bool) -> ObjectEdit:
    return lambda _plan, _resource, _obj: {"spec": {"suspend": on}}


def _with(it: FaultPlan, _resource: ServedResource, _obj: Object) -> Object:
    return dict(it.options["with"])


def _scaled(it: FaultPlan, _resource: ServedResource, _obj: Object) -> Object:
    return {"spec": {"replicas": int(it.options["to"])}}


def _restarted(it: FaultPlan, _resource: ServedResource, _obj: Object) -> Object:
    return {"spec": {"template": {"metadata": {"annotations": {RESTARTED: stamp(it.world.heap.now)}}}}}


def _verb(kind: str, change: ObjectEdit, *needs: str) -> FaultKind:
    return FaultKind(kind, (*needs, "by"), "object", _changing(change), needs=needs)


FAULTS = [
    FaultKind("create", ("object",), "manifest", _plan_create),
    FaultKind("delete", (), "object", _plan_delete),
    _verb("patch", _with, "with"),
    _verb("scale", _scaled, "to"),
    _verb("suspend", _suspended(True)),
    _verb("resume", _suspended(False)),
    _verb("restart", _restarted),
]
