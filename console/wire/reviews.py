"""What we may do, and which kinds there are: access reviews (POSTs that change nothing) and discovery."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from console.base.errors import ReachError
from console.base.jsontext import decode_json
from console.wire.errors import NotFoundError
from console.wire.http import Method
from console.wire.paths import group_path
from console.wire.transport import Transport

T = TypeVar("T")
_REVIEWS = "/apis/authorization.k8s.io/v1"


class AccessReview(Struct, frozen=True):
    """The answer of a SelfSubjectAccessReview. `denied` is an explicit no of an authorizer; `error`: one of them could
    not say."""

    allowed: bool
    reason: str = ""
    denied: bool = False
    error: str = ""


class ApiResource(Struct, frozen=True):
    """A kind as the server's discovery names it."""

    plural: str
    kind: str
    namespaced: bool
    verbs: tuple[str, ...] = ()


class _AccessReviewStatus(Struct, frozen=True, rename="camel"):
    allowed: bool = False
    denied: bool = False
    reason: str = ""
    evaluation_error: str = ""


class _AccessReview(Struct, frozen=True):
    status: _AccessReviewStatus = _AccessReviewStatus()


class _GroupVersion(Struct, frozen=True):
    version: str


class _ApiGroup(Struct, frozen=True, rename="camel"):
    name: str
    versions: list[_GroupVersion] | None = None
    preferred_version: _GroupVersion | None = None


class _ApiGroups(Struct, frozen=True):
    groups: list[_ApiGroup] | None = None


class _ApiResource(Struct, frozen=True):
    name: str
    kind: str = ""
    namespaced: bool = False
    verbs: tuple[str, ...] | None = None


class _ApiResources(Struct, frozen=True):
    resources: list[_ApiResource] | None = None


class Reviews:
    """Asks the API server about us and about itself. `Reader` is one of these."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._resources: dict[str, tuple[ApiResource, ...]] = {}

    async def may(
        self,
        verb: str,
        resource: str,
        *,
        group: str = "",
        namespace: str = "",
        name: str = "",
        subresource: str = "",
    ) -> AccessReview:
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
        review = (await self._ask("POST", f"{_REVIEWS}/selfsubjectaccessreviews", _AccessReview, body)).status
        said = review.reason or review.evaluation_error
        return AccessReview(review.allowed, said, review.denied, review.evaluation_error)

    async def groups(self) -> dict[str, tuple[str, ...]]:
        """API groups with their versions, the preferred one first (`/apis`)."""
        out: dict[str, tuple[str, ...]] = {}
        for group in (await self._ask("GET", "/apis", _ApiGroups)).groups or ():
            first = (group.preferred_version,) if group.preferred_version is not None else ()
            out[group.name] = tuple(dict.fromkeys(one.version for one in (*first, *(group.versions or ()))))
        return out

    async def resources(self, api_version: str, *, fresh: bool = False) -> tuple[ApiResource, ...]:
        """Kinds of one group version, without subresources; remembered unless a `fresh` answer is wanted."""
        if fresh or api_version not in self._resources:
            found = (await self._ask("GET", group_path(api_version), _ApiResources)).resources or ()
            self._resources[api_version] = tuple(
                ApiResource(plural=one.name, kind=one.kind, namespaced=one.namespaced, verbs=one.verbs or ())
                for one in found
                if "/" not in one.name
            )
        return self._resources[api_version]

    async def resource(self, api_version: str, kind: str) -> ApiResource:
        """How the server calls a kind. NotFoundError where it has none of that name."""
        for found in await self.resources(api_version):
            if found.kind == kind:
                return found
        raise NotFoundError(f"the server has no {kind} in {api_version}", status=404, reason="NotFound")

    async def _ask(self, method: Method, path: str, kind: type[T], body: Any = None) -> T:
        answer = await self._transport.send(method, path, body=body)
        try:
            return decode_json(answer.body, kind)
        except msgspec.DecodeError as error:
            raise ReachError(f"the answer to {path} makes no sense: {error}") from None
