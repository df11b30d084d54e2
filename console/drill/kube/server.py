"""The HTTP server of the Kubernetes API: who may, which object, what comes back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from aiohttp import web

from console.drill.kube import discovery, protobuf, watch, writes
from console.drill.kube.access import Access, User
from console.drill.kube.lists import Lists
from console.drill.kube.podlog import pod_log
from console.drill.kube.proxy import Find, proxied, split
from console.drill.kube.record import Write
from console.drill.kube.request import Request, Target, answer, encode, not_found, parse_path, shown
from console.drill.kube.selectors import Match, fields, labels
from console.drill.kube.tables import table
from console.drill.objects import ApiError
from console.drill.resources import DEPLOYMENTS, Resource
from console.drill.world import World

Object = dict[str, Any]
Hook = Callable[[Write], Awaitable[None]]
VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


class KubeServer:
    """The API of one world.

    Attributes:
        writes: every mutating request in the order of arrival, dry runs and refused ones included.
        before_apply: awaited after a write was received and before it is applied.
        before_answer: awaited after it was applied and before it is answered.
    """

    def __init__(self, world: World, sync: Callable[[], None], proxy: Find) -> None:
        self.world, self.sync, self.proxy = world, sync, proxy
        self.access = Access()
        self.writes: list[Write] = []
        self.watchers: set[watch.Watcher] = set()
        self.before_apply: Hook | None = None
        self.before_answer: Hook | None = None
        self._lists = Lists(world)

    def app(self, anonymous: User | None = None) -> web.Application:
        """The aiohttp application; requests without a token are `anonymous`'s, or refused."""
        app = web.Application(client_max_size=8 * 2**20)

        async def handle(http: web.Request) -> web.StreamResponse:
            return await self.handle(http, anonymous)

        app.router.add_route("*", "/{path:.*}", handle)
        return app

    def close_watches(self) -> None:
        """End every open watch, as a server that goes down does."""
        for watcher in tuple(self.watchers):
            watcher.queue.put_nowait(None)

    def bookmark(self) -> None:
        """Send a bookmark of the current version to every watch that allows them."""
        for watcher in tuple(self.watchers):
            if watcher.bookmarks and watcher.sent < self.world.store.version:
                watcher.bookmark()

    # -- entry ----------------------------------------------------------------------------------------------------

    async def handle(self, http: web.Request, anonymous: User | None = None) -> web.StreamResponse:
        """Any request."""
        self.sync()
        try:
            if http.path in ("/healthz", "/livez", "/readyz"):
                return web.Response(text="ok")
            user = self.access.user(http.headers.get("Authorization", ""), anonymous)
            fixed = self._about(http)
            if fixed is not None:
                return fixed
            target = parse_path(http.path)
            if target is None:
                return web.Response(status=404, text="404 page not found\n")
            request = Request(http, user, target, dict(http.query), await http.read())
            review = self._review(request)
            if review is not None:
                return review
            if target.resource is None:
                text = "the server could not find the requested resource"
                raise ApiError(text, "NotFound", 404)
            return await self._resource(request, target.resource)
        except ApiError as error:
            return writes.refusal(error)
        except ValueError as error:  # a number in the query that is none
            return writes.refusal(ApiError(str(error), "BadRequest", 400))

    def _about(self, http: web.Request) -> web.Response | None:
        path = http.path.rstrip("/")
        accept = http.headers.get("Accept", "")
        if path == "/version":
            return answer(discovery.version())
        if path in ("/api", "/apis"):
            if "as=APIGroupDiscoveryList" in accept and "v=v2;" in accept.replace(" ", ""):
                body = encode(discovery.aggregated(path == "/api"))
                return web.Response(body=body, headers={"Content-Type": discovery.AGGREGATED})
            return answer(discovery.api_versions() if path == "/api" else discovery.group_list())
        if path == "/openapi/v3":
            return answer(discovery.openapi_index())
        parts = path.strip("/").split("/")
        found: Object | None = None
        if parts[:2] == ["openapi", "v3"]:
            found = discovery.openapi(*(("", parts[3]) if parts[2] == "api" else (parts[3], parts[4])))
        elif parts[0] == "openapi":
            found = {"swagger": "2.0", "info": {"title": "Kubernetes", "version": "v1.37.2"}, "paths": {}}
        elif parts[0] == "api" and len(parts) == 2:
            found = discovery.resource_list("", parts[1])
        elif parts[0] == "apis" and len(parts) == 2:
            found = discovery.group(parts[1])
        elif parts[0] == "apis" and len(parts) == 3:
            found = discovery.resource_list(parts[1], parts[2])
        else:
            return None
        return answer(found) if found else web.Response(status=404, text="404 page not found\n")

    def _review(self, request: Request) -> web.Response | None:
        target = request.target
        if request.http.method != "POST" or target.resource is not None:
            return None
        coded = request.http.headers.get("Content-Type", "").startswith(protobuf.MEDIA_TYPE)
        if target.group == "authorization.k8s.io":
            body = protobuf.review(request.body) if coded else request.json()
            if target.plural == "selfsubjectaccessreviews":
                return answer(self.access.access_review(request.user, body), 201)
            if target.plural == "selfsubjectrulesreviews":
                return answer(self.access.rules_review(request.user, body), 201)
        if (target.group, target.plural) == ("authentication.k8s.io", "selfsubjectreviews"):
            info = {"username": request.user.name, "groups": list(request.user.groups)}
            about = {"kind": "SelfSubjectReview", "apiVersion": "authentication.k8s.io/v1", "metadata": {}}
            return answer(about | {"status": {"userInfo": info}}, 201)
        return None

    # -- resources ------------------------------------------------------------------------------------------------

    async def _resource(self, request: Request, resource: Resource) -> web.StreamResponse:
        target, method = request.target, request.http.method
        if target.sub == "proxy":
            verb = "get" if method in ("GET", "HEAD") else VERBS[method]
            name = split(target.name)[1]
            self.access.check(request.user, verb, resource.group, f"{resource.plural}/proxy", target.namespace, name)
            return await proxied(self.world, self.proxy, request, resource)
        watching = request.query.get("watch") in ("true", "1")
        if method in ("GET", "HEAD"):
            verb = "watch" if watching else "get" if target.name else "list"
        else:
            verb = VERBS[method] if target.name or method == "POST" else "deletecollection"
        plural = f"{resource.plural}/{target.sub}" if target.sub else resource.plural
        self.access.check(request.user, verb, resource.group, plural, target.namespace, target.name)
        if target.sub and target.sub not in resource.subresources:
            raise ApiError("the server could not find the requested resource", "NotFound", 404)
        if method in ("GET", "HEAD"):
            return await self._read(request, resource, watching)
        return await self._write(request, resource, plural)

    async def _read(self, request: Request, resource: Resource, watching: bool) -> web.StreamResponse:
        target = request.target
        as_table = "as=Table" in request.http.headers.get("Accept", "")
        if watching:
            return await watch.serve(self, request, resource, self._match(request, resource), as_table)
        if not target.name:
            return await self._lists.answer(request, resource, self._match(request, resource), as_table)
        obj = self._object(resource, target)
        if target.sub == "log":
            return await pod_log(self, request, obj)
        if target.sub == "scale":
            return writes.scale(self, request, resource, obj)
        if as_table:
            meta = {"resourceVersion": obj["metadata"]["resourceVersion"]}
            include = request.query.get("includeObject", "Metadata")
            return answer(table(resource, [shown(resource, obj)], self.world.heap.now, meta, include))
        return answer(shown(resource, obj))

    def _object(self, resource: Resource, target: Target) -> Object:
        obj = self.world.store.get(resource, target.namespace if resource.namespaced else "", target.name)
        if obj is None:
            raise not_found(resource, target.name)
        return obj

    def _match(self, request: Request, resource: Resource) -> Match:
        by_label = labels(request.query.get("labelSelector", ""))
        by_field = fields(request.query.get("fieldSelector", ""), resource.id)
        return lambda obj: by_label(obj) and by_field(obj)

    # -- writes ---------------------------------------------------------------------------------------------------

    async def _write(self, request: Request, resource: Resource, plural: str) -> web.Response:
        http, target = request.http, request.target
        name = f"{plural}.{resource.group}" if resource.group else plural
        if "/" in plural and resource.group:
            base, _, sub = plural.partition("/")
            name = f"{base}.{resource.group}/{sub}"
        record = Write(
            self.world.heap.now,
            http.method,
            http.path,
            dict(http.query),
            request.body,
            http.headers.get("Content-Type", ""),
            request.user.name,
            http.headers.get("User-Agent", ""),
            request.dry_run,
            name,
            target.namespace,
            target.name,
        )
        self.writes.append(record)
        try:
            if self.before_apply and not record.dry_run:
                await self.before_apply(record)
            response = self._apply(request, resource, record)
        except ApiError as error:
            record.code = error.code
            raise
        record.code, record.dry_run = response.status, request.dry_run
        if self.before_answer and not record.dry_run:
            await self.before_answer(record)
        return response

    def _apply(self, request: Request, resource: Resource, record: Write) -> web.Response:
        target, method = request.target, request.http.method
        if method == "POST":
            if target.sub == "eviction":
                return writes.evict(self, request)
            if target.name:
                raise writes.method_not_allowed()
            obj, code = writes.create(self, request, resource)
            record.name = obj["metadata"]["name"]
            record.version = int(obj["metadata"].get("resourceVersion", 0))
            return answer(shown(resource, obj), code)
        if not target.name:
            return self._delete_all(request, resource)
        applying = request.http.headers.get("Content-Type", "").startswith("application/apply-patch")
        if method == "PATCH" and applying and self.world.store.get(resource, target.namespace, target.name) is None:
            request.body = msgspec.json.encode(writes.patched(request, {}))
            obj, code = writes.create(self, request, resource)
            return answer(shown(resource, obj), code)
        old = self._object(resource, target)
        if method == "DELETE":
            return writes.delete(self, request, resource, old)
        if target.sub == "scale" and resource in (DEPLOYMENTS,):
            return writes.scale(self, request, resource, old)
        change = writes.patch if method == "PATCH" else writes.replace
        obj = change(self, request, resource, old)
        record.version = int(obj["metadata"]["resourceVersion"])
        headers = {}
        if request.parsed:
            headers = {"Warning": '299 - "' + ", ".join(f"unknown field {f}" for f in request.parsed) + '"'}
        return answer(shown(resource, obj), 200, headers or None)

    def _delete_all(self, request: Request, resource: Resource) -> web.Response:
        match = self._match(request, resource)
        gone = [o for o in self.world.store.all(resource, request.target.namespace) if match(o)]
        if not request.dry_run:
            for obj in gone:
                self.world.delete(resource, obj["metadata"])
        meta = {"resourceVersion": str(self.world.store.version)}
        return answer(
            {"kind": f"{resource.kind}List", "apiVersion": resource.api_version, "metadata": meta, "items": gone}
        )
