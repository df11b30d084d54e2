"""Fills an API server with the pods of many Spark applications, each shaped like a recorded real one."""

from __future__ import annotations

import concurrent.futures
import copy
import json
import random
import threading
import time
from pathlib import Path
from typing import Any

from tests.cluster.controlplane import KubeApi
from tests.cluster.kube import MERGE, Kube, KubeError

_RECORDED = Path(__file__).parent.parent / "data" / "benchmarks" / "spark-pods.json"
PER_APPLICATION = 20
NODES = 100


class Fill:
    """`pods` pods, twenty to an application (a driver and nineteen executors), in one namespace."""

    def __init__(self, kube: KubeApi, namespace: str, pods: int) -> None:
        self._kube = kube
        self._namespace = namespace
        self._pods = pods
        self._recorded: dict[str, Any] = json.loads(_RECORDED.read_text())
        self._own = threading.local()

    def run(self) -> float:
        """Make all nodes and pods. Answers the seconds it took."""
        began = time.perf_counter()
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            for made in (pool.map(self._node, range(NODES)), pool.map(self._pod, range(self._pods))):
                for _ in made:
                    pass
        return time.perf_counter() - began

    def storm(self, rate: float, seconds: float) -> int:
        """Change the status of random pods so often a second. Answers how many changes the server took."""
        source, changes, began = random.Random(1), 0, time.perf_counter()
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            while (now := time.perf_counter() - began) < seconds:
                if changes >= now * rate:
                    time.sleep(0.002)
                    continue
                changes += 1
                name, _, _ = self._names(source.randrange(self._pods))
                body = {"status": {"message": f"change {changes}"}}
                pool.submit(self._patch_status, name, body)
        return changes

    def _client(self) -> Kube:
        if not hasattr(self._own, "client"):
            kube = self._kube
            self._own.client = Kube(kube.url, kube.authority, kube.token, kube.kubeconfig)
        client: Kube = self._own.client
        return client

    def _node(self, number: int) -> None:
        name = f"node-{number:04d}"
        zone = {"topology.kubernetes.io/zone": f"zone-{number % 3}"}
        body = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": zone}}
        client = self._client()
        client.create("/api/v1/nodes", body)
        since = "2026-01-01T00:00:00Z"
        ready = {"type": "Ready", "status": "True", "reason": "KubeletReady", "lastTransitionTime": since}
        room = {"cpu": "64", "memory": "256Gi", "pods": "250"}
        status = {"capacity": room, "allocatable": room, "conditions": [{**ready, "lastHeartbeatTime": since}]}
        client.request("PATCH", f"/api/v1/nodes/{name}/status", {"status": status}, content_type=MERGE)

    def _names(self, number: int) -> tuple[str, str, int]:
        application, executor = divmod(number, PER_APPLICATION)
        stem = f"etl-{application:04d}"
        return (f"{stem}-driver" if executor == 0 else f"{stem}-exec-{executor}"), stem, executor

    def _pod(self, number: int) -> None:
        name, application, executor = self._names(number)
        recorded = self._recorded["executor" if executor else "driver"]
        spec = copy.deepcopy(recorded["spec"])
        spec["nodeName"] = f"node-{number % NODES:04d}"
        spec.pop("serviceAccount", None)
        spec.pop("serviceAccountName", None)
        spec["automountServiceAccountToken"] = False
        spec["volumes"] = [volume for volume in spec.get("volumes", ()) if "projected" not in volume]
        known = {volume["name"] for volume in spec["volumes"]}
        for container in spec["containers"]:
            container["volumeMounts"] = [m for m in container.get("volumeMounts", ()) if m["name"] in known]
        labels = {**recorded["metadata"]["labels"], "spark-app-name": application}
        labels["spark-app-selector"] = f"spark-{number // PER_APPLICATION:032x}"
        labels["sparkoperator.k8s.io/app-name"] = application
        if executor:
            labels["spark-exec-id"] = str(executor)
        metadata = {"name": name, "labels": labels}
        body = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
        try:
            self._client().create(f"/api/v1/namespaces/{self._namespace}/pods", body)
        except KubeError as error:
            if error.status != 409:
                raise
        status = {key: value for key, value in recorded["status"].items() if key != "observedGeneration"}
        self._patch_status(name, {"status": status})

    def _patch_status(self, name: str, body: dict[str, Any]) -> None:
        path = f"/api/v1/namespaces/{self._namespace}/pods/{name}/status"
        self._client().request("PATCH", path, body, content_type=MERGE)
