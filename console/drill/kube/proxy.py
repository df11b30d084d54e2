"""The proxies of pods and services: which port is meant, and what listens there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from console.drill.kube.request import Request, answer, not_found
from console.drill.objects import ApiError, status
from console.drill.resources import PODS, SERVICES, Resource
from console.drill.world import World

Object = dict[str, Any]
Backend = Callable[[str, web.Request], Awaitable[web.StreamResponse]]
Find = Callable[[str, str, str, int], Backend | None]
"""(pods or services, namespace, name, port) → what listens there, or None."""


def split(name: str) -> tuple[str, str, str]:
    """(scheme, name, port) of `name`, `name:port`, `scheme:name:port`."""
    parts = name.split(":")
    scheme = parts.pop(0) if len(parts) == 3 or (len(parts) == 2 and parts[0] in ("http", "https")) else ""
    return scheme, parts[0], parts[1] if len(parts) > 1 else ""


async def proxied(world: World, find: Find, request: Request, resource: Resource) -> web.StreamResponse:
    """Hand a request on to what runs in the cluster.

    Raises:
        ApiError: 404 there is no such pod or service.
    """
    target = request.target
    scheme, name, port = split(target.name)
    if resource not in (PODS, SERVICES):
        raise ApiError("the server could not find the requested resource", "NotFound", 404)
    obj = world.store.get(resource, target.namespace, name)
    if obj is None:
        raise not_found(resource, name)
    number = int(port) if port.isdigit() else _named_port(resource, obj, port)
    backend = find(resource.plural, target.namespace, name, number) if scheme != "https" else None
    if backend is None:
        text = f"error trying to reach service: dial tcp 10.244.0.1:{number}: connect: connection refused"
        return answer(status(text, "ServiceUnavailable", 503), 503)
    return await backend(target.rest or "/", request.http)


def _named_port(resource: Resource, obj: Object, port: str) -> int:
    ports = obj["spec"].get("ports") or []
    if resource is PODS:
        ports = [p for c in obj["spec"]["containers"] for p in c.get("ports", ())]
    for entry in ports:
        if not port or entry.get("name") == port:
            return int(entry.get("port") or entry.get("containerPort"))
    return 80
