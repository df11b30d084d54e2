"""What a quota's namespace uses, counted when its pods or the quota itself change."""

from __future__ import annotations

from typing import Any

from console.drill.state.admission import plain, quota_used
from console.drill.state.cluster import ClusterState
from console.drill.state.resources import PODS, QUOTAS
from console.drill.state.store import ObjectChange

Object = dict[str, Any]


class QuotaController:
    """Keeps the status of quotas."""

    def __init__(self, cluster: ClusterState) -> None:
        self.cluster = cluster
        self._counting: set[str] = set()
        cluster.store.listen(PODS, self._pod)
        cluster.store.listen(QUOTAS, self._quota)

    def _pod(self, change: ObjectChange) -> None:
        was = change.previous["status"].get("phase") if change.previous else None
        if change.type != "MODIFIED" or change.object["status"].get("phase") != was:
            self._refresh(change.object["metadata"]["namespace"])

    def _quota(self, change: ObjectChange) -> None:
        before, quota = change.previous, change.object
        new = change.type == "ADDED" and "used" not in (quota.get("status") or {})
        if new or (change.type == "MODIFIED" and before and before["spec"] != quota["spec"]):
            self._refresh(change.object["metadata"]["namespace"])

    def _refresh(self, namespace: str) -> None:
        """Count a namespace's quotas soon, once for all changes until then."""
        if namespace not in self._counting and any(self.cluster.store.all(QUOTAS, namespace)):
            self._counting.add(namespace)
            self.cluster.heap.after(0.5, lambda: self._count(namespace))

    def _count(self, namespace: str) -> None:
        self._counting.discard(namespace)
        for quota in self.cluster.store.all(QUOTAS, namespace):
            used = {name: plain(name, value) for name, value in quota_used(self.cluster.store, quota).items()}
            status = {"hard": quota["spec"]["hard"], "used": used}
            if quota.get("status") != status:
                self.cluster.store.update(QUOTAS, {**quota, "status": status})
