"""What `kubectl get` prints: the server-side Table of each resource."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from console.base.clock import parse_time
from console.drill.kube.request import shown
from console.drill.state.resources import (
    CLUSTERROLEBINDINGS,
    CLUSTERROLES,
    CONFIGMAPS,
    CRDS,
    DEPLOYMENTS,
    EVENTS,
    LEASES,
    NAMESPACES,
    NETWORKPOLICIES,
    NODES,
    PODS,
    QUOTAS,
    REPLICASETS,
    ROLEBINDINGS,
    ROLES,
    SECRETS,
    SERVICEACCOUNTS,
    SERVICES,
    ServedResource,
)

Object = dict[str, Any]
CellsOf = Callable[[Object, float], list[Any]]


def age(since: str | None, now: float) -> str:
    """The age as the API server prints it: `42s`, `14m`, `2h5m`, `3d4h`, `200d`."""
    start = parse_time(since)
    if start is None:
        return "<unknown>"
    seconds = int(max(0.0, now - start))
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if seconds < 120:
        return f"{seconds}s"
    if minutes < 10:
        return f"{minutes}m{seconds % 60}s" if seconds % 60 else f"{minutes}m"
    if minutes < 180:
        return f"{minutes}m"
    if hours < 8:
        return f"{hours}h{minutes % 60}m" if minutes % 60 else f"{hours}h"
    if hours < 48:
        return f"{hours}h"
    if days < 8:
        return f"{days}d{hours % 24}h" if hours % 24 else f"{days}d"
    return f"{days}d"


def pod_status(pod: Object) -> str:
    """The STATUS column of a pod."""
    status, meta = pod.get("status", {}), pod["metadata"]
    reason = str(status.get("reason") or status.get("phase", "Unknown"))
    for container in status.get("containerStatuses", ()):
        state = container["state"]
        if "waiting" in state and state["waiting"].get("reason"):
            reason = state["waiting"]["reason"]
        elif "terminated" in state and not status.get("reason"):
            ended = state["terminated"]
            reason = ended.get("reason") or f"ExitCode:{ended['exitCode']}"
    if meta.get("deletionTimestamp") and status.get("phase") not in ("Failed", "Succeeded"):
        return "Terminating"
    return reason


def _pod(pod: Object, now: float) -> list[Any]:
    status, containers = pod.get("status", {}), pod["spec"]["containers"]
    ready = sum(1 for c in status.get("containerStatuses", ()) if c.get("ready"))
    restarts = sum(c.get("restartCount", 0) for c in status.get("containerStatuses", ()))
    return [
        pod["metadata"]["name"],
        f"{ready}/{len(containers)}",
        pod_status(pod),
        str(restarts),
        age(pod["metadata"].get("creationTimestamp"), now),
        status.get("podIP") or "<none>",
        pod["spec"].get("nodeName") or "<none>",
        "<none>",
        "<none>",
    ]


def _node(node: Object, now: float) -> list[Any]:
    ready = next((c["status"] for c in node["status"]["conditions"] if c["type"] == "Ready"), "Unknown")
    text = {"True": "Ready", "False": "NotReady"}.get(ready, "Unknown")
    if node["spec"].get("unschedulable"):
        text += ",SchedulingDisabled"
    labels = node["metadata"].get("labels") or {}
    prefix = "node-role.kubernetes.io/"
    roles = ",".join(sorted(k[len(prefix) :] for k in labels if k.startswith(prefix))) or "<none>"
    info = node["status"]["nodeInfo"]
    address = next((a["address"] for a in node["status"]["addresses"] if a["type"] == "InternalIP"), "<none>")
    return [
        node["metadata"]["name"],
        text,
        roles,
        age(node["metadata"].get("creationTimestamp"), now),
        info["kubeletVersion"],
        address,
        "<none>",
        info["osImage"],
        info["kernelVersion"],
        info["containerRuntimeVersion"],
    ]


def _deployment(obj: Object, now: float) -> list[Any]:
    status, wanted = obj.get("status", {}), obj["spec"].get("replicas", 1)
    containers = obj["spec"]["template"]["spec"]["containers"]
    selector = ",".join(f"{k}={v}" for k, v in obj["spec"]["selector"]["matchLabels"].items())
    return [
        obj["metadata"]["name"],
        f"{status.get('readyReplicas', 0)}/{wanted}",
        status.get("updatedReplicas", 0),
        status.get("availableReplicas", 0),
        age(obj["metadata"].get("creationTimestamp"), now),
        ",".join(c["name"] for c in containers),
        ",".join(c["image"] for c in containers),
        selector,
    ]


def _replicaset(obj: Object, now: float) -> list[Any]:
    status = obj.get("status", {})
    return [
        obj["metadata"]["name"],
        obj["spec"].get("replicas", 0),
        status.get("replicas", 0),
        status.get("readyReplicas", 0),
        age(obj["metadata"].get("creationTimestamp"), now),
    ]


def _event(event: Object, now: float) -> list[Any]:
    about = event["involvedObject"]
    latest = event.get("lastTimestamp") or event.get("eventTime") or event["metadata"].get("creationTimestamp")
    return [
        age(latest, now),
        event.get("type", ""),
        event.get("reason", ""),
        f"{about.get('kind', '').lower()}/{about.get('name', '')}",
        about.get("fieldPath", ""),
        (event.get("source") or {}).get("component") or event.get("reportingComponent", ""),
        event.get("message", "").strip(),
        age(event.get("firstTimestamp") or event.get("eventTime"), now),
        event.get("count") or 1,
        event["metadata"]["name"],
    ]


def _service(obj: Object, now: float) -> list[Any]:
    spec = obj["spec"]
    ports = ",".join(f"{p['port']}/{p.get('protocol', 'TCP')}" for p in spec.get("ports", ()))
    selector = ",".join(f"{k}={v}" for k, v in (spec.get("selector") or {}).items()) or "<none>"
    created = age(obj["metadata"].get("creationTimestamp"), now)
    address = spec.get("clusterIP", "None")
    return [
        obj["metadata"]["name"],
        spec.get("type", "ClusterIP"),
        address,
        "<none>",
        ports or "<none>",
        created,
        selector,
    ]


def _quota(obj: Object, now: float) -> list[Any]:
    used, hard = obj.get("status", {}).get("used", {}), obj["spec"]["hard"]
    pairs = {k: f"{k}: {used.get(k, '0')}/{hard[k]}" for k in sorted(hard)}
    requests = ", ".join(v for k, v in pairs.items() if not k.startswith("limits."))
    limits = ", ".join(v for k, v in pairs.items() if k.startswith("limits."))
    return [obj["metadata"]["name"], requests, limits, age(obj["metadata"].get("creationTimestamp"), now)]


def _named(*cells: Callable[[Object], Any]) -> CellsOf:
    def row(obj: Object, now: float) -> list[Any]:
        created = age(obj["metadata"].get("creationTimestamp"), now)
        return [obj["metadata"]["name"], *(cell(obj) for cell in cells), created]

    return row


def _selected(policy: Object) -> str:
    labels = (policy["spec"].get("podSelector") or {}).get("matchLabels") or {}
    return ",".join(f"{k}={v}" for k, v in sorted(labels.items())) or "<none>"


def _role(binding: Object) -> str:
    return f"{binding['roleRef']['kind']}/{binding['roleRef']['name']}"


def _created_at(obj: Object, now: float) -> list[Any]:
    return [obj["metadata"]["name"], obj["metadata"].get("creationTimestamp")]


_BUILT_IN: dict[str, tuple[str, CellsOf]] = {
    PODS.id: ("Name Ready Status Restarts Age -IP -Node -Nominated_Node -Readiness_Gates", _pod),
    NODES.id: (
        "Name Status Roles Age Version -Internal-IP -External-IP -OS-Image -Kernel-Version -Container-Runtime",
        _node,
    ),
    DEPLOYMENTS.id: ("Name Ready Up-to-date Available Age -Containers -Images -Selector", _deployment),
    REPLICASETS.id: ("Name Desired Current Ready Age", _replicaset),
    EVENTS.id: ("Last_Seen Type Reason Object -Subobject -Source Message -First_Seen -Count -Name", _event),
    SERVICES.id: ("Name Type Cluster-IP External-IP Port(s) Age -Selector", _service),
    QUOTAS.id: ("Name KubeRequest Limit Age", _quota),
    NAMESPACES.id: ("Name Status Age", _named(lambda o: o.get("status", {}).get("phase", ""))),
    CONFIGMAPS.id: ("Name Data Age", _named(lambda o: len(o.get("data") or {}))),
    SECRETS.id: ("Name Type Data Age", _named(lambda o: o.get("type", ""), lambda o: len(o.get("data") or {}))),
    SERVICEACCOUNTS.id: ("Name Secrets Age", _named(lambda o: len(o.get("secrets") or ()))),
    LEASES.id: ("Name Holder Age", _named(lambda o: o["spec"].get("holderIdentity", ""))),
    ROLES.id: ("Name Created_At", _created_at),
    CLUSTERROLES.id: ("Name Created_At", _created_at),
    ROLEBINDINGS.id: ("Name Role Age", _named(_role)),
    CLUSTERROLEBINDINGS.id: ("Name Role Age", _named(_role)),
    NETWORKPOLICIES.id: ("Name Pod-Selector Age", _named(_selected)),
    CRDS.id: ("Name Created_At", _created_at),
}


def _custom(resource: ServedResource) -> CellsOf:
    def row(obj: Object, now: float) -> list[Any]:
        cells: list[Any] = [obj["metadata"]["name"]]
        for column in resource.columns:
            value: Any = obj
            for part in column.path.split("."):
                value = value.get(part) if isinstance(value, dict) else None
            if column.type == "date":
                cells.append(age(value, now) if value else None)
            else:
                cells.append(None if value is None else str(value).lower() if isinstance(value, bool) else str(value))
        return cells

    return row


def table(
    resource: ServedResource, objects: list[Object], now: float, meta: Object, include: str, headers: bool = True
) -> Object:
    """A meta.k8s.io/v1 Table.

    Args:
        resource: what the rows are.
        objects: the rows, as they are stored.
        now: for ages.
        meta: metadata of the list.
        include: `Metadata` (default), `Object` or `None`.
        headers: whether the column definitions are sent (a watch sends them once).
    """
    if resource.columns:
        names = ["Name", *(column.name for column in resource.columns)]
        hidden = {column.name for column in resource.columns if column.priority}
        row = _custom(resource)
    elif resource.id in _BUILT_IN:
        spec, row = _BUILT_IN[resource.id]
        words = [word.replace("_", " ") for word in spec.split()]
        names = [word.lstrip("-") for word in words]
        hidden = {word[1:] for word in words if word.startswith("-")}
    else:
        names, hidden, row = ["Name", "Age"], set(), _named()
    out: Object = {"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": meta, "columnDefinitions": None}
    if headers:
        out["columnDefinitions"] = [
            {
                "name": name,
                "type": "string",
                "format": "name" if name == "Name" else "",
                "description": "",
                "priority": 1 if name in hidden else 0,
            }
            for name in names
        ]
    rows = []
    for obj in objects:
        entry: Object = {"cells": row(obj, now)}
        if include == "Object":
            entry["object"] = shown(resource, obj)
        elif include != "None":
            entry["object"] = {
                "kind": "PartialObjectMetadata",
                "apiVersion": "meta.k8s.io/v1",
                "metadata": obj["metadata"],
            }
        rows.append(entry)
    out["rows"] = rows
    return out
