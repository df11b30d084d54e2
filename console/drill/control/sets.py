"""DaemonSets and StatefulSets: a pod on each node that fits, pods with names that stay."""

from __future__ import annotations

from typing import Any

from console.drill.control.fitting import suits
from console.drill.control.podsets import FIRST_RETRY, controller_of, is_ready, new_pod, owned, template_hash
from console.drill.state.cluster import ClusterState
from console.drill.state.objects import StatusError
from console.drill.state.pods import finished
from console.drill.state.resources import DAEMONSETS, NODES, PODS, STATEFULSETS, ServedResource
from console.drill.state.store import ObjectChange

Object = dict[str, Any]
REVISION = "controller-revision-hash"
FIELD = "metadata.name"


class SetController:
    """What both have in common: who is reconciled when, and how a pod is asked for."""

    resource: ServedResource
    component: str

    def __init__(self, cluster: ClusterState) -> None:
        self.cluster = cluster
        cluster.store.listen(self.resource, self._set)
        cluster.store.listen(PODS, self._pod)

    def _set(self, change: ObjectChange) -> None:
        if change.type != "DELETED" and (change.previous is None or change.previous["spec"] != change.object["spec"]):
            self.soon(change.object["metadata"]["namespace"], change.object["metadata"]["name"])

    def _pod(self, change: ObjectChange) -> None:
        name = controller_of(change.object, self.resource.kind)
        if name:
            self.soon(change.object["metadata"]["namespace"], name)

    def soon(self, namespace: str, name: str, seconds: float = 0.2) -> None:
        """Look at one before long."""
        self.cluster.heap.after(seconds, lambda: self.reconcile(namespace, name))

    def reconcile(self, namespace: str, name: str) -> None:
        """One pass over an object."""
        found = self.cluster.store.get(self.resource, namespace, name)
        if found is not None and "template" in found["spec"]:
            self.keep(found, owned(self.cluster, found))
            found = self.cluster.store.get(self.resource, namespace, name) or found
            status = self.status(found, [p for p in owned(self.cluster, found) if not finished(p)])
            if found.get("status") != status:
                self.cluster.store.update(self.resource, {**found, "status": status})

    def keep(self, found: Object, pods: list[Object]) -> None:
        """Make and delete pods as the object says."""
        raise NotImplementedError

    def status(self, found: Object, pods: list[Object]) -> Object:
        """Its status with the pods that it has."""
        raise NotImplementedError

    def template(self, found: Object) -> tuple[Object, str]:
        """The template with the label of its revision, and that revision."""
        plain = found["spec"]["template"]
        digest = template_hash(plain)
        meta = plain.get("metadata") or {}
        return {**plain, "metadata": {**meta, "labels": {**(meta.get("labels") or {}), REVISION: digest}}}, digest

    def make(self, found: Object, pod: Object) -> bool:
        """Ask for a pod; whether it was granted."""
        try:
            self.cluster.create(PODS, pod)
        except StatusError as error:
            text = f"Error creating: {error.body['message']}"
            self.cluster.recorder.record(found, "Warning", "FailedCreate", text, self.component)
            meta = found["metadata"]
            self.soon(meta["namespace"], meta["name"], FIRST_RETRY * 60)
            return False
        text = f"Created pod: {pod['metadata']['name']}"
        self.cluster.recorder.record(found, "Normal", "SuccessfulCreate", text, self.component)
        return True


