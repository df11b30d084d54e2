"""Builders of Kubernetes objects as the recorded cluster shows them."""

from __future__ import annotations

from typing import Any

from console.drill.ids import Ids, stamp
from console.drill.memory import MI, Sizing
from console.drill.resources import Resource

Object = dict[str, Any]
TOLERATIONS = [
    {"effect": "NoExecute", "key": "node.kubernetes.io/not-ready", "operator": "Exists", "tolerationSeconds": 300},
    {"effect": "NoExecute", "key": "node.kubernetes.io/unreachable", "operator": "Exists", "tolerationSeconds": 300},
]
OPERATOR_LABELS = {
    "sparkoperator.k8s.io/launched-by-spark-operator": "true",
    "sparkoperator.k8s.io/mutated-by-spark-operator": "true",
}


def quantity(count: int) -> str:
    """Bytes as Spark writes them into a pod: whole MiB."""
    return f"{count // MI}Mi" if count % MI == 0 else str(count)


def fields(value: Any) -> Object:
    """`fieldsV1` of a value: which fields a manager owns."""
    out: Object = {}
    if isinstance(value, dict):
        for key, item in value.items():
            out[f"f:{key}"] = fields(item) if isinstance(item, dict) else {}
    return out


def managed(
    manager: str, when: float, api_version: str, owned: Object, subresource: str = "", operation: str = "Update"
) -> Object:
    """One entry of managedFields."""
    entry: Object = {
        "apiVersion": api_version,
        "fieldsType": "FieldsV1",
        "fieldsV1": fields(owned),
        "manager": manager,
        "operation": operation,
        "time": stamp(when),
    }
    if subresource:
        entry["subresource"] = subresource
    return entry


def build(
    resource: Resource,
    name: str,
    now: float,
    ids: Ids,
    *,
    namespace: str = "",
    labels: dict[str, str] | None = None,
    annotations: dict[str, str] | None = None,
    owners: list[Object] | None = None,
    manager: str = "kubectl-client-side-apply",
    generation: bool = True,
    body: Object | None = None,
) -> Object:
    """A complete object without a version."""
    meta: Object = {"name": name, "uid": ids.uid(), "creationTimestamp": stamp(now)}
    if resource.namespaced:
        meta["namespace"] = namespace
    if generation:
        meta["generation"] = 1
    if labels:
        meta["labels"] = labels
    if annotations:
        meta["annotations"] = annotations
    if owners:
        meta["ownerReferences"] = owners
    owned = {k: v for k, v in (body or {}).items() if k != "status"}
    if resource.kind == "Pod":
        owned = {"spec": {"containers": {}, "volumes": {}}}
    if labels:
        owned["metadata"] = {"labels": labels}
    meta["managedFields"] = [managed(manager, now, resource.api_version, owned)]
    return {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": meta, **(body or {})}


def owner(obj: Object, *, controller: bool | None = None, block: bool = False) -> Object:
    """An ownerReference to `obj`."""
    ref: Object = {
        "apiVersion": obj["apiVersion"],
        "kind": obj["kind"],
        "name": obj["metadata"]["name"],
        "uid": obj["metadata"]["uid"],
    }
    if block:
        ref["blockOwnerDeletion"] = True
    if controller:
        ref["controller"] = True
    return ref


def spark_pod_spec(
    role: str,
    image: str,
    size: Sizing,
    *,
    cpu: str,
    args: list[str],
    env: list[Object],
    conf_volume: str,
    account: str,
    local_dir: str,
    tmpfs: bool,
    ids: Ids,
) -> Object:
    """`spec` of a driver or executor pod."""
    memory, most = quantity(size.request), quantity(size.limit)
    ports = [("driver-rpc-port", 7078), ("blockmanager", 7079), ("spark-ui", 4040), ("spark-connect", 15002)]
    token = f"kube-api-access-{ids.suffix()}"
    config = f"spark-conf-volume-{'driver' if role == 'driver' else 'exec'}"
    empty: Object = {"medium": "Memory"} if tmpfs else {}
    return {
        "containers": [
            {
                "args": args,
                "env": env,
                "image": image,
                "imagePullPolicy": "IfNotPresent",
                "name": f"spark-kubernetes-{role}",
                "ports": [
                    {"containerPort": port, "name": name, "protocol": "TCP"}
                    for name, port in (ports if role == "driver" else ports[1:2])
                ],
                "resources": {"limits": {"memory": most}, "requests": {"cpu": cpu, "memory": memory}},
                "terminationMessagePath": "/dev/termination-log",
                "terminationMessagePolicy": "File",
                "volumeMounts": [
                    {"mountPath": local_dir, "name": "spark-local-dir-1"},
                    {"mountPath": "/opt/spark/conf", "name": config},
                    {
                        "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount",
                        "name": token,
                        "readOnly": True,
                    },
                ],
            }
        ],
        "dnsPolicy": "ClusterFirst",
        "enableServiceLinks": True,
        "preemptionPolicy": "PreemptLowerPriority",
        "priority": 0,
        "restartPolicy": "Never",
        "schedulerName": "default-scheduler",
        "securityContext": {},
        "serviceAccount": account,
        "serviceAccountName": account,
        "terminationGracePeriodSeconds": 30,
        "tolerations": TOLERATIONS,
        "volumes": [
            {"emptyDir": empty, "name": "spark-local-dir-1"},
            {"configMap": {"defaultMode": 420, "name": conf_volume}, "name": config},
            {
                "name": token,
                "projected": {
                    "defaultMode": 420,
                    "sources": [
                        {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
                        {
                            "configMap": {
                                "items": [{"key": "ca.crt", "path": "ca.crt"}],
                                "name": "kube-root-ca.crt",
                            }
                        },
                    ],
                },
            },
        ],
    }


def status(
    message: str, reason: str, code: int, *, details: Object | None = None, retry_after: int | None = None
) -> Object:
    """A Failure `Status` as the API server writes it."""
    out: Object = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": reason,
    }
    if details is not None:
        out["details"] = details
    if retry_after is not None:
        out.setdefault("details", {})["retryAfterSeconds"] = retry_after
    out["code"] = code
    return out


class ApiError(Exception):
    """A refusal of the API server."""

    def __init__(self, message: str, reason: str, code: int, **details: Any) -> None:
        super().__init__(message)
        empty: Object | None = None if reason in ("BadRequest", "Unauthorized", "Expired") else {}
        self.body = status(message, reason, code, details=details or empty)
        self.code = code
