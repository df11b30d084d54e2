"""Watches: the changes of one resource as a stream, with bookmarks, initial events, Tables and 410."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from aiohttp import web

from console.drill.kube.request import Request, encode, shown
from console.drill.kube.selectors import Match
from console.drill.kube.tables import table
from console.drill.objects import status
from console.drill.resources import Resource
from console.drill.store import Change, Expired

if TYPE_CHECKING:
    from console.drill.kube.server import KubeServer

Object = dict[str, Any]
BOOKMARK_SECONDS = 60.0
DEFAULT_SECONDS = 2400.0


class Watcher:
    """One open watch."""

    def __init__(self, server: KubeServer, request: Request, resource: Resource, match: Match, as_table: bool) -> None:
        self.server, self.request, self.resource, self.match = server, request, resource, match
        self.table, self.headers_sent = as_table, False
        self.queue: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.bookmarks = request.query.get("allowWatchBookmarks") in ("true", "1")
        self.sent = 0
        self.namespace = request.target.namespace

    def visible(self, obj: Object | None) -> bool:
        """Whether the watch's scope and selectors have the object."""
        if obj is None or (self.namespace and obj["metadata"].get("namespace") != self.namespace):
            return False
        name = self.request.target.name
        return (not name or obj["metadata"]["name"] == name) and self.match(obj)

    def offer(self, change: Change) -> None:
        """Queue a change as this watch sees it."""
        if change.resource.id != self.resource.id:
            return
        new, old = self.visible(change.object), self.visible(change.previous)
        kind = change.type
        if kind == "MODIFIED":
            if new and not old:
                kind = "ADDED"
            elif old and not new:
                kind = "DELETED"
        if new or old:
            self.emit(kind, change.object)

    def emit(self, kind: str, obj: Object) -> None:
        """Queue one event."""
        self.sent = max(self.sent, int(obj["metadata"]["resourceVersion"]))
        body = shown(self.resource, obj)
        if self.table:
            include = self.request.query.get("includeObject", "Metadata")
            meta = {"resourceVersion": obj["metadata"]["resourceVersion"]}
            now = self.server.world.heap.now
            body = table(self.resource, [body], now, meta, include, headers=not self.headers_sent)
            self.headers_sent = True
        self.queue.put_nowait(encode({"type": kind, "object": body}))

    def bookmark(self, *, initial_end: bool = False) -> None:
        """Queue a bookmark of the current version."""
        version = str(self.server.world.store.version)
        meta: Object = {"resourceVersion": version}
        if initial_end:
            meta["annotations"] = {"k8s.io/initial-events-end": "true"}
        self.sent = int(version)
        body: Object = {"kind": self.resource.kind, "apiVersion": self.resource.api_version, "metadata": meta}
        self.queue.put_nowait(encode({"type": "BOOKMARK", "object": body}))


async def serve(
    server: KubeServer, request: Request, resource: Resource, match: Match, as_table: bool
) -> web.StreamResponse:
    """Answer a watch until its time is up, the client leaves or the server closes."""
    query, store = request.query, server.world.store
    watcher = Watcher(server, request, resource, match, as_table)
    version = query.get("resourceVersion", "")
    response = web.StreamResponse()
    response.content_type = "application/json"
    response.enable_chunked_encoding()
    stop = store.watch(watcher.offer)
    server.watchers.add(watcher)
    try:
        initial = query.get("sendInitialEvents") == "true"
        if initial or version in ("", "0"):
            for obj in store.all(resource, watcher.namespace):
                if watcher.visible(obj):
                    watcher.emit("ADDED", obj)
            if initial and watcher.bookmarks:
                watcher.bookmark(initial_end=True)
        else:
            try:
                for change in store.since(resource, int(version)):
                    watcher.offer(change)
            except Expired:
                text = f"too old resource version: {version} ({store.floor(resource)})"
                body = status(text, "Expired", 410)
                watcher.queue.put_nowait(encode({"type": "ERROR", "object": body}))
                watcher.queue.put_nowait(None)
        await response.prepare(request.http)
        await _pump(server, watcher, response, float(query.get("timeoutSeconds") or DEFAULT_SECONDS))
    except (ConnectionResetError, asyncio.CancelledError):
        pass
    finally:
        stop()
        server.watchers.discard(watcher)
    return response


async def _pump(server: KubeServer, watcher: Watcher, response: web.StreamResponse, seconds: float) -> None:
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    while (left := until - loop.time()) > 0:
        try:
            chunk = await asyncio.wait_for(watcher.queue.get(), min(left, BOOKMARK_SECONDS))
        except TimeoutError:
            if watcher.bookmarks and watcher.sent < server.world.store.version:
                watcher.bookmark()
            continue
        if chunk is None:
            break
        while not watcher.queue.empty():
            more = watcher.queue.get_nowait()
            if more is None:
                await response.write(chunk)
                await response.write_eof()
                return
            chunk += more
        await response.write(chunk)
    await response.write_eof()
