"""The state of one simulated cluster: time, objects and what is remembered of pods, for all who read or change it."""

from __future__ import annotations

from typing import Any

from console.drill.state.admission import admit
from console.drill.state.clock import EventHeap
from console.drill.state.counters import OperatorMetrics
from console.drill.state.ids import Ids, stamp
from console.drill.state.images import ImageRegistry
from console.drill.state.logs import ContainerLogs
from console.drill.state.recorder import Recorder
from console.drill.state.resources import NODES, PODS, ServedResource
from console.drill.state.store import Store
from console.drill.state.tracks import Tracks

Object = dict[str, Any]


class ClusterState:
    """What controllers, processes, servers and exporters share. It knows none of them.

    Attributes:
        start: virtual epoch seconds at which it begins.
        heap: virtual time and what will happen.
        store: the objects.
        ids: names, uids and chance.
        recorder: Kubernetes events.
        operator_metrics: what the Spark operator counts.
        logs: what containers wrote.
        tracks: the life of every pod.
        late_volumes: uid of a pod → (volume, config map) that is made only after the pod.
        dead_nodes: nodes whose kubelet is silent and whose processes nobody reaches.
        images: what the registry and the nodes have.
        orphaned: uids of deleted objects whose dependents stay.
    """

    def __init__(self, *, seed: int, start: float) -> None:
        self.seed, self.start = seed, start
        self.heap = EventHeap(start)
        self.store = Store()
        self.ids = Ids(seed)
        self.recorder = Recorder(self.heap, self.store, self.ids)
        self.operator_metrics = OperatorMetrics()
        self.logs = ContainerLogs()
        self.tracks = Tracks(self.heap, self.store, self.logs)
        self.late_volumes: dict[str, tuple[str, str]] = {}
        self.images = ImageRegistry()
        self.dead_nodes: set[str] = set()
        self.orphaned: set[str] = set()

    def create(self, resource: ServedResource, obj: Object) -> Object:
        """Admit and store a new object.

        Raises:
            ApiError: a quota or limit forbids it.
        """
        return self.store.create(resource, admit(self.store, resource, obj))

    def delete_pod(self, meta: Object, grace: int | None = None) -> Object | None:
        """Ask for a pod's end, as the API does: a deletion time now, the kubelet does the rest."""
        pod = self.store.get(PODS, meta["namespace"], meta["name"])
        if pod is None or pod["metadata"]["uid"] != meta["uid"]:
            return None
        wanted = pod["spec"].get("terminationGracePeriodSeconds", 30) if grace is None else grace
        if wanted <= 0 or not pod["spec"].get("nodeName"):
            return self.remove(PODS, meta)
        old = pod["metadata"]
        if "deletionTimestamp" in old and old.get("deletionGracePeriodSeconds", 0) <= wanted:
            return pod
        gone = {
            **old,
            "deletionGracePeriodSeconds": wanted,
            "deletionTimestamp": stamp(self.heap.now + wanted),
            "generation": old.get("generation", 1) + 1,
        }
        return self.store.update(PODS, {**pod, "metadata": gone})

    def delete(self, resource: ServedResource, meta: Object, grace: int | None = None) -> Object | None:
        """Delete any object."""
        if resource is PODS:
            return self.delete_pod(meta, grace)
        return self.remove(resource, meta)

    def remove(self, resource: ServedResource, meta: Object) -> Object | None:
        """Take an object away; one that a finalizer holds is only marked, and goes with the last of them."""
        obj = self.store.get(resource, meta.get("namespace", ""), meta["name"])
        if obj is None or not obj["metadata"].get("finalizers"):
            return self.store.delete(resource, meta.get("namespace", ""), meta["name"])
        held = obj["metadata"]
        if "deletionTimestamp" in held:
            return obj
        marked = {**held, "deletionGracePeriodSeconds": 0, "deletionTimestamp": stamp(self.heap.now)}
        if "generation" in held:
            marked["generation"] = held["generation"] + 1
        return self.store.update(resource, {**obj, "metadata": marked})

    def written(self, resource: ServedResource, obj: Object) -> Object:
        """Store what a client wrote; an object that was to be deleted goes when nothing holds it any more."""
        made, meta = self.store.update(resource, obj), obj["metadata"]
        if "deletionTimestamp" in meta and not meta.get("finalizers") and not meta.get("deletionGracePeriodSeconds"):
            self.store.delete(resource, meta.get("namespace", ""), meta["name"])
        return made

    def evict(self, pod: Object) -> None:
        """The eviction API takes a pod: a condition says so, then it is deleted."""
        now = stamp(self.heap.now)
        condition = {
            "lastProbeTime": None,
            "lastTransitionTime": now,
            "message": "Eviction API: evicting",
            "reason": "EvictionByEvictionAPI",
            "status": "True",
            "type": "DisruptionTarget",
        }
        conditions = [condition, *pod["status"].get("conditions", ())]
        pod = self.store.update(PODS, {**pod, "status": {**pod["status"], "conditions": conditions}})
        self.delete_pod(pod["metadata"])

    def node_address(self, name: str) -> str:
        """The address of a node."""
        node = self.store.get(NODES, "", name)
        for address in (node or {}).get("status", {}).get("addresses", ()):
            if address["type"] == "InternalIP":
                return str(address["address"])
        return "10.99.0.1"
