"""Everything that only reads a cluster: lists in pages, watches, logs, access reviews, and what stands behind the API
server's proxies. Answers are bytes; decoding is the caller's business."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

import msgspec
from msgspec import Struct

from console.base.errors import ForbiddenError, ReachError
from console.wire.connection import MAX_BODY, Answer, Connection, Query, read_answer
from console.wire.errors import ApiError, NotFoundError, http_error, words
from console.wire.paths import group_path, object_path, proxy_path

PAGE = 500
IDLE = 150.0
"""Seconds without a byte after which a watch counts as dead; a server sends a bookmark about once a minute."""
MAX_LINE = 16 * 2**20
_HEAD = re.compile(rb'"continue"\s*:\s*"([^"\\]*)"')
_ANY = {"Accept": "*/*"}


class Page(Struct, frozen=True):
    """One page of a list as it came. `more` is the token of the next page, `` on the last."""

    body: bytes
    more: str


class Access(Struct, frozen=True):
    """The answer of a SelfSubjectAccessReview. `denied` is an explicit no of an authorizer."""

    allowed: bool
    reason: str = ""
    denied: bool = False


class Rule(Struct, frozen=True, rename="camel"):
    """One rule of what we may do; empty `resource_names` means every object."""

    verbs: tuple[str, ...] = ()
    api_groups: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    resource_names: tuple[str, ...] = ()


class Rules(Struct, frozen=True):
    """What we may do in a namespace. `incomplete` means that an authorizer cannot list its rules: ask `may`."""

    rules: tuple[Rule, ...] = ()
    incomplete: bool = False

    def allow(self, verb: str, resource: str, group: str = "") -> bool:
        """Whether a rule without object names allows it."""
        return any(
            not rule.resource_names
            and (verb in rule.verbs or "*" in rule.verbs)
            and (group in rule.api_groups or "*" in rule.api_groups)
            and (resource in rule.resources or "*" in rule.resources)
            for rule in self.rules
        )


class Resource(Struct, frozen=True):
    """A kind as the server's discovery names it."""

    plural: str
    kind: str
    namespaced: bool
    verbs: tuple[str, ...] = ()


class _ListMeta(Struct):
    continue_: str = msgspec.field(name="continue", default="")


class _List(Struct):
    metadata: _ListMeta = msgspec.field(default_factory=_ListMeta)


class _Review(Struct):
    allowed: bool = False
    denied: bool = False
    reason: str = ""
    evaluationError: str = ""


