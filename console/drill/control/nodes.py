"""The node controller: taints that follow what befalls nodes, and the end of pods on nodes that do not come back."""

from __future__ import annotations

from typing import Any

from console.drill.control.fitting import UNSCHEDULABLE_TAINT, tolerates
from console.drill.state.cluster import ClusterState
from console.drill.state.ids import stamp
from console.drill.state.pods import finished
from console.drill.state.resources import NODES, PODS
from console.drill.state.store import ObjectChange

Object = dict[str, Any]
COMPONENT = "node-controller"
NOT_READY, UNREACHABLE = "node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"


class NodeController:
    """Taints nodes by their conditions and by `spec.unschedulable`, and takes pods off them in their time."""

    def __init__(self, cluster: ClusterState) -> None:
        self.cluster = cluster
        cluster.store.listen(NODES, self._changed)

    def _changed(self, change: ObjectChange) -> None:
        if change.type == "DELETED":
            return
        name = change.object["metadata"]["name"]
        if "spec" not in change.object:
            return
        if _wanted(change.object) != _there(change.object):
            self.cluster.heap.after(0.1, lambda: self._taint(name))
        before = bool(change.previous and (change.previous.get("spec") or {}).get("unschedulable"))
        now = bool(change.object["spec"].get("unschedulable"))
        if change.previous is not None and before != now:
            word = "NodeNotSchedulable" if now else "NodeSchedulable"
            text = f"Node {name} status is now: {word}"
            self.cluster.recorder.record(change.object, "Normal", word, text, "kubelet", host=name)

    def _taint(self, name: str) -> None:
        node = self.cluster.store.get(NODES, "", name)
        if node is None or _wanted(node) == _there(node):
            return
        wanted, now = _wanted(node), stamp(self.cluster.heap.now)
        kept = [t for t in node["spec"].get("taints", ()) if not _own(t) or (t["key"], t["effect"]) in wanted]
        known = {(t["key"], t["effect"]) for t in kept}
        new = [{"effect": e, "key": k, "timeAdded": now} for k, e in sorted(wanted) if (k, e) not in known]
        spec = {k: v for k, v in node["spec"].items() if k != "taints"}
        if kept or new:
            spec["taints"] = [*kept, *new]
        self.cluster.store.update(NODES, {**node, "spec": spec})
        if any(t["effect"] == "NoExecute" for t in new):
            self._unready(name)
            for taint in new:
                if taint["effect"] == "NoExecute":
                    self._drive_out(name, taint)

    def _unready(self, node: str) -> None:
        """The pods of a node that nobody hears of are no longer ready."""
        for pod in self._pods(node):
            conditions = [
                {**c, "status": "False", "lastTransitionTime": stamp(self.cluster.heap.now)}
                if c["type"] == "Ready" and c["status"] == "True"
                else c
                for c in pod["status"].get("conditions", ())
            ]
            self.cluster.store.update(PODS, {**pod, "status": {**pod["status"], "conditions": conditions}})
            self.cluster.recorder.record(pod, "Warning", "NodeNotReady", "Node is not ready", COMPONENT)

    def _pods(self, node: str) -> list[Object]:
        return [
            pod for pod in self.cluster.store.all(PODS) if pod["spec"].get("nodeName") == node and not finished(pod)
        ]

    def _drive_out(self, name: str, taint: Object) -> None:
        """Each pod goes when the time for which it bears the taint is over."""
        for pod in self._pods(name):
            borne = [one for one in pod["spec"].get("tolerations") or () if tolerates(one, taint)]
            if any("tolerationSeconds" not in one for one in borne):
                continue
            seconds = min((float(one["tolerationSeconds"]) for one in borne), default=0.0)
            meta = pod["metadata"]
            self.cluster.heap.after(seconds, lambda meta=meta: self._end(name, meta, taint))  # type: ignore[misc]

    def _end(self, name: str, meta: Object, taint: Object) -> None:
        node = self.cluster.store.get(NODES, "", name)
        pod = self.cluster.store.get(PODS, meta["namespace"], meta["name"])
        if node is None or pod is None or pod["metadata"]["uid"] != meta["uid"]:
            return
        if "deletionTimestamp" in pod["metadata"] or not any(
            (t["key"], t["effect"]) == (taint["key"], taint["effect"]) for t in node["spec"].get("taints", ())
        ):
            return
        text = f"Marking for deletion Pod {meta['namespace']}/{meta['name']}"
        self.cluster.recorder.record(pod, "Normal", "TaintManagerEviction", text, "taint-eviction-controller")
        condition = {
            "lastProbeTime": None,
            "lastTransitionTime": stamp(self.cluster.heap.now),
            "message": "Taint manager: deleting due to NoExecute taint",
            "reason": "DeletionByTaintManager",
            "status": "True",
            "type": "DisruptionTarget",
        }
        conditions = [condition, *pod["status"].get("conditions", ())]
        pod = self.cluster.store.update(PODS, {**pod, "status": {**pod["status"], "conditions": conditions}})
        self.cluster.delete_pod(pod["metadata"])


def _own(taint: Object) -> bool:
    """Whether the controller manages it: other taints are somebody's."""
    return taint["key"] in (UNSCHEDULABLE_TAINT, NOT_READY, UNREACHABLE)


def _there(node: Object) -> set[tuple[str, str]]:
    return {(t["key"], t["effect"]) for t in node["spec"].get("taints", ()) if _own(t)}


def _wanted(node: Object) -> set[tuple[str, str]]:
    out: set[tuple[str, str]] = set()
    if node["spec"].get("unschedulable"):
        out.add((UNSCHEDULABLE_TAINT, "NoSchedule"))
    ready = next(
        (c["status"] for c in (node.get("status") or {}).get("conditions", ()) if c["type"] == "Ready"), "True"
    )
    key = {"False": NOT_READY, "Unknown": UNREACHABLE}.get(ready)
    if key:
        out |= {(key, "NoSchedule"), (key, "NoExecute")}
    return out
