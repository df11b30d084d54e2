"""Who asks and what they may: bearer tokens, denied rules, and the reviews with which clients ask beforehand."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from console.drill.state.objects import StatusError
from console.drill.state.resources import REGISTRY, REVIEWS

Object = dict[str, Any]
READ = ("get", "list", "watch")


@dataclass(frozen=True)
class DenyRule:
    """Something that is denied. `*` stands for anything; subresources are written `pods/log`."""

    verbs: tuple[str, ...] = ("*",)
    groups: tuple[str, ...] = ("*",)
    resources: tuple[str, ...] = ("*",)
    namespaces: tuple[str, ...] = ("*",)
    users: tuple[str, ...] = ("*",)

    def hits(self, user: str, verb: str, group: str, resource: str, namespace: str) -> bool:
        """Whether the rule denies this request."""
        pairs = (
            (self.users, user),
            (self.verbs, verb),
            (self.groups, group),
            (self.resources, resource),
            (self.namespaces, namespace),
        )
        return all("*" in wanted or value in wanted for wanted, value in pairs)


@dataclass(frozen=True)
class User:
    """Who a token belongs to."""

    name: str
    groups: tuple[str, ...] = ("system:authenticated",)
    uid: str = ""


@dataclass
class Authorizer:
    """Tokens and denials of one API server. Both may be changed while it runs."""

    tokens: dict[str, User] = field(default_factory=dict)
    denied: list[DenyRule] = field(default_factory=list)

    def user(self, header: str) -> User:
        """Who sends this `Authorization` header.

        Raises:
            StatusError: 401.
        """
        kind, _, token = header.partition(" ")
        found = self.tokens.get(token.strip()) if kind.lower() == "bearer" else None
        if found is None:
            raise StatusError("Unauthorized", "Unauthorized", 401)
        return found

    def allowed(self, user: User, verb: str, group: str, resource: str, namespace: str) -> bool:
        """Whether the user may."""
        if "viewers" in user.groups and verb not in READ:
            return False
        return not any(rule.hits(user.name, verb, group, resource, namespace) for rule in self.denied)

    def check(self, user: User, verb: str, group: str, resource: str, namespace: str, name: str = "") -> None:
        """Refuse what the user may not.

        Raises:
            StatusError: 403.
        """
        if self.allowed(user, verb, group, resource, namespace):
            return
        plural, _, _sub = resource.partition("/")
        subject = f"{plural}.{group}" if group else plural
        where = f'in the namespace "{namespace}"' if namespace else "at the cluster scope"
        named = f' "{name}"' if name else ""
        text = (
            f'{subject}{named} is forbidden: User "{user.name}" cannot {verb} resource "{resource}" '
            f'in API group "{group}" {where}'
        )
        details: Object = {"kind": plural}
        if name:
            details = {"name": name, **details}
        if group:
            details["group"] = group
        raise StatusError(text, "Forbidden", 403, **details)

    def access_review(self, user: User, review: Object) -> Object:
        """The answer to a SelfSubjectAccessReview."""
        spec = review.get("spec") or {}
        wanted = spec.get("resourceAttributes")
        if wanted is None:
            allowed = "nonResourceAttributes" in spec
        else:
            resource = wanted.get("resource", "")
            if wanted.get("subresource"):
                resource = f"{resource}/{wanted['subresource']}"
            allowed = self.allowed(
                user, wanted.get("verb", ""), wanted.get("group", ""), resource, wanted.get("namespace", "")
            )
        return {
            "kind": "SelfSubjectAccessReview",
            "apiVersion": "authorization.k8s.io/v1",
            "metadata": {},
            "spec": spec,
            "status": {"allowed": allowed, **({"reason": "drill: all but what is denied"} if allowed else {})},
        }

    def rules_review(self, user: User, review: Object) -> Object:
        """The answer to a SelfSubjectRulesReview of one namespace."""
        namespace = (review.get("spec") or {}).get("namespace", "")
        rules: list[Object] = [
            {"verbs": ["create"], "apiGroups": [group], "resources": [name for name, _ in names]}
            for group, names in REVIEWS.items()
        ]
        for resource in REGISTRY:
            for name in (resource.plural, *(f"{resource.plural}/{sub}" for sub in resource.subresources)):
                verbs = [v for v in resource.verbs if self.allowed(user, v, resource.group, name, namespace)]
                if verbs:
                    rules.append({"verbs": verbs, "apiGroups": [resource.group], "resources": [name]})
        urls = ["/api", "/api/*", "/apis", "/apis/*", "/healthz", "/livez", "/openapi", "/openapi/*", "/readyz"]
        return {
            "kind": "SelfSubjectRulesReview",
            "apiVersion": "authorization.k8s.io/v1",
            "metadata": {},
            "spec": {},
            "status": {
                "resourceRules": rules,
                "nonResourceRules": [{"verbs": ["get"], "nonResourceURLs": [*urls, "/version", "/version/"]}],
                "incomplete": False,
            },
        }
