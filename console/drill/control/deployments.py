"""Deployments: a ReplicaSet for each template, rolled as the strategy says, with revisions to go back to."""

from __future__ import annotations

import math
from typing import Any

from console.drill.control.podsets import HASH, MANAGER, controller_of, owned, template_hash
from console.drill.control.rollout import complete, next_condition
from console.drill.state.cluster import ClusterState
from console.drill.state.ids import stamp
from console.drill.state.objects import build, owner
from console.drill.state.resources import DEPLOYMENTS, PODS, REPLICASETS
from console.drill.state.store import ObjectChange

Object = dict[str, Any]
COMPONENT = "deployment-controller"
REVISION = "deployment.kubernetes.io/revision"


class DeploymentController:
    """Keeps the ReplicaSets of Deployments as their templates and replicas say."""

    def __init__(self, cluster: ClusterState) -> None:
        self.cluster = cluster
        cluster.store.listen(DEPLOYMENTS, self._deployment)
        cluster.store.listen(REPLICASETS, self._replicaset)
        cluster.store.listen(PODS, self._pod)

    def _deployment(self, change: ObjectChange) -> None:
        if change.type != "DELETED" and (change.previous is None or change.previous["spec"] != change.object["spec"]):
            self._soon(change.object["metadata"]["namespace"], change.object["metadata"]["name"])

    def _replicaset(self, change: ObjectChange) -> None:
        name = controller_of(change.object, "Deployment")
        if name and change.type == "MODIFIED":
            self._soon(change.object["metadata"]["namespace"], name)

    def _pod(self, change: ObjectChange) -> None:
        """Recreate waits until the last old pod is gone."""
        name = controller_of(change.object, "ReplicaSet")
        if name and change.type == "DELETED":
            self._soon(change.object["metadata"]["namespace"], name.rsplit("-", 1)[0])

    def _soon(self, namespace: str, name: str, seconds: float = 0.2) -> None:
        self.cluster.heap.after(seconds, lambda: self.reconcile(namespace, name))

    def _event(self, deployment: Object, text: str) -> None:
        self.cluster.recorder.record(deployment, "Normal", "ScalingReplicaSet", text, COMPONENT)

    def reconcile(self, namespace: str, name: str) -> None:
        """One pass over a Deployment."""
        deployment = self.cluster.store.get(DEPLOYMENTS, namespace, name)
        if deployment is None or "template" not in deployment["spec"]:
            return
        old, current = self._split(deployment)
        if deployment["spec"].get("paused"):
            self._scale_paused(deployment, old, current)
        elif (deployment["spec"].get("strategy") or {}).get("type") == "Recreate":
            self._recreate(deployment, old, current)
        else:
            self._roll(deployment, old, current or self._made(deployment, old))
        self._write_status(namespace, name)

    # -- ReplicaSets ----------------------------------------------------------------------------------------------

    def _split(self, deployment: Object) -> tuple[list[Object], Object | None]:
        """Its older ReplicaSets, and the one of its template where it exists."""
        meta, digest = deployment["metadata"], template_hash(deployment["spec"]["template"])
        mine = [
            found
            for found in self.cluster.store.all(REPLICASETS, meta["namespace"])
            if any(ref["uid"] == meta["uid"] for ref in found["metadata"].get("ownerReferences") or ())
        ]
        mine.sort(key=lambda found: int((found["metadata"].get("annotations") or {}).get(REVISION, "0")))
        current = next((found for found in mine if found["metadata"]["name"] == f"{meta['name']}-{digest}"), None)
        return [found for found in mine if found is not current], current

    def _made(self, deployment: Object, old: list[Object]) -> Object:
        replicas = _least(int(deployment["spec"].get("replicas", 1)), _surge(deployment), _total(old))
        made = self.replicaset(deployment, replicas)
        if replicas:
            self._event(deployment, f"Scaled up replica set {made['metadata']['name']} from 0 to {replicas}")
        return made

    def replicaset(self, deployment: Object, replicas: int) -> Object:
        """Make the ReplicaSet of the Deployment's template, with the next revision."""
        meta, template = deployment["metadata"], deployment["spec"]["template"]
        digest = template_hash(template)
        name = f"{meta['name']}-{digest}"
        labels = {**((template.get("metadata") or {}).get("labels") or {}), HASH: digest}
        body = {
            "spec": {
                "replicas": replicas,
                "selector": {"matchLabels": labels},
                "template": {**template, "metadata": {**(template.get("metadata") or {}), "labels": labels}},
            },
            "status": {"replicas": 0},
        }
        made = build(
            REPLICASETS,
            name,
            self.cluster.heap.now,
            self.cluster.ids,
            namespace=meta["namespace"],
            labels=labels,
            annotations={REVISION: str(self._last_revision(deployment) + 1)},
            owners=[owner(deployment, controller=True, block=True)],
            manager=MANAGER,
            body=body,
        )
        return self.cluster.store.create(REPLICASETS, made)

    def _last_revision(self, deployment: Object) -> int:
        old, current = self._split(deployment)
        known = [*old, current] if current else old
        return max((int(found["metadata"]["annotations"][REVISION]) for found in known), default=0)

    def _scale(self, deployment: Object, replicaset: Object, to: int) -> None:
        before = int(replicaset["spec"].get("replicas", 0))
        if before == to:
            return
        meta = replicaset["metadata"]
        changed = {**meta, "generation": int(meta.get("generation", 1)) + 1}
        spec = {**replicaset["spec"], "replicas": to}
        self.cluster.store.update(REPLICASETS, {**replicaset, "metadata": changed, "spec": spec})
        how = "up" if to > before else "down"
        self._event(deployment, f"Scaled {how} replica set {meta['name']} from {before} to {to}")

    # -- strategies -----------------------------------------------------------------------------------------------

    def _scale_paused(self, deployment: Object, old: list[Object], current: Object | None) -> None:
        """A paused Deployment makes no new ReplicaSet; the only one that has pods follows its replicas."""
        having = [found for found in (*old, *([current] if current else [])) if found["spec"].get("replicas")]
        if len(having) == 1:
            self._scale(deployment, having[0], int(deployment["spec"].get("replicas", 1)))

    def _recreate(self, deployment: Object, old: list[Object], current: Object | None) -> None:
        for found in old:
            self._scale(deployment, found, 0)
        if any(owned(self.cluster, found) for found in old):
            return
        wanted = int(deployment["spec"].get("replicas", 1))
        if current is None:
            made = self.replicaset(deployment, wanted)
            self._event(deployment, f"Scaled up replica set {made['metadata']['name']} from 0 to {wanted}")
        else:
            self._revise(deployment, current, old)
            self._scale(deployment, self._fresh(current), wanted)

    def _roll(self, deployment: Object, old: list[Object], current: Object) -> None:
        self._revise(deployment, current, old)
        current = self._fresh(current)
        wanted, surge, unavailable = int(deployment["spec"].get("replicas", 1)), _surge(deployment), _lost(deployment)
        have = int(current["spec"].get("replicas", 0))
        if have > wanted:
            self._scale(deployment, current, wanted)
            return
        if have < wanted:
            self._scale(deployment, current, _least(wanted, surge, _total(old) + have, have))
            if self._fresh(current)["spec"]["replicas"] != have:
                return
        waiting = have - int(current["status"].get("availableReplicas", 0))
        spare = _total(old) + have - (wanted - unavailable) - waiting
        for found in old:
            # What does not work is let go first: it helps nobody.
            idle = int(found["spec"].get("replicas", 0)) - int(found["status"].get("availableReplicas", 0))
            less = max(0, min(spare, idle))
            spare -= less
            self._scale(deployment, found, int(found["spec"].get("replicas", 0)) - less)
        ready = sum(int(f["status"].get("availableReplicas", 0)) for f in (*old, current))
        spare = ready - (wanted - unavailable)
        for found in old:
            found = self._fresh(found)
            less = max(0, min(spare, int(found["spec"].get("replicas", 0))))
            spare -= less
            self._scale(deployment, found, int(found["spec"].get("replicas", 0)) - less)

    def _fresh(self, found: Object) -> Object:
        meta = found["metadata"]
        return self.cluster.store.get(REPLICASETS, meta["namespace"], meta["name"]) or found

    def _revise(self, deployment: Object, current: Object, old: list[Object]) -> None:
        """The ReplicaSet of the template has the highest revision: a template that comes back gets a new one."""
        revision = int(current["metadata"]["annotations"][REVISION])
        highest = max((int(found["metadata"]["annotations"][REVISION]) for found in old), default=0)
        if highest > revision:
            revision = highest + 1
            notes = {**current["metadata"]["annotations"], REVISION: str(revision)}
            changed = {**current["metadata"], "annotations": notes}
            self.cluster.store.update(REPLICASETS, {**current, "metadata": changed})
        self._note_revision(deployment, revision)

    def _note_revision(self, deployment: Object, revision: int) -> None:
        meta = deployment["metadata"]
        current = self.cluster.store.get(DEPLOYMENTS, meta["namespace"], meta["name"])
        if current is None:
            return
        notes = current["metadata"].get("annotations") or {}
        if notes.get(REVISION) != str(revision):
            changed = {**current["metadata"], "annotations": {**notes, REVISION: str(revision)}}
            self.cluster.store.update(DEPLOYMENTS, {**current, "metadata": changed})

    # -- status ---------------------------------------------------------------------------------------------------

    def _write_status(self, namespace: str, name: str) -> None:
        deployment = self.cluster.store.get(DEPLOYMENTS, namespace, name)
        if deployment is None or "template" not in deployment["spec"]:
            return
        old, current = self._split(deployment)
        if current is not None:
            self._note_revision(deployment, int(current["metadata"]["annotations"][REVISION]))
            deployment = self.cluster.store.get(DEPLOYMENTS, namespace, name) or deployment
        every = [*old, current] if current else old
        status: Object = {"observedGeneration": deployment["metadata"].get("generation", 1)}
        counts = {
            "replicas": sum(int(f["status"].get("replicas", 0)) for f in every),
            "updatedReplicas": int(current["status"].get("replicas", 0)) if current else 0,
            "readyReplicas": sum(int(f["status"].get("readyReplicas", 0)) for f in every),
            "availableReplicas": sum(int(f["status"].get("availableReplicas", 0)) for f in every),
        }
        counts["unavailableReplicas"] = max(0, _total(every) - counts["availableReplicas"])
        status |= {key: count for key, count in counts.items() if count}
        before = deployment.get("status") or {}
        status["conditions"] = self._conditions(deployment, before, status, current)
        if before != status:
            self.cluster.store.update(DEPLOYMENTS, {**deployment, "status": status})
            deadline = deployment["spec"].get("progressDeadlineSeconds")
            if deadline and not complete(deployment, status):
                self._soon(namespace, name, float(deadline) + 1.0)

    def _conditions(self, deployment: Object, before: Object, status: Object, current: Object | None) -> list[Object]:
        now = stamp(self.cluster.heap.now)
        least = int(deployment["spec"].get("replicas", 1)) - _lost(deployment)
        good = int(status.get("availableReplicas", 0)) >= least
        known = {c["type"]: c for c in before.get("conditions", ())}
        text = f"Deployment {'has' if good else 'does not have'} minimum availability."
        reason = f"MinimumReplicas{'Available' if good else 'Unavailable'}"
        known["Available"] = _condition(known.get("Available"), "Available", good, reason, text, now)
        progressing = next_condition(deployment, before, status, current, self.cluster.heap.now)
        if progressing is not None:
            known["Progressing"] = progressing
        failed = list(((current or {}).get("status") or {}).get("conditions", ()))
        known.pop("ReplicaFailure", None)
        if failed:
            known["ReplicaFailure"] = {**failed[0], "lastUpdateTime": failed[0]["lastTransitionTime"]}
        return list(known.values())


