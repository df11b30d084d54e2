"""Deployments: their ReplicaSets and pods, replaced when they go and rolled when the template changes."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from console.drill.state.admission import plain, quota_used
from console.drill.state.cluster import ClusterState
from console.drill.state.ids import stamp
from console.drill.state.objects import build, owner
from console.drill.state.resources import DEPLOYMENTS, PODS, QUOTAS, REPLICASETS
from console.drill.state.store import ObjectChange

Object = dict[str, Any]
SAFE = "bcdfghjklmnpqrstvwxz2456789"
HASH = "pod-template-hash"


def template_hash(template: Object) -> str:
    """A hash of a pod template in the alphabet of Kubernetes."""
    digest = hashlib.sha256(json.dumps(template, sort_keys=True).encode()).digest()
    return "".join(SAFE[byte % len(SAFE)] for byte in digest[:10])


class WorkloadController:
    """Keeps Deployments at their replicas, and quotas at their usage."""

    def __init__(self, cluster: ClusterState) -> None:
        self.cluster = cluster
        self._counting: set[str] = set()
        cluster.store.listen(DEPLOYMENTS, self._deployment)
        cluster.store.listen(PODS, self._pod)

    def _deployment(self, change: ObjectChange) -> None:
        if change.type != "DELETED":
            meta = change.object["metadata"]
            if change.previous is None or change.previous["spec"] != change.object["spec"]:
                self.cluster.heap.after(0.2, lambda: self.reconcile(meta["namespace"], meta["name"]))

    def _pod(self, change: ObjectChange) -> None:
        pod = change.object
        namespace = pod["metadata"]["namespace"]
        was = change.previous["status"].get("phase") if change.previous else None
        if change.type != "MODIFIED" or pod["status"].get("phase") != was:
            self._refresh(namespace)
        for ref in pod["metadata"].get("ownerReferences") or ():
            if ref["kind"] == "ReplicaSet":
                self._soon(namespace, ref["name"].rsplit("-", 1)[0])

    def _refresh(self, namespace: str) -> None:
        """Count a namespace's quotas soon, once for all changes until then."""
        if namespace not in self._counting and any(self.cluster.store.all(QUOTAS, namespace)):
            self._counting.add(namespace)
            self.cluster.heap.after(0.5, lambda: self._count(namespace))

    def _count(self, namespace: str) -> None:
        self._counting.discard(namespace)
        for quota in self.cluster.store.all(QUOTAS, namespace):
            used = {name: plain(name, value) for name, value in quota_used(self.cluster.store, quota).items()}
            status = {"hard": quota["spec"]["hard"], "used": used}
            if quota.get("status") != status:
                self.cluster.store.update(QUOTAS, {**quota, "status": status})

    def _soon(self, namespace: str, name: str) -> None:
        self.cluster.heap.after(0.3, lambda: self.reconcile(namespace, name))

    def pods_of(self, deployment: Object) -> list[Object]:
        """Pods of all ReplicaSets of a Deployment that are not on their way out."""
        meta = deployment["metadata"]
        return [
            pod
            for pod in self.cluster.store.all(PODS, meta["namespace"])
            for ref in pod["metadata"].get("ownerReferences") or ()
            if ref["kind"] == "ReplicaSet" and ref["name"].rsplit("-", 1)[0] == meta["name"]
        ]

    def reconcile(self, namespace: str, name: str) -> None:
        """One pass over a Deployment."""
        deployment = self.cluster.store.get(DEPLOYMENTS, namespace, name)
        if deployment is None:
            return
        current = self.replicaset(deployment)
        pods = self.pods_of(deployment)
        wanted = int(deployment["spec"].get("replicas", 1))
        fresh = [
            p
            for p in pods
            if p["metadata"]["ownerReferences"][0]["name"] == current["metadata"]["name"]
            and "deletionTimestamp" not in p["metadata"]
            and p["status"].get("phase") in ("Pending", "Running")
        ]
        ready = [p for p in fresh if is_ready(p)]
        for _ in range(wanted - len(fresh)):
            self.cluster.create(PODS, self.pod(deployment, current))
        for pod in fresh[wanted:]:
            self.cluster.delete_pod(pod["metadata"])
        old = [p for p in pods if p not in fresh and "deletionTimestamp" not in p["metadata"]]
        if len(ready) >= wanted:
            for pod in old:
                self.cluster.delete_pod(pod["metadata"])
        self._write_status(deployment, [p for p in pods if is_ready(p)], len(fresh), wanted)

    def replicaset(self, deployment: Object) -> Object:
        """The ReplicaSet of the Deployment's template; made where it is missing."""
        meta, template = deployment["metadata"], deployment["spec"]["template"]
        digest = template_hash(template)
        name = f"{meta['name']}-{digest}"
        found = self.cluster.store.get(REPLICASETS, meta["namespace"], name)
        if found is not None:
            return found
        labels = {**(template["metadata"].get("labels") or {}), HASH: digest}
        replicas = int(deployment["spec"].get("replicas", 1))
        body = {
            "spec": {
                "replicas": replicas,
                "selector": {"matchLabels": labels},
                "template": {**template, "metadata": {**template["metadata"], "labels": labels}},
            },
            "status": {"replicas": replicas, "readyReplicas": replicas, "availableReplicas": replicas},
        }
        made = build(
            REPLICASETS,
            name,
            self.cluster.heap.now,
            self.cluster.ids,
            namespace=meta["namespace"],
            labels=labels,
            owners=[owner(deployment, controller=True, block=True)],
            manager="kube-controller-manager",
            body=body,
        )
        return self.cluster.store.create(REPLICASETS, made)

    def pod(self, deployment: Object, replicaset: Object) -> Object:
        """A new pod of a Deployment."""
        template = replicaset["spec"]["template"]
        spec = {
            "dnsPolicy": "ClusterFirst",
            "restartPolicy": "Always",
            "schedulerName": "default-scheduler",
            "terminationGracePeriodSeconds": 30,
            **template["spec"],
        }
        return build(
            PODS,
            f"{replicaset['metadata']['name']}-{self.cluster.ids.suffix()}",
            self.cluster.heap.now,
            self.cluster.ids,
            namespace=deployment["metadata"]["namespace"],
            labels=template["metadata"]["labels"],
            annotations=template["metadata"].get("annotations"),
            owners=[owner(replicaset, controller=True, block=True)],
            manager="kube-controller-manager",
            body={"spec": spec, "status": {"phase": "Pending", "qosClass": "Burstable"}},
        )

    def _write_status(self, deployment: Object, ready: list[Object], fresh: int, wanted: int) -> None:
        current = self.cluster.store.get(
            DEPLOYMENTS, deployment["metadata"]["namespace"], deployment["metadata"]["name"]
        )
        if current is None:
            return
        count = len(ready)
        status: Object = {
            "observedGeneration": current["metadata"].get("generation", 1),
            "replicas": max(count, fresh),
            "updatedReplicas": fresh,
            "readyReplicas": count,
            "availableReplicas": count,
        }
        if wanted > count:
            status["unavailableReplicas"] = wanted - count
        available = wanted <= count
        old = {c["type"]: c for c in current.get("status", {}).get("conditions", ())}
        value = "True" if available else "False"
        before = old.get("Available", {})
        since = before.get("lastTransitionTime") if before.get("status") == value else None
        now = since or stamp(self.cluster.heap.now)
        status["conditions"] = [
            {
                "lastTransitionTime": now,
                "lastUpdateTime": now,
                "message": f"Deployment {'has' if available else 'does not have'} minimum availability.",
                "reason": f"MinimumReplicas{'Available' if available else 'Unavailable'}",
                "status": value,
                "type": "Available",
            }
        ]
        if current.get("status") != status:
            self.cluster.store.update(DEPLOYMENTS, {**current, "status": status})


def is_ready(pod: Object) -> bool:
    """Whether the pod's condition Ready is True."""
    return any(c["type"] == "Ready" and c["status"] == "True" for c in pod["status"].get("conditions", ()))
