"""`pods/NAME/log`: tails, times, limits and following, with the refusals of the real API server."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from aiohttp import web

from console.base.clock import parse_time
from console.drill.controllers.kubelet import finished
from console.drill.kube.request import Request
from console.drill.logs import render
from console.drill.objects import ApiError
from console.drill.resources import PODS

if TYPE_CHECKING:
    from console.drill.kube.server import KubeServer

Object = dict[str, Any]
POLL_SECONDS = 0.1


def _number(query: dict[str, str], key: str, pod: str) -> int | None:
    text = query.get(key, "")
    if not text:
        return None
    try:
        value = int(text)
    except ValueError:
        raise ApiError(f'strconv.ParseInt: parsing "{text}": invalid syntax', "BadRequest", 400) from None
    least = 1 if key in ("limitBytes", "sinceSeconds") else 0
    if value < least:
        bound = "must be greater than 0" if least else "must be greater than or equal to 0"
        message = f"Invalid value: {value}: {bound}"
        cause = {"reason": "FieldValueInvalid", "message": message, "field": key}
        text = f'PodLogOptions "{pod}" is invalid: {key}: {message}'
        raise ApiError(text, "Invalid", 422, name=pod, kind="PodLogOptions", causes=[cause])
    return value


async def pod_log(server: KubeServer, request: Request, pod: Object) -> web.StreamResponse:
    """The log of one container.

    Raises:
        ApiError: 400 for an unknown, waiting or never restarted container, 422 for an option out of range.
    """
    world, query, name = server.world, request.query, pod["metadata"]["name"]
    container = query.get("container", "")
    known = [c["name"] for c in pod["spec"]["containers"]]
    if container and container not in known:
        raise ApiError(f"container {container} is not valid for pod {name}", "BadRequest", 400)
    container = container or known[0]
    tail = _number(query, "tailLines", name)
    limit = _number(query, "limitBytes", name)
    seconds = _number(query, "sinceSeconds", name)
    if query.get("previous") in ("true", "1"):
        text = f'previous terminated container "{container}" in pod "{name}" not found'
        raise ApiError(text, "BadRequest", 400)
    for status in pod["status"].get("containerStatuses", ()):
        waiting = status["state"].get("waiting")
        if status["name"] == container and waiting:
            reason = waiting.get("reason", "ContainerCreating")
            text = f'container "{container}" in pod "{name}" is waiting to start: {reason}'
            raise ApiError(text, "BadRequest", 400)
    if not pod["status"].get("containerStatuses"):
        return web.Response(body=b"", content_type="text/plain")
    since = world.heap.now - seconds if seconds else parse_time(query.get("sinceTime"))
    timestamps = query.get("timestamps") in ("true", "1")
    log = world.log(pod)
    now = world.heap.now
    lines = [(when, line) for when, line in log.lines(since=since) if when <= now]
    body = render(lines, tail=tail, timestamps=timestamps, limit_bytes=limit)
    if query.get("follow") not in ("true", "1"):
        return web.Response(body=body, content_type="text/plain")
    response = web.StreamResponse()
    response.content_type = "text/plain"
    await response.prepare(request.http)
    await response.write(body)
    try:
        while True:
            await asyncio.sleep(POLL_SECONDS)
            server.sync()
            before, now = now, world.heap.now
            fresh = [(when, line) for when, line in log.lines(since=before) if before < when <= now]
            if fresh:
                await response.write(render(fresh, tail=None, timestamps=timestamps))
            current = world.store.get(PODS, pod["metadata"]["namespace"], name)
            if current is None or finished(current):
                break
        await response.write_eof()
    except ConnectionResetError:
        pass
    return response
