"""The kubelets: pods start, run and end in the order of updates that a real node sends."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from console.base.units import parse_quantity
from console.drill.ids import stamp
from console.drill.resources import PODS
from console.drill.store import Change

if TYPE_CHECKING:
    from console.drill.world import World

Object = dict[str, Any]
SANDBOX = ("False", "PodSandboxNotReady", "pod sandbox is not ready")


@lru_cache(maxsize=4096)
def amount_of(text: str) -> float:
    """A quantity as a number; the same few texts come again and again."""
    return parse_quantity(text)


def finished(pod: Object) -> bool:
    """Whether the pod's phase is terminal."""
    return pod.get("status", {}).get("phase") in ("Failed", "Succeeded")


def terminated(pod: Object) -> Object | None:
    """`state.terminated` of the first container, if it has one."""
    for container in pod.get("status", {}).get("containerStatuses", ()):
        ended: Object | None = container["state"].get("terminated")
        return ended
    return None


class Kubelet:
    """All kubelets of the world in one."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._ending: set[str] = set()
        world.store.listen(PODS, self._changed)

    def _changed(self, change: Change) -> None:
        pod, old = change.object, change.previous
        if change.type == "DELETED":
            self._ending.discard(pod["metadata"]["uid"])
            return
        meta = pod["metadata"]
        bound = pod["spec"].get("nodeName") and not (old and old["spec"].get("nodeName"))
        if bound and pod["status"].get("phase") == "Pending":
            self.world.heap.after(self.world.ids.jitter(0.3, 0.6), lambda: self._creating(meta))
        if "deletionTimestamp" in meta and not (old and "deletionTimestamp" in old["metadata"]):
            self.world.heap.after(0.05, lambda: self._stop(meta))

    # -- starting -------------------------------------------------------------------------------------------------

    def _live(self, meta: Object) -> Object | None:
        pod = self.world.store.get(PODS, meta["namespace"], meta["name"])
        if pod is None or pod["metadata"]["uid"] != meta["uid"] or finished(pod) or meta["uid"] in self._ending:
            return None
        return pod

    def _creating(self, meta: Object) -> None:
        pod = self._live(meta)
        if pod is None:
            return
        self._put(pod, self._waiting(pod, ready_to_start=SANDBOX))
        delay = self.world.ids.jitter(0.4, 0.7)
        missing = self.world.late_volumes.pop(meta["uid"], None)
        if missing:
            volume, config = missing
            text = f'MountVolume.SetUp failed for volume "{volume}" : configmap "{config}" not found'
            self._event(pod, "Warning", "FailedMount", text)
            delay += 0.6
        self.world.heap.after(delay, lambda: self._sandbox(meta))

    def _sandbox(self, meta: Object) -> None:
        pod = self._live(meta)
        if pod is None:
            return
        status = self._waiting(pod, ready_to_start=("True", "", ""))
        ip = self.world.ids.pod_ip()
        self._put(pod, status | {"podIP": ip, "podIPs": [{"ip": ip}]})
        for container in pod["spec"]["containers"]:
            image = f'Container image "{container["image"]}" already present on machine and can be accessed by the pod'
            self._event(pod, "Normal", "Pulled", image, container["name"])
            self._event(pod, "Normal", "Created", "Container created", container["name"])
        self.world.heap.after(0.3, lambda: self._started(meta))

    def _started(self, meta: Object) -> None:
        pod = self._live(meta)
        if pod is None:
            return
        now = self.world.heap.now
        containers = [
            c
            | {"ready": True, "started": True, "state": {"running": {"startedAt": stamp(now)}}}
            | {"containerID": f"containerd://{self.world.ids.hex(64)}"}
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
        now = self.world.heap.now
        names = " ".join(c["name"] for c in pod["spec"]["containers"])
        unready = ("False", "ContainersNotReady", f"containers with unready status: [{names}]")
        host = self.world.node_address(pod["spec"]["nodeName"])
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
                    "imageID": f"sha256:{self.world.image_digest(c['image'])}",
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
        now = self.world.heap.now
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
        self.world.heap.after(delay, lambda: self._phase(meta, "Failed" if code else "Succeeded"))

    def _phase(self, meta: Object, phase: str) -> None:
        pod = self.world.store.get(PODS, meta["namespace"], meta["name"])
        if pod is None or pod["metadata"]["uid"] != meta["uid"] or finished(pod):
            return
        conditions = self._conditions(pod, PodReadyToStartContainers=SANDBOX)
        self._put(pod, pod["status"] | {"phase": phase, "conditions": conditions})
        if "deletionTimestamp" in pod["metadata"]:
            self.world.heap.after(0.6, lambda: self._remove(meta))

    def _stop(self, meta: Object) -> None:
        pod = self.world.store.get(PODS, meta["namespace"], meta["name"])
        if pod is None or pod["metadata"]["uid"] != meta["uid"]:
            return
        if finished(pod) or not pod["spec"].get("nodeName"):
            self.world.heap.after(0.3, lambda: self._remove(meta))
            return
        if meta["uid"] in self._ending:
            return
        if pod["status"].get("phase") != "Running":
            self.world.heap.after(0.8, lambda: self._remove(meta))
            return
        for container in pod["spec"]["containers"]:
            text = f"Stopping container {container['name']}"
            self._event(pod, "Normal", "Killing", text, container["name"])
        grace = pod["metadata"].get("deletionGracePeriodSeconds", 30)
        seconds, code = self.world.on_term(pod)
        if seconds > grace:
            seconds, code = float(grace), 137
        self.world.heap.after(seconds, lambda: self.end(meta, code, "Error" if code else "Completed", delay=0.4))

    def _remove(self, meta: Object) -> None:
        pod = self.world.store.get(PODS, meta["namespace"], meta["name"])
        if pod is not None and pod["metadata"]["uid"] == meta["uid"]:
            if pod["metadata"].get("deletionGracePeriodSeconds"):
                now = self.world.heap.now
                gone = pod["metadata"] | {"deletionGracePeriodSeconds": 0, "deletionTimestamp": stamp(now)}
                self.world.store.update(PODS, {**pod, "metadata": gone})
            self.world.store.delete(PODS, meta["namespace"], meta["name"])

    # -- helpers --------------------------------------------------------------------------------------------------

    def _conditions(self, pod: Object, **changed: tuple[str, str, str]) -> list[Object]:
        now = stamp(self.world.heap.now)
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
        self.world.store.update(PODS, {**pod, "status": status})

    def _event(self, pod: Object, kind: str, reason: str, text: str, container: str = "") -> None:
        host = pod["spec"].get("nodeName", "")
        self.world.recorder.record(pod, kind, reason, text, "kubelet", host=host, container=container)
