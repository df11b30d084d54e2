"""Finding the objects of each component: by kind, labels, names and images, fast enough for ten thousand pods."""

from __future__ import annotations

import fnmatch
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from msgspec import Struct

from console.base.shapes import mapping, mappings
from console.components.spec import Definition, Find, Preset
from console.facts.model import Facts, Pod, Workload
from console.facts.objectpaths import walk

SOURCE_OF = {
    "Deployment": "deployments",
    "StatefulSet": "statefulsets",
    "DaemonSet": "daemonsets",
    "CronJob": "cronjobs",
    "Pod": "pods",
    "Node": "nodes",
    "SparkApplication": "sparkapplications",
    "ScheduledSparkApplication": "scheduledsparkapplications",
    "SparkCluster": "sparkclusters.spark.apache.org",
    "Route": "routes",
    "ScaledObject": "scaledobjects",
    "ConfigMap": "configmaps",
    "ExternalSecret": "externalsecrets",
    "SecretStore": "secretstores",
    "SealedSecret": "sealedsecrets",
}
"""Kind -> name of the source that would know it."""


class ClusterObject(Struct, frozen=True, eq=False):
    """Any object, seen alike. `spec` and `status` are plain trees (empty for pods and nodes).

    `changed`: when it was last written to, as in Workload.
    """

    kind: str
    api: str
    namespace: str
    name: str
    labels: Mapping[str, str]
    images: tuple[str, ...]
    resources: frozenset[str]
    spec: Mapping[str, Any]
    status: Mapping[str, Any]
    created: float | None
    annotations: Mapping[str, str] = {}
    pod: Pod | None = None
    changed: float | None = None

    @property
    def key(self) -> str:
        return f"{self.kind}/{self.namespace}/{self.name}"


class ComponentObjects(Struct, frozen=True, eq=False):
    """What belongs to one component: its objects, and the pods behind them."""

    definition: Definition
    things: tuple[ClusterObject, ...]
    pods: tuple[Pod, ...]


def find(facts: Facts, definitions: Iterable[Definition]) -> dict[str, ComponentObjects]:
    """Component id -> what was found of it, for those of which anything was found."""
    known = tuple(definitions)
    index = _Index(facts, [way for definition in known for way in definition.find])
    matched: dict[str, dict[str, ClusterObject]] = {}
    for definition in known:
        things: dict[str, ClusterObject] = {}
        for way in definition.find:
            for thing in index.candidates(way):
                if _matches(way, thing):
                    things[thing.key] = thing
        matched[definition.id] = things
    out: dict[str, ComponentObjects] = {}
    for definition in known:
        others = {key for id in definition.unless for key in matched.get(id, ())}
        mine = tuple(thing for key, thing in sorted(matched[definition.id].items()) if key not in others)
        if mine:
            out[definition.id] = ComponentObjects(definition, mine, index.pods_of(mine))
    return out


def marks(facts: Facts, presets: Iterable[Preset]) -> frozenset[str]:
    """`preset/mark` of every mark of these presets that is there, whether the preset asks for it or against it."""
    known = tuple(presets)
    index = _Index(facts, [way for preset in known for mark in preset.marks.values() for way in mark.find])
    return frozenset(
        f"{preset.name}/{id}"
        for preset in known
        for id, mark in preset.marks.items()
        if any(_matches(way, thing) for way in mark.find for thing in index.candidates(way))
    )


def selectors(definitions: Iterable[Definition]) -> tuple[str, ...]:
    """Label selectors of the pods that components consist of, for a source that reads only what is needed."""
    out: dict[str, None] = {}
    for definition in definitions:
        for way in definition.find:
            exact = [f"{key}={value}" for key, value in sorted(way.labels.items()) if value and "*" not in value]
            if exact and way.kind in ("Deployment", "StatefulSet", "DaemonSet", "Pod"):
                out[",".join(exact)] = None
    return tuple(out)


def _matches(way: Find, thing: ClusterObject) -> bool:
    if way.api and thing.api.split("/")[0] != way.api:
        return False
    if not _holds(way.labels, thing.labels) or not _holds(way.annotations, thing.annotations):
        return False
    for patterns, values in ((way.name, (thing.name,)), (way.namespace, (thing.namespace,)), (way.image, thing.images)):
        if patterns and not any(fnmatch.fnmatchcase(value, pattern) for value in values for pattern in patterns):
            return False
    if way.conf and not conf_holds(way.conf, thing):
        return False
    if not all(_field(thing, path, pattern) for path, pattern in way.field.items()):
        return False
    return not way.resource or way.resource in thing.resources


def _field(thing: ClusterObject, path: str, pattern: str) -> bool:
    return any(fnmatch.fnmatchcase(str(value), pattern) for value in walk({"spec": thing.spec}, path))


