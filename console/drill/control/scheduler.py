"""The scheduler: a pod goes to a node that has room and whose taints it bears, or waits and says why."""

from __future__ import annotations

from typing import Any

from console.drill.state.cluster import ClusterState
from console.drill.state.ids import stamp
from console.drill.state.pods import amount_of, finished
from console.drill.state.recorder import SCHEDULER
from console.drill.state.resources import NODES, PODS
from console.drill.state.store import ObjectChange

Object = dict[str, Any]


def requests(pod: Object) -> dict[str, float]:
    """Summed requests of a pod's containers, in base units."""
    out: dict[str, float] = {}
    for container in pod["spec"]["containers"]:
        resources = container.get("resources", {})
        wanted = {**resources.get("limits", {}), **resources.get("requests", {})}
        for name, value in wanted.items():
            out[name] = out.get(name, 0.0) + amount_of(str(value))
    return out


class Scheduler:
    """Binds pods in the order in which they came."""

    def __init__(self, cluster: ClusterState) -> None:
        self.cluster = cluster
        self._used: dict[str, dict[str, float]] = {}
        self._counted: dict[str, tuple[str, dict[str, float]]] = {}
        self._waiting: dict[str, Object] = {}
        cluster.store.listen(PODS, self._pod)
        cluster.store.listen(NODES, lambda _change: self._retry())

    def free(self, node: Object) -> dict[str, float]:
        """Allocatable minus requested of a node."""
        used = self._used.get(node["metadata"]["name"], {})
        return {
            name: amount_of(str(value)) - used.get(name, 0.0) for name, value in node["status"]["allocatable"].items()
        }

    def _pod(self, change: ObjectChange) -> None:
        pod, uid = change.object, change.object["metadata"]["uid"]
        if change.type == "DELETED" or finished(pod):
            self._waiting.pop(uid, None)
            if uid in self._counted:
                node, amounts = self._counted.pop(uid)
                for name, value in amounts.items():
                    self._used[node][name] -= value
                self._used[node]["pods"] -= 1
                self._retry()
        elif change.type == "ADDED":
            if pod["spec"].get("nodeName"):
                self._count(pod, pod["spec"]["nodeName"])
            else:
                self._waiting[uid] = pod["metadata"]
                self.cluster.heap.after(0.03, lambda: self._bind(pod["metadata"]))

    def _count(self, pod: Object, node: str) -> None:
        amounts = requests(pod)
        used = self._used.setdefault(node, {})
        for name, value in amounts.items():
            used[name] = used.get(name, 0.0) + value
        used["pods"] = used.get("pods", 0.0) + 1
        self._counted[pod["metadata"]["uid"]] = (node, amounts)

    def _retry(self) -> None:
        for meta in list(self._waiting.values()):
            self.cluster.heap.after(0.5, lambda meta=meta: self._bind(meta))  # type: ignore[misc]

    def _bind(self, meta: Object) -> None:
        pod = self.cluster.store.get(PODS, meta["namespace"], meta["name"])
        if pod is None or pod["metadata"]["uid"] != meta["uid"] or pod["spec"].get("nodeName"):
            return
        if "deletionTimestamp" in pod["metadata"]:
            return
        wanted = requests(pod)
        reasons: dict[str, int] = {}
        best: tuple[float, str] | None = None
        nodes = self.cluster.store.all(NODES)
        for node in nodes:
            reason = self._unfit(pod, node, wanted)
            if reason:
                reasons[reason] = reasons.get(reason, 0) + 1
                continue
            room = self.free(node).get("memory", 0.0)
            if best is None or room > best[0]:
                best = (room, node["metadata"]["name"])
        if best is None:
            self._refuse(pod, len(nodes), reasons)
            return
        self._waiting.pop(meta["uid"], None)
        self._count(pod, best[1])
        bound = self._condition(pod, "True", "", "")
        self.cluster.store.update(
            PODS,
            {**pod, "spec": {**pod["spec"], "nodeName": best[1]}, "status": {**pod["status"], "conditions": bound}},
        )
        text = f"Successfully assigned {meta['namespace']}/{meta['name']} to {best[1]}"
        self.cluster.recorder.record(pod, "Normal", "Scheduled", text, SCHEDULER)

    def _unfit(self, pod: Object, node: Object, wanted: dict[str, float]) -> str:
        if node["spec"].get("unschedulable"):
            return "node(s) were unschedulable"
        selector = pod["spec"].get("nodeSelector") or {}
        labels = node["metadata"].get("labels", {})
        if any(labels.get(key) != value for key, value in selector.items()):
            return "node(s) didn't match Pod's node affinity/selector"
        tolerated = pod["spec"].get("tolerations") or []
        for taint in node["spec"].get("taints", ()):
            if taint["effect"] != "PreferNoSchedule" and not any(_tolerates(t, taint) for t in tolerated):
                value = f": {taint['value']}" if taint.get("value") else ""
                return f"node(s) had untolerated taint {{{taint['key']}{value}}}"
        free = self.free(node)
        for name, amount in wanted.items():
            if amount > free.get(name, 0.0):
                return f"Insufficient {name}"
        return "Too many pods" if free.get("pods", 1.0) < 1 else ""

    def _refuse(self, pod: Object, nodes: int, reasons: dict[str, int]) -> None:
        listed = ", ".join(f"{count} {reason}" for reason, count in sorted(reasons.items()))
        text = (
            f"0/{nodes} nodes are available: {listed}. preemption: 0/{nodes} nodes are available: "
            f"{nodes} Preemption is not helpful for scheduling."
        )
        conditions = self._condition(pod, "False", "Unschedulable", text)
        if conditions != pod["status"].get("conditions"):
            self.cluster.store.update(PODS, {**pod, "status": {**pod["status"], "conditions": conditions}})
            self.cluster.recorder.record(pod, "Warning", "FailedScheduling", text, SCHEDULER)

    def _condition(self, pod: Object, value: str, reason: str, message: str) -> list[Object]:
        for old in pod["status"].get("conditions", ()):
            if old["type"] == "PodScheduled" and (old["status"], old.get("message", "")) == (value, message):
                same: list[Object] = pod["status"]["conditions"]
                return same
        condition: Object = {"lastProbeTime": None, "lastTransitionTime": stamp(self.cluster.heap.now)}
        if message:
            condition |= {"message": message, "reason": reason}
        return [condition | {"observedGeneration": 1, "status": value, "type": "PodScheduled"}]


def _tolerates(toleration: Object, taint: Object) -> bool:
    if toleration.get("effect") and toleration["effect"] != taint["effect"]:
        return False
    if toleration.get("operator") == "Exists":
        return not toleration.get("key") or bool(toleration["key"] == taint["key"])
    return bool(toleration.get("key") == taint["key"] and toleration.get("value", "") == taint.get("value", ""))
