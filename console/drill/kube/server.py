"""The HTTP server of the Kubernetes API: who may, which object, what comes back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from aiohttp import web

from console.drill.kube import discovery, protobuf, writes
from console.drill.kube.access import Authorizer
from console.drill.kube.lists import Lists
from console.drill.kube.podlog import pod_log
from console.drill.kube.proxy import proxied, split
from console.drill.kube.record import Write
from console.drill.kube.request import KubeRequest, RequestTarget, answer, encode, not_found, parse_path, shown
from console.drill.kube.selectors import Match, fields, labels
from console.drill.kube.tables import table
from console.drill.kube.watch import Watches
from console.drill.state.backend import FindBackend
from console.drill.state.cluster import ClusterState
from console.drill.state.objects import StatusError
from console.drill.state.resources import DEPLOYMENTS, ServedResource

Object = dict[str, Any]
AfterWrite = Callable[[Write], Awaitable[None]]
VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


class KubeServer:
    """The API of one cluster.

    Attributes:
        writes: every mutating request in the order of arrival, dry runs and refused ones included.
        watches: the open ones.
        before_apply: awaited after a write was received and before it is applied.
        before_answer: awaited after it was applied and before it is answered.
    """

    def __init__(self, cluster: ClusterState, sync: Callable[[], None], proxy: FindBackend) -> None:
        self.cluster, self.sync, self.proxy = cluster, sync, proxy
        self.access = Authorizer()
        self.writes: list[Write] = []
        self.watches = Watches(cluster.store, cluster.heap)
        self.before_apply: AfterWrite | None = None
        self.before_answer: AfterWrite | None = None
        self._lists = Lists(cluster.store, cluster.heap)

    def app(self) -> web.Application:
        """The aiohttp application."""
        app = web.Application(client_max_size=8 * 2**20)
        app.router.add_route("*", "/{path:.*}", self.handle)
        return app

    # -- entry ----------------------------------------------------------------------------------------------------

    async def handle(self, http: web.Request) -> web.StreamResponse:
        """Any request."""
        self.sync()
        try:
            if http.path in ("/healthz", "/livez", "/readyz"):
                return web.Response(text="ok")
            user = self.access.user(http.headers.get("Authorization", ""))
            if http.method not in ("GET", "HEAD", *VERBS):
                raise writes.method_not_allowed()
            fixed = self._about(http)
            if fixed is not None:
                return fixed
            target = parse_path(http.path)
            if target is None:
                return web.Response(status=404, text="404 page not found\n")
            request = KubeRequest(http, user, target, dict(http.query), await http.read())
            review = self._review(request)
            if review is not None:
                return review
            if target.resource is None:
                text = "the server could not find the requested resource"
                raise StatusError(text, "NotFound", 404)
            return await self._resource(request, target.resource)
        except StatusError as error:
            return writes.refusal(error)
        except ValueError as error:  # a number in the query that is none
            return writes.refusal(StatusError(str(error), "BadRequest", 400))

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
            named = parts[3:4] if parts[2] == "api" else parts[3:5]
            found = discovery.openapi(*("", *named)[-2:]) if len(named) == (1 if parts[2] == "api" else 2) else None
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

    def _review(self, request: KubeRequest) -> web.Response | None:
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

    async def _resource(self, request: KubeRequest, resource: ServedResource) -> web.StreamResponse:
        target, method = request.target, request.http.method
        if target.sub == "proxy":
            verb = "get" if method in ("GET", "HEAD") else VERBS[method]
            name = split(target.name)[1]
            self.access.check(request.user, verb, resource.group, f"{resource.plural}/proxy", target.namespace, name)
            return await proxied(self.cluster.store, self.proxy, request, resource)
        watching = request.query.get("watch") in ("true", "1")
        if method in ("GET", "HEAD"):
            verb = "watch" if watching else "get" if target.name else "list"
        else:
            verb = VERBS[method] if target.name or method == "POST" else "deletecollection"
        plural = f"{resource.plural}/{target.sub}" if target.sub else resource.plural
        self.access.check(request.user, verb, resource.group, plural, target.namespace, target.name)
        if target.sub and target.sub not in resource.subresources:
            raise StatusError("the server could not find the requested resource", "NotFound", 404)
        if method in ("GET", "HEAD"):
            return await self._read(request, resource, watching)
        return await self._write(request, resource, plural)

    async def _read(self, request: KubeRequest, resource: ServedResource, watching: bool) -> web.StreamResponse:
        target = request.target
        as_table = "as=Table" in request.http.headers.get("Accept", "")
        if watching:
            return await self.watches.serve(request, resource, self._match(request, resource), as_table)
        if not target.name:
            return await self._lists.answer(request, resource, self._match(request, resource), as_table)
        obj = self._object(resource, target)
        if target.sub == "log":
            return await pod_log(self.cluster, self.sync, request, obj)
        if target.sub == "scale":
            return writes.scale(self.cluster, request, resource, obj)
        if as_table:
            meta = {"resourceVersion": obj["metadata"]["resourceVersion"]}
            include = request.query.get("includeObject", "Metadata")
            return answer(table(resource, [obj], self.cluster.heap.now, meta, include))
        return answer(shown(resource, obj))

    def _object(self, resource: ServedResource, target: RequestTarget) -> Object:
        obj = self.cluster.store.get(resource, target.namespace if resource.namespaced else "", target.name)
        if obj is None:
            raise not_found(resource, target.name)
        return obj

    def _match(self, request: KubeRequest, resource: ServedResource) -> Match:
        by_label = labels(request.query.get("labelSelector", ""))
        by_field = fields(request.query.get("fieldSelector", ""), resource.id)
        return lambda obj: by_label(obj) and by_field(obj)

    # -- writes ---------------------------------------------------------------------------------------------------

    async def _write(self, request: KubeRequest, resource: ServedResource, plural: str) -> web.Response:
        http, target = request.http, request.target
        name = f"{plural}.{resource.group}" if resource.group else plural
        if "/" in plural and resource.group:
            base, _, sub = plural.partition("/")
            name = f"{base}.{resource.group}/{sub}"
        record = Write(
            self.cluster.heap.now,
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
        except StatusError as error:
            record.code = error.code
            raise
        record.code, record.dry_run = response.status, request.dry_run
        if self.before_answer and not record.dry_run:
            await self.before_answer(record)
        return response

    def _apply(self, request: KubeRequest, resource: ServedResource, record: Write) -> web.Response:
        target, method = request.target, request.http.method
        if method == "POST":
            if target.sub == "eviction":
                return writes.evict(self.cluster, request)
            if target.name:
                raise writes.method_not_allowed()
            obj, code = writes.create(self.cluster, request, resource)
            record.name = obj["metadata"]["name"]
            record.version = int(obj["metadata"].get("resourceVersion", 0))
            return answer(shown(resource, obj), code)
        if not target.name:
            return self._delete_all(request, resource)
        applying = request.http.headers.get("Content-Type", "").startswith("application/apply-patch")
        if method == "PATCH" and applying and self.cluster.store.get(resource, target.namespace, target.name) is None:
            request.body = msgspec.json.encode(writes.patched(request, {}))
            obj, code = writes.create(self.cluster, request, resource)
            return answer(shown(resource, obj), code)
        old = self._object(resource, target)
        if method == "DELETE":
            return writes.delete(self.cluster, request, resource, old)
        if target.sub == "scale" and resource in (DEPLOYMENTS,):
            return writes.scale(self.cluster, request, resource, old)
        change = writes.patch if method == "PATCH" else writes.replace
        obj = change(self.cluster, request, resource, old)
        record.version = int(obj["metadata"]["resourceVersion"])
        headers = {}
        if request.parsed:
            headers = {"Warning": '299 - "' + ", ".join(f"unknown field {f}" for f in request.parsed) + '"'}
        return answer(shown(resource, obj), 200, headers or None)

    def _delete_all(self, request: KubeRequest, resource: ServedResource) -> web.Response:
        match = self._match(request, resource)
        gone = [o for o in self.cluster.store.all(resource, request.target.namespace) if match(o)]
        if not request.dry_run:
            for obj in gone:
                self.cluster.delete(resource, obj["metadata"])
        meta = {"resourceVersion": str(self.cluster.store.version)}
        return answer(
            {"kind": f"{resource.kind}List", "apiVersion": resource.api_version, "metadata": meta, "items": gone}
        )
