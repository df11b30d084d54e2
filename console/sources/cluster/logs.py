"""Logs of pods: their end, or as they come. Bounded, and honest about logs that are no longer there."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator
from typing import Literal

from console.base.errors import ConsoleError, ForbiddenError
from console.base.redact import LineRedactor, redact
from console.facts.model import Log, Origin, Pod
from console.wire.errors import InvalidError, NotFoundError
from console.wire.paths import object_path
from console.wire.reader import Reader

LogRole = Literal["driver", "executor", "submit", "master", "worker", "operator", "other"]
LINES = 2_000
BYTES = 256 * 2**10
_MOST = 8 * 2**20
_LOST = b"unable to retrieve container logs for "


class LogGone(NotFoundError):
    """The container's log was collected already, which some kubelets say with HTTP 200."""


def role_of(pod: Pod) -> LogRole:
    """The part that a pod plays in Spark, by its labels."""
    role = pod.labels.get("spark-role", "")
    if role in ("driver", "executor"):
        return role  # type: ignore[return-value]
    if role == "connect-server":
        return "driver"
    name = pod.labels.get("app.kubernetes.io/name", "")
    return "operator" if name in ("spark-operator", "spark-kubernetes-operator") else "other"


async def tail(
    reader: Reader,
    namespace: str,
    pod: str,
    *,
    container: str = "",
    lines: int = LINES,
    limit_bytes: int = BYTES,
    previous: bool = False,
    role: LogRole = "other",
    at: float | None = None,
    timeout: float | None = None,
) -> Log:
    """The last lines of a container's log, redacted, at most `limit_bytes` bytes of them.

    Raises:
        LogGone: there was a log, but it was collected.
        InvalidError: the container has not started yet.
        NotFoundError: there is no such pod.
        ForbiddenError, ReachError, LoginNeeded.
    """
    body = await _read(reader, namespace, pod, container, previous, lines, timeout)
    if body.startswith(_LOST) and body.count(b"\n") <= 1:
        raise LogGone(f"the log of {namespace}/{pod} was collected already", status=404, reason="NotFound")
    cut = len(body) > limit_bytes
    if cut:
        body = body[-limit_bytes:]
        body = body[body.find(b"\n") + 1 :]
    path = object_path("v1", "pods", namespace, pod, "log")
    query = "&".join(filter(None, (f"container={container}" if container else "", "previous=true" if previous else "")))
    return Log(
        subject=f"Pod/{namespace}/{pod}",
        text=redact(body.decode("utf-8", "replace")),
        origin=Origin("log", path + (f"?{query}" if query else ""), at),
        container=container,
        role=role,
        truncated=cut or body.count(b"\n") >= lines,
    )


async def _read(
    reader: Reader, namespace: str, pod: str, container: str, previous: bool, lines: int, timeout: float | None
) -> bytes:
    """The server cuts at the end of what it sends, which is the end that matters: then ask for fewer lines."""
    while True:
        body = await reader.log(
            namespace, pod, container=container, previous=previous, tail=lines, limit_bytes=_MOST, timeout=timeout
        )
        if len(body) < _MOST or lines <= 10:
            return body
        lines //= 10


async def follow(
    reader: Reader, namespace: str, pod: str, *, container: str = "", lines: int = 200
) -> AsyncGenerator[str, None]:
    """Lines as they are written, redacted, from `lines` back; ends when the container ends.

    Raises:
        as `tail`.
    """
    first, redactor = True, LineRedactor()
    async with contextlib.aclosing(reader.follow_log(namespace, pod, container=container, tail=lines)) as coming:
        async for line in coming:
            if first and line.startswith(_LOST):
                raise LogGone(f"the log of {namespace}/{pod} was collected already", status=404, reason="NotFound")
            first = False
            yield redactor.line(line[:BYTES].decode("utf-8", "replace").rstrip("\r"))


def why_not(error: ConsoleError) -> str:
    """Why a log could not be read, in a few words."""
    if isinstance(error, LogGone):
        return "collected already"
    if isinstance(error, NotFoundError):
        return "the pod is gone"
    if isinstance(error, InvalidError):
        return "not started yet"
    return f"forbidden: {error.message}" if isinstance(error, ForbiddenError) else error.message
