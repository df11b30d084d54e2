"""What a fault needs beside the application: objects that live as long as it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from tests.cluster.kube import KubeError
from tests.cluster.node import SparkNode


@contextlib.contextmanager
def made(node: SparkNode, collection: str, body: dict[str, Any], ready: Callable[[Any], bool]) -> Iterator[None]:
    """An object that lives as long as the fault."""
    path = f"{collection}/{body['metadata']['name']}"
    node.create(collection, body)
    try:
        node.wait(path, lambda seen: seen is not None and ready(seen), seconds=30)
        yield
    finally:
        with contextlib.suppress(KubeError):
            node.delete(path)


def quota(**hard: str) -> Callable[[SparkNode], contextlib.AbstractContextManager[None]]:
    def around(node: SparkNode) -> contextlib.AbstractContextManager[None]:
        limits = {key.replace("_", "."): value for key, value in hard.items()}
        body = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "team"}, "spec": {"hard": limits}}
        collection = f"/api/v1/namespaces/{node.namespace}/resourcequotas"
        return made(node, collection, body, lambda seen: bool((seen.get("status") or {}).get("hard")))

    return around


def lost_webhook(node: SparkNode) -> contextlib.AbstractContextManager[None]:
    """An admission webhook for drivers that nobody serves."""
    webhook = {
        "name": "drivers.policy.example.com",
        "clientConfig": {"url": "https://127.0.0.1:9/drivers"},
        "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}],
        "objectSelector": {"matchLabels": {"spark-role": "driver"}},
        "failurePolicy": "Fail",
        "sideEffects": "None",
        "timeoutSeconds": 2,
        "admissionReviewVersions": ["v1"],
    }
    body = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "driver-policy"},
        "webhooks": [webhook],
    }
    kind = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
    return made(node, kind, body, lambda seen: True)


def unbound_claim(node: SparkNode) -> contextlib.AbstractContextManager[None]:
    """A claim of a storage class that does not exist."""
    body = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "scratch"},
        "spec": {
            "storageClassName": "fast-ssd",
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}},
        },
    }
    kind = f"/api/v1/namespaces/{node.namespace}/persistentvolumeclaims"
    return made(node, kind, body, lambda seen: seen["status"].get("phase") == "Pending")
