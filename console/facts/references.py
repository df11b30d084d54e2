"""What objects name by name, and whether it is there: one rule for all kinds, which are data. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct

from console.base.shapes import mappings
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
    """A path at which an object of a kind is named. Beside `optional: true` it may be missing.

    Attributes:
        kind: of what is named; `` where `kind` beside the name says it, else `usual`.
        key: field of the name; `` where the path leads to the name itself.
        kinds: the kinds that can be meant, where the object says which.
    """

    kind: str
    path: str
    key: str = ""
    usual: str = ""
    kinds: tuple[str, ...] = ()


POD_SPEC = {
    "Deployment": "spec.template.spec",
    "StatefulSet": "spec.template.spec",
    "DaemonSet": "spec.template.spec",
    "Job": "spec.template.spec",
    "CronJob": "spec.jobTemplate.spec.template.spec",
}
"""Kind of a workload -> where the pods that it makes are described."""
_SCALED = ("Deployment", "StatefulSet")
_WATCHED = {"Deployment": "deployments", "StatefulSet": "statefulsets", "SecretStore": "secretstores"}
"""Kind -> the source that knows all objects of it."""
_ANY_CONTAINER = ("containers", "initContainers")
_IN_PODS = (
    _Way("ConfigMap", "volumes.*.configMap", "name"),
    _Way("Secret", "volumes.*.secret", "secretName"),
    _Way("PersistentVolumeClaim", "volumes.*.persistentVolumeClaim", "claimName"),
    _Way("ConfigMap", "volumes.*.projected.sources.*.configMap", "name"),
    _Way("Secret", "volumes.*.projected.sources.*.secret", "name"),
    *(
        way
        for part in _ANY_CONTAINER
        for way in (
            _Way("ConfigMap", f"{part}.*.envFrom.*.configMapRef", "name"),
            _Way("Secret", f"{part}.*.envFrom.*.secretRef", "name"),
            _Way("ConfigMap", f"{part}.*.env.*.valueFrom.configMapKeyRef", "name"),
            _Way("Secret", f"{part}.*.env.*.valueFrom.secretKeyRef", "name"),
        )
    ),
    _Way("ServiceAccount", "serviceAccountName"),
)
"""What pod templates name, below the spec of the pod."""
_APPLICATION = (
    *(_Way(way.kind, f"spec.{way.path}", way.key) for way in _IN_PODS if way.path.startswith("volumes.")),
    _Way("ConfigMap", "spec.sparkConfigMap"),
    _Way("ConfigMap", "spec.hadoopConfigMap"),
    *(
        way
        for part in ("driver", "executor")
        for way in (
            _Way("ServiceAccount", f"spec.{part}.serviceAccount"),
            _Way("ConfigMap", f"spec.{part}.configMaps.*", "name"),
            _Way("Secret", f"spec.{part}.secrets.*", "name"),
            _Way("ConfigMap", f"spec.{part}.envFrom.*.configMapRef", "name"),
            _Way("Secret", f"spec.{part}.envFrom.*.secretRef", "name"),
            _Way("Secret", f"spec.{part}.envSecretKeyRefs.*", "name"),
            _Way("ConfigMap", f"spec.{part}.env.*.valueFrom.configMapKeyRef", "name"),
            _Way("Secret", f"spec.{part}.env.*.valueFrom.secretKeyRef", "name"),
        )
    ),
)
_IN_OBJECTS: Mapping[str, tuple[_Way, ...]] = {
    "ScaledObject": (_Way("", "spec.scaleTargetRef", "name", "Deployment", _SCALED),),
    "HorizontalPodAutoscaler": (_Way("", "spec.scaleTargetRef", "name", "Deployment", _SCALED),),
    "Route": (_Way("", "spec.to", "name", "Service", ("Service",)),),
    "ExternalSecret": (_Way("", "spec.secretStoreRef", "name", "SecretStore", ("SecretStore",)),),
    "SecretStore": (
        _Way("ServiceAccount", "spec.provider.*.auth.*.serviceAccountRef", "name"),
        _Way("Secret", "spec.provider.*.auth.secretRef", "secretName"),
        _Way("Secret", "spec.provider.*.auth.secretRef.*", "name"),
    ),
    "SparkApplication": _APPLICATION,
    "ScheduledSparkApplication": tuple(
        _Way(way.kind, way.path.replace("spec.", "spec.template.", 1), way.key) for way in _APPLICATION
    ),
}
"""What other objects name."""
RESOURCE = "NodeResource"
"""An extended resource that pods ask for, such as a GPU: some node must have it."""
KUBEFLOW = "sparkoperator.k8s.io/"
_ADDRESS = re.compile(
    r"^(?P<scheme>spark|thrift|sc|http|https)://"
    r"(?P<name>[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)(?:\.(?P<space>[a-z0-9-]+)\.svc(?:\.[a-z0-9.-]+)?)?(?P<port>:\d+)?(?:[/;]|$)"
)
"""An address by one word is a Service of the same namespace; other names may lie outside of the cluster."""
_ADDRESSES = re.compile(
    r"^spark\.(master|hadoop\.hive\.metastore\.uris|hadoop\.fs\.s3a\.endpoint|sql\.catalog\.\S+\.uri)$"
)


def references(facts: Facts) -> tuple[Reference, ...]:
    """Everything that workloads, applications, configurations and scalers name."""
    out: dict[Reference, None] = {}
    for workload in (*facts.workloads, *facts.spark):
        if not workload.gone and not _finished(workload):
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
            if _WATCHED[one.kind] in whole and one.target not in there:
                out.append(one)
        elif (known := names.get(f"{one.kind}/{one.namespace}")) is not None and one.name not in known:
            out.append(one)
    return tuple(out)


def spark_conf(workload: Workload) -> Iterable[tuple[str, str]]:
    """The lines `key value` of a ConfigMap, and the configuration of an application."""
    if workload.kind == "ConfigMap":
        yield from _conf(workload.spec.get("data"))
    for path in ("spec.sparkConf", "spec.template.sparkConf"):
        for tree in walk({"spec": workload.spec}, path):
            yield from ((str(key), str(value)) for key, value in tree.items()) if isinstance(tree, Mapping) else ()


def _finished(workload: Workload) -> bool:
    """Whether it is a Job that has ended, or the run of an application that has: what it named is no longer needed."""
    if workload.kind == "Job":
        return workload.status.get("completionTime") is not None or any(
            isinstance(c, Mapping) and c.get("type") == "Failed" and c.get("status") == "True"
            for c in mappings(workload.status.get("conditions"))
        )
    state = workload.status.get("applicationState")
    return isinstance(state, Mapping) and state.get("state") in ("COMPLETED", "FAILED")


def _of(workload: Workload) -> Iterable[Reference]:
    tree = {"spec": workload.spec}
    pod = POD_SPEC.get(workload.kind)
    if pod is not None:
        for template in walk(tree, pod):
            yield from _of_pod(workload, template)
    elif workload.kind.endswith("SparkApplication") and not workload.api_version.startswith(KUBEFLOW):
        pass
    else:
        for way in _IN_OBJECTS.get(workload.kind, ()):
            yield from _named(workload, tree, way)
    for key, value in spark_conf(workload):
        if _ADDRESSES.match(key):
            yield from _address(workload, key, value)


def _of_pod(workload: Workload, template: Any) -> Iterable[Reference]:
    for way in _IN_PODS:
        yield from _named(workload, template, way)
    for part in _ANY_CONTAINER:
        for container in walk(template, f"{part}.*"):
            for item in walk(container, "env.*"):
                if isinstance(item, Mapping) and isinstance(item.get("value"), str):
                    yield from _address(workload, f"env {item.get('name')}", item["value"])
            yield from _extended(workload, container)


def _named(workload: Workload, tree: Any, way: _Way) -> Iterable[Reference]:
    for value in walk(tree, way.path):
        holder = value if isinstance(value, Mapping) else {}
        name = holder.get(way.key) if way.key else value
        kind = way.kind or str(holder.get("kind") or way.usual)
        if not isinstance(name, str) or not name or holder.get("optional") is True:
            continue
        if not way.kinds or kind in way.kinds:
            field = f"{way.path}.{way.key}" if way.key and way.path not in _REF else way.path
            yield Reference(workload.key, field.removeprefix("spec."), kind, workload.namespace, name)


_REF = frozenset(way.path for ways in _IN_OBJECTS.values() for way in ways if way.kinds)


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
