"""What a service account may do, by the bindings that name it, its groups, or everybody."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from console.advice.model import Priority
from console.advice.objects import Grant, Posture, PostureObject, Subject

RBAC, SCC = "rbac.authorization.k8s.io", "security.openshift.io"
_ALL = Grant(["*"], ["*"], ["*"])
_SECRETS = Grant(["get", "list", "watch"], [""], ["secrets"])
_EXEC = Grant(["create"], [""], ["pods/exec", "pods", "pods/attach", "pods/portforward"])
_USUAL: dict[str, list[Grant]] = {"cluster-admin": [_ALL], "admin": [_SECRETS, _EXEC], "edit": [_SECRETS, _EXEC]}
"""What the user-facing roles of every cluster hold of the rights below, where their rules may not be read."""


@dataclass(frozen=True)
class Bound:
    """A binding that gives rights to an account, with what its role holds (None where that may not be read)."""

    binding: PostureObject
    grants: tuple[Grant, ...] | None

    @property
    def wide(self) -> bool:
        """Whether it holds in every namespace."""
        return not self.binding.namespace

    @property
    def place(self) -> str:
        space = f"/namespaces/{self.binding.namespace}" if self.binding.namespace else ""
        kind = "rolebindings" if self.binding.namespace else "clusterrolebindings"
        return f"/apis/{RBAC}/v1{space}/{kind}/{self.binding.name}"

    @property
    def words(self) -> str:
        kind = "RoleBinding" if self.binding.namespace else "ClusterRoleBinding"
        role = self.binding.roleRef
        return f"{kind} {self.binding.name} → {role.kind} {role.name}" if role is not None else f"{kind} without a role"

    def gives(self, verb: str, resource: str, group: str = "", name: str = "") -> bool:
        return any(grant.gives(verb, resource, group, name) for grant in self.grants or ())


def bound_to(posture: Posture, namespace: str, account: str) -> list[Bound]:
    """Every binding that names the account, in an order that does not change."""
    out = []
    for binding in (*posture.of("clusterrolebindings"), *posture.of("rolebindings")):
        if any(_means(s, binding, namespace, account) for s in binding.subjects or ()):
            out.append(Bound(binding, _grants(posture, binding)))
    return out


def _means(subject: Subject, binding: PostureObject, namespace: str, account: str) -> bool:
    if subject.kind == "ServiceAccount":
        return subject.name == account and (subject.namespace or binding.namespace) == namespace
    if subject.kind == "User":
        return subject.name == f"system:serviceaccount:{namespace}:{account}"
    return subject.kind == "Group" and subject.name in groups_of(namespace)


def groups_of(namespace: str) -> tuple[str, ...]:
    """The groups that every service account of a namespace is in."""
    return ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated")


def _grants(posture: Posture, binding: PostureObject) -> tuple[Grant, ...] | None:
    role = binding.roleRef
    if role is None:
        return ()
    plural, space = ("clusterroles", "") if role.kind == "ClusterRole" else ("roles", binding.namespace)
    found = next((r for r in posture.of(plural, space) if r.name == role.name), None)
    if found is not None:
        return tuple(found.rules or ())
    if posture.readable(plural, space):
        return ()
    return tuple(_USUAL[role.name]) if plural == "clusterroles" and role.name in _USUAL else None


Test = Callable[[Bound], bool]


def _any(*asked: tuple[str, str, str]) -> Test:
    return lambda bound: any(bound.gives(verb, resource, group) for verb, resource, group in asked)


_READ_SECRETS = _any(("get", "secrets", ""), ("list", "secrets", ""), ("watch", "secrets", ""))
_DANGERS: tuple[tuple[str, Priority | None, Priority | None, Test], ...] = (
    ("do everything", "high", "medium", lambda bound: any(g.everything for g in bound.grants or ())),
    (
        "give itself more rights",
        "high",
        "high",
        _any(("escalate", "clusterroles", RBAC), ("bind", "clusterroles", RBAC), ("escalate", "roles", RBAC),
             ("bind", "roles", RBAC)),
    ),
    (
        "act as others",
        "high",
        "high",
        _any(("impersonate", "users", ""), ("impersonate", "serviceaccounts", ""), ("impersonate", "groups", "")),
    ),
    ("make tokens of other service accounts", "high", "medium", _any(("create", "serviceaccounts/token", ""))),
    ("reach every kubelet", "high", None, _any(("get", "nodes/proxy", ""), ("create", "nodes/proxy", ""))),
    (
        "change what others create",
        "high",
        None,
        _any(("create", "mutatingwebhookconfigurations", "admissionregistration.k8s.io"),
             ("patch", "mutatingwebhookconfigurations", "admissionregistration.k8s.io")),
    ),
    ("read every Secret", "high", "medium", _READ_SECRETS),
    ("run commands in other pods", "high", "medium", _any(("create", "pods/exec", ""))),
    ("create pods", "medium", None, _any(("create", "pods", ""))),
    ("delete pods", "medium", None, _any(("delete", "pods", ""), ("deletecollection", "pods", ""))),
)  # fmt: skip
"""(words, priority where the right holds in every namespace, where it holds in one, test). None is what Spark needs."""


def dangers(bound: Bound) -> Iterator[tuple[str, Priority]]:
    """Rights of a binding that a driver has no use for, the broadest first; the first that says everything ends it."""
    for words, wide, local, test in _DANGERS:
        priority = wide if bound.wide else local
        if priority is not None and test(bound):
            yield words, priority
            if words == "do everything":
                return
