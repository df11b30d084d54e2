"""`pods/NAME/log`: tails, times, limits and following, with the refusals of the real API server."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from console.base.clock import parse_time
from console.drill.kube.request import KubeRequest
from console.drill.state.cluster import ClusterState
from console.drill.state.logs import render
from console.drill.state.objects import StatusError
from console.drill.state.pods import finished
from console.drill.state.resources import PODS

Object = dict[str, Any]
POLL_SECONDS = 0.1
_WAITING = {
    "ErrImagePull": "image can't be pulled",
    "ImagePullBackOff": "trying and failing to pull image",
}
"""Reasons that the kubelet writes out here."""


def _number(query: dict[str, str], key: str, pod: str) -> int | None:
    text = query.get(key, "")
    if not text:
        return None
    try:
        value = int(text)
    except ValueError:
        raise StatusError(f'strconv.ParseInt: parsing "{text}": invalid syntax', "BadRequest", 400) from None
    least = 1 if key in ("limitBytes", "sinceSeconds") else 0
    if value < least:
        bound = "must be greater than 0" if least else "must be greater than or equal to 0"
        message = f"Invalid value: {value}: {bound}"
        cause = {"reason": "FieldValueInvalid", "message": message, "field": key}
        text = f'PodLogOptions "{pod}" is invalid: {key}: {message}'
        raise StatusError(text, "Invalid", 422, name=pod, kind="PodLogOptions", causes=[cause])
    return value


@dataclass(frozen=True)
class LogOptions:
    """What is asked of a log.

    Attributes:
        tail: so many last lines; None: all.
        limit: bytes at most.
        since: virtual epoch seconds from which on lines are wanted.
    """

    tail: int | None
    limit: int | None
    since: float | None
    timestamps: bool
    follow: bool


def _options(query: dict[str, str], pod: str, now: float) -> LogOptions:
    tail, limit = _number(query, "tailLines", pod), _number(query, "limitBytes", pod)
    seconds = _number(query, "sinceSeconds", pod)
    since = now - seconds if seconds else parse_time(query.get("sinceTime"))
    return LogOptions(tail, limit, since, _on(query, "timestamps"), _on(query, "follow"))


def _on(query: dict[str, str], key: str) -> bool:
    return query.get(key) in ("true", "1")


def _container(query: dict[str, str], pod: Object) -> str:
    """The container that is meant: the named one, else the first."""
    wanted, known = query.get("container", ""), [c["name"] for c in pod["spec"]["containers"]]
    if wanted and wanted not in known:
        raise StatusError(f"container {wanted} is not valid for pod {pod['metadata']['name']}", "BadRequest", 400)
    return wanted or str(known[0])


def _check_started(pod: Object, container: str) -> None:
    """Refuse the log of a container that has not begun to write."""
    for status in pod["status"].get("containerStatuses", ()):
        waiting = status["state"].get("waiting")
        if status["name"] == container and waiting and "terminated" not in status["lastState"]:
            reason, name = waiting.get("reason", "ContainerCreating"), pod["metadata"]["name"]
            text = f'container "{container}" in pod "{name}" is waiting to start: {_WAITING.get(reason, reason)}'
            raise StatusError(text, "BadRequest", 400)


def _waits(pod: Object, container: str) -> bool:
    """Whether it waits for its next start: what it wrote last is its log."""
    return any(
        c["name"] == container and ("waiting" in c["state"] or "terminated" in c["state"])
        for c in pod["status"].get("containerStatuses", ())
    )


async def pod_log(
    cluster: ClusterState, sync: Callable[[], None], request: KubeRequest, pod: Object
) -> web.StreamResponse:
    """The log of one container.

    Args:
        sync: lets happen what is due; called before each look for new lines while the log is followed.

    Raises:
        StatusError: 400 for an unknown, waiting or never restarted container, 422 for an option out of range.
    """
    query, name = request.query, pod["metadata"]["name"]
    container = _container(query, pod)
    options = _options(query, name, cluster.heap.now)
    log, now = cluster.logs.of(pod["metadata"]["uid"]), cluster.heap.now
    before, ended, begun = log.lives(now)
    if _on(query, "previous") and not ended:
        text = f'previous terminated container "{container}" in pod "{name}" not found'
        raise StatusError(text, "BadRequest", 400)
    _check_started(pod, container)
    if not pod["status"].get("containerStatuses"):
        return web.Response(body=b"", content_type="text/plain")
    if _on(query, "previous") or (ended and _waits(pod, container)):
        first, last = before, ended
    else:
        first, last = begun, now
    lines = [(when, line) for when, line in log.lines(since=options.since) if first <= when <= last]
    body = render(lines, tail=options.tail, timestamps=options.timestamps, limit_bytes=options.limit)
    if not options.follow:
        return web.Response(body=body, content_type="text/plain")
    response = web.StreamResponse()
    response.content_type = "text/plain"
    await response.prepare(request.http)
    with contextlib.suppress(ConnectionResetError):
        await response.write(body)
        await _follow(cluster, sync, response, pod, now, options.timestamps)
    return response


async def _follow(
    cluster: ClusterState,
    sync: Callable[[], None],
    response: web.StreamResponse,
    pod: Object,
    since: float,
    timestamps: bool,
) -> None:
    """Write the lines that come after `since`, until the pod is over."""
    meta, log = pod["metadata"], cluster.logs.of(pod["metadata"]["uid"])
    while True:
        await asyncio.sleep(POLL_SECONDS)
        sync()
        before, since = since, cluster.heap.now
        fresh = [(when, line) for when, line in log.lines(since=before) if before < when <= since]
        if fresh:
            await response.write(render(fresh, tail=None, timestamps=timestamps))
        current = cluster.store.get(PODS, meta["namespace"], meta["name"])
        if current is None or finished(current):
            break
    await response.write_eof()
