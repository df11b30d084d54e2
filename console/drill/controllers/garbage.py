"""The garbage collector: what belonged to an object that is gone goes too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from console.drill.resources import DEPLOYMENTS, PODS, REPLICASETS, SCHEDULED, SERVICES, SPARKAPPS
from console.drill.store import Change

if TYPE_CHECKING:
    from console.drill.world import World

Object = dict[str, Any]
DEPENDENTS = (PODS, SPARKAPPS, REPLICASETS, SERVICES)


class GarbageCollector:
    """Deletes dependents of deleted owners, unless the deletion asked to orphan them."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.orphaned: set[str] = set()
        for resource in (PODS, SPARKAPPS, SCHEDULED, DEPLOYMENTS, REPLICASETS):
            world.store.listen(resource, self._changed)

    def _changed(self, change: Change) -> None:
        if change.type == "DELETED":
            uid = change.object["metadata"]["uid"]
            self.world.heap.after(0.2, lambda: self._collect(uid))

    def _collect(self, uid: str) -> None:
        if uid in self.orphaned:
            return
        for resource in DEPENDENTS:
            for obj in list(self.world.store.each(resource)):
                owners = obj["metadata"].get("ownerReferences") or ()
                if any(ref["uid"] == uid and (ref.get("controller") or len(owners) == 1) for ref in owners):
                    self.world.delete(resource, obj["metadata"])
