"""The kubelets: pods start, run and end in the order of updates that a real node sends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from console.drill.control.containers import ContainerLives
from console.drill.control.podstatus import GOOD, PodWriter
from console.drill.control.pulls import SYNC, ImagePulls
from console.drill.control.references import missing_value, missing_volume
from console.drill.state.cluster import ClusterState
from console.drill.state.ids import stamp
from console.drill.state.pods import finished
from console.drill.state.resources import PODS
from console.drill.state.store import ObjectChange

Object = dict[str, Any]
LONGEST_MOUNT = 122.0
"""Seconds between two attempts to mount a volume, at most."""
SANDBOX = ("False", "PodSandboxNotReady", "pod sandbox is not ready")


class Kubelet:
    """All kubelets of the cluster in one.

    Args:
        signal: told about a pod whose process gets SIGTERM, before it ends.
    """

    def __init__(self, cluster: ClusterState, signal: Callable[[Object], None]) -> None:
        self.cluster, self._signal = cluster, signal
        self._writer = PodWriter(cluster)
        self._pulls = ImagePulls(cluster, self._writer)
        self._lives = ContainerLives(cluster, self._writer, self.end)
        cluster.store.listen(PODS, self._changed)

    def _changed(self, change: ObjectChange) -> None:
        pod, old = change.object, change.previous
        if change.type == "DELETED":
            self._writer.ending.discard(pod["metadata"]["uid"])
            return
        meta = pod["metadata"]
        bound = pod["spec"].get("nodeName") and not (old and old["spec"].get("nodeName"))
        if bound and pod["status"].get("phase") == "Pending":
            self.cluster.heap.after(self.cluster.ids.jitter(0.3, 0.6), lambda: self._creating(meta))
        if "deletionTimestamp" in meta and not (old and "deletionTimestamp" in old["metadata"]):
            self.cluster.heap.after(0.05, lambda: self._stop(meta))

    def back(self, node: str) -> None:
        """A node is heard of again: what was to end on it meanwhile ends."""
        for pod in self.cluster.store.all(PODS):
            if pod["spec"].get("nodeName") == node and "deletionTimestamp" in pod["metadata"]:
                self.cluster.heap.after(1.0, lambda meta=pod["metadata"]: self._stop(meta))  # type: ignore[misc]

    # -- starting -------------------------------------------------------------------------------------------------

    def _creating(self, meta: Object) -> None:
        pod = self._writer.live(meta)
        if pod is None:
            return
        self._writer.put(pod, self._writer.created(pod, ready_to_start=SANDBOX))
        delay = self.cluster.ids.jitter(0.4, 0.7)
        missing = self.cluster.late_volumes.pop(meta["uid"], None)
        if missing:
            volume, config = missing
            text = f'MountVolume.SetUp failed for volume "{volume}" : configmap "{config}" not found'
            self._writer.event(pod, "Warning", "FailedMount", text)
            delay += 0.6
        self.cluster.heap.after(delay, lambda: self._mount(meta, 0))

    def _mount(self, meta: Object, attempt: int) -> None:
        """Go on once all that a pod mounts is there. What Spark itself makes beside its pods is taken to be."""
        pod = self._writer.live(meta)
        if pod is None or "deletionTimestamp" in pod["metadata"]:
            return
        problem = "" if _of_spark(pod) else missing_volume(self.cluster.store, pod)
        if not problem:
            self._sandbox(meta)
            return
        self._writer.event(pod, "Warning", "FailedMount", problem)
        wait = min(0.5 * 2**attempt, LONGEST_MOUNT)
        self.cluster.heap.after(wait, lambda: self._mount(meta, attempt + 1))

    def _sandbox(self, meta: Object) -> None:
        pod = self._writer.live(meta)
        if pod is None:
            return
        status = self._writer.created(pod, ready_to_start=GOOD)
        ip = self.cluster.ids.pod_ip()
        self._writer.put(pod, status | {"podIP": ip, "podIPs": [{"ip": ip}]})
        self._pulls.fetch(meta, lambda: self._made(meta))

    def _made(self, meta: Object) -> None:
        pod = self._writer.live(meta)
        if pod is None:
            return
        for container in () if _of_spark(pod) else pod["spec"]["containers"]:
            problem = missing_value(self.cluster.store, pod, container)
            if problem:
                self._writer.event(pod, "Warning", "Failed", f"Error: {problem}", container["name"])
                self._writer.waiting(meta, container["name"], "CreateContainerConfigError", problem)
                self.cluster.heap.after(SYNC, lambda: self._made(meta))
                return
        self.cluster.heap.after(0.3, lambda: self._started(meta))

    def _started(self, meta: Object) -> None:
        pod = self._writer.live(meta)
        if pod is None:
            return
        now, unready = self.cluster.heap.now, self._lives.unready(pod)
        containers = [
            c
            | {"ready": c["name"] not in unready, "started": True, "state": {"running": {"startedAt": stamp(now)}}}
            | {"containerID": f"containerd://{self.cluster.ids.hex(64)}"}
            for c in pod["status"]["containerStatuses"]
        ]
        status = pod["status"] | {"phase": "Running", "containerStatuses": containers}
        with_network = self._writer.conditions(pod, PodReadyToStartContainers=GOOD)
        self._writer.put(pod, status | {"conditions": self._readiness(pod, with_network, containers)})
        for container in pod["spec"]["containers"]:
            self._writer.event(pod, "Normal", "Started", "Container started", container["name"])
        self._lives.started(meta)

    def _readiness(self, pod: Object, conditions: list[Object], containers: list[Object]) -> list[Object]:
        return self._writer.readiness({**pod, "status": {**pod["status"], "conditions": conditions}}, containers)

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
        pod = self._writer.live(meta)
        if pod is None or pod["status"].get("phase") != "Running":
            return
        self._writer.ending.add(meta["uid"])
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
        status = pod["status"] | {
            "containerStatuses": containers,
            "conditions": self._writer.conditions(pod, **conditions),
        }
        if pod_reason:
            status |= {"reason": pod_reason, "message": pod_message}
        self._writer.put(pod, status)
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
        self._writer.event(pod, "Warning", "Evicted", text.strip())
        self._writer.event(pod, "Normal", "Killing", f"Stopping container {name}", name)
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
        conditions = self._writer.conditions(pod, PodReadyToStartContainers=SANDBOX)
        self._writer.put(pod, pod["status"] | {"phase": phase, "conditions": conditions})
        if "deletionTimestamp" in pod["metadata"]:
            self.cluster.heap.after(0.6, lambda: self._remove(meta))

    def _stop(self, meta: Object) -> None:
        pod = self.cluster.store.get(PODS, meta["namespace"], meta["name"])
        if pod is None or pod["metadata"]["uid"] != meta["uid"] or self._writer.silent(pod):
            return
        if finished(pod) or not pod["spec"].get("nodeName"):
            self.cluster.heap.after(0.3, lambda: self._remove(meta))
            return
        if meta["uid"] in self._writer.ending:
            return
        if pod["status"].get("phase") != "Running":
            self.cluster.heap.after(0.8, lambda: self._remove(meta))
            return
        for container in pod["spec"]["containers"]:
            text = f"Stopping container {container['name']}"
            self._writer.event(pod, "Normal", "Killing", text, container["name"])
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
            self.cluster.remove(PODS, meta)


def _of_spark(pod: Object) -> bool:
    return "spark-role" in (pod["metadata"].get("labels") or {})
