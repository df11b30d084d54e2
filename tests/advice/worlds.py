"""Applications to advise: built as Kubernetes objects, decoded as real ones are."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import replace

from console.advice.engine import advise
from console.advice.model import Advice, AdviceReport
from console.advice.objects import KINDS, Posture, PostureObject
from console.apps.assemble import assemble
from console.facts.model import Pod, RestDocument, SourceState
from console.sources.cluster.advice import catalogue
from tests.findings import worlds
from tests.findings.worlds import cr, facts, rest

NO_POSTURE = Posture()
SAFE: dict[str, Any] = {
    "pod": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
    "containers": {
        name: {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
        for name in ("spark-kubernetes-driver", "spark-kubernetes-executor")
    },
    "automountServiceAccountToken": True,
}
"""What the restricted level asks of a pod."""


def app(conf: dict[str, str] | None = None, *, version: str = "4.1.4", language: str = "Python", **spec: Any) -> Any:
    """A running SparkApplication of the kubeflow operator with this `sparkConf`. `version` `` leaves it out."""
    name = spec.pop("name", "etl")
    return cr(name=name, spec={"sparkConf": conf or {}, "sparkVersion": version, "type": language, **spec})


def driver(**rest: Any) -> Pod:
    """The driver pod of `app`, as the operator makes it, within the restricted level."""
    return replace(worlds.driver(**_made_by_the_operator(rest)), security=SAFE)


def executor(number: int, **rest: Any) -> Pod:
    """An executor pod of `app`."""
    return replace(worlds.executor(number, **_made_by_the_operator(rest)), security=SAFE)


def _made_by_the_operator(rest: dict[str, Any]) -> dict[str, Any]:
    return {**rest, "labels": {"sparkoperator.k8s.io/app-name": "etl", **rest.get("labels", {})}}


def environment(conf: dict[str, str]) -> RestDocument:
    """What the driver's REST API says of its configuration."""
    return rest("environment", {"sparkProperties": [[k, v] for k, v in conf.items()]})


def report(*things: Any, posture: Posture = NO_POSTURE, **options: Any) -> AdviceReport:
    world = facts(*things)
    return advise(world, assemble(world), catalogue(), posture, **options)


def advised(*things: Any, **options: Any) -> dict[str, Advice]:
    """Advice by rule, one each; the test fails where a rule speaks twice."""
    items = report(*things, **options).items
    assert len({i.id for i in items}) == len(items), [i.key for i in items]
    return {i.id: i for i in items}


def ids(*things: Any, **options: Any) -> list[str]:
    return sorted(i.id for i in report(*things, **options).items)


SPARK_NEEDS = [
    {
        "apiGroups": [""],
        "resources": ["pods", "services", "configmaps", "persistentvolumeclaims"],
        "verbs": ["create", "get", "list", "watch", "patch", "update", "delete", "deletecollection"],
    }
]


def posture(*objects: dict[str, Any], forbidden: tuple[str, ...] = (), served: tuple[str, ...] = ()) -> Posture:
    """What was read of these objects, given as the API gives them. Kinds in `forbidden` may not be read; the kinds
    of OpenShift are served where `served` names them."""
    things: dict[str, list[PostureObject]] = {plural: [] for plural in KINDS}
    plurals = {kind: plural for plural, kind in KINDS.items()}
    for tree in objects:
        things[plurals[tree["kind"]]].append(msgspec.convert(tree, PostureObject))
    states = {plural: SourceState(plural, "fresh") for plural in KINDS}
    if not things["securitycontextconstraints"] and "securitycontextconstraints" not in served:
        states["securitycontextconstraints"] = SourceState("securitycontextconstraints", "absent")
    for plural in forbidden:
        states[plural] = SourceState(plural, "forbidden", detail="cannot list", hint=f"list {plural}")
    return Posture(
        {k: tuple(v) for k, v in things.items() if k not in forbidden},
        states,
        {k: frozenset({worlds.NS}) for k in forbidden},
    )


def thing(kind: str, name: str, namespace: str = worlds.NS, /, **body: Any) -> dict[str, Any]:
    """An object of the API. `labels` go to its metadata."""
    meta = {"name": name, "namespace": namespace, "labels": body.pop("labels", None)}
    return {"kind": kind, "metadata": meta, **body}


def bound(account: str, *rules: dict[str, Any], wide: bool = False, role: str = "r") -> list[dict[str, Any]]:
    """A role with these rules and the binding that gives it to a service account of the namespace."""
    kind, space = ("ClusterRole", "") if wide else ("Role", worlds.NS)
    subject = {"kind": "ServiceAccount", "name": account, "namespace": worlds.NS}
    return [
        thing(kind, role, space, rules=list(rules)),
        thing(f"{kind}Binding", "b", space, roleRef={"kind": kind, "name": role}, subjects=[subject]),
    ]
