"""What a finding could share with others: the things outside an application that its cause may lie in."""

from __future__ import annotations

import re
from collections.abc import Callable

from msgspec import Struct

from console.health.model import Finding, SparkApp

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
        kind: node, image, registry, metastore, object store, credentials, quota, right, namespace, gpu, claim,
            capacity, webhook, operator, image content, version.
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
    if finding.code in LOST or finding.code in _NODE_ITSELF or finding.code == "slow-slow-node":
        nodes = nodes_of(finding)
        if len(nodes) == 1:
            out.append(Trait("node", nodes[0], "slow" if finding.code.startswith("slow") else "lost"))
    return out


def nodes_of(finding: Finding) -> list[str]:
    """The nodes that the finding's victims ran on."""
    node = finding.data.get("node")
    if isinstance(node, str) and node:
        return [node]
    if finding.subject.startswith("Node//"):
        return [finding.subject[len("Node//") :]]
    found = finding.data.get("nodes")
    return [n for n in found if isinstance(n, str)] if isinstance(found, list | tuple) else []


def _image(finding: Finding, app: SparkApp | None) -> list[Trait]:
    cause = str(finding.data.get("cause", ""))
    images = [i for i in finding.data.get("images", ()) if isinstance(i, str)]
    out = [Trait("image", i, f"pull {cause}", lasting=True) for i in images]
    if cause in _REGISTRY_CAUSES:
        out += [Trait("registry", host, f"pull {cause}") for host in dict.fromkeys(registry_of(i) for i in images)]
    return out


def registry_of(image: str) -> str:
    """The registry's host of an image's name; Docker Hub where none is named."""
    first, slash, _ = image.partition("/")
    return first if slash and ("." in first or ":" in first or first == "localhost") else "docker.io"


def _metastore(finding: Finding, app: SparkApp | None) -> list[Trait]:
    address = str(finding.data.get("address", ""))
    if not address:
        return []
    return [Trait("metastore", address, "error" if finding.data.get("cause") == "error" else "down")]


def _store(finding: Finding, app: SparkApp | None) -> list[Trait]:
    cause = str(finding.data.get("cause", "")) or finding.code.rpartition("-")[2]
    found = _BUCKET.match(str(finding.data.get("bucket", "")))
    out = [Trait("object store", found.group(1), cause)] if found is not None else []
    if cause in ("expired", "identity") and app is not None and app.namespace:
        out.append(Trait("credentials", app.namespace, cause))
    return out


def _quota(finding: Finding, app: SparkApp | None) -> list[Trait]:
    name = str(finding.data.get("quota", "?"))
    return [Trait("quota", f"{app.namespace}/{name}", "quota", lasting=True)] if app is not None and name != "?" else []


def _right(finding: Finding, app: SparkApp | None) -> list[Trait]:
    parts = [str(finding.data.get(k, "")) for k in ("account", "verb", "resource")]
    return [Trait("right", " ".join(parts), "rbac", lasting=True)] if all(parts) else []


def _namespace(finding: Finding, app: SparkApp | None) -> list[Trait]:
    return [Trait("namespace", app.namespace, finding.code, lasting=True)] if app is not None and app.namespace else []


def _claim(finding: Finding, app: SparkApp | None) -> list[Trait]:
    claim = str(finding.data.get("claim", ""))
    space = finding.subject.split("/")[1] if finding.subject.count("/") == 2 else ""
    return [Trait("claim", f"{space}/{claim}", "claim", lasting=True)] if claim else []


def _capacity(finding: Finding, app: SparkApp | None) -> list[Trait]:
    reason = str(finding.data.get("reason", ""))
    return [Trait("capacity", part, "capacity") for part in _FULL if part in reason]


def _gpus(finding: Finding, app: SparkApp | None) -> list[Trait]:
    resource = str(finding.data.get("resource", ""))
    none = finding.data.get("allocatable") == 0
    return [Trait("gpu", resource, "absent" if none else "busy")] if resource else []


def _one_gpu(finding: Finding, app: SparkApp | None) -> list[Trait]:
    gpu = finding.data.get("gpu")
    return [Trait("gpu", gpu, "hardware", lasting=True)] if isinstance(gpu, str) and gpu else []


def _webhook(finding: Finding, app: SparkApp | None) -> list[Trait]:
    why = str(finding.data.get("why", ""))
    return [Trait("webhook", why.split(":")[0].removeprefix("webhook "), why)] if why.startswith("webhook ") else []


def _operator(finding: Finding, app: SparkApp | None) -> list[Trait]:
    if app is None or finding.data.get("terminating"):
        return []
    return [Trait("operator", app.launcher, str(finding.data.get("state", "")))]


def _content(finding: Finding, app: SparkApp | None) -> list[Trait]:
    """Faults of what an image holds: the same image or the same version of Spark in every application that has it."""
    if app is None:
        return []
    data = finding.data
    what = str(data.get("module") or data.get("fatal") or data.get("exit_code") or "")
    out = []
    if app.image:
        out.append(Trait("image content", app.image, f"{finding.code} {what}", lasting=True))
    if app.spark_version:
        out.append(Trait("version", app.spark_version, f"{finding.code} {what}", lasting=True))
    return out


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
    "volume-not-mounted": _claim,
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
}
