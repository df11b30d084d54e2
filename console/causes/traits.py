"""What a finding could share with others: the things outside an application that its cause may lie in."""

from __future__ import annotations

import re
from collections.abc import Callable

from msgspec import Struct

from console.apps.model import SparkApp
from console.findings.figures.gpu import GpuError, GpuRowRemap
from console.findings.figures.images import ImagePullFigures
from console.findings.figures.loss import NativeCrashFigures
from console.findings.figures.memory import MemoryFigures
from console.findings.figures.operators import StuckStateFigures, SubmissionFigures
from console.findings.figures.python import PythonCrashFigures, PythonModuleFigures
from console.findings.figures.refusals import QuotaFigures, RightFigures
from console.findings.figures.scheduling import UnschedulableFigures, UnschedulableGpuFigures
from console.findings.figures.storage import (
    FillingClaimFigures,
    MetastoreFigures,
    ObjectStoreFigures,
    WaitingClaimFigures,
)
from console.findings.model import Finding

LOST = frozenset(
    {
        "executor-evicted",
        "driver-evicted",
        "executor-vanished",
        "executor-sigterm",
        "executor-killed",
        "executor-heartbeat",
        "executor-deleted",
        "driver-killed",
        "driver-deleted",
        "local-disk-full",
        "executor-native-crash",
    }
)
"""Codes of pods that something outside may have ended. Memory of one's own and user code are none of these."""
ENDED_OUTSIDE = LOST - {"local-disk-full", "executor-native-crash", "executor-deleted", "driver-deleted"}
_NODE_ITSELF = frozenset({"node-not-ready", "node-disk-pressure", "gpu-hardware", "gpu-gone", "gpu-hot"})
_FULL = (
    "not enough memory",
    "not enough CPU",
    "not enough ephemeral storage",
    "the nodes hold their maximum of pods",
    "the nodes are cordoned",
)
_REGISTRY_CAUSES = frozenset({"denied", "rate-limit", "dns", "network"})
_BUCKET = re.compile(r"^(\w+://[^/]+)")


class Trait(Struct, frozen=True):
    """One thing that several findings may share.

    Attributes:
        kind: drain, node, image, registry, metastore, service, object store, credentials, quota, right, namespace, gpu,
            claim, capacity, webhook, operator, image content, version.
        value: which one. Two findings share a trait when kind, value and family are equal.
        family: what kind of fault it is: findings of different families are not merged by it.
        lasting: the fault does not pass by itself, so that two times far apart are still one cause.
    """

    kind: str
    value: str
    family: str
    lasting: bool = False


def traits(finding: Finding, app: SparkApp | None) -> list[Trait]:
    """Everything that the finding's cause may lie in, the most telling first."""
    maker = _BY_CODE.get(finding.code)
    out = maker(finding, app) if maker is not None else []
    if finding.code in _NODE_ITSELF or is_drained(finding):
        out.append(Trait("drain", "", "lost"))
    if finding.code in LOST or finding.code in _NODE_ITSELF or finding.code == "slow-slow-node":
        nodes = nodes_of(finding)
        if len(nodes) == 1:
            out.append(Trait("node", nodes[0], "slow" if finding.code.startswith("slow") else "lost"))
    return out


def is_drained(finding: Finding) -> bool:
    """Whether what was lost was asked to leave its node."""
    return isinstance(finding.data, MemoryFigures) and finding.data.kind == "drained"


def nodes_of(finding: Finding) -> list[str]:
    """The nodes that the finding's victims ran on."""
    if finding.subject.startswith("Node//"):
        return [finding.subject[len("Node//") :]]
    return list(finding.data.nodes)


def _image(finding: Finding, app: SparkApp | None) -> list[Trait]:
    told = finding.data
    if not isinstance(told, ImagePullFigures):
        return []
    out = [Trait("image", i, f"pull {told.cause}", lasting=True) for i in told.images]
    if told.cause in _REGISTRY_CAUSES:
        hosts = dict.fromkeys(registry_of(i) for i in told.images)
        out += [Trait("registry", host, f"pull {told.cause}") for host in hosts]
    return out


def registry_of(image: str) -> str:
    """The registry's host of an image's name; Docker Hub where none is named."""
    first, slash, _ = image.partition("/")
    return first if slash and ("." in first or ":" in first or first == "localhost") else "docker.io"


def _metastore(finding: Finding, app: SparkApp | None) -> list[Trait]:
    told = finding.data
    if not isinstance(told, MetastoreFigures) or not told.address:
        return []
    return [Trait("metastore", told.address, "error" if told.cause == "error" else "down")]


def _store(finding: Finding, app: SparkApp | None) -> list[Trait]:
    told = finding.data
    if not isinstance(told, ObjectStoreFigures):
        return []
    cause = told.cause or finding.code.rpartition("-")[2]
    found = _BUCKET.match(told.bucket)
    out = [Trait("object store", found.group(1), cause)] if found is not None else []
    if cause in ("expired", "identity") and app is not None and app.namespace:
        out.append(Trait("credentials", app.namespace, cause))
    return out


