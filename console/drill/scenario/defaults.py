"""What the API server adds to manifests that are written as charts write them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from console.drill.state.ids import Ids

Object = dict[str, Any]


def _pods(spec: Object) -> None:
    """The defaults of a pod template."""
    pod = spec["template"]["spec"]
    pod["containers"] = [
        {
            "imagePullPolicy": "IfNotPresent",
            "terminationMessagePath": "/dev/termination-log",
            "terminationMessagePolicy": "File",
            **container,
            **({"ports": _ports(container["ports"])} if container.get("ports") else {}),
        }
        for container in pod["containers"]
    ]


def _ports(ports: list[Object]) -> list[Object]:
    return [{**port, "protocol": port.get("protocol", "TCP")} for port in ports]


def _deployment(manifest: Object, _ids: Ids) -> None:
    spec = manifest["spec"]
    _pods(spec)
    manifest["spec"] = {
        "progressDeadlineSeconds": 600,
        "revisionHistoryLimit": 10,
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}},
        **spec,
    }


def _daemonset(manifest: Object, _ids: Ids) -> None:
    spec = manifest["spec"]
    _pods(spec)
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}
    manifest["spec"] = {"revisionHistoryLimit": 10, "updateStrategy": strategy, **spec}


def _statefulset(manifest: Object, _ids: Ids) -> None:
    spec = manifest["spec"]
    _pods(spec)
    manifest["spec"] = {
        "podManagementPolicy": "OrderedReady",
        "revisionHistoryLimit": 10,
        "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
        **spec,
    }


def _service(manifest: Object, ids: Ids) -> None:
    """The address first of all."""
    spec = manifest["spec"]
    address = "None" if spec.get("clusterIP") == "None" else ids.cluster_ip()
    manifest["spec"] = {
        "clusterIP": address,
        "clusterIPs": [address],
        "internalTrafficPolicy": "Cluster",
        "ipFamilies": ["IPv4"],
        "ipFamilyPolicy": "SingleStack",
        "sessionAffinity": "None",
        "type": "ClusterIP",
        **spec,
        "ports": [{"protocol": "TCP", "targetPort": port["port"], **port} for port in spec["ports"]],
    }
    manifest["status"] = {"loadBalancer": {}}


def _claim(manifest: Object, _ids: Ids) -> None:
    manifest["spec"] = {"volumeMode": "Filesystem", **manifest["spec"]}
    manifest.setdefault("status", {"phase": "Pending"})


def _quota(manifest: Object, _ids: Ids) -> None:
    hard = manifest["spec"]["hard"]
    manifest.setdefault("status", {"hard": hard, "used": dict.fromkeys(hard, "0")})


FILL: dict[str, Callable[[Object, Ids], None]] = {
    "Deployment": _deployment,
    "DaemonSet": _daemonset,
    "StatefulSet": _statefulset,
    "Service": _service,
    "PersistentVolumeClaim": _claim,
    "ResourceQuota": _quota,
}


def filled_in(manifest: Object, ids: Ids) -> Object:
    """The manifest with the defaults of its kind; `manifest` itself may be changed."""
    fill = FILL.get(manifest["kind"])
    if fill is not None:
        fill(manifest, ids)
    return manifest
