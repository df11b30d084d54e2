"""The garbage collector: what belonged to an object that is gone goes too."""

from __future__ import annotations

from typing import Any

from console.drill.state.cluster import ClusterState
from console.drill.state.resources import (
    DAEMONSETS,
    DEPLOYMENTS,
    PODS,
    REPLICASETS,
    SCHEDULED,
    SERVICES,
    SPARKAPPS,
    STATEFULSETS,
)
from console.drill.state.store import ObjectChange

Object = dict[str, Any]
DEPENDENTS = (PODS, SPARKAPPS, REPLICASETS, SERVICES)


class GarbageCollector:
    """Deletes dependents of deleted owners, unless the deletion asked to orphan them."""

    def __init__(self, cluster: ClusterState) -> None:
        self.cluster = cluster
        for resource in (PODS, SPARKAPPS, SCHEDULED, DEPLOYMENTS, REPLICASETS, STATEFULSETS, DAEMONSETS):
            cluster.store.listen(resource, self._changed)

    def _changed(self, change: ObjectChange) -> None:
        if change.type == "DELETED":
            uid = change.object["metadata"]["uid"]
            self.cluster.heap.after(0.2, lambda: self._collect(uid))

    def _collect(self, uid: str) -> None:
        if uid in self.cluster.orphaned:
            return
        for resource in DEPENDENTS:
            for obj in list(self.cluster.store.each(resource)):
                owners = obj["metadata"].get("ownerReferences") or ()
                if any(ref["uid"] == uid and (ref.get("controller") or len(owners) == 1) for ref in owners):
                    self.cluster.delete(resource, obj["metadata"])