class DaemonSetController(SetController):
    """A pod on each node that the template suits, cordoned ones too."""

    resource, component = DAEMONSETS, "daemonset-controller"

    def __init__(self, cluster: ClusterState) -> None:
        super().__init__(cluster)
        cluster.store.listen(NODES, self._node)

    def _node(self, change: ObjectChange) -> None:
        before = change.previous
        if before is None or before.get("spec") != change.object.get("spec") or change.type == "DELETED":
            for found in self.cluster.store.each(DAEMONSETS):
                self.soon(found["metadata"]["namespace"], found["metadata"]["name"])

    def nodes(self, found: Object) -> list[str]:
        """Names of the nodes that should have a pod."""
        plain = found["spec"]["template"]["spec"]
        borne = {**plain, "tolerations": [*(plain.get("tolerations") or ()), *DAEMON_TOLERATIONS]}
        return [n["metadata"]["name"] for n in self.cluster.store.all(NODES) if "spec" in n and suits(borne, n)]

    def keep(self, found: Object, pods: list[Object]) -> None:
        wanted = self.nodes(found)
        template, revision = self.template(found)
        by_node: dict[str, Object] = {}
        for pod in pods:
            node = pod_node(pod)
            if finished(pod) or node not in wanted or node in by_node:
                self.cluster.delete_pod(pod["metadata"])
            else:
                by_node[node] = pod
        old = [p for p in by_node.values() if (p["metadata"].get("labels") or {}).get(REVISION) != revision]
        rolls = (found["spec"].get("updateStrategy") or {}).get("type", "RollingUpdate") == "RollingUpdate"
        missing = [node for node in wanted if node not in by_node]
        if old and rolls and not missing and all(is_ready(p) for p in by_node.values() if p not in old):
            self.cluster.delete_pod(old[0]["metadata"])
        for node in missing:
            if not self.make(found, self.pod(found, template, node)):
                break

    def pod(self, found: Object, template: Object, node: str) -> Object:
        """A pod that only this node takes."""
        term = {"matchFields": [{"key": FIELD, "operator": "In", "values": [node]}]}
        required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}
        tolerations = [*(template["spec"].get("tolerations") or ()), *DAEMON_TOLERATIONS]
        extra = {"affinity": {"nodeAffinity": required}, "tolerations": tolerations}
        return new_pod(self.cluster, found, template, extra=extra)

    def status(self, found: Object, pods: list[Object]) -> Object:
        wanted, ready = len(self.nodes(found)), sum(is_ready(p) for p in pods)
        _, revision = self.template(found)
        status: Object = {
            "currentNumberScheduled": len(pods),
            "desiredNumberScheduled": wanted,
            "numberMisscheduled": 0,
            "numberReady": ready,
            "observedGeneration": found["metadata"].get("generation", 1),
            "updatedNumberScheduled": sum((p["metadata"].get("labels") or {}).get(REVISION) == revision for p in pods),
        }
        if ready:
            status["numberAvailable"] = ready
        if wanted > ready:
            status["numberUnavailable"] = wanted - ready
        return status


class StatefulSetController(SetController):
    """Pods NAME-0, NAME-1 …, one after the other."""

    resource, component = STATEFULSETS, "statefulset-controller"

    def keep(self, found: Object, pods: list[Object]) -> None:
        name, wanted = found["metadata"]["name"], int(found["spec"].get("replicas", 1))
        template, revision = self.template(found)
        by_name = {pod["metadata"]["name"]: pod for pod in pods}
        for index in range(wanted):
            pod = by_name.get(f"{name}-{index}")
            if pod is None:
                self.make(found, new_pod(self.cluster, found, template, f"{name}-{index}"))
                return
            if finished(pod):
                self.cluster.delete_pod(pod["metadata"])
            if not is_ready(pod):
                return
        for index in sorted((_ordinal(other) for other in by_name), reverse=True):
            pod = by_name[f"{name}-{index}"]
            stale = (pod["metadata"].get("labels") or {}).get(REVISION) != revision
            if index >= wanted or stale:
                self.cluster.delete_pod(pod["metadata"])
                return

    def status(self, found: Object, pods: list[Object]) -> Object:
        _, revision = self.template(found)
        ready = sum(is_ready(p) for p in pods)
        current = sum((p["metadata"].get("labels") or {}).get(REVISION) == revision for p in pods)
        status: Object = {
            "availableReplicas": ready,
            "collisionCount": 0,
            "currentReplicas": current,
            "currentRevision": f"{found['metadata']['name']}-{revision}",
            "observedGeneration": found["metadata"].get("generation", 1),
            "replicas": len(pods),
            "updateRevision": f"{found['metadata']['name']}-{revision}",
            "updatedReplicas": current,
        }
        return status | ({"readyReplicas": ready} if ready else {})


DAEMON_TOLERATIONS: list[Object] = [
    {"effect": "NoExecute", "key": "node.kubernetes.io/not-ready", "operator": "Exists"},
    {"effect": "NoExecute", "key": "node.kubernetes.io/unreachable", "operator": "Exists"},
    {"effect": "NoSchedule", "key": "node.kubernetes.io/disk-pressure", "operator": "Exists"},
    {"effect": "NoSchedule", "key": "node.kubernetes.io/memory-pressure", "operator": "Exists"},
    {"effect": "NoSchedule", "key": "node.kubernetes.io/pid-pressure", "operator": "Exists"},
    {"effect": "NoSchedule", "key": "node.kubernetes.io/unschedulable", "operator": "Exists"},
]


def pod_node(pod: Object) -> str:
    """The node that a DaemonSet's pod runs or will run on."""
    if pod["spec"].get("nodeName"):
        return str(pod["spec"]["nodeName"])
    terms = (
        ((pod["spec"].get("affinity") or {}).get("nodeAffinity") or {})
        .get("requiredDuringSchedulingIgnoredDuringExecution", {})
        .get("nodeSelectorTerms", ())
    )
    fields = [f for term in terms for f in term.get("matchFields", ()) if f["key"] == FIELD]
    return str(fields[0]["values"][0]) if fields else ""


def _ordinal(name: str) -> int:
    tail = name.rsplit("-", 1)[1]
    return int(tail) if tail.isdigit() else -1
