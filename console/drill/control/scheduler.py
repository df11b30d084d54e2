"""The scheduler: a pod goes to a node that has room and whose taints it bears, or waits and says why."""

from __future__ import annotations

from typing import Any

from console.drill.control.fitting import UNSCHEDULABLE_TAINT, lacking, matches, requests, tolerates, untolerated
from console.drill.control.volumes import pending, waits_for_consumer
from console.drill.state.cluster import ClusterState
from console.drill.state.ids import stamp
from console.drill.state.pods import amount_of, finished
from console.drill.state.recorder import SCHEDULER
from console.drill.state.resources import CLAIMS, NODES, PODS
from console.drill.state.store import ObjectChange

Object = dict[str, Any]


class Scheduler:
    """Binds pods in the order in which they came."""

    def __init__(self, cluster: ClusterState) -> None:
        self.cluster = cluster
        self._used: dict[str, dict[str, float]] = {}
        self._counted: dict[str, tuple[str, dict[str, float]]] = {}
        self._waiting: dict[str, Object] = {}
        cluster.store.listen(PODS, self._pod)
        cluster.store.listen(NODES, lambda _change: self._retry())
        cluster.store.listen(CLAIMS, lambda _change: self._retry())

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
        claims = self._claims(pod)
        if claims:
            self._refuse(pod, f"{claims}.", 0)
            return
        wanted = requests(pod)
        reasons: dict[str, int] = {}
        full = 0
        best: tuple[float, str] | None = None
        for node in self.cluster.store.all(NODES):
            if "allocatable" not in (node.get("status") or {}):
                continue
            unfit = self._unfit(pod["spec"], node, wanted)
            for reason in unfit:
                reasons[reason] = reasons.get(reason, 0) + 1
            if unfit:
                full += self._would_fit(node, wanted, unfit)
                continue
            room = self.free(node).get("memory", 0.0)
            if best is None or room > best[0]:
                best = (room, node["metadata"]["name"])
        if best is None:
            listed = ", ".join(sorted(f"{count} {reason}" for reason, count in reasons.items()))
            self._refuse(pod, f"{listed}.", full)
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

    def _claims(self, pod: Object) -> str:
        """Why the pod's claims keep it from every node; empty: they do not."""
        for volume in pod["spec"].get("volumes") or ():
            name = (volume.get("persistentVolumeClaim") or {}).get("claimName")
            if not name:
                continue
            claim = self.cluster.store.get(CLAIMS, pod["metadata"]["namespace"], name)
            if claim is None:
                return f'persistentvolumeclaim "{name}" not found'
            if pending(claim) and not waits_for_consumer(self.cluster.store, claim):
                return "pod has unbound immediate PersistentVolumeClaims"
        return ""

    def _unfit(self, spec: Object, node: Object, wanted: dict[str, float]) -> list[str]:
        """Why a node does not take it, in the order in which the scheduler's plugins ask."""
        cordon = {"key": UNSCHEDULABLE_TAINT, "effect": "NoSchedule"}
        if (node.get("spec") or {}).get("unschedulable") and not any(
            tolerates(one, cordon) for one in spec.get("tolerations") or ()
        ):
            return ["node(s) were unschedulable"]
        if untolerated(spec, node) is not None:
            return ["node(s) had untolerated taint(s)"]
        if not matches(spec, node):
            return ["node(s) didn't match Pod's node affinity/selector"]
        return lacking(wanted, self.free(node))

    def _would_fit(self, node: Object, wanted: dict[str, float], unfit: list[str]) -> bool:
        """Whether the node would take it if other pods were gone."""
        most = {name: amount_of(str(value)) for name, value in node["status"]["allocatable"].items()}
        return unfit[0].startswith(("Insufficient", "Too many")) and not lacking(wanted, most)

    def _refuse(self, pod: Object, why: str, full: int) -> None:
        """Say why no node takes it; `full` of them would, were they empty."""
        nodes = len(self.cluster.store.all(NODES))
        helpless = nodes - full
        victims = [f"{full} No preemption victims found for incoming pod"] if full else []
        others = [f"{helpless} Preemption is not helpful for scheduling"] if helpless else []
        text = (
            f"0/{nodes} nodes are available: {why} preemption: 0/{nodes} nodes are available: "
            f"{', '.join(sorted([*victims, *others]))}."
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
