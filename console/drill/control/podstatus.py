"""What a kubelet writes of a pod: conditions, containers, events."""

from __future__ import annotations

from typing import Any

from console.drill.state.cluster import ClusterState
from console.drill.state.ids import stamp
from console.drill.state.objects import image_digest
from console.drill.state.pods import finished
from console.drill.state.resources import PODS

Object = dict[str, Any]
ORDER = (
    "DisruptionTarget",
    "PodReadyToStartContainers",
    "Initialized",
    "Ready",
    "ContainersReady",
    "PodScheduled",
)
"""Conditions in the order in which a kubelet lists them."""
GOOD = ("True", "", "")


class PodWriter:
    """Reads and writes the status of pods as their kubelet does."""

    def __init__(self, cluster: ClusterState) -> None:
        self.cluster = cluster
        self.ending: set[str] = set()
        """uids of pods whose main process has ended for good."""

    def live(self, meta: Object) -> Object | None:
        """The pod as it is now; None where it is gone, another or over."""
        pod = self.cluster.store.get(PODS, meta["namespace"], meta["name"])
        if pod is None or pod["metadata"]["uid"] != meta["uid"] or finished(pod) or meta["uid"] in self.ending:
            return None
        return None if self.silent(pod) else pod

    def silent(self, pod: Object) -> bool:
        """Whether its node does nothing that anybody sees."""
        return pod["spec"].get("nodeName") in self.cluster.dead_nodes

    def put(self, pod: Object, status: Object) -> Object:
        """Write its status."""
        return self.cluster.store.update(PODS, {**pod, "status": status})

    def event(self, pod: Object, kind: str, reason: str, text: str, container: str = "") -> None:
        """An event of the kubelet about it, or about one of its containers."""
        host = pod["spec"].get("nodeName", "")
        self.cluster.recorder.record(pod, kind, reason, text, "kubelet", host=host, container=container)

    def conditions(self, pod: Object, **changed: tuple[str, str, str]) -> list[Object]:
        """Its conditions with some changed: (status, reason, message)."""
        now = stamp(self.cluster.heap.now)
        old = {c["type"]: c for c in pod["status"].get("conditions", ())}
        out: list[Object] = []
        for kind in ORDER:
            if kind not in changed:
                if kind in old:
                    out.append(old[kind])
                continue
            value, reason, message = changed[kind]
            before = old.get(kind)
            since = before["lastTransitionTime"] if before and before["status"] == value else now
            condition: Object = {"lastProbeTime": None, "lastTransitionTime": since}
            if message:
                condition["message"] = message
            condition["observedGeneration"] = pod["metadata"].get("generation", 1)
            if reason:
                condition["reason"] = reason
            out.append(condition | {"status": value, "type": kind})
        return out

    def readiness(self, pod: Object, statuses: list[Object]) -> list[Object]:
        """Its conditions as its containers are now."""
        unready = [c["name"] for c in statuses if not c["ready"]]
        bad = ("False", "ContainersNotReady", f"containers with unready status: [{' '.join(unready)}]")
        value = bad if unready else GOOD
        return self.conditions(pod, Ready=value, ContainersReady=value)

    def containers(self, pod: Object, change: dict[str, Object]) -> Object:
        """Its status with some containers' statuses changed."""
        statuses = [c | change.get(c["name"], {}) for c in pod["status"]["containerStatuses"]]
        return {**pod["status"], "containerStatuses": statuses, "conditions": self.readiness(pod, statuses)}

    def waiting(self, meta: Object, container: str, reason: str, message: str) -> None:
        """A container waits, and why."""
        pod = self.live(meta)
        if pod is not None:
            state = {"waiting": {"message": message, "reason": reason}}
            self.put(pod, self.containers(pod, {container: {"ready": False, "started": False, "state": state}}))

    def created(self, pod: Object, *, ready_to_start: tuple[str, str, str]) -> Object:
        """The first status on a node: containers are being made."""
        now = self.cluster.heap.now
        names = " ".join(c["name"] for c in pod["spec"]["containers"])
        unready = ("False", "ContainersNotReady", f"containers with unready status: [{names}]")
        host = self.cluster.node_address(pod["spec"]["nodeName"])
        resources = pod["spec"]["containers"][0].get("resources", {})
        return {
            **pod["status"],
            "phase": "Pending",
            "startTime": pod["status"].get("startTime") or stamp(now),
            "hostIP": host,
            "hostIPs": [{"ip": host}],
            "observedGeneration": pod["metadata"].get("generation", 1),
            "resources": resources,
            "conditions": self.conditions(
                pod,
                PodReadyToStartContainers=ready_to_start,
                Initialized=GOOD,
                Ready=unready,
                ContainersReady=unready,
            ),
            "containerStatuses": [
                {
                    "allocatedResources": c.get("resources", {}).get("requests", {}),
                    "image": c["image"],
                    "imageID": f"sha256:{image_digest(c['image'])}",
                    "lastState": {},
                    "name": c["name"],
                    "ready": False,
                    "resources": c.get("resources", {}),
                    "restartCount": 0,
                    "started": False,
                    "state": {"waiting": {"reason": "ContainerCreating"}},
                }
                for c in pod["spec"]["containers"]
            ],
        }
