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
from console.sources.cluster import decode
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


KUEUE = "kueue.x-k8s.io"
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
CONFIGMAPS = Kind("configmaps", "ConfigMap", "configmaps", selector="helm.sh/chart", optional=True)
"""Configuration, dashboards and budgets that a chart installed; of others nothing is read."""
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
    *(
        Kind(f"{plural}.{KUEUE}", kind, plural, KUEUE, "", namespaced=kind != "ClusterQueue", optional=True)
        for plural, kind in (
            ("workloads", "Workload"),
            ("localqueues", "LocalQueue"),
            ("clusterqueues", "ClusterQueue"),
        )
    ),
)
"""By these, beside workloads, components are found."""
ALL: tuple[Kind, ...] = (PODS, *SPARK, NODES, *WORKLOADS, *PARTS, EVENTS)
OPTIONAL = frozenset(kind.name for kind in PARTS)
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
    items: list[decode.Tree] = []


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
            tree: Any = msgspec.json.decode(raw, type=decode.Tree)
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


def _spark_conf(tree: Any, origin: Origin, gone: bool) -> Any:
    """A ConfigMap with its lines of Spark configuration; a dashboard without its content, a budget as it is; None where
    it is none of these."""
    data, labels = tree.get("data"), tree["metadata"].get("labels") or {}
    if labels.get("app.kubernetes.io/component") == "budget":
        return decode.workload(tree, origin, gone=gone)
    if labels.get("grafana_dashboard"):
        return decode.workload({**tree, "data": {}}, origin, gone=gone)
    kept = {
        str(key): lines
        for key, text in (data.items() if isinstance(data, dict) else ())
        if isinstance(text, str) and (lines := "\n".join(x for x in text.splitlines() if x.startswith("spark.")))
    }
    return decode.workload({**tree, "data": kept}, origin, gone=gone) if kept else None


def decoder_of(kind: Kind, api_version: str) -> Decoder:
    """The decoder of a kind; one for all its watches, so that equal parts are shared."""
    if kind is PODS or kind.plural == "pods":
        return _PodPages()
    if kind is NODES:
        return TreeDecoder(kind, api_version, lambda tree, origin, gone: decode.node(tree, origin))
    if kind is EVENTS:
        return TreeDecoder(kind, api_version, _event)
    if kind is CONFIGMAPS:
        return TreeDecoder(kind, api_version, _spark_conf)
    return TreeDecoder(kind, api_version, lambda tree, origin, gone: decode.workload(tree, origin, gone=gone))


def list_path(kind: Kind, api_version: str, namespace: str = "") -> str:
    """Path of the collection."""
    return object_path(api_version, kind.plural, namespace)
