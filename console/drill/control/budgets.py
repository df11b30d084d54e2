"""What the disruption controller says of a PodDisruptionBudget: how many of its pods are well, and how many may go."""

from __future__ import annotations

from typing import Any

from console.drill.state.cluster import ClusterState
from console.drill.state.resources import BUDGETS, PODS
from console.drill.state.services import ready
from console.drill.state.store import ObjectChange

Object = dict[str, Any]


class DisruptionController:
    """Keeps the status of budgets. Pods of a driver have no controller that says how many there should be, so only a
    whole number of pods that must stay (`minAvailable`) means something for them, as on a real cluster."""

    def __init__(self, cluster: ClusterState) -> None:
        self.cluster = cluster
        self._counting: set[str] = set()
        cluster.store.listen(PODS, self._changed)
        cluster.store.listen(BUDGETS, self._budget)

    def _changed(self, change: ObjectChange) -> None:
        self._soon(change.object["metadata"]["namespace"])

    def _budget(self, change: ObjectChange) -> None:
        if change.previous is None or change.previous["spec"] != change.object["spec"]:
            self._soon(change.object["metadata"]["namespace"])

    def _soon(self, namespace: str) -> None:
        if namespace not in self._counting and any(self.cluster.store.all(BUDGETS, namespace)):
            self._counting.add(namespace)
            self.cluster.heap.after(0.2, lambda: self._count(namespace))

    def _count(self, namespace: str) -> None:
        self._counting.discard(namespace)
        pods = list(self.cluster.store.all(PODS, namespace))
        for budget in list(self.cluster.store.all(BUDGETS, namespace)):
            wanted = ((budget["spec"].get("selector") or {}).get("matchLabels") or {}).items()
            mine = [p for p in pods if wanted <= (p["metadata"].get("labels") or {}).items()]
            healthy, needed = sum(map(ready, mine)), int(budget["spec"].get("minAvailable") or 0)
            status = {
                "currentHealthy": healthy,
                "desiredHealthy": needed,
                "disruptionsAllowed": max(0, healthy - needed),
                "expectedPods": len(mine),
                "observedGeneration": int(budget["metadata"].get("generation", 1)),
            }
            if budget.get("status") != status:
                self.cluster.store.update(BUDGETS, {**budget, "status": status})
