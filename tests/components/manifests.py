"""The worlds of components as manifests: what `kubectl apply` would send, and the status that a controller sets."""

from __future__ import annotations

from typing import Any

from console.facts.model import Node, Workload
from tests.components.test_shipped import WORLD

IMAGE = "registry.local/none:1"
PLURALS = {
    "Deployment": "apps/v1/deployments",
    "StatefulSet": "apps/v1/statefulsets",
    "DaemonSet": "apps/v1/daemonsets",
    "CronJob": "batch/v1/cronjobs",
    "SparkApplication": "sparkoperator.k8s.io/v1beta2/sparkapplications",
    "Route": "route.openshift.io/v1/routes",
    "ScaledObject": "keda.sh/v1alpha1/scaledobjects",
    "ConfigMap": "v1/configmaps",
    "ExternalSecret": "external-secrets.io/v1/externalsecrets",
    "SecretStore": "external-secrets.io/v1/secretstores",
    "SealedSecret": "bitnami.com/v1alpha1/sealedsecrets",
}
CRDS = (
    ("route.openshift.io", "v1", "Route"),
    ("keda.sh", "v1alpha1", "ScaledObject"),
    ("external-secrets.io", "v1", "ExternalSecret"),
    ("external-secrets.io", "v1", "SecretStore"),
    ("bitnami.com", "v1alpha1", "SealedSecret"),
)


def crd(group: str, version: str, kind: str) -> dict[str, Any]:
    """A definition that accepts anything."""
    plural = f"{kind.lower()}s"
    anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    served = {
        "name": version,
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": anything},
        "subresources": {"status": {}},
    }
    names = {"kind": kind, "plural": plural, "singular": kind.lower(), "listKind": f"{kind}List"}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {"group": group, "scope": "Namespaced", "names": names, "versions": [served]},
    }


def collection(kind: str, namespace: str) -> str:
    """Path of the objects of a kind."""
    *api, plural = PLURALS[kind].split("/")
    return f"/{'apis' if len(api) > 1 else 'api'}/{'/'.join(api)}/namespaces/{namespace}/{plural}"


def manifests(id: str, namespace: str) -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
    """(path of the collection, object, status) of everything that a component consists of, pods left out."""
    out = []
    for thing in WORLD[id]:
        if isinstance(thing, Node):
            size = {name: f"{amount:g}" for name, amount in thing.capacity.items()}
            node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": f"{thing.name}-{namespace}"}}
            out.append(("/api/v1/nodes", node, {"capacity": size, "allocatable": size}))
        elif isinstance(thing, Workload):
            out.append((collection(thing.kind, namespace), _body(id, thing, namespace), _status(thing)))
    return out


def _body(id: str, thing: Workload, namespace: str) -> dict[str, Any]:
    name = f"{thing.name}-scc" if id == "openshift-scc" else thing.name
    meta = {"name": name, "namespace": namespace, "labels": thing.labels, "annotations": thing.annotations}
    tree: dict[str, Any] = {"apiVersion": thing.api_version, "kind": thing.kind, "metadata": meta}
    if thing.kind == "ConfigMap":
        return {**tree, "data": thing.spec.get("data", thing.spec)}
    spec = {**thing.spec}
    if thing.kind in ("Deployment", "StatefulSet", "DaemonSet"):
        (container,) = spec["template"]["spec"]["containers"]
        full = {**container, "image": container["image"] or IMAGE}
        spec["template"] = {**spec["template"], "spec": {"containers": [full]}}
        if thing.kind == "StatefulSet":
            spec["serviceName"] = name
        if thing.kind == "DaemonSet":
            spec.pop("replicas", None)
    elif thing.kind == "CronJob":
        pod = {"restartPolicy": "Never", "containers": [{"name": "main", "image": IMAGE}]}
        spec |= {"schedule": "0 * * * *", "jobTemplate": {"spec": {"template": {"spec": pod}}}}
    elif thing.kind == "SparkApplication":
        spec |= {"type": "Scala", "mode": "cluster", "sparkVersion": "4.1.4", "driver": {}, "executor": {},
                 "mainApplicationFile": "local:///job.jar"}  # fmt: skip
    return {**tree, "spec": spec}


def _status(thing: Workload) -> dict[str, Any]:
    if thing.kind == "DaemonSet":
        counted = {"currentNumberScheduled": 1, "numberMisscheduled": 0, "numberAvailable": 1}
        return {**counted, **thing.status}
    if thing.kind == "SparkApplication":
        return {"driverInfo": {}, **thing.status}
    return thing.status
