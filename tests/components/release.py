"""A release of the platform on the simulated API server: objects as charts make them, with their status."""

from __future__ import annotations

import json
import urllib.request
from dataclasses import replace
from pathlib import Path
from typing import Any

from msgspec import structs

from console.base.clock import WallClock, rfc3339
from console.live import Live, Pace, Situation
from console.live.plan import Plan
from console.rehearse.playing import Rehearsal
from console.settings.load import load
from console.wire.config import ContextRef
from tests.cluster.controlplane import KubeApi

PATHS = {
    "Deployment": "/apis/apps/v1/namespaces/{}/deployments",
    "StatefulSet": "/apis/apps/v1/namespaces/{}/statefulsets",
    "DaemonSet": "/apis/apps/v1/namespaces/{}/daemonsets",
    "Pod": "/api/v1/namespaces/{}/pods",
    "Event": "/api/v1/namespaces/{}/events",
    "ConfigMap": "/api/v1/namespaces/{}/configmaps",
    "CronJob": "/apis/batch/v1/namespaces/{}/cronjobs",
    "Service": "/api/v1/namespaces/{}/services",
    "Secret": "/api/v1/namespaces/{}/secrets",
    "ServiceAccount": "/api/v1/namespaces/{}/serviceaccounts",
    "ScaledObject": "/apis/keda.sh/v1alpha1/namespaces/{}/scaledobjects",
    "Job": "/apis/batch/v1/namespaces/{}/jobs",
    "NetworkPolicy": "/apis/networking.k8s.io/v1/namespaces/{}/networkpolicies",
    "EndpointSlice": "/apis/discovery.k8s.io/v1/namespaces/{}/endpointslices",
    "ExternalSecret": "/apis/external-secrets.io/v1/namespaces/{}/externalsecrets",
    "SecretStore": "/apis/external-secrets.io/v1/namespaces/{}/secretstores",
    "SealedSecret": "/apis/bitnami.com/v1alpha1/namespaces/{}/sealedsecrets",
    "HorizontalPodAutoscaler": "/apis/autoscaling/v2/namespaces/{}/horizontalpodautoscalers",
    "SparkApplication": "/apis/sparkoperator.k8s.io/v1beta2/namespaces/{}/sparkapplications",
    "ServiceMonitor": "/apis/monitoring.coreos.com/v1/namespaces/{}/servicemonitors",
    "PrometheusRule": "/apis/monitoring.coreos.com/v1/namespaces/{}/prometheusrules",
}
API = {"Deployment": "apps/v1", "StatefulSet": "apps/v1", "DaemonSet": "apps/v1", "CronJob": "batch/v1",
       "ScaledObject": "keda.sh/v1alpha1", "Job": "batch/v1", "NetworkPolicy": "networking.k8s.io/v1",
       "EndpointSlice": "discovery.k8s.io/v1", "ExternalSecret": "external-secrets.io/v1",
       "SecretStore": "external-secrets.io/v1", "SealedSecret": "bitnami.com/v1alpha1",
       "HorizontalPodAutoscaler": "autoscaling/v2", "ServiceMonitor": "monitoring.coreos.com/v1",
       "SparkApplication": "sparkoperator.k8s.io/v1beta2", "PrometheusRule": "monitoring.coreos.com/v1"}  # fmt: skip


