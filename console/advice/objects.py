"""What the security of a namespace is judged by: only the fields that rules need, of Kubernetes objects.

The structs have the shape of the API, so that bytes of a list and trees of a saved folder are decoded by the same
types. A field that is missing is None or empty, as it is in the API.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from console.base.jsontext import decode_elements
from console.facts.model import SourceState

T = TypeVar("T")


class PostureMeta(Struct, frozen=True):
    name: str = ""
    namespace: str | None = ""
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None


class Expression(Struct, frozen=True):
    key: str = ""
    operator: str = ""
    values: list[str] | None = None


class Selector(Struct, frozen=True):
    matchLabels: dict[str, str] | None = None
    matchExpressions: list[Expression] | None = None

    def selects(self, labels: dict[str, str]) -> bool:
        """Whether an object with these labels is meant. Empty selects everything."""
        if any(labels.get(k) != v for k, v in (self.matchLabels or {}).items()):
            return False
        for part in self.matchExpressions or ():
            has, values = part.key in labels, part.values or []
            held = {
                "In": has and labels[part.key] in values if has else False,
                "NotIn": not has or labels[part.key] not in values,
                "Exists": has,
                "DoesNotExist": not has,
            }.get(part.operator, False)
            if not held:
                return False
        return True


class PolicySpec(Struct, frozen=True):
    podSelector: Selector | None = None
    policyTypes: list[str] | None = None
    ingress: list[dict[str, Any]] | None = None
    egress: list[dict[str, Any]] | None = None


class Subject(Struct, frozen=True):
    kind: str = ""
    name: str = ""
    namespace: str | None = ""


class RoleRef(Struct, frozen=True):
    kind: str = ""
    name: str = ""


class Grant(Struct, frozen=True):
    """One rule of a role."""

    verbs: list[str] | None = None
    apiGroups: list[str] | None = None
    resources: list[str] | None = None
    resourceNames: list[str] | None = None

    def gives(self, verb: str, resource: str, group: str = "", name: str = "") -> bool:
        """Whether it allows `verb` on `resource` (subresources as `pods/exec`). With `name` a grant of that name
        alone counts, else only one for all names."""
        wanted = self.resourceNames or []
        named = not wanted or (bool(name) and name in wanted)
        return named and _has(self.verbs, verb) and _has(self.resources, resource) and _has(self.apiGroups, group)

    @property
    def everything(self) -> bool:
        return all("*" in (part or ()) for part in (self.verbs, self.apiGroups, self.resources))


def _has(wanted: list[str] | None, word: str) -> bool:
    return word in (wanted or ()) or "*" in (wanted or ())


class RunAs(Struct, frozen=True):
    type: str = ""


class PostureObject(Struct, frozen=True):
    """Any object of the kinds below. Fields of other kinds are None."""

    metadata: PostureMeta = PostureMeta()
    spec: PolicySpec | None = None
    automountServiceAccountToken: bool | None = None
    rules: list[Grant] | None = None
    roleRef: RoleRef | None = None
    subjects: list[Subject] | None = None
    users: list[str] | None = None
    groups: list[str] | None = None
    allowPrivilegedContainer: bool | None = None
    allowHostNetwork: bool | None = None
    allowHostPID: bool | None = None
    allowHostDirVolumePlugin: bool | None = None
    runAsUser: RunAs | None = None

    @property
    def name(self) -> str:
        return self.metadata.name

    @property
    def namespace(self) -> str:
        return self.metadata.namespace or ""

    @property
    def labels(self) -> dict[str, str]:
        return self.metadata.labels or {}


KINDS: dict[str, str] = {
    "namespaces": "Namespace",
    "networkpolicies": "NetworkPolicy",
    "serviceaccounts": "ServiceAccount",
    "roles": "Role",
    "rolebindings": "RoleBinding",
    "clusterroles": "ClusterRole",
    "clusterrolebindings": "ClusterRoleBinding",
    "securitycontextconstraints": "SecurityContextConstraints",
}
"""Resource name → kind of what posture is made of."""
GROUPS = {
    "networkpolicies": "networking.k8s.io",
    "roles": "rbac.authorization.k8s.io",
    "rolebindings": "rbac.authorization.k8s.io",
    "clusterroles": "rbac.authorization.k8s.io",
    "clusterrolebindings": "rbac.authorization.k8s.io",
    "securitycontextconstraints": "security.openshift.io",
}
CLUSTER_WIDE = frozenset({"namespaces", "clusterroles", "clusterrolebindings", "securitycontextconstraints"})


class Posture(Struct, frozen=True):
    """What was read of the security of a cluster.

    Attributes:
        things: resource name → objects.
        states: resource name → how far it could be read. A kind without a state was not asked for.
        blind: resource name → namespaces in which it may not be read.
    """

    things: dict[str, tuple[PostureObject, ...]] = {}
    states: dict[str, SourceState] = {}
    blind: dict[str, frozenset[str]] = {}

    def of(self, plural: str, namespace: str | None = None) -> tuple[PostureObject, ...]:
        """The objects of a kind, of one namespace where one is named."""
        found = self.things.get(plural, ())
        return found if namespace is None else tuple(t for t in found if t.namespace == namespace)

    def readable(self, plural: str, namespace: str = "") -> bool:
        """Whether the absence of an object means that there is none."""
        state = self.states.get(plural)
        if state is None or namespace in self.blind.get(plural, ()):
            return False
        return state.state in ("fresh", "partial")

    def served(self, plural: str) -> bool:
        state = self.states.get(plural)
        return state is not None and state.state != "absent"


def listed(body: bytes) -> tuple[PostureObject, ...]:
    """The objects of one page of a list; those that are malformed are left out.

    Raises:
        msgspec.DecodeError: it is no list of objects.
    """
    return tuple(decode_elements(body, PostureObject, "items")[0])


def saved(kind: str, workloads: Iterable[Any]) -> tuple[PostureObject, ...]:
    """Objects of `kind` out of saved `Workload`s; those that are malformed are left out."""
    out: list[PostureObject] = []
    for workload in workloads:
        if workload.kind != kind or workload.gone:
            continue
        meta = {"name": workload.name, "namespace": workload.namespace, "labels": workload.labels}
        body = workload.spec if kind != "NetworkPolicy" else {"spec": workload.spec}
        try:
            out.append(msgspec.convert({**body, "metadata": meta}, PostureObject))
        except msgspec.ValidationError:
            continue
    return tuple(out)
