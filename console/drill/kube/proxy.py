"""The proxies of pods and services: which port is meant, and what listens there."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from console.drill.kube.request import KubeRequest, answer, not_found
from console.drill.state.backend import FindBackend
from console.drill.state.objects import StatusError, status
from console.drill.state.resources import PODS, SERVICES, ServedResource
from console.drill.state.services import endpoints, listening, target_port
from console.drill.state.store import Store

Object = dict[str, Any]
NO_HTTP = "EOF"
"""What becomes of an HTTP request to a port that speaks something else and hangs up."""


def split(name: str) -> tuple[str, str, str]:
    """(scheme, name, port) of `name`, `name:port`, `scheme:name:port`."""
    parts = name.split(":")
    scheme = parts.pop(0) if len(parts) == 3 or (len(parts) == 2 and parts[0] in ("http", "https")) else ""
    return scheme, parts[0], parts[1] if len(parts) > 1 else ""


async def proxied(
    store: Store, find: FindBackend, request: KubeRequest, resource: ServedResource
) -> web.StreamResponse:
    """Hand a request on to what runs in the cluster.

    Raises:
        StatusError: 404 there is no such pod or service.
    """
    target = request.target
    scheme, name, port = split(target.name)
    if resource not in (PODS, SERVICES):
        raise StatusError("the server could not find the requested resource", "NotFound", 404)
    obj = store.get(resource, target.namespace, name)
    if obj is None:
        raise not_found(resource, name)
    number = int(port) if port.isdigit() else _named_port(resource, obj, port)
    if resource is SERVICES and obj["spec"].get("selector") and not endpoints(store, obj):
        text = f'no endpoints available for service "{name}"'
        return answer(status(text, "ServiceUnavailable", 503), 503)
    backend = find(resource.plural, target.namespace, name, number) if scheme != "https" else None
    if backend is None and _listens(store, resource, obj, number):
        return answer(status(f"error trying to reach service: {NO_HTTP}", "ServiceUnavailable", 503), 503)
    if backend is None:
        text = f"error trying to reach service: dial tcp 10.244.0.1:{number}: connect: connection refused"
        return answer(status(text, "ServiceUnavailable", 503), 503)
    return await backend(target.rest or "/", request.http)


def _listens(store: Store, resource: ServedResource, obj: Object, port: int) -> bool:
    """Whether something that speaks no HTTP takes connections there."""
    if resource is PODS:
        return obj.get("status", {}).get("phase") == "Running" and listening(obj, port, ())
    target = target_port(obj, port)
    return target is not None and any(listening(pod, target, ()) for pod in endpoints(store, obj))


def _named_port(resource: ServedResource, obj: Object, port: str) -> int:
    ports = obj["spec"].get("ports") or []
    if resource is PODS:
        ports = [p for c in obj["spec"]["containers"] for p in c.get("ports", ())]
    for entry in ports:
        if not port or entry.get("name") == port:
            return int(entry.get("port") or entry.get("containerPort"))
    return 80