class Release:
    """What is applied to one namespace of a drill that nobody steps."""

    def __init__(self, drill: Rehearsal, namespace: str) -> None:
        self.drill, self.namespace = drill, namespace
        self._call(
            "POST", "/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
        )
        self.now = drill.session.clock.now()

    def looked(self, preset: str | None = None) -> Situation:
        """What Console says of the namespace."""
        plan = self.drill.plan()
        plan = replace(plan, ref=structs.replace(plan.ref, namespace=self.namespace), preset=preset)
        with Live(plan) as live:
            return live.settle(60)

    def workload(
        self,
        name: str,
        labels: dict[str, str],
        *,
        kind: str = "Deployment",
        ready: int = 1,
        image: str = "registry.local/none:1",
        probe: bool = True,
        conditions: list[dict[str, str]] | None = None,
        main: dict[str, Any] | None = None,
        pod: dict[str, Any] | None = None,
    ) -> None:
        """A workload that wants one replica; `main` and `pod` are laid over its container and its pod's spec."""
        container: dict[str, Any] = {"name": "main", "image": image, **(main or {})}
        if probe:
            container["readinessProbe"] = {"tcpSocket": {"port": 1}}
        spec: dict[str, Any] = {
            "replicas": 1,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container], **(pod or {})}},
        }
        if kind == "StatefulSet":
            spec["serviceName"] = name
        status = {"replicas": ready, "readyReplicas": ready, "availableReplicas": ready, "conditions": conditions or []}
        self.apply(kind, name, {"spec": spec}, labels=labels, status=status)

    def pod(
        self,
        name: str,
        owner: str,
        labels: dict[str, str],
        *,
        restarts: int,
        waiting: str,
        image: str = "registry.local/none:1",
    ) -> None:
        """A pod of a ReplicaSet, or of a StatefulSet of the same name, that waits."""
        last = {"terminated": {"exitCode": 1, "reason": "Error", "finishedAt": rfc3339(self.now - 60)}}
        state = {
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": "False", "lastTransitionTime": rfc3339(self.now - 1800)}],
            "containerStatuses": [
                {"name": "main", "ready": False, "restartCount": restarts, "state": {"waiting": {"reason": waiting}},
                 "lastState": last, "image": "", "imageID": ""}
            ],
        }  # fmt: skip
        above = [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": owner, "uid": f"uid-{owner}"}]
        spec = {"spec": {"containers": [{"name": "main", "image": image}]}}
        self.apply("Pod", name, spec, labels=labels, status=state, owners=above)

    def refused(self, kind: str, name: str, message: str, reason: str = "FailedCreate") -> None:
        """A warning of a controller, five minutes old."""
        at = rfc3339(self.now - 300)
        api = "batch/v1" if kind == "Job" else "apps/v1"
        about = {"apiVersion": api, "kind": kind, "namespace": self.namespace, "name": name, "uid": f"uid-{name}"}
        body = {"involvedObject": about, "reason": reason, "message": message, "type": "Warning", "count": 3,
                "firstTimestamp": at, "lastTimestamp": rfc3339(self.now - 30)}  # fmt: skip
        self.apply("Event", f"{name}.refused", body)

    def apply(
        self,
        kind: str,
        name: str,
        body: dict[str, Any],
        *,
        labels: dict[str, str] | None = None,
        status: dict[str, Any] | None = None,
        owners: list[dict[str, str]] | None = None,
    ) -> None:
        """Create one object and set its status."""
        meta = {"name": name, "namespace": self.namespace, "labels": labels or {}, "ownerReferences": owners or []}
        path = PATHS[kind].format(self.namespace)
        self._call("POST", path, {"apiVersion": API.get(kind, "v1"), "kind": kind, "metadata": meta, **body})
        if status is not None:
            self._call("PATCH", f"{path}/{name}/status", {"status": status})

    def _call(self, method: str, path: str, body: dict[str, Any]) -> None:
        kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
        headers = {"Authorization": f"Bearer {self.drill.session.token}", "Content-Type": kind}
        request = urllib.request.Request(
            self.drill.session.kube_url + path, json.dumps(body).encode(), headers, method=method
        )
        with urllib.request.urlopen(request, timeout=30):
            return


class RealRelease(Release):
    """The same on a real API server, in a namespace of its own."""

    def __init__(self, kube: KubeApi, name: str, state: Path) -> None:
        self.kube, self.state, self.namespace = kube, state, kube.new_namespace(name)
        self.now = WallClock().now()

    def looked(self, preset: str | None = None) -> Situation:
        ref = ContextRef(kubeconfig=str(self.kube.kubeconfig), namespace=self.namespace)
        with Live(Plan(load(), ref, state=self.state, pace=Pace(reads=1.0, metrics=1.0), preset=preset)) as live:
            return live.settle(60)

    def _call(self, method: str, path: str, body: dict[str, Any]) -> None:
        if method == "PATCH":
            self.kube.merge(path, body)
        else:
            self.kube.create(path, body)
