"""The kubelets: pods start, run and end in the order of updates that a real node sends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from console.drill.state.cluster import ClusterState
from console.drill.state.ids import stamp
from console.drill.state.objects import image_digest
from console.drill.state.pods import finished
from console.drill.state.resources import PODS
from console.drill.state.store import ObjectChange

Object = dict[str, Any]
SANDBOX = ("False", "PodSandboxNotReady", "pod sandbox is not ready")


class Kubelet:
    """All kubelets of the cluster in one.

    Args:
        signal: told about a pod whose process gets SIGTERM, before it ends.
    """

    def __init__(self, cluster: ClusterState, signal: Callable[[Object], None]) -> None:
        self.cluster, self._signal = cluster, signal
        self._ending: set[str] = set()
        cluster.store.listen(PODS, self._changed)

    def _changed(self, change: ObjectChange) -> None:
        pod, old = change.object, change.previous
        if change.type == "DELETED":
            self._ending.discard(pod["metadata"]["uid"])
            return
        meta = pod["metadata"]
        bound = pod["spec"].get("nodeName") and not (old and old["spec"].get("nodeName"))
        if bound and pod["status"].get("phase") == "Pending":
            self.cluster.heap.after(self.cluster.ids.jitter(0.3, 0.6), lambda: self._creating(meta))
        if "deletionTimestamp" in meta and not (old and "deletionTimestamp" in old["metadata"]):
            self.cluster.heap.after(0.05, lambda: self._stop(meta))

    # -- starting -------------------------------------------------------------------------------------------------

    def _live(self, meta: Object) -> Object | None:
        pod = self.cluster.store.get(PODS, meta["namespace"], meta["name"])
        if pod is None or pod["metadata"]["uid"] != meta["uid"] or finished(pod) or meta["uid"] in self._ending:
            return None
        return pod

    def _creating(self, meta: Object) -> None:
        pod = self._live(meta)
        if pod is None:
            return
        self._put(pod, self._waiting(pod, ready_to_start=SANDBOX))
        delay = self.cluster.ids.jitter(0.4, 0.7)
        missing = self.cluster.late_volumes.pop(meta["uid"], None)
        if missing:
            volume, config = missing
            text = f'MountVolume.SetUp failed for volume "{volume}" : configmap "{config}" not found'
            self._event(pod, "Warning", "FailedMount", text)
            delay += 0.6
        self.cluster.heap.after(delay, lambda: self._sandbox(meta))

    def _sandbox(self, meta: Object) -> None:
        pod = self._live(meta)
        if pod is None:
            return
        status = self._waiting(pod, ready_to_start=("True", "", ""))
        ip = self.cluster.ids.pod_ip()
        self._put(pod, status | {"podIP": ip, "podIPs": [{"ip": ip}]})
        for container in pod["spec"]["containers"]:
            image = f'Container image "{container["image"]}" already present on machine and can be accessed by the pod'
            self._event(pod, "Normal", "Pulled", image, container["name"])
            self._event(pod, "Normal", "Created", "Container created", container["name"])
        self.cluster.heap.after(0.3, lambda: self._started(meta))

    def _started(self, meta: Object) -> None:
        pod = self._live(meta)
        if pod is None:
            return
        now = self.cluster.heap.now
        containers = [
            c
            | {"ready": True, "started": True, "state": {"running": {"startedAt": stamp(now)}}}
            | {"containerID": f"containerd://{self.cluster.ids.hex(64)}"}
            for c in pod["status"]["containerStatuses"]
        ]
        status = pod["status"] | {"phase": "Running", "containerStatuses": containers}
        status["conditions"] = self._conditions(
            pod, PodReadyToStartContainers=("True", "", ""), Ready=("True", "", ""), ContainersReady=("True", "", "")
        )
        self._put(pod, status)
        for container in pod["spec"]["containers"]:
            self._event(pod, "Normal", "Started", "Container started", container["name"])

    def _waiting(self, pod: Object, *, ready_to_start: tuple[str, str, str]) -> Object:
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
            "conditions": self._conditions(
                pod,
                PodReadyToStartContainers=ready_to_start,
                Initialized=("True", "", ""),
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

    # -- ending ---------------------------------------------------------------------------------------------------

    def end(
        self,
        meta: Object,
        code: int,
        reason: str,
        *,
        pod_reason: str = "",
        pod_message: str = "",
        disruption: tuple[str, str] | None = None,
        delay: float = 1.2,
    ) -> None:
        """The main container's process ended. Its status comes at once, the pod's phase a moment later.

        Args:
            meta: metadata of the pod.
            code: exit code.
            reason: container reason (`OOMKilled`, `Error`, `Completed`).
            pod_reason: `status.reason` (`Evicted`).
            pod_message: `status.message`.
            disruption: reason and message of the condition DisruptionTarget.
            delay: seconds until the phase follows.
        """
        pod = self._live(meta)
        if pod is None or pod["status"].get("phase") != "Running":
            return
        self._ending.add(meta["uid"])
        now = self.cluster.heap.now
        containers = [
            c
            | {"ready": False, "started": False}
            | {
                "state": {
                    "terminated": {
                        "containerID": c.get("containerID", ""),
                        "exitCode": code,
                        "finishedAt": stamp(now),
                        "reason": reason,
                        "startedAt": c["state"].get("running", {}).get("startedAt", stamp(now)),
                    }
                }
            }
            for c in pod["status"]["containerStatuses"]
        ]
        done = "PodFailed" if code else "PodCompleted"
        conditions: dict[str, tuple[str, str, str]] = {
            "Ready": ("False", done, ""),
            "ContainersReady": ("False", done, ""),
        }
        if not code:
            conditions["Initialized"] = ("True", done, "")
        if disruption:
            conditions["DisruptionTarget"] = ("True", *disruption)
        status = pod["status"] | {"containerStatuses": containers, "conditions": self._conditions(pod, **conditions)}
        if pod_reason:
            status |= {"reason": pod_reason, "message": pod_message}
        self._put(pod, status)
        self.cluster.heap.after(delay, lambda: self._phase(meta, "Failed" if code else "Succeeded"))

    def evict(self, pod: Object, resource: str) -> None:
        """Evict a pod because its node runs out of `resource`; short of memory the kubelet does not wait for it."""
        name = pod["spec"]["containers"][0]["name"]
        text = f"The node was low on resource: {resource}. "
        if resource == "memory":
            text += f"Threshold quantity: 100Mi, available: 71Mi. Container {name} was using 2.9Gi, request is 4000Mi."
        else:
            text += f"Threshold quantity: 10Gi, available: 8Gi. Container {name} was using 21Gi, request is 0, "
            text += f"has larger consumption of {resource}."
        self._event(pod, "Warning", "Evicted", text.strip())
        self._event(pod, "Normal", "Killing", f"Stopping container {name}", name)
        hard = resource == "memory"
        if not hard:
            self._signal(pod)
        self.end(
            pod["metadata"],
            137 if hard else 143,
            "Error",
            pod_reason="Evicted",
            pod_message=text,
            disruption=("TerminationByKubelet", text),
        )

    def _phase(self, meta: Object, phase: str) -> None:
        pod = self.cluster.store.get(PODS, meta["namespace"], meta["name"])
        if pod is None or pod["metadata"]["uid"] != meta["uid"] or finished(pod):
            return
        conditions = self._conditions(pod, PodReadyToStartContainers=SANDBOX)
        self._put(pod, pod["status"] | {"phase": phase, "conditions": conditions})
        if "deletionTimestamp" in pod["metadata"]:
            self.cluster.heap.after(0.6, lambda: self._remove(meta))

    def _stop(self, meta: Object) -> None:
        pod = self.cluster.store.get(PODS, meta["namespace"], meta["name"])
        if pod is None or pod["metadata"]["uid"] != meta["uid"]:
            return
        if finished(pod) or not pod["spec"].get("nodeName"):
            self.cluster.heap.after(0.3, lambda: self._remove(meta))
            return
        if meta["uid"] in self._ending:
            return
        if pod["status"].get("phase") != "Running":
            self.cluster.heap.after(0.8, lambda: self._remove(meta))
            return
        for container in pod["spec"]["containers"]:
            text = f"Stopping container {container['name']}"
            self._event(pod, "Normal", "Killing", text, container["name"])
        grace = pod["metadata"].get("deletionGracePeriodSeconds", 30)
        self._signal(pod)
        seconds, code = self.cluster.ids.jitter(0.7, 1.1), 143
        if seconds > grace:
            seconds, code = float(grace), 137
        self.cluster.heap.after(seconds, lambda: self.end(meta, code, "Error" if code else "Completed", delay=0.4))

    def _remove(self, meta: Object) -> None:
        pod = self.cluster.store.get(PODS, meta["namespace"], meta["name"])
        if pod is not None and pod["metadata"]["uid"] == meta["uid"]:
            if pod["metadata"].get("deletionGracePeriodSeconds"):
                now = self.cluster.heap.now
                gone = pod["metadata"] | {"deletionGracePeriodSeconds": 0, "deletionTimestamp": stamp(now)}
                self.cluster.store.update(PODS, {**pod, "metadata": gone})
            self.cluster.store.delete(PODS, meta["namespace"], meta["name"])

    # -- helpers --------------------------------------------------------------------------------------------------

    def _conditions(self, pod: Object, **changed: tuple[str, str, str]) -> list[Object]:
        now = stamp(self.cluster.heap.now)
        old = {c["type"]: c for c in pod["status"].get("conditions", ())}
        order = [
            "DisruptionTarget",
            "PodReadyToStartContainers",
            "Initialized",
            "Ready",
            "ContainersReady",
            "PodScheduled",
        ]
        out: list[Object] = []
        for kind in order:
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

    def _put(self, pod: Object, status: Object) -> None:
        self.cluster.store.update(PODS, {**pod, "status": status})

    def _event(self, pod: Object, kind: str, reason: str, text: str, container: str = "") -> None:
        host = pod["spec"].get("nodeName", "")
        self.cluster.recorder.record(pod, kind, reason, text, "kubelet", host=host, container=container)
