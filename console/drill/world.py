"""The world: objects, time, what moves them, and what people may not see but feel: programs and their memory."""

from __future__ import annotations

import hashlib
from typing import Any

from console.drill.admission import admit
from console.drill.controllers.garbage import GarbageCollector
from console.drill.controllers.kubelet import Kubelet
from console.drill.controllers.operator import SparkOperator
from console.drill.controllers.scheduled import ScheduledApps
from console.drill.controllers.scheduler import Scheduler
from console.drill.controllers.sparkruns import Spark
from console.drill.controllers.workloads import WorkloadController
from console.drill.counters import OperatorMetrics
from console.drill.gpus import Gpus
from console.drill.heap import EventHeap
from console.drill.ids import Ids, stamp
from console.drill.logs import Log
from console.drill.recorder import Recorder
from console.drill.resources import NODES, PODS, Resource
from console.drill.sparklog_executor import terminated_gracefully
from console.drill.store import Store
from console.drill.tracks import Tracks
from console.drill.workload import Workloads

Object = dict[str, Any]


class World:
    """One simulated cluster.

    Attributes:
        heap: virtual time and what will happen.
        store: the objects.
        workloads: what the programs do; faults change them.
        tracks: the life of every pod, for series and logs of pods.
        gpus: the cards of nodes that have some.
    """

    def __init__(self, *, seed: int, start: float) -> None:
        self.seed, self.start = seed, start
        self.heap = EventHeap(start)
        self.store = Store()
        self.ids = Ids(seed)
        self.recorder = Recorder(self.heap, self.store, self.ids)
        self.operator_metrics = OperatorMetrics()
        self.workloads = Workloads()
        self.late_volumes: dict[str, tuple[str, str]] = {}
        self.app_names: dict[str, str] = {}
        self._logs: dict[str, Log] = {}
        self.tracks = Tracks(self)
        self.gpus = Gpus(self)
        self.scheduler = Scheduler(self)
        self.kubelet = Kubelet(self)
        self.garbage = GarbageCollector(self)
        self.spark = Spark(self)
        self.operator = SparkOperator(self)
        self.scheduled = ScheduledApps(self)
        self.deployments = WorkloadController(self)

    # -- writes of controllers and of clients ---------------------------------------------------------------------

    def create(self, resource: Resource, obj: Object) -> Object:
        """Admit and store a new object.

        Raises:
            ApiError: a quota or limit forbids it.
        """
        return self.store.create(resource, admit(self, resource, obj))

    def delete_pod(self, meta: Object, grace: int | None = None) -> Object | None:
        """Ask for a pod's end, as the API does: a deletion time now, the kubelet does the rest."""
        pod = self.store.get(PODS, meta["namespace"], meta["name"])
        if pod is None or pod["metadata"]["uid"] != meta["uid"]:
            return None
        wanted = pod["spec"].get("terminationGracePeriodSeconds", 30) if grace is None else grace
        if wanted <= 0 or not pod["spec"].get("nodeName"):
            return self.store.delete(PODS, meta["namespace"], meta["name"])
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

    def delete(self, resource: Resource, meta: Object, grace: int | None = None) -> Object | None:
        """Delete any object."""
        if resource is PODS:
            return self.delete_pod(meta, grace)
        return self.store.delete(resource, meta.get("namespace", ""), meta["name"])

    # -- what controllers ask -------------------------------------------------------------------------------------

    def log(self, pod: Object) -> Log:
        """The log of a pod's main container."""
        return self.log_of(pod["metadata"]["uid"])

    def log_of(self, uid: str) -> Log:
        """The log of the pod with that uid."""
        found = self._logs.get(uid)
        if found is None:
            found = self._logs[uid] = Log()
        return found

    def forget_log(self, uid: str) -> None:
        """The pod is gone and its log with it."""
        self._logs.pop(uid, None)

    def node_address(self, name: str) -> str:
        """The address of a node."""
        node = self.store.get(NODES, "", name)
        for address in (node or {}).get("status", {}).get("addresses", ()):
            if address["type"] == "InternalIP":
                return str(address["address"])
        return "10.99.0.1"

    def image_digest(self, image: str) -> str:
        """A digest that is always the same for an image."""
        return hashlib.sha256(image.encode()).hexdigest()

    def on_term(self, pod: Object) -> tuple[float, int]:
        """How a pod's process takes SIGTERM: (seconds until it is gone, exit code)."""
        role = (pod["metadata"].get("labels") or {}).get("spark-role")
        if role == "executor":
            terminated_gracefully(self.log(pod), self.heap.now)
        run = self.spark.run_of(pod)
        if role == "driver" and run is not None:
            run.terminated_by_signal()
        return self.ids.jitter(0.7, 1.1), 143

    def mark_inactive(self, meta: Object) -> None:
        """The driver labels the pod of a dead executor that it keeps."""
        pod = self.store.get(PODS, meta["namespace"], meta["name"])
        if pod is not None and pod["metadata"]["uid"] == meta["uid"]:
            labels = {**pod["metadata"]["labels"], "spark-exec-inactive": "true"}
            self.store.update(PODS, {**pod, "metadata": {**pod["metadata"], "labels": labels}})

    def evict_by_api(self, pod: Object) -> None:
        """The eviction API took a pod: a condition says so, then it is deleted."""
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

    def evict_by_kubelet(self, pod: Object, resource: str) -> None:
        """The kubelet evicts a pod because its node runs out of `resource`; short of memory it does not wait for it."""
        name = pod["spec"]["containers"][0]["name"]
        text = f"The node was low on resource: {resource}. "
        if resource == "memory":
            text += f"Threshold quantity: 100Mi, available: 71Mi. Container {name} was using 2.9Gi, request is 4000Mi."
        else:
            text += f"Threshold quantity: 10Gi, available: 8Gi. Container {name} was using 21Gi, request is 0, "
            text += f"has larger consumption of {resource}."
        node = pod["spec"]["nodeName"]
        self.recorder.record(pod, "Warning", "Evicted", text.strip(), "kubelet", host=node)
        self.recorder.record(
            pod, "Normal", "Killing", f"Stopping container {name}", "kubelet", host=node, container=name
        )
        hard = resource == "memory"
        if not hard:
            terminated_gracefully(self.log(pod), self.heap.now)
        self.kubelet.end(
            pod["metadata"],
            137 if hard else 143,
            "Error",
            pod_reason="Evicted",
            pod_message=text,
            disruption=("TerminationByKubelet", text),
        )
