"""Changes of objects as somebody makes them through the API: generation, managedFields and all."""

from __future__ import annotations

from typing import Any

from console.drill.kube import patches
from console.drill.state.cluster import ClusterState
from console.drill.state.objects import managed
from console.drill.state.resources import ServedResource
from console.drill.state.store import private, spec_changed

Object = dict[str, Any]


def merged(resource: ServedResource, obj: Object, change: Object) -> Object:
    """An object with a change merged into it as `kubectl patch` does: lists of built-in kinds item by item."""
    how = patches.merge if resource.custom else patches.strategic
    return dict(how(private(obj), change))


def edit(cluster: ClusterState, resource: ServedResource, obj: Object, change: Object, manager: str) -> Object:
    """Change an object that is there, as a client called `manager` would."""
    changed = merged(resource, obj, change)
    meta = {**changed["metadata"]}
    if "generation" in meta and spec_changed(obj, changed):
        meta["generation"] = int(meta["generation"]) + 1
    entry = managed(manager, cluster.heap.now, resource.api_version, change)
    others = [e for e in meta.get("managedFields", ()) if (e["manager"], e.get("subresource", "")) != (manager, "")]
    meta["managedFields"] = [*others, entry]
    return cluster.store.update(resource, {**changed, "metadata": meta})