def _condition(old: Object | None, kind: str, value: bool, reason: str, text: str, now: str) -> Object:
    status = "True" if value else "False"
    if old is not None and (old["status"], old["reason"]) == (status, reason):
        return old
    since = old["lastTransitionTime"] if old is not None and old["status"] == status else now
    made: Object = {"lastTransitionTime": since, "lastUpdateTime": now, "message": text, "reason": reason}
    return {**made, "status": status, "type": kind}


def _total(replicasets: list[Object]) -> int:
    return sum(int(found["spec"].get("replicas", 0)) for found in replicasets)


def _least(wanted: int, surge: int, all_pods: int, have: int = 0) -> int:
    """Replicas of the new ReplicaSet: as many as the surge leaves room for beside all that there are."""
    return min(wanted, have + max(0, wanted + surge - all_pods))


def _share(value: Any, of: int, *, up: bool) -> int:
    if isinstance(value, str) and value.endswith("%"):
        exact = of * int(value[:-1]) / 100
        return math.ceil(exact) if up else math.floor(exact)
    return int(value)


def _rolling(deployment: Object) -> Object:
    return dict((deployment["spec"].get("strategy") or {}).get("rollingUpdate") or {})


def _surge(deployment: Object) -> int:
    replicas = int(deployment["spec"].get("replicas", 1))
    return _share(_rolling(deployment).get("maxSurge", "25%"), replicas, up=True)


def _lost(deployment: Object) -> int:
    """How many may be unavailable. Where neither more nor fewer were allowed, one may be missing."""
    replicas = int(deployment["spec"].get("replicas", 1))
    if (deployment["spec"].get("strategy") or {}).get("type") == "Recreate" or not replicas:
        return 0
    lost = _share(_rolling(deployment).get("maxUnavailable", "25%"), replicas, up=False)
    return min(replicas, lost if lost or _surge(deployment) else 1)
