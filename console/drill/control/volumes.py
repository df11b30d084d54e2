"""Claims: bound by the class that they name, or left waiting with the words of the real controller."""

from __future__ import annotations

from typing import Any

from console.drill.state.cluster import ClusterState
from console.drill.state.objects import build
from console.drill.state.pods import finished
from console.drill.state.resources import CLAIMS, PODS, STORAGECLASSES, VOLUMES
from console.drill.state.store import ObjectChange, Store

Object = dict[str, Any]
COMPONENT = "persistentvolume-controller"
AGAIN = 15.0
PROVISIONING = 3.0
DEFAULT = "storageclass.kubernetes.io/is-default-class"


def pending(claim: Object) -> bool:
    """Whether it has no volume yet."""
    return bool((claim.get("status") or {}).get("phase", "Pending") == "Pending")


def class_of(store: Store, claim: Object) -> tuple[str, Object | None]:
    """Name of a claim's class (empty: none), and the class where there is one."""
    name = claim["spec"].get("storageClassName")
    if name is None:
        for found in store.each(STORAGECLASSES):
            if (found["metadata"].get("annotations") or {}).get(DEFAULT) == "true":
                return str(found["metadata"]["name"]), found
        return "", None
    return str(name), store.get(STORAGECLASSES, "", str(name)) if name else None


def waits_for_consumer(store: Store, claim: Object) -> bool:
    """Whether a claim is bound only when a pod that uses it has found its node."""
    _, found = class_of(store, claim)
    return found is not None and found.get("volumeBindingMode") == "WaitForFirstConsumer"


class ClaimBinder:
    """The controller of claims, with a provisioner behind each class."""

    def __init__(self, cluster: ClusterState) -> None:
        self.cluster = cluster
        self._again: set[str] = set()
        cluster.store.listen(CLAIMS, self._claim)
        cluster.store.listen(STORAGECLASSES, lambda _change: self._all())
        cluster.store.listen(PODS, self._pod)

    def _claim(self, change: ObjectChange) -> None:
        if change.type == "ADDED":
            self._soon(change.object["metadata"], 0.2)

    def _pod(self, change: ObjectChange) -> None:
        before, spec = change.previous, change.object["spec"]
        if spec.get("nodeName") and not (before and before["spec"].get("nodeName")) and spec.get("volumes"):
            self._all()

    def _all(self) -> None:
        for claim in self.cluster.store.each(CLAIMS):
            if pending(claim):
                self._soon(claim["metadata"], 0.2)

    def _soon(self, meta: Object, seconds: float) -> None:
        if meta["uid"] not in self._again:
            self._again.add(meta["uid"])
            self.cluster.heap.after(seconds, lambda: self._look(meta))

    def _look(self, meta: Object) -> None:
        self._again.discard(meta["uid"])
        claim = self.cluster.store.get(CLAIMS, meta["namespace"], meta["name"])
        if claim is None or claim["metadata"]["uid"] != meta["uid"] or not pending(claim):
            return
        name, found = class_of(self.cluster.store, claim)
        if found is None:
            self._fail(claim, name)
        elif found.get("volumeBindingMode") == "WaitForFirstConsumer" and not self._used(claim):
            text = "waiting for first consumer to be created before binding"
            self.cluster.recorder.record(claim, "Normal", "WaitForFirstConsumer", text, COMPONENT)
        else:
            self.cluster.heap.after(PROVISIONING, lambda: self._bind(meta))
            return
        self._soon(meta, AGAIN)

    def _fail(self, claim: Object, name: str) -> None:
        if name:
            text = f'storageclass.storage.k8s.io "{name}" not found'
            self.cluster.recorder.record(claim, "Warning", "ProvisioningFailed", text, COMPONENT)
        else:
            text = "no persistent volumes available for this claim and no storage class is set"
            self.cluster.recorder.record(claim, "Normal", "FailedBinding", text, COMPONENT)

    def _used(self, claim: Object) -> bool:
        meta = claim["metadata"]
        return any(
            (volume.get("persistentVolumeClaim") or {}).get("claimName") == meta["name"]
            for pod in self.cluster.store.all(PODS, meta["namespace"])
            if pod["spec"].get("nodeName") and not finished(pod)
            for volume in pod["spec"].get("volumes") or ()
        )

    def _bind(self, meta: Object) -> None:
        claim = self.cluster.store.get(CLAIMS, meta["namespace"], meta["name"])
        if claim is None or claim["metadata"]["uid"] != meta["uid"] or not pending(claim):
            return
        name, _ = class_of(self.cluster.store, claim)
        volume, asked = f"pvc-{meta['uid']}", claim["spec"]["resources"]["requests"]
        modes = claim["spec"].get("accessModes") or ["ReadWriteOnce"]
        reference = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "name": meta["name"]}
        reference |= {"namespace": meta["namespace"], "uid": meta["uid"]}
        spec = {"accessModes": modes, "capacity": asked, "claimRef": reference, "storageClassName": name}
        made = build(
            VOLUMES,
            volume,
            self.cluster.heap.now,
            self.cluster.ids,
            manager="csi-provisioner",
            generation=False,
            body={"spec": spec, "status": {"phase": "Bound"}},
        )
        self.cluster.store.create(VOLUMES, made)
        text = f"Successfully provisioned volume {volume}"
        self.cluster.recorder.record(claim, "Normal", "ProvisioningSucceeded", text, "csi-provisioner")
        status = {"accessModes": modes, "capacity": asked, "phase": "Bound"}
        bound = {**claim["spec"], "volumeName": volume}
        self.cluster.store.update(CLAIMS, {**claim, "spec": bound, "status": status})
