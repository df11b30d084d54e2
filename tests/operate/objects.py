"""The objects that the tests change."""

from __future__ import annotations

from typing import Any

from console.actions.effects import Effect, ObjectRef
from tests.cluster.kube import Kube

API = "sparkoperator.k8s.io/v1beta2"
OLD, NEW = "200m", "1200m"


def spark_path(namespace: str, name: str = "", plural: str = "sparkapplications") -> str:
    return f"/apis/{API}/namespaces/{namespace}/{plural}" + (f"/{name}" if name else "")


def spark_application(namespace: str, name: str = "etl-orders", **meta: Any) -> dict[str, Any]:
    """The application of the recorded incident, as its YAML was applied."""
    return {
        "apiVersion": API,
        "kind": "SparkApplication",
        "metadata": {"name": name, "namespace": namespace, **meta},
        "spec": {
            "type": "Python",
            "pythonVersion": "3",
            "mode": "cluster",
            "image": "spark:4.1.4",
            "mainApplicationFile": "local:///opt/jobs/job.py",
            "sparkVersion": "4.1.4",
            "sparkConf": {"spark.kubernetes.local.dirs.tmpfs": "true"},
            "restartPolicy": {"type": "OnFailure", "onFailureRetries": 1, "onFailureRetryInterval": 5},
            "driver": {"cores": 1, "memory": "512m", "serviceAccount": "spark"},
            "executor": {"cores": 1, "instances": 2, "memory": "512m", "memoryOverhead": OLD},
        },
    }


def create(kube: Kube, namespace: str, name: str = "etl-orders", **meta: Any) -> dict[str, Any]:
    made: dict[str, Any] = kube.create(spark_path(namespace), spark_application(namespace, name, **meta))
    return made


def running(kube: Kube, namespace: str, name: str = "etl-orders", begun: str = "2026-11-24T10:00:00Z") -> None:
    """Say of an application what the operator says of a running one."""
    status = {
        "applicationState": {"state": "RUNNING"},
        "driverInfo": {},
        "lastSubmissionAttemptTime": begun,
        "terminationTime": None,
        "executorState": {f"{name}-exec-1": "RUNNING", f"{name}-exec-2": "RUNNING"},
        "executionAttempts": 1,
    }
    kube.merge(spark_path(namespace, name) + "/status", {"status": status})


def raise_overhead(obj: dict[str, Any], *, id: str = "w-1/1", **changes: Any) -> Effect:
    """The change of the recorded incident, on this object."""
    meta = obj["metadata"]
    fields: dict[str, Any] = {
        "id": id,
        "step": "raise",
        "title": f"Raise the memory overhead to {NEW}",
        "action": "patch",
        "target": ObjectRef(API, "SparkApplication", meta["namespace"], meta["name"], meta["uid"]),
        "patch_type": "merge",
        "patch": {"spec": {"executor": {"memoryOverhead": NEW}}},
        "touched": ("/spec/executor/memoryOverhead",),
        "reversible": True,
    }
    return Effect(**{**fields, **changes})
