"""One or all, on a real control plane with several nodes: a node is lost, and one application is ill for itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.controlplane import KubeApi
from tests.cluster.fleet import Fleet, ready
from tests.cluster.kube import MERGE
from tests.cluster.parts import require_parts

NODES = {"node-1": "north", "node-2": "north", "node-3": "south"}
ON_LOST, ELSEWHERE = ("etl-a", "etl-b", "etl-c", "etl-d"), ("etl-e", "etl-f")
ILL = "etl-g"
NAMESPACE = "spark-prod"
_SOON = [
    {"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 1}
    for key in ("node.kubernetes.io/unreachable", "node.kubernetes.io/not-ready")
]


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    require_parts("etcd", "kube-apiserver", "kube-controller-manager", "kwok", "spark-operator-crds")
    made = Fleet(tmp_path / "fleet", NODES)
    yield made
    made.stop()


def pod(kube: KubeApi, app: str, role: str, number: int, node: str) -> str:
    """A Spark pod as spark-submit makes it, placed on a node."""
    name = f"{app}-driver" if role == "driver" else f"{app}-exec-{number}"
    labels = {"spark-role": role, "spark-app-name": app, "spark-app-selector": f"spark-{app}", "spark-version": "4.1.4"}
    if role == "executor":
        labels["spark-exec-id"] = str(number)
    container = {
        "name": f"spark-kubernetes-{role}",
        "image": "registry.test/spark:4.1.4",
        "resources": {"requests": {"cpu": "1", "memory": "2Gi"}, "limits": {"memory": "2Gi"}},
    }
    spec = {
        "nodeName": node,
        "containers": [container],
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "tolerations": _SOON,
    }
    body = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": labels}, "spec": spec}
    kube.create(f"/api/v1/namespaces/{NAMESPACE}/pods", body)
    return f"/api/v1/namespaces/{NAMESPACE}/pods/{name}"


def running(seen: Any) -> bool:
    return bool(seen) and seen.get("status", {}).get("phase") == "Running"


def status(kube: KubeApi, folder: Path) -> Any:
    """What `console status -o json` prints, in a process of its own."""
    env = {**os.environ, "XDG_STATE_HOME": str(folder / "state"), "XDG_CONFIG_HOME": str(folder / "config")}
    argv = ["--kubeconfig", str(kube.viewer.kubeconfig), "-n", NAMESPACE, "--request-timeout", "60s", "-o", "json"]
    done = subprocess.run(
        [sys.executable, "-m", "console", "status", *argv], env=env, capture_output=True, text=True, timeout=240
    )
    assert done.stdout, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parts
@pytest.mark.xdist_group("node")
def test_a_lost_node_is_one_cause_of_four_applications_and_not_of_the_one_that_is_ill_for_itself(
    fleet: Fleet, tmp_path: Path
) -> None:
    kube = fleet.start()
    kube.create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    paths = []
    for app in (*ON_LOST, *ELSEWHERE, ILL):
        paths.append(pod(kube, app, "driver", 0, "node-1"))
        for number in (1, 2, 3):
            lost = app in ON_LOST and number > 1
            paths.append(pod(kube, app, "executor", number, "node-3" if lost else "node-2"))
    for path in paths:
        kube.wait(path, running, seconds=60)
    before = status(kube, tmp_path)
    assert before["findings"] == [] and before["apps"] == 7

    killed = {
        "name": "spark-kubernetes-executor",
        "image": "registry.test/spark:4.1.4",
        "imageID": "",
        "ready": False,
        "restartCount": 0,
        "state": {"terminated": {"exitCode": 137, "reason": "OOMKilled", "finishedAt": "2026-01-01T00:00:00Z"}},
    }
    body = {"status": {"phase": "Failed", "containerStatuses": [killed]}}
    ill = f"/api/v1/namespaces/{NAMESPACE}/pods/{ILL}-exec-1"
    kube.request("PATCH", f"{ill}/status", body, content_type=MERGE)
    fleet.lose("south")
    kube.wait("/api/v1/nodes/node-3", lambda node: ready(node) == "Unknown", seconds=60)
    for app in ON_LOST:
        gone = f"/api/v1/namespaces/{NAMESPACE}/pods/{app}-exec-3"
        kube.wait(gone, lambda seen: seen is None or "deletionTimestamp" in seen["metadata"], seconds=60)

    found = status(kube, tmp_path)
    shared = [i for i in found["incidents"] if len({_app(key) for key in i["findings"] if _app(key)}) > 1]
    assert len(shared) == 1, found["incidents"]
    (incident,) = shared
    assert incident["shared"] == "Node node-3" and incident["speaks_for"]
    assert {_app(key) for key in incident["findings"] if _app(key)} == {f"{NAMESPACE}/{app}" for app in ON_LOST}
    alone = [i for i in found["incidents"] if any(_app(key) == f"{NAMESPACE}/{ILL}" for key in i["findings"])]
    assert len(alone) == 1 and alone[0]["key"].startswith("executor-oom"), found["incidents"]


def _app(key: str) -> str:
    """`namespace/name` of the application that a finding's key is about, `` for a node's. Its driver names it."""
    kind, _, rest = key.partition("@")[2].partition("/")
    return "" if kind == "Node" else rest.removesuffix("-driver")
