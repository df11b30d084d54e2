"""Everything that only reads a cluster: lists in pages, watches, logs, access reviews, and what stands behind the API
server's proxies. Answers are bytes; decoding is the caller's business."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec
from msgspec import Struct

from console.base.errors import ReachError
from console.base.jsontext import decode_json
from console.wire.checks import named
from console.wire.errors import http_error, words
from console.wire.http import MAX_BODY, HttpAnswer, Query, read_answer
from console.wire.paths import object_path, proxy_path
from console.wire.reviews import Reviews

PAGE = 500
IDLE = 150.0
"""Seconds without a byte after which a watch is begun anew. A server sends a bookmark about once a minute, for events
never; a dead link shows earlier, by the keepalive of its socket."""
_SEND_TURNS = 3
MAX_LINE = 16 * 2**20
_HEAD = re.compile(rb'"continue"\s*:\s*"([^"\\]*)"')
_ANY = {"Accept": "*/*"}


class ListPage(Struct, frozen=True):
    """One page of a list as it came. `more` is the token of the next page, `` on the last."""

    body: bytes
    more: str


class _PageMeta(Struct):
    continue_: str = msgspec.field(name="continue", default="")


class _List(Struct):
    metadata: _PageMeta = msgspec.field(default_factory=_PageMeta)


class Reader(Reviews):
    """Reads through one transport."""

    async def get(
        self,
        path: str,
        query: Query | None = None,
        *,
        timeout: float | None = None,
        limit: int = MAX_BODY,
        accept: str = "",
    ) -> bytes:
        """The body of one GET.

        Raises:
            LoginNeeded, ForbiddenError, ApiError, ReachError.
        """
        headers = {"Accept": accept} if accept else None
        answer = await self._transport.send("GET", path, query=query, timeout=timeout, limit=limit, headers=headers)
        if answer.content_type == "text/html":
            raise ReachError(
                f"{named(self._transport.target.server)} answers with web pages: this is no Kubernetes API, or a login "
                "page",
                hint="check the server of the context, and any proxy in front of it",
            )
        return answer.body

    async def clock(self) -> float | None:
        """What time the server has, in seconds since the epoch, cut to a whole one; None where it does not say.

        Raises:
            LoginNeeded, ForbiddenError, ApiError, ReachError.
        """
        answer = await self._transport.send("GET", "/version")
        try:
            return parsedate_to_datetime(answer.headers.get("date", "")).timestamp()
        except (TypeError, ValueError, OverflowError):
            return None

    async def object(self, path: str) -> dict[str, Any]:
        """One object as a plain tree. NotFoundError where there is none."""
        value = _json(await self.get(path), path)
        if not isinstance(value, dict):
            raise ReachError(f"the answer to GET {path} is no object")
        return value

    async def pages(
        self, path: str, query: dict[str, str] | None = None, *, size: int = PAGE, accept: str = ""
    ) -> AsyncGenerator[ListPage, None]:
        """A list in pages; the next page is asked for while the present one is worked on.

        Raises:
            GoneError: the list took so long that its token ended; begin again.
        """
        asked = {**(query or {}), "limit": str(size)}
        coming: asyncio.Task[bytes] | None = asyncio.create_task(self.get(path, asked, accept=accept))
        try:
            while coming is not None:
                body = await coming
                more = _continue(body)
                rest = {**asked, "continue": more}
                coming = asyncio.create_task(self.get(path, rest, accept=accept)) if more else None
                for _ in range(_SEND_TURNS if more else 0):  # let the request leave before the caller gets busy
                    await asyncio.sleep(0)
                yield ListPage(body, more)
        finally:
            if coming is not None:
                coming.cancel()

    def watch(
        self, path: str, query: dict[str, str] | None, resource_version: str, *, idle: float = IDLE
    ) -> AsyncGenerator[bytes, None]:
        """Lines of a watch, each one JSON event; first an empty one, as soon as the server accepts it.

        It ends when the server ends it; `ERROR` events come as lines too. Close it (`contextlib.aclosing`).

        Raises:
            GoneError: the resourceVersion is too old (some servers say so at once).
            QuietError: `idle` seconds passed without a byte.
            ReachError: the connection was lost.
        """
        asked = {**(query or {}), "watch": "true", "allowWatchBookmarks": "true", "resourceVersion": resource_version}
        return self._lines(path, asked, idle, {"Accept-Encoding": "identity"}, say_open=True)

    async def _lines(
        self, path: str, query: dict[str, str], idle: float | None, headers: dict[str, str], *, say_open: bool = False
    ) -> AsyncGenerator[bytes, None]:
        async with self._transport.stream("GET", path, query=query, idle=idle, headers=headers) as response:
            if response.status >= 400:
                answer = await read_answer(response, 2**20)
                raise http_error(answer.status, answer.body, f"GET {path}")
            if say_open:
                yield b""
            rest = b""
            async for chunk in response.content.iter_any():
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    if line:
                        yield line
                if len(rest) > MAX_LINE:
                    raise ReachError(f"GET {path} sends a line of more than {MAX_LINE >> 20} MiB")
            if rest:
                yield rest

    async def log(
        self,
        namespace: str,
        pod: str,
        *,
        container: str = "",
        previous: bool = False,
        tail: int | None = None,
        since: float | None = None,
        timestamps: bool = False,
        limit_bytes: int | None = None,
        timeout: float | None = None,
    ) -> bytes:
        """The log of a container, or its end.

        Args:
            tail: lines from the end.
            since: seconds back.
            limit_bytes: the server cuts here (from the beginning of what it would send).

        Raises:
            InvalidError: the container has not started, or its name is wrong.
            NotFoundError: there is no such pod.
        """
        query = _log_query(container, previous, tail, since, timestamps, limit_bytes)
        path = object_path("v1", "pods", namespace, pod, "log")
        answer = await self._transport.send("GET", path, query=query, timeout=timeout, headers=_ANY)
        return answer.body

    def follow_log(
        self, namespace: str, pod: str, *, container: str = "", tail: int = 100, timestamps: bool = False
    ) -> AsyncGenerator[bytes, None]:
        """Lines of a container's log, from `tail` lines back, until it ends. Close it (`contextlib.aclosing`)."""
        query = _log_query(container, False, tail, None, timestamps, None)
        path = object_path("v1", "pods", namespace, pod, "log")
        headers = {**_ANY, "Accept-Encoding": "identity"}
        return self._lines(path, {**query, "follow": "true"}, None, headers)

    async def pod_proxy(
        self,
        namespace: str,
        pod: str,
        port: int | str,
        path: str,
        query: Query | None = None,
        *,
        timeout: float | None = None,
        limit: int = MAX_BODY,
    ) -> HttpAnswer:
        """GET from a port of a pod. What the pod answers comes back whatever its status is.

        Raises:
            ForbiddenError: we may not use the proxy.
            NotFoundError: there is no such pod.
            ReachError: the API server cannot reach it.
        """
        return await self.proxied(proxy_path("pods", namespace, pod, port, path), query, timeout=timeout, limit=limit)

    async def service_proxy(
        self,
        namespace: str,
        service: str,
        port: int | str,
        path: str,
        query: Query | None = None,
        *,
        scheme: str = "",
        headers: dict[str, str] | None = None,
        timeout: float | None = None,
        limit: int = MAX_BODY,
    ) -> HttpAnswer:
        """GET from a port of a service; otherwise like `pod_proxy`."""
        target = proxy_path("services", namespace, service, port, path, scheme)
        return await self.proxied(target, query, headers=headers, timeout=timeout, limit=limit)

    async def proxied(
        self,
        path: str,
        query: Query | None = None,
        *,
        headers: dict[str, str] | None = None,
        timeout: float | None = None,
        limit: int = MAX_BODY,
    ) -> HttpAnswer:
        """GET a path of the API server's proxy, and tell its own refusals from those of the other end."""
        answer = await self._transport.send(
            "GET", path, query=query, headers={**_ANY, **(headers or {})}, timeout=timeout, limit=limit, raw=True
        )
        if answer.status >= 400 and _is_status(answer.body):
            if answer.status in (500, 502, 503, 504):
                raise ReachError(words(answer.body))
            raise http_error(answer.status, answer.body, f"GET {path}")
        return answer


