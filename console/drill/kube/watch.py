"""Watches: the changes of one resource as a stream, with bookmarks, initial events, Tables and 410."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web

from console.drill.kube.request import KubeRequest, encode, shown
from console.drill.kube.selectors import Match
from console.drill.kube.tables import table
from console.drill.state.clock import EventHeap
from console.drill.state.objects import status
from console.drill.state.resources import ServedResource
from console.drill.state.store import Expired, ObjectChange, Store

Object = dict[str, Any]
BOOKMARK_SECONDS = 60.0
DEFAULT_SECONDS = 2400.0


class Watcher:
    """One open watch."""

    def __init__(
        self,
        store: Store,
        heap: EventHeap,
        request: KubeRequest,
        resource: ServedResource,
        match: Match,
        as_table: bool,
    ) -> None:
        self._store, self._heap = store, heap
        self.request, self.resource, self.match = request, resource, match
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

    def offer(self, change: ObjectChange) -> None:
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
        if self.table:
            include = self.request.query.get("includeObject", "Metadata")
            meta = {"resourceVersion": obj["metadata"]["resourceVersion"]}
            now = self._heap.now
            body = table(self.resource, [obj], now, meta, include, headers=not self.headers_sent)
            self.headers_sent = True
        else:
            body = shown(self.resource, obj)
        self.queue.put_nowait(encode({"type": kind, "object": body}))

    def behind(self) -> bool:
        """Whether it allows bookmarks and has not been told the current version."""
        return self.bookmarks and self.sent < self._store.version

    def bookmark(self, *, initial_end: bool = False) -> None:
        """Queue a bookmark of the current version."""
        version = str(self._store.version)
        meta: Object = {"resourceVersion": version}
        if initial_end:
            meta["annotations"] = {"k8s.io/initial-events-end": "true"}
        self.sent = int(version)
        body: Object = {"kind": self.resource.kind, "apiVersion": self.resource.api_version, "metadata": meta}
        self.queue.put_nowait(encode({"type": "BOOKMARK", "object": body}))


class Watches:
    """All open watches of one server."""

    def __init__(self, store: Store, heap: EventHeap) -> None:
        self._store, self._heap = store, heap
        self.open: set[Watcher] = set()

    def close(self) -> None:
        """End every open watch, as a server that goes down does."""
        for watcher in tuple(self.open):
            watcher.queue.put_nowait(None)

    def bookmark(self) -> None:
        """Send a bookmark of the current version to every watch that allows them."""
        for watcher in tuple(self.open):
            if watcher.behind():
                watcher.bookmark()

    async def serve(
        self, request: KubeRequest, resource: ServedResource, match: Match, as_table: bool
    ) -> web.StreamResponse:
        """Answer a watch until its time is up, the client leaves or the server closes."""
        watcher = Watcher(self._store, self._heap, request, resource, match, as_table)
        response = web.StreamResponse()
        response.content_type = "application/json"
        response.enable_chunked_encoding()
        stop = self._store.watch(watcher.offer)
        self.open.add(watcher)
        try:
            self._begin(watcher, request.query)
            await response.prepare(request.http)
            await _pump(watcher, response, float(request.query.get("timeoutSeconds") or DEFAULT_SECONDS))
        except (ConnectionResetError, asyncio.CancelledError):
            pass
        finally:
            stop()
            self.open.discard(watcher)
        return response

    def _begin(self, watcher: Watcher, query: dict[str, str]) -> None:
        """Queue what is there, or what changed since the version that the client knows."""
        resource, version = watcher.resource, query.get("resourceVersion", "")
        initial = query.get("sendInitialEvents") == "true"
        if initial or version in ("", "0"):
            for obj in self._store.all(resource, watcher.namespace):
                if watcher.visible(obj):
                    watcher.emit("ADDED", obj)
            if initial and watcher.bookmarks:
                watcher.bookmark(initial_end=True)
            return
        try:
            for change in self._store.since(resource, int(version)):
                watcher.offer(change)
        except Expired:
            text = f"too old resource version: {version} ({self._store.floor(resource)})"
            watcher.queue.put_nowait(encode({"type": "ERROR", "object": status(text, "Expired", 410)}))
            watcher.queue.put_nowait(None)


async def _pump(watcher: Watcher, response: web.StreamResponse, seconds: float) -> None:
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    while (left := until - loop.time()) > 0:
        try:
            chunk = await asyncio.wait_for(watcher.queue.get(), min(left, BOOKMARK_SECONDS))
        except TimeoutError:
            if watcher.behind():
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