def _quota(finding: Finding, app: SparkApp | None) -> list[Trait]:
    told = finding.data
    if not isinstance(told, QuotaFigures) or told.quota == "?" or app is None:
        return []
    return [Trait("quota", f"{app.namespace}/{told.quota}", "quota", lasting=True)]


def _right(finding: Finding, app: SparkApp | None) -> list[Trait]:
    told = finding.data
    if not isinstance(told, RightFigures) or not all(right := (told.account, told.verb, told.resource)):
        return []
    return [Trait("right", " ".join(right), "rbac", lasting=True)]


def _namespace(finding: Finding, app: SparkApp | None) -> list[Trait]:
    return [Trait("namespace", app.namespace, finding.code, lasting=True)] if app is not None and app.namespace else []


def _claim(finding: Finding, app: SparkApp | None) -> list[Trait]:
    told = finding.data
    if not isinstance(told, WaitingClaimFigures | FillingClaimFigures) or not told.claim:
        return []
    space = finding.subject.split("/")[1] if finding.subject.count("/") == 2 else ""
    return [Trait("claim", f"{space}/{told.claim}", "claim", lasting=True)]


def _capacity(finding: Finding, app: SparkApp | None) -> list[Trait]:
    told = finding.data
    return [
        Trait("capacity", part, "capacity")
        for part in _FULL
        if isinstance(told, UnschedulableFigures) and part in told.reason
    ]


def _gpus(finding: Finding, app: SparkApp | None) -> list[Trait]:
    told = finding.data
    if not isinstance(told, UnschedulableGpuFigures) or not told.resource:
        return []
    return [Trait("gpu", told.resource, "absent" if told.allocatable == 0 else "busy")]


def _one_gpu(finding: Finding, app: SparkApp | None) -> list[Trait]:
    told = finding.data
    return [Trait("gpu", told.gpu, "hardware", lasting=True)] if isinstance(told, GpuError | GpuRowRemap) else []


def _webhook(finding: Finding, app: SparkApp | None) -> list[Trait]:
    told = finding.data
    if not isinstance(told, SubmissionFigures) or not told.why.startswith("webhook "):
        return []
    return [Trait("webhook", told.why.split(":")[0].removeprefix("webhook "), told.why)]


def _operator(finding: Finding, app: SparkApp | None) -> list[Trait]:
    told = finding.data
    if app is None or not isinstance(told, StuckStateFigures) or told.terminating:
        return []
    return [Trait("operator", app.launcher, told.state)]


def _content(finding: Finding, app: SparkApp | None) -> list[Trait]:
    """Faults of what an image holds: the same image or the same version of Spark in every application that has it."""
    if app is None:
        return []
    family = f"{finding.code} {_broken(finding)}"
    out = []
    if app.image:
        out.append(Trait("image content", app.image, family, lasting=True))
    if app.spark_version:
        out.append(Trait("version", app.spark_version, family, lasting=True))
    return out


def _broken(finding: Finding) -> str:
    """What of the image is broken, as far as the finding says so."""
    match finding.data:
        case PythonModuleFigures(module=module):
            return module
        case PythonCrashFigures(fatal=fatal):
            return fatal
        case NativeCrashFigures(exit_code=int(code)):
            return str(code)
    return ""


_SERVICES = {
    "cluster-dns-down": "cluster DNS",
    "celeborn-data-lost": "Celeborn",
    "celeborn-no-slots": "Celeborn",
    "hdfs-refused": "HDFS",
}
"""Kinds of failures that lie with one service of the platform → that service."""
_OF_IMAGES = (
    "java-version",
    "library-mix",
    "class-missing",
    "python-package-clash",
    "native-library-missing",
    "image-architecture",
    "image-not-spark",
    "spark-versions-differ",
    "api-client-too-old",
    "rapids-mismatch",
)
"""Kinds of failures that lie with what an image holds."""


def _service(finding: Finding, app: SparkApp | None) -> list[Trait]:
    return [Trait("service", _SERVICES[finding.code], finding.code)]


_BY_CODE: dict[str, Callable[[Finding, SparkApp | None], list[Trait]]] = {
    "image-pull": _image,
    "metastore-down": _metastore,
    "object-store-denied": _store,
    "object-store-throttled": _store,
    "object-store-unreachable": _store,
    "quota-exceeded": _quota,
    "rbac-denied": _right,
    "pod-security": _namespace,
    "pvc-pending": _claim,
    "pvc-filling": _claim,
    "unschedulable": _capacity,
    "unschedulable-gpu": _gpus,
    "gpu-hardware": _one_gpu,
    "submission-failed": _webhook,
    "state-stuck": _operator,
    "python-module-missing": _content,
    "python-not-found": _content,
    "python-worker-crash": _content,
    "executor-native-crash": _content,
    "object-store-jar-missing": _content,
    "main-class-missing": _content,
    **dict.fromkeys(_SERVICES, _service),
    **dict.fromkeys(_OF_IMAGES, _content),
}