class Reader:
    """Reads through one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._resources: dict[str, tuple[Resource, ...]] = {}

    @property
    def connection(self) -> Connection:
        return self._connection

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
        answer = await self._connection.send("GET", path, query=query, timeout=timeout, limit=limit, headers=headers)
        if answer.content_type == "text/html":
            raise ReachError(
                f"{self._connection.target.server} answers with web pages: this is no Kubernetes API, or a login page",
                hint="check the server of the context, and any proxy in front of it",
            )
        return answer.body

    async def object(self, path: str) -> dict[str, Any]:
        """One object as a plain tree. NotFoundError where there is none."""
        value = _json(await self.get(path), path)
        if not isinstance(value, dict):
            raise ReachError(f"the answer to GET {path} is no object")
        return value

    async def pages(self, path: str, query: dict[str, str] | None = None, *, size: int = PAGE) -> AsyncIterator[Page]:
        """A list in pages; the next page is asked for while the present one is worked on.

        Raises:
            GoneError: the list took so long that its token ended; begin again.
        """
        asked = {**(query or {}), "limit": str(size)}
        coming: asyncio.Task[bytes] | None = asyncio.create_task(self.get(path, asked))
        try:
            while coming is not None:
                body = await coming
                more = _continue(body)
                coming = asyncio.create_task(self.get(path, {**asked, "continue": more})) if more else None
                yield Page(body, more)
        finally:
            if coming is not None:
                coming.cancel()

    async def watch(
        self, path: str, query: dict[str, str] | None, resource_version: str, *, idle: float = IDLE
    ) -> AsyncIterator[bytes]:
        """Lines of a watch, each one JSON event; first an empty one, as soon as the server accepts it.

        It ends when the server ends it; `ERROR` events come as lines too.

        Raises:
            GoneError: the resourceVersion is too old (some servers say so at once).
            ReachError: the connection was lost, or `idle` seconds passed without a byte.
        """
        asked = {**(query or {}), "watch": "true", "allowWatchBookmarks": "true", "resourceVersion": resource_version}
        async for line in self._lines(path, asked, idle, {"Accept-Encoding": "identity"}):
            yield line

    async def _lines(
        self, path: str, query: dict[str, str], idle: float | None, headers: dict[str, str]
    ) -> AsyncIterator[bytes]:
        async with self._connection.stream("GET", path, query=query, idle=idle, headers=headers) as response:
            if response.status >= 400:
                answer = await read_answer(response, 2**20)
                raise http_error(answer.status, answer.body, f"GET {path}")
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
        answer = await self._connection.send("GET", path, query=query, timeout=timeout, headers=_ANY)
        return answer.body

    async def follow_log(
        self, namespace: str, pod: str, *, container: str = "", tail: int = 100, timestamps: bool = False
    ) -> AsyncIterator[bytes]:
        """Lines of a running container's log, from `tail` lines back, until it ends."""
        query = _log_query(container, False, tail, None, timestamps, None)
        path = object_path("v1", "pods", namespace, pod, "log")
        headers = {**_ANY, "Accept-Encoding": "identity"}
        async for line in self._lines(path, {**query, "follow": "true"}, None, headers):
            if line:
                yield line

    async def may(
        self,
        verb: str,
        resource: str,
        *,
        group: str = "",
        namespace: str = "",
        name: str = "",
        subresource: str = "",
    ) -> Access:
        """Ask whether we may (SelfSubjectAccessReview). It changes nothing, though it is a POST."""
        wanted = {
            "verb": verb,
            "resource": resource,
            "group": group,
            "namespace": namespace,
            "name": name,
            "subresource": subresource,
        }
        body = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": {k: v for k, v in wanted.items() if v}},
        }
        path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
        tree = _json((await self._connection.send("POST", path, body=body)).body, path)
        review = msgspec.convert(tree.get("status") or {}, _Review, strict=False)
        return Access(review.allowed, review.reason or review.evaluationError, review.denied)

    async def rules(self, namespace: str) -> Rules:
        """What we may do in `namespace` (SelfSubjectRulesReview)."""
        body = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectRulesReview",
            "spec": {"namespace": namespace},
        }
        path = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"
        tree = _json((await self._connection.send("POST", path, body=body)).body, path)
        status = tree.get("status") or {}
        rules = msgspec.convert(status.get("resourceRules") or [], tuple[Rule, ...], strict=False)
        return Rules(rules, status.get("incomplete") is True)

    async def groups(self) -> dict[str, tuple[str, ...]]:
        """API groups with their versions, the preferred one first (`/apis`)."""
        tree = _json(await self.get("/apis"), "/apis")
        out: dict[str, tuple[str, ...]] = {}
        for group in tree.get("groups") or []:
            versions = [str(v.get("version")) for v in group.get("versions") or []]
            first = str((group.get("preferredVersion") or {}).get("version") or "")
            out[str(group.get("name"))] = tuple(dict.fromkeys([first, *versions] if first else versions))
        return out

    async def resources(self, api_version: str, *, fresh: bool = False) -> tuple[Resource, ...]:
        """Kinds of one group version, without subresources; remembered unless a `fresh` answer is wanted."""
        if fresh or api_version not in self._resources:
            path = group_path(api_version)
            tree = _json(await self.get(path), path)
            self._resources[api_version] = tuple(
                Resource(
                    plural=str(r.get("name")),
                    kind=str(r.get("kind")),
                    namespaced=r.get("namespaced") is True,
                    verbs=tuple(str(v) for v in r.get("verbs") or ()),
                )
                for r in tree.get("resources") or []
                if "/" not in str(r.get("name"))
            )
        return self._resources[api_version]

    async def resource(self, api_version: str, kind: str) -> Resource:
        """How the server calls a kind. NotFoundError where it has none of that name."""
        for found in await self.resources(api_version):
            if found.kind == kind:
                return found
        raise NotFoundError(f"the server has no {kind} in {api_version}", status=404, reason="NotFound")

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
    ) -> Answer:
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
    ) -> Answer:
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
    ) -> Answer:
        """GET a path of the API server's proxy, and tell its own refusals from those of the other end."""
        answer = await self._connection.send(
            "GET", path, query=query, headers={**_ANY, **(headers or {})}, timeout=timeout, limit=limit, raw=True
        )
        if answer.status >= 400 and _is_status(answer.body):
            if answer.status in (500, 502, 503, 504):
                raise ReachError(words(answer.body))
            raise http_error(answer.status, answer.body, f"GET {path}")
        return answer


def _json(body: bytes, path: str) -> Any:
    try:
        return msgspec.json.decode(body)
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
        return found.group(1).decode() if found else ""
    try:
        return msgspec.json.decode(body, type=_List).metadata.continue_
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


__all__ = [
    "IDLE",
    "PAGE",
    "Access",
    "ApiError",
    "ForbiddenError",
    "Page",
    "Reader",
    "Resource",
    "Rule",
    "Rules",
]
