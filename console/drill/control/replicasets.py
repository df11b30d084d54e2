"""ReplicaSets: as many pods as they say, and what the API server answers when it refuses one."""

from __future__ import annotations

from typing import Any

from console.drill.control.podsets import (
    FIRST_RETRY,
    LAST_RETRY,
    active,
    controller_of,
    is_ready,
    new_pod,
    owned,
    worth,
)
from console.drill.state.cluster import ClusterState
from console.drill.state.ids import stamp
from console.drill.state.objects import StatusError
from console.drill.state.resources import PODS, REPLICASETS
from console.drill.state.store import ObjectChange

Object = dict[str, Any]
COMPONENT = "replicaset-controller"


class ReplicaSetController:
    """Keeps ReplicaSets at their replicas."""

    def __init__(self, cluster: ClusterState) -> None:
        self.cluster = cluster
        self._refused: dict[str, int] = {}
        cluster.store.listen(REPLICASETS, self._replicaset)
        cluster.store.listen(PODS, self._pod)

    def _replicaset(self, change: ObjectChange) -> None:
        meta = change.object["metadata"]
        if change.type == "DELETED":
            self._refused.pop(meta["uid"], None)
        elif change.previous is None or change.previous["spec"] != change.object["spec"]:
            self._soon(meta["namespace"], meta["name"], 0.1)

    def _pod(self, change: ObjectChange) -> None:
        name = controller_of(change.object, "ReplicaSet")
        if name:
            self._soon(change.object["metadata"]["namespace"], name, 0.1)

    def _soon(self, namespace: str, name: str, seconds: float) -> None:
        self.cluster.heap.after(seconds, lambda: self.reconcile(namespace, name))

    def reconcile(self, namespace: str, name: str) -> None:
        """One pass over a ReplicaSet."""
        found = self.cluster.store.get(REPLICASETS, namespace, name)
        if found is None:
            return
        pods = owned(self.cluster, found)
        mine = [pod for pod in pods if active(pod)]
        wanted = int(found["spec"].get("replicas", 1))
        failure = ""
        if len(mine) < wanted:
            failure = self._create(found, wanted - len(mine))
        elif len(mine) > wanted:
            for pod in sorted(mine, key=worth)[: len(mine) - wanted]:
                self.cluster.delete_pod(pod["metadata"])
                text = f"Deleted pod: {pod['metadata']['name']}"
                self.cluster.recorder.record(found, "Normal", "SuccessfulDelete", text, COMPONENT)
        self._write(found, failure)

    def _create(self, replicaset: Object, count: int) -> str:
        """Ask for pods; the refusal, where one was refused."""
        uid, meta = replicaset["metadata"]["uid"], replicaset["metadata"]
        for _ in range(count):
            pod = new_pod(self.cluster, replicaset, replicaset["spec"]["template"])
            try:
                self.cluster.create(PODS, pod)
            except StatusError as error:
                message = str(error.body["message"])
                text = f"Error creating: {message}"
                self.cluster.recorder.record(replicaset, "Warning", "FailedCreate", text, COMPONENT)
                times = self._refused[uid] = self._refused.get(uid, 0) + 1
                wait = min(FIRST_RETRY * 2 ** (times - 1), LAST_RETRY)
                self._soon(meta["namespace"], meta["name"], wait)
                return message
            text = f"Created pod: {pod['metadata']['name']}"
            self.cluster.recorder.record(replicaset, "Normal", "SuccessfulCreate", text, COMPONENT)
        self._refused.pop(uid, None)
        return ""

    def _write(self, replicaset: Object, failure: str) -> None:
        meta = replicaset["metadata"]
        current = self.cluster.store.get(REPLICASETS, meta["namespace"], meta["name"])
        if current is None:
            return
        mine = [pod for pod in owned(self.cluster, current) if active(pod)]
        ready = sum(is_ready(pod) for pod in mine)
        status: Object = {"observedGeneration": current["metadata"].get("generation", 1), "replicas": len(mine)}
        if mine:
            status["fullyLabeledReplicas"] = len(mine)
        if ready:
            status |= {"readyReplicas": ready, "availableReplicas": ready}
        if failure:
            old: Object = next(iter((current.get("status") or {}).get("conditions", ())), {})
            since = old.get("lastTransitionTime") or stamp(self.cluster.heap.now)
            condition = {"lastTransitionTime": since, "message": failure, "reason": "FailedCreate", "status": "True"}
            status["conditions"] = [{**condition, "type": "ReplicaFailure"}]
        if current.get("status") != status:
            self.cluster.store.update(REPLICASETS, {**current, "status": status})
