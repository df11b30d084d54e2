"""The kinds that are watched: where they live in the API, which of them matter, and how bytes become facts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec
from msgspec import Raw, Struct, field

from console.base.jsontext import decode_tree
from console.facts.model import Origin
from console.facts.notjudged import NotJudged, not_judged
from console.sources.cluster import configmaps, decode
from console.sources.cluster.lists import ListMeta, loose_page, named, subject_of, uid_of
from console.sources.cluster.pods import PodDecoder
from console.wire.paths import object_path

KUBEFLOW = "sparkoperator.k8s.io"
APACHE = "spark.apache.org"
NOISE = ("Scheduled", "Pulled", "Pulling", "Created", "Started")
"""Events of every healthy start: never watched, read for one object when it is looked at."""
EVENT_SUBJECTS = frozenset(
    {
        "Pod",
        "Node",
        "Deployment",
        "StatefulSet",
        "DaemonSet",
        "ReplicaSet",
        "Job",
        "PersistentVolumeClaim",
        "SparkApplication",
        "ScheduledSparkApplication",
        "SparkConnect",
        "SparkCluster",
        "Workload",
        "PodGroup",
    }
)


@dataclass(frozen=True)
class Kind:
    """One kind to watch.

    Attributes:
        name: how Console calls it (`pods`, `sparkapplications.spark.apache.org`).
        group, version: `version` `` means: the newest that the server has; such a group may be absent.
        usual: the version to try where discovery is forbidden.
        phase: kinds of phase 1 are read first, so that applications stand on the screen at once.
        selector, fields: label and field selector.
        page: objects per page: small where objects are decoded as whole trees.
        optional: only components are found by it; a cluster that forbids it is as readable as another.
    """

    name: str
    kind: str
    plural: str
    group: str = ""
    version: str = "v1"
    namespaced: bool = True
    phase: int = 2
    selector: str = ""
    fields: str = ""
    page: int = 100
    usual: str = ""
    optional: bool = False

    def api_version(self, version: str = "") -> str:
        version = version or self.version
        return f"{self.group}/{version}" if self.group else version


PODS = Kind("pods", "Pod", "pods", phase=1, selector="spark-role", page=500)
NODES = Kind("nodes", "Node", "nodes", namespaced=False)
EVENTS = Kind("events", "Event", "events", phase=3, fields=",".join(f"reason!={reason}" for reason in NOISE), page=500)
SPARK: tuple[Kind, ...] = (
    Kind("sparkapplications", "SparkApplication", "sparkapplications", KUBEFLOW, "", phase=1, usual="v1beta2"),
    Kind(
        "scheduledsparkapplications", "ScheduledSparkApplication", "scheduledsparkapplications", KUBEFLOW, "", phase=1
    ),
    Kind("sparkconnects", "SparkConnect", "sparkconnects", KUBEFLOW, "", phase=1, usual="v1alpha1"),
    Kind(f"sparkapplications.{APACHE}", "SparkApplication", "sparkapplications", APACHE, "", phase=1, usual="v1"),
    Kind(f"sparkclusters.{APACHE}", "SparkCluster", "sparkclusters", APACHE, "", phase=1, usual="v1"),
)
WORKLOADS: tuple[Kind, ...] = (
    Kind("deployments", "Deployment", "deployments", "apps"),
    Kind("statefulsets", "StatefulSet", "statefulsets", "apps"),
    Kind("daemonsets", "DaemonSet", "daemonsets", "apps"),
    Kind("resourcequotas", "ResourceQuota", "resourcequotas"),
    Kind("limitranges", "LimitRange", "limitranges"),
    Kind("persistentvolumeclaims", "PersistentVolumeClaim", "persistentvolumeclaims"),
)
CONFIGMAPS = Kind("configmaps", "ConfigMap", "configmaps", selector=configmaps.CHARTS, optional=True)
"""Those that a chart installed; where components are, `PlainConfigMaps` reads others."""
PARTS: tuple[Kind, ...] = (
    Kind("cronjobs", "CronJob", "cronjobs", "batch", "", usual="v1", optional=True),
    Kind("routes", "Route", "routes", "route.openshift.io", "", usual="v1", optional=True),
    Kind("scaledobjects", "ScaledObject", "scaledobjects", "keda.sh", "", usual="v1alpha1", optional=True),
    Kind(
        "horizontalpodautoscalers",
        "HorizontalPodAutoscaler",
        "horizontalpodautoscalers",
        "autoscaling",
        "",
        usual="v2",
        optional=True,
    ),
    Kind("externalsecrets", "ExternalSecret", "externalsecrets", "external-secrets.io", "", usual="v1", optional=True),
    Kind("secretstores", "SecretStore", "secretstores", "external-secrets.io", "", usual="v1", optional=True),
    Kind("sealedsecrets", "SealedSecret", "sealedsecrets", "bitnami.com", "", usual="v1alpha1", optional=True),
    CONFIGMAPS,
)
"""By these, beside workloads, components are found."""
KUEUE, VOLCANO, SIG_SCHEDULING = "kueue.x-k8s.io", "scheduling.volcano.sh", "scheduling.x-k8s.io"
QUEUES: tuple[Kind, ...] = (
    Kind(f"workloads.{KUEUE}", "Workload", "workloads", KUEUE, "", usual="v1beta1", optional=True),
    Kind(f"localqueues.{KUEUE}", "LocalQueue", "localqueues", KUEUE, "", usual="v1beta1", optional=True),
    Kind(f"clusterqueues.{KUEUE}", "ClusterQueue", "clusterqueues", KUEUE, "", False, usual="v1beta1", optional=True),
    Kind(f"podgroups.{VOLCANO}", "PodGroup", "podgroups", VOLCANO, "", usual="v1beta1", optional=True),
    Kind(f"queues.{VOLCANO}", "Queue", "queues", VOLCANO, "", False, usual="v1beta1", optional=True),
    Kind(f"podgroups.{SIG_SCHEDULING}", "PodGroup", "podgroups", SIG_SCHEDULING, "", usual="v1alpha1", optional=True),
)
"""What queues say of those that wait in them, watched where it is served. YuniKorn says it in events of pods."""
DRA = "resource.k8s.io"
DEVICES: tuple[Kind, ...] = (
    Kind(f"resourceslices.{DRA}", "ResourceSlice", "resourceslices", DRA, "", False, usual="v1", optional=True),
    Kind(f"resourceclaims.{DRA}", "ResourceClaim", "resourceclaims", DRA, "", usual="v1", optional=True),
)
"""Devices that drivers offer, with their taints, and who holds which."""
ALL: tuple[Kind, ...] = (PODS, *SPARK, NODES, *WORKLOADS, *PARTS, *QUEUES, *DEVICES, EVENTS)
OPTIONAL = frozenset(kind.name for kind in (*PARTS, *QUEUES, *DEVICES))
QUEUED = frozenset(kind.name for kind in (*QUEUES, *DEVICES))
"""Kinds of which a cluster may have very many: bounded, and kept without their bulk."""
LOCAL = frozenset({"resourcequotas", "limitranges", "persistentvolumeclaims"})
"""Kept only for namespaces in which Spark runs."""


class Decoder(Protocol):
    """Bytes of one kind → facts. `at` is when they were read."""

    def page(self, body: bytes, at: float) -> tuple[str, list[tuple[str, Any]]]:
        """A list: its resourceVersion, and each fact under its uid; `NotJudged` for an object that Console failed at.

        Raises:
            msgspec.DecodeError: it is no list.
        """
        ...

    def one(self, raw: bytes | Raw, at: float, *, gone: bool = False) -> Any:
        """One object; None where it is not wanted, or none. Raises what Console fails with."""
        ...


class _TreeList(Struct):
    metadata: ListMeta = field(default_factory=ListMeta)
    items: list[decode.ObjectTree] = []


class TreeDecoder:
    """Decodes objects as plain trees by a function of `decode`."""

    def __init__(self, kind: Kind, api_version: str, make: Callable[[Any, Origin, bool], Any]) -> None:
        self._kind, self._api_version, self._make = kind, api_version, make

    def page(self, body: bytes, at: float) -> tuple[str, list[tuple[str, Any]]]:
        trees: list[Any]
        try:
            listed = msgspec.json.decode(body, type=_TreeList)
            version, trees = listed.metadata.resourceVersion, list(listed.items)
        except (msgspec.DecodeError, RecursionError, UnicodeError):
            version, trees = loose_page(body, self._kind.kind)
        out: list[tuple[str, Any]] = []
        for tree in trees:
            if isinstance(tree, NotJudged):
                out.append((tree.subject, tree))
                continue
            try:
                fact = self._fact(tree, at, False)
            except Exception as error:
                fact = not_judged(subject_of(tree, self._kind.kind), f"reading {self._kind.plural}", error)
            if fact is not None:
                out.append((uid_of(tree), fact))
        return version, out

    def one(self, raw: bytes | Raw, at: float, *, gone: bool = False) -> Any:
        try:
            tree: Any = msgspec.json.decode(raw, type=decode.ObjectTree)
        except msgspec.ValidationError:
            tree = decode_tree(bytes(raw))
        return self._fact(tree, at, gone)

    def _fact(self, tree: Any, at: float, gone: bool) -> Any:
        if not named(tree):
            return None
        tree.setdefault("apiVersion", self._api_version)
        tree.setdefault("kind", self._kind.kind)
        meta = tree["metadata"]
        name, space = str(meta["name"]), str(meta.get("namespace") or "")
        where = f"/namespaces/{space}" if space else ""
        prefix = "/apis" if self._kind.group else "/api"
        locator = f"{prefix}/{self._api_version}{where}/{self._kind.plural}/{name}"
        return self._make(tree, Origin("kubernetes", locator, at), gone)


class _PodPages:
    def __init__(self) -> None:
        self._decoder = PodDecoder()

    def page(self, body: bytes, at: float) -> tuple[str, list[tuple[str, Any]]]:
        version, pods = self._decoder.page(body, at)
        return version, [(pod.subject if isinstance(pod, NotJudged) else pod.uid or pod.key, pod) for pod in pods]

    def one(self, raw: bytes | Raw, at: float, *, gone: bool = False) -> Any:
        return self._decoder.one(raw, at, gone=gone)


def _event(tree: Any, origin: Origin, gone: bool) -> Any:
    if not (isinstance(tree.get("involvedObject"), dict) or isinstance(tree.get("regarding"), dict)):
        return None
    event = decode.event(tree, origin)
    return event if event.kind in EVENT_SUBJECTS and event.reason not in NOISE else None


def _configmap(tree: Any, origin: Origin, gone: bool) -> Any:
    kept = configmaps.content(tree)
    return decode.workload(kept, origin, gone=gone) if kept is not None else None


_BULK = ("template", "attributes", "capacity")


def _queued(tree: Any, origin: Origin, gone: bool) -> Any:
    """An object without its bulk: templates of pods are most of a Kueue Workload, attributes most of a device. None of
    a Workload that is finished: it waits for nothing and holds nothing."""
    spec = tree.get("spec")
    for part in ("podSets", "devices"):
        held = spec.get(part) if isinstance(spec, dict) else None
        if isinstance(held, list):
            slim = [{k: v for k, v in row.items() if k not in _BULK} for row in held if isinstance(row, dict)]
            spec = {**spec, part: slim}
            tree = {**tree, "spec": spec}
    return None if _finished(tree.get("status")) else decode.workload(tree, origin, gone=gone)


def _finished(status: Any) -> bool:
    rows = status.get("conditions") if isinstance(status, dict) else None
    ends = (row for row in (rows if isinstance(rows, list) else []) if isinstance(row, dict))
    return any(row.get("type") == "Finished" and row.get("status") == "True" for row in ends)


def decoder_of(kind: Kind, api_version: str) -> Decoder:
    """The decoder of a kind; one for all its watches, so that equal parts are shared."""
    if kind is PODS or kind.plural == "pods":
        return _PodPages()
    if kind is NODES:
        return TreeDecoder(kind, api_version, lambda tree, origin, gone: decode.node(tree, origin))
    if kind is EVENTS:
        return TreeDecoder(kind, api_version, _event)
    if kind is CONFIGMAPS:
        return TreeDecoder(kind, api_version, _configmap)
    if kind.name in QUEUED:
        return TreeDecoder(kind, api_version, _queued)
    return TreeDecoder(kind, api_version, lambda tree, origin, gone: decode.workload(tree, origin, gone=gone))


def list_path(kind: Kind, api_version: str, namespace: str = "") -> str:
    """Path of the collection."""
    return object_path(api_version, kind.plural, namespace)