def _json(body: bytes, path: str) -> Any:
    try:
        return decode_json(body)
    except msgspec.DecodeError:
        raise ReachError(f"the answer to {path} is no JSON") from None


def _is_status(body: bytes) -> bool:
    head = body[:200].replace(b" ", b"").replace(b"\n", b"")
    return b'"kind":"Status"' in head and b'"apiVersion":"v1"' in head


def _continue(body: bytes) -> str:
    """The token of the next page. Servers write metadata before items (custom resources after them)."""
    at = body.find(b'"items"', 0, 4096)
    if at >= 0 and b'"metadata"' in body[:at]:
        found = _HEAD.search(body, 0, at)
        return found.group(1).decode("utf-8", "replace") if found else ""
    try:
        return decode_json(body, _List).metadata.continue_
    except msgspec.DecodeError:
        raise ReachError("a list of the Kubernetes API is no JSON") from None


def _log_query(
    container: str,
    previous: bool,
    tail: int | None,
    since: float | None,
    timestamps: bool,
    limit_bytes: int | None,
) -> dict[str, str]:
    wanted = {
        "container": container,
        "previous": "true" if previous else "",
        "tailLines": str(tail) if tail is not None else "",
        "sinceSeconds": str(max(1, round(since))) if since is not None else "",
        "timestamps": "true" if timestamps else "",
        "limitBytes": str(limit_bytes) if limit_bytes is not None else "",
    }
    return {k: v for k, v in wanted.items() if v}