def conf_holds(pattern: str, thing: ClusterObject) -> bool:
    """Whether a line `key=value` of the object's Spark configuration matches."""
    return any(_conf(pattern).search(line) for line in _conf_lines(thing))


def _holds(wanted: Mapping[str, str], there: Mapping[str, str]) -> bool:
    for key, pattern in wanted.items():
        value = there.get(key)
        if pattern == "":
            if value is not None:
                return False
        elif value is None or not fnmatch.fnmatchcase(value, pattern):
            return False
    return True


@lru_cache(maxsize=64)
def _conf(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def _conf_lines(thing: ClusterObject) -> Iterable[str]:
    for key, value in mapping(thing.spec.get("sparkConf")).items():
        yield f"{key}={value}"
    if thing.kind == "ConfigMap":
        for text in mapping(thing.spec.get("data")).values():
            for line in str(text).splitlines():
                words = line.replace("=", " ", 1).split(None, 1)
                if len(words) == 2 and words[0].startswith("spark."):
                    yield f"{words[0]}={words[1].strip()}"


class _Index:
    """Objects by kind and by label, built once per judgement."""

    def __init__(self, facts: Facts, ways: Sequence[Find]) -> None:
        kinds = {way.kind for way in ways}
        self.by_kind: dict[str, list[ClusterObject]] = defaultdict(list)
        self.by_label: dict[tuple[str, str, str], list[ClusterObject]] = defaultdict(list)
        for workload in (*facts.workloads, *facts.spark):
            if workload.kind in kinds and not workload.gone:
                self._add(_of_workload(workload))
        self.pods: dict[str, list[Pod]] = defaultdict(list)
        for pod in facts.pods:
            if pod.gone or pod.labels.get("spark-role") == "executor":
                continue
            self.pods[pod.namespace].append(pod)
            if "Pod" in kinds:
                self._add(_of_pod(pod))
        if "Node" in kinds:
            for node in facts.nodes:
                offers = frozenset(node.capacity)
                lost = {name: most - node.allocatable.get(name, 0.0) for name, most in node.capacity.items()}
                status = {"capacity": node.capacity, "allocatable": node.allocatable, "lost": lost}
                self._add(ClusterObject("Node", "v1", "", node.name, node.labels, (), offers, {}, status, node.created))

    def _add(self, thing: ClusterObject) -> None:
        self.by_kind[thing.kind].append(thing)
        for key, value in thing.labels.items():
            self.by_label[(thing.kind, key, value)].append(thing)

    def candidates(self, way: Find) -> list[ClusterObject]:
        """The shortest list that holds everything that can match."""
        exact = [(key, value) for key, value in way.labels.items() if value and "*" not in value]
        if not exact:
            return self.by_kind.get(way.kind, [])
        return min((self.by_label.get((way.kind, key, value), []) for key, value in exact), key=len)

    def pods_of(self, things: Iterable[ClusterObject]) -> tuple[Pod, ...]:
        out: dict[str, Pod] = {}
        for thing in things:
            if thing.pod is not None:
                out[thing.pod.key] = thing.pod
                continue
            wanted = mapping(mapping(thing.spec.get("selector")).get("matchLabels"))
            if thing.kind == "SparkApplication":
                wanted = {"sparkoperator.k8s.io/app-name": thing.name}
            if not wanted:
                continue
            for pod in self.pods.get(thing.namespace, ()):
                if all(pod.labels.get(key) == value for key, value in wanted.items()) and _owned(pod, thing):
                    out[pod.key] = pod
        return tuple(out.values())


def _owned(pod: Pod, thing: ClusterObject) -> bool:
    """Whether the pod's owner can be this object: two releases may select each other's pods by the same labels."""
    if thing.kind == "SparkApplication":
        return True
    return not pod.owners or any(o.name == thing.name or o.name.startswith(f"{thing.name}-") for o in pod.owners)


def _of_workload(workload: Workload) -> ClusterObject:
    template = mapping(mapping(workload.spec.get("template")).get("spec"))
    containers = mappings(template.get("containers"))
    asked: set[str] = set()
    for container in containers:
        for part in ("limits", "requests"):
            asked.update(str(name) for name in mapping(mapping(container.get("resources")).get(part)))
    return ClusterObject(
        workload.kind,
        workload.api_version,
        workload.namespace,
        workload.name,
        workload.labels,
        tuple(str(c.get("image", "")) for c in containers),
        frozenset(asked),
        workload.spec,
        workload.status,
        workload.created,
        workload.annotations,
        changed=workload.changed,
    )


def _of_pod(pod: Pod) -> ClusterObject:
    asked = frozenset(name for c in pod.containers for name in (*c.limits, *c.requests))
    images = tuple(c.image for c in pod.containers)
    return ClusterObject(
        "Pod", "v1", pod.namespace, pod.name, pod.labels, images, asked, {}, {}, pod.created, pod.annotations, pod
    )
