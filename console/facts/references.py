"""What objects name by name, and whether it is there: one rule for all kinds, which are data. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct

from console.facts.model import Facts, Workload
from console.facts.objectpaths import walk

Names = Mapping[str, frozenset[str]]
"""`Kind/namespace` -> names of all objects of that kind there. What is not read is not in it."""


class Reference(Struct, frozen=True):
    """One object that names another. `field` is where, `text` what stands there."""

    source: str
    field: str
    kind: str
    namespace: str
    name: str
    text: str = ""

    @property
    def target(self) -> str:
        return f"{self.kind}/{self.namespace}/{self.name}"


class _Way(Struct, frozen=True):
    """A path at which an object of a kind is named. Beside `optional: true` it may be missing."""

    kind: str
    path: str
    key: str


_POD = "spec.template.spec"
_PODS = frozenset({"Deployment", "StatefulSet", "DaemonSet"})
_WAYS = (
    _Way("ConfigMap", f"{_POD}.volumes.*.configMap", "name"),
    _Way("Secret", f"{_POD}.volumes.*.secret", "secretName"),
    _Way("ConfigMap", f"{_POD}.containers.*.envFrom.*.configMapRef", "name"),
    _Way("Secret", f"{_POD}.containers.*.envFrom.*.secretRef", "name"),
    _Way("ConfigMap", f"{_POD}.containers.*.env.*.valueFrom.configMapKeyRef", "name"),
    _Way("Secret", f"{_POD}.containers.*.env.*.valueFrom.secretKeyRef", "name"),
    _Way("ConfigMap", f"{_POD}.initContainers.*.envFrom.*.configMapRef", "name"),
    _Way("Secret", f"{_POD}.initContainers.*.envFrom.*.secretRef", "name"),
    _Way("Secret", f"{_POD}.initContainers.*.env.*.valueFrom.secretKeyRef", "name"),
    _Way("ServiceAccount", _POD, "serviceAccountName"),
)
"""What pod templates name."""
READ = ("Service", "ConfigMap", "Secret", "ServiceAccount")
"""Kinds that are not watched, of which the names are read where something names one."""
RESOURCE = "NodeResource"
"""An extended resource that pods ask for, such as a GPU: some node must have it."""
_SCALERS = frozenset({"ScaledObject", "HorizontalPodAutoscaler"})
_WATCHED = frozenset({"Deployment", "StatefulSet"})
_ADDRESS = re.compile(
    r"^(?P<scheme>spark|thrift|sc|http|https)://"
    r"(?P<name>[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)(?:\.(?P<space>[a-z0-9-]+)\.svc(?:\.[a-z0-9.-]+)?)?(?P<port>:\d+)?(?:[/;]|$)"
)
"""An address by one word is a Service of the same namespace; other names may lie outside of the cluster."""
_ADDRESSES = re.compile(
    r"^spark\.(master|hadoop\.hive\.metastore\.uris|hadoop\.fs\.s3a\.endpoint|sql\.catalog\.\S+\.uri)$"
)


def references(facts: Facts) -> tuple[Reference, ...]:
    """Everything that workloads, configurations and scalers name."""
    out: dict[Reference, None] = {}
    for workload in facts.workloads:
        if not workload.gone:
            out.update(dict.fromkeys(_of(workload)))
    return tuple(out)


def missing(facts: Facts, names: Names) -> tuple[Reference, ...]:
    """References to what is not there, as far as the names of that kind and namespace are known."""
    there = {workload.key for workload in facts.workloads if not workload.gone}
    whole = {source.name for source in facts.sources if source.state == "fresh"}
    offered = {name for node in facts.nodes for name in node.capacity}
    out = []
    for one in references(facts):
        if one.kind == RESOURCE:
            if "nodes" in whole and offered and one.name not in offered:
                out.append(one)
        elif one.kind in _WATCHED:
            if f"{one.kind.lower()}s" in whole and one.target not in there:
                out.append(one)
        elif (known := names.get(f"{one.kind}/{one.namespace}")) is not None and one.name not in known:
            out.append(one)
    return tuple(out)


def _of(workload: Workload) -> Iterable[Reference]:
    tree = {"spec": workload.spec}
    if workload.kind in _PODS:
        for way in _WAYS:
            for value in walk(tree, way.path):
                name = value.get(way.key) if isinstance(value, Mapping) else None
                if isinstance(name, str) and name and value.get("optional") is not True:
                    field = f"{way.path}.{way.key}".removeprefix("spec.template.spec.")
                    yield Reference(workload.key, field, way.kind, workload.namespace, name)
        for item in walk(tree, f"{_POD}.containers.*.env.*"):
            if isinstance(item, Mapping) and isinstance(item.get("value"), str):
                yield from _address(workload, f"env {item.get('name')}", item["value"])
        for container in walk(tree, f"{_POD}.containers.*"):
            yield from _extended(workload, container)
    elif workload.kind in _SCALERS:
        yield from _scaled(workload, workload.spec.get("scaleTargetRef"))
    elif workload.kind == "ConfigMap":
        for key, value in _conf(workload.spec.get("data")):
            if _ADDRESSES.match(key):
                yield from _address(workload, key, value)


def _scaled(workload: Workload, target: Any) -> Iterable[Reference]:
    name = target.get("name") if isinstance(target, Mapping) else None
    kind = target.get("kind") or "Deployment" if isinstance(target, Mapping) else ""
    if isinstance(name, str) and kind in _WATCHED:
        yield Reference(workload.key, "scaleTargetRef", kind, workload.namespace, name)


def _extended(workload: Workload, container: Any) -> Iterable[Reference]:
    """Resources with a domain; those of Kubernetes itself every node has."""
    asked = container.get("resources") if isinstance(container, Mapping) else None
    for part in ("limits", "requests"):
        sizes = asked.get(part) if isinstance(asked, Mapping) else None
        for name in sizes if isinstance(sizes, Mapping) else ():
            if "/" in str(name) and ".kubernetes.io/" not in str(name):
                yield Reference(workload.key, f"resources.{part}", RESOURCE, "", str(name))


def _address(workload: Workload, field: str, text: str) -> Iterable[Reference]:
    found = _ADDRESS.match(text.strip())
    if found is not None and found["name"] != "localhost" and not found["name"].isdigit():
        space = found["space"] or workload.namespace
        yield Reference(workload.key, field, "Service", space, found["name"], found[0].rstrip("/;"))


def _conf(data: Any) -> Iterable[tuple[str, str]]:
    for text in data.values() if isinstance(data, Mapping) else ():
        for line in str(text).splitlines():
            words = line.replace("=", " ", 1).split(None, 1)
            if len(words) == 2:
                yield words[0], words[1].strip()
