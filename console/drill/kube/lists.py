"""Lists: whole or in pages of one snapshot, as objects, metadata or a Table, compressed when they are large."""

from __future__ import annotations

import asyncio
import base64
import binascii
from typing import Any

import msgspec
from aiohttp import web

from console.drill.kube.request import KubeRequest, encode, shown
from console.drill.kube.selectors import Match
from console.drill.kube.tables import table
from console.drill.state.clock import EventHeap
from console.drill.state.objects import StatusError
from console.drill.state.resources import ServedResource
from console.drill.state.store import Store

Object = dict[str, Any]
GZIP_FROM = 128 * 1024
KEPT_PAGES = 64
FUTURE_SECONDS = 0.5
"""How long the server waits for a version that it has not reached; the real one waits three seconds."""
EXPIRED = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new list "
    "without the continue parameter."
)


class Lists:
    """Answers to list requests, and the rest of those that were asked for in pages."""

    def __init__(self, store: Store, heap: EventHeap) -> None:
        self._store, self._heap = store, heap
        self._pages: dict[str, tuple[list[Object], int]] = {}
        self._count = 0

    async def answer(
        self, request: KubeRequest, resource: ServedResource, match: Match, as_table: bool
    ) -> web.Response:
        """One page or all.

        Raises:
            StatusError: 400 bad token, 410 expired, 504 a version from the future.
        """
        query, store = request.query, self._store
        version = query.get("resourceVersion", "")
        if version.isdigit() and int(version) > store.version:
            await asyncio.sleep(FUTURE_SECONDS)
            raise _too_large(int(version), store.version)
        if query.get("resourceVersionMatch") == "Exact" and version.isdigit() and int(version) < store.version:
            raise StatusError("The resourceVersion for the provided list is too old.", "Expired", 410)
        if query.get("continue"):
            objects, at = self._continued(query["continue"])
        else:
            objects = [o for o in store.all(resource, request.target.namespace) if match(o)]
            at = store.version
        meta: Object = {"resourceVersion": str(at)}
        limit = int(query.get("limit") or 0)
        if limit and len(objects) > limit:
            meta["continue"] = self._remember(objects[limit:], at)
            if not query.get("labelSelector") and not query.get("fieldSelector"):
                meta["remainingItemCount"] = len(objects) - limit
            objects = objects[:limit]
        body = encode(self._body(request, resource, objects, meta, as_table))
        response = web.Response(body=body, content_type="application/json")
        if "gzip" in request.http.headers.get("Accept-Encoding", "") and len(body) >= GZIP_FROM:
            response.enable_compression(web.ContentCoding.gzip)
        return response

    def _body(
        self, request: KubeRequest, resource: ServedResource, objects: list[Object], meta: Object, as_table: bool
    ) -> Object:
        if as_table:
            include = request.query.get("includeObject", "Metadata")
            return table(resource, objects, self._heap.now, meta, include)
        items = [shown(resource, o) for o in objects]
        if "as=PartialObjectMetadataList" in request.http.headers.get("Accept", ""):
            kind = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1"}
            partial = [{**kind, "metadata": o["metadata"]} for o in items]
            listed = {"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "metadata": meta}
            return {**listed, "items": partial}
        listed = {"kind": f"{resource.kind}List", "apiVersion": resource.api_version, "metadata": meta}
        return {**listed, "items": items}

    def _remember(self, rest: list[Object], version: int) -> str:
        self._count += 1
        plain = {"v": "meta.k8s.io/v1", "rv": version, "start": f"page-{self._count}"}
        token = base64.urlsafe_b64encode(msgspec.json.encode(plain)).decode()
        self._pages[token] = (rest, version)
        while len(self._pages) > KEPT_PAGES:
            self._pages.pop(next(iter(self._pages)))
        return token

    def _continued(self, token: str) -> tuple[list[Object], int]:
        if token in self._pages:
            return self._pages[token]
        try:
            msgspec.json.decode(base64.urlsafe_b64decode(token))
        except (msgspec.DecodeError, binascii.Error, ValueError) as error:
            raise StatusError(
                f"invalid continue token: continue key is not valid: {error}", "BadRequest", 400
            ) from None
        raise StatusError(EXPIRED, "Expired", 410)


def _too_large(wanted: int, current: int) -> StatusError:
    error = StatusError(f"Timeout: Too large resource version: {wanted}, current: {current}", "Timeout", 504)
    error.body["details"] = {
        "causes": [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}],
        "retryAfterSeconds": 1,
    }
    return error
