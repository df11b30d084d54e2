"""What controllers of pods share: templates and their hashes, new pods, who is ready, whom to delete first."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from console.drill.state.cluster import ClusterState
from console.drill.state.objects import build, owner
from console.drill.state.pods import finished
from console.drill.state.resources import PODS

Object = dict[str, Any]
SAFE = "bcdfghjklmnpqrstvwxz2456789"
HASH = "pod-template-hash"
MANAGER = "kube-controller-manager"
FIRST_RETRY, LAST_RETRY = 0.5, 1000.0
"""Seconds after which a refused pod is asked for again: at first, and at most; doubled each time between."""


def template_hash(template: Object) -> str:
    """A hash of a pod template in the alphabet of Kubernetes."""
    digest = hashlib.sha256(json.dumps(template, sort_keys=True).encode()).digest()
    return "".join(SAFE[byte % len(SAFE)] for byte in digest[:10])


def is_ready(pod: Object) -> bool:
    """Whether the pod's condition Ready is True."""
    return any(c["type"] == "Ready" and c["status"] == "True" for c in pod["status"].get("conditions", ()))


def active(pod: Object) -> bool:
    """Neither over nor on its way out."""
    return not finished(pod) and "deletionTimestamp" not in pod["metadata"]


def owned(cluster: ClusterState, controller: Object) -> list[Object]:
    """Pods that an object controls."""
    meta = controller["metadata"]
    return [
        pod
        for pod in cluster.store.all(PODS, meta["namespace"])
        if any(ref["uid"] == meta["uid"] for ref in pod["metadata"].get("ownerReferences") or ())
    ]


def controller_of(pod: Object, kind: str) -> str:
    """Name of the object of that kind which the pod belongs to; empty: none."""
    refs = pod["metadata"].get("ownerReferences") or ()
    return next((str(ref["name"]) for ref in refs if ref["kind"] == kind), "")


def new_pod(
    cluster: ClusterState, controller: Object, template: Object, name: str = "", extra: Object | None = None
) -> Object:
    """A pod of a template, not yet stored; `extra` is laid over its spec."""
    spec = {
        "dnsPolicy": "ClusterFirst",
        "restartPolicy": "Always",
        "schedulerName": "default-scheduler",
        "terminationGracePeriodSeconds": 30,
        **template["spec"],
        **(extra or {}),
    }
    meta = template.get("metadata") or {}
    return build(
        PODS,
        name or f"{controller['metadata']['name']}-{cluster.ids.suffix()}",
        cluster.heap.now,
        cluster.ids,
        namespace=controller["metadata"]["namespace"],
        labels=meta.get("labels"),
        annotations=meta.get("annotations"),
        owners=[owner(controller, controller=True, block=True)],
        manager=MANAGER,
        body={"spec": spec, "status": {"phase": "Pending", "qosClass": "Burstable"}},
    )


def worth(pod: Object) -> tuple[bool, bool, bool, str]:
    """How much would be lost with it: what is least is deleted first, and of equals the youngest."""
    age = "".join(chr(255 - ord(c)) for c in pod["metadata"]["creationTimestamp"])
    return bool(pod["spec"].get("nodeName")), pod["status"].get("phase") == "Running", is_ready(pod), age
