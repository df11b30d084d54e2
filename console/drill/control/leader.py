"""The process of a controller: it acts while a pod of its Deployment is ready and holds the lease."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from console.drill.state.cluster import ClusterState
from console.drill.state.ids import stamp_micro
from console.drill.state.resources import LEASES, PODS
from console.drill.state.services import ready
from console.drill.state.store import ObjectChange

Object = dict[str, Any]
TAKE_OVER = 15.0
"""Seconds until the lease of a leader that is gone runs out."""


class ControllerProcess:
    """Whoever leads among the pods with some labels.

    Args:
        labels: that its pods bear.
        lease: namespace and name of the lease that its leader holds.
    """

    def __init__(self, cluster: ClusterState, labels: dict[str, str], lease: tuple[str, str]) -> None:
        self.cluster, self._labels, self._lease = cluster, labels, lease
        self._starts: list[Callable[[], None]] = []
        self._ready: dict[str, Object] = {}
        self._leader = ""
        self._ever = False
        self.life = 0
        """Which leader in a row works now: what one planned, the next does not do."""
        self.times: list[tuple[float, bool]] = []
        """Since when it works (True) or does not, in order."""
        cluster.store.listen(PODS, self._pod)

    def on_start(self, work: Callable[[], None]) -> None:
        """Have `work` done whenever a new leader begins."""
        self._starts.append(work)

    @property
    def active(self) -> bool:
        """Whether it acts now."""
        return bool(self._leader)

    def watches(self, namespace: str) -> bool:
        """Whether it acts on what lies in a namespace: all that its flag names, or all."""
        pod = self._ready.get(self._leader)
        return pod is not None and _watched(pod, namespace)

    def at(self, when: float) -> bool:
        """Whether it worked at a time."""
        found = True
        for since, value in self.times:
            if since > when:
                break
            found = value
        return found

    def after(self, seconds: float, work: Callable[[], None]) -> None:
        """Have it do something later, if it still runs then."""
        life = self.life
        self.cluster.heap.after(seconds, lambda: work() if self.active and self.life == life else None)

    def _pod(self, change: ObjectChange) -> None:
        pod = change.object
        labels = pod["metadata"].get("labels") or {}
        if any(labels.get(key) != value for key, value in self._labels.items()):
            return
        uid = pod["metadata"]["uid"]
        if change.type != "DELETED" and ready(pod):
            self._ready[uid] = pod
        else:
            self._ready.pop(uid, None)
        if self._leader and self._leader not in self._ready:
            self._leader = ""
            self.times.append((self.cluster.heap.now, False))
        if not self._leader and self._ready:
            self._elect()

    def _elect(self) -> None:
        if self._ever:
            self.cluster.heap.after(TAKE_OVER, self._lead)
        else:  # it has led since before the world began
            self._ever, self._leader = True, next(iter(self._ready))

    def _lead(self) -> None:
        if self._leader or not self._ready:
            return
        self._leader = next(iter(self._ready))
        self.life += 1
        now = self.cluster.heap.now
        self.times.append((now, True))
        lease = self.cluster.store.get(LEASES, *self._lease)
        if lease is not None:
            held = {
                "acquireTime": stamp_micro(now),
                "holderIdentity": f"{self._ready[self._leader]['metadata']['name']}_{self._leader}",
                "leaseTransitions": int(lease["spec"].get("leaseTransitions", 0)) + 1,
                "renewTime": stamp_micro(now),
            }
            self.cluster.store.update(LEASES, {**lease, "spec": {**lease["spec"], **held}})
        for work in self._starts:
            work()


def _watched(pod: Object, namespace: str) -> bool:
    args = [str(arg) for c in pod["spec"]["containers"] for arg in c.get("args") or ()]
    named = [arg.split("=", 1)[1] for arg in args if arg.startswith("--namespaces=")]
    wanted = {space for value in named for space in value.split(",") if space}
    return not wanted or namespace in wanted
