"""What we may do, and which kinds there are: access reviews (POSTs that change nothing) and discovery."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from console.base.errors import ReachError
from console.wire.connection import Connection
from console.wire.errors import NotFoundError
from console.wire.http import Method
from console.wire.paths import group_path

_REVIEWS = "/apis/authorization.k8s.io/v1"


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


class _Review(Struct):
    allowed: bool = False
    denied: bool = False
    reason: str = ""
    evaluationError: str = ""


class Reviews:
    """Asks the API server about us and about itself. `Reader` is one of these."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._resources: dict[str, tuple[Resource, ...]] = {}

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
        tree = await self._tree("POST", f"{_REVIEWS}/selfsubjectaccessreviews", body)
        review = msgspec.convert(tree.get("status") or {}, _Review, strict=False)
        return Access(review.allowed, review.reason or review.evaluationError, review.denied)

    async def rules(self, namespace: str) -> Rules:
        """What we may do in `namespace` (SelfSubjectRulesReview)."""
        body = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectRulesReview",
            "spec": {"namespace": namespace},
        }
        tree = await self._tree("POST", f"{_REVIEWS}/selfsubjectrulesreviews", body)
        status = tree.get("status") or {}
        rules = msgspec.convert(status.get("resourceRules") or [], tuple[Rule, ...], strict=False)
        return Rules(rules, status.get("incomplete") is True)

    async def groups(self) -> dict[str, tuple[str, ...]]:
        """API groups with their versions, the preferred one first (`/apis`)."""
        tree = await self._tree("GET", "/apis")
        out: dict[str, tuple[str, ...]] = {}
        for group in tree.get("groups") or []:
            versions = [str(v.get("version")) for v in group.get("versions") or []]
            first = str((group.get("preferredVersion") or {}).get("version") or "")
            out[str(group.get("name"))] = tuple(dict.fromkeys([first, *versions] if first else versions))
        return out

    async def resources(self, api_version: str, *, fresh: bool = False) -> tuple[Resource, ...]:
        """Kinds of one group version, without subresources; remembered unless a `fresh` answer is wanted."""
        if fresh or api_version not in self._resources:
            tree = await self._tree("GET", group_path(api_version))
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

    async def _tree(self, method: Method, path: str, body: Any = None) -> dict[str, Any]:
        answer = await self._connection.send(method, path, body=body)
        try:
            tree = answer.json()
        except msgspec.DecodeError:
            tree = None
        if not isinstance(tree, dict):
            raise ReachError(f"the answer to {path} is no JSON object")
        return tree
