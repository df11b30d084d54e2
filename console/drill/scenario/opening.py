"""When a drill opens: at the first moment after its warm-up at which there is something to see."""

from __future__ import annotations

from typing import Any

from console.drill.control.operator import state_of
from console.drill.scenario.model import Opens
from console.drill.state.pods import terminated
from console.drill.state.resources import PODS, SPARKAPPS
from console.drill.world import SimulatedWorld

Object = dict[str, Any]
PATIENCE = 900.0


def opening(world: SimulatedWorld, namespace: str, wanted: Opens | None) -> float:
    """Play on until the wanted picture is there; the virtual time then. Without one, or when it never comes: now."""
    nominal = world.heap.now
    while wanted is not None and not _there(world, namespace, wanted):
        upcoming = world.heap.next_time()
        if upcoming is None or upcoming > nominal + PATIENCE:
            break
        world.heap.pop()
    return world.heap.now


def _there(world: SimulatedWorld, namespace: str, wanted: Opens) -> bool:
    app = world.store.get(SPARKAPPS, namespace, wanted.app)
    if app is None or (wanted.state and state_of(app) != wanted.state):
        return False
    app_id = app.get("status", {}).get("sparkApplicationId")
    run = next((r for r in reversed(world.spark.runs) if r.app_id == app_id), None)
    lost = run.failures if run else 0
    failed = sum(stage.failed for stage in run.stages) if run else 0
    if lost < wanted.executors_lost or failed < wanted.failed_tasks:
        return False
    return not wanted.victims or sum(_victim(p, wanted.app) for p in world.store.all(PODS, namespace)) >= wanted.victims


def _victim(pod: Object, app: str) -> bool:
    labels = pod["metadata"].get("labels") or {}
    if labels.get("sparkoperator.k8s.io/app-name") != app or labels.get("spark-role") != "executor":
        return False
    conditions = pod["status"].get("conditions") or ()
    return terminated(pod) is not None or any(c["type"] == "DisruptionTarget" for c in conditions)
