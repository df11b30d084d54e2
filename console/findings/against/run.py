"""One run as what can be compared: families of keys with values, and which families could be read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct

from console.base.shapes import mappings
from console.base.units import human_amount
from console.facts.model import Container, Pod, Workload
from console.facts.rest import text
from console.findings.against.masks import always_differs, digest, masked
from console.findings.against.measured import plans_of, read_by
from console.findings.case import Case
from console.findings.waits.kueue import NAME_LABEL
from console.timing.former import run_name

FAMILIES = (
    "image", "version", "configuration", "environment", "arguments", "spec", "resources", "node", "input", "plan",
    "operator", "object", "neighbours",
)  # fmt: skip
"""In the order in which changes are told where nothing else decides."""
_LABELS = (
    "node.kubernetes.io/instance-type", "topology.kubernetes.io/zone", "kubernetes.io/arch", "karpenter.sh/nodepool",
    "karpenter.sh/capacity-type", "eks.amazonaws.com/nodegroup", "eks.amazonaws.com/capacityType",
    "cloud.google.com/gke-nodepool", "cloud.google.com/gke-spot", "kubernetes.azure.com/agentpool",
    "kubernetes.azure.com/scalesetpriority", "agentpool", "nvidia.com/gpu.product", "nvidia.com/gpu.memory",
    "nvidia.com/cuda.driver-version.full", "nvidia.com/mig.config", "nvidia.com/gpu.sharing-strategy",
    "nvidia.com/gpu.replicas",
)  # fmt: skip
_SIDE_KINDS = ("ConfigMap", "Secret", "ResourceQuota", "LimitRange", "NetworkPolicy", "PriorityClass", "ClusterQueue",
               "LocalQueue", "ServiceAccount", "Role", "RoleBinding")  # fmt: skip
"""Kinds beside an application of which a change matters, of the first two by name and time only."""
_KUEUE_WRITES = ("template.", "nodeSelector", "tolerations", "schedulingGates", "annotations")
"""What Kueue writes into an application as it lets it in: by flavor, and so otherwise in each run."""
_SHOWN = 200


class Picture(Struct, frozen=True):
    """One run.

    Attributes:
        traits: family → key → value, a number as a float.
        changed: (kind, name) of objects beside it → when they were last written to; None where that is not known.
        read: families of which something was read: of others nothing is known.
    """

    key: str
    app_id: str
    state: str
    started: float | None
    ended: float | None
    good: bool
    traits: dict[str, dict[str, str | float]]
    changed: dict[str, float | None]
    read: frozenset[str]
    whole: bool
    """Whether Spark's own environment was read: else keys that are missing may only not have been read."""


def picture(case: Case) -> Picture:
    """A run as it can be seen in its facts."""
    app = case.app
    pods = [p for p in case.pods if p.main is not None]
    traits: dict[str, dict[str, str | float]] = {
        "image": dict(_images(pods)),
        "version": dict(_versions(case)),
        "configuration": dict(_conf(case)),
        "environment": dict(_env(pods)),
        "arguments": dict(_arguments(case)),
        "spec": dict(_spec(case)),
        "resources": dict(_resources(pods)),
        "node": dict(_nodes(case, pods)),
        "input": dict(read_by(case)),
        "plan": dict(plans_of(case)),
        "operator": dict(_operator(case)),
        "neighbours": {"on its nodes": ", ".join(_neighbours(case, pods))} if any(p.node for p in pods) else {},
    }
    read = {family for family, held in traits.items() if held}
    if case.world.workloads("ConfigMap") or case.world.workloads("Secret"):
        read.add("object")
    kept = {family: _kept(family, held) for family, held in traits.items()}
    changed = dict(_objects(case))
    return Picture(
        app.key, app.app_id, app.state, app.started, app.ended, ended_well(case), kept, changed, frozenset(read),
        bool(case.rest.of("environment")),
    )  # fmt: skip


def ended_well(case: Case) -> bool:
    """Whether it is known to have ended well: an application may end in order though its jobs failed."""
    return case.succeeded and not any(text(job, "status") == "FAILED" for job in case.rest.jobs.values())


def _kept(family: str, held: Mapping[str, str | float]) -> dict[str, str | float]:
    return {
        key: masked(value)[:_SHOWN]
        if isinstance(value, str) and family not in ("image", "version", "object")
        else value
        for key, value in held.items()
        if not always_differs(family, key)
    }


def _first(pods: Iterable[Pod], role: str) -> Pod | None:
    return next((p for p in pods if p.labels.get("spark-role", role) == role), None)


def _images(pods: list[Pod]) -> Iterator[tuple[str, str]]:
    for role in ("driver", "executor"):
        pod = _first(pods, role)
        if pod is None or pod.main is None:
            continue
        yield f"{role} image", pod.main.image
        if found := digest(pod.main.image_id):
            yield f"{role} image digest", found
        for other in pod.containers:
            if other is not pod.main:
                yield f"{role} {other.role} {other.name}", digest(other.image_id) or other.image


def _versions(case: Case) -> Iterator[tuple[str, str]]:
    if case.app.spark_version:
        yield "Spark", case.app.spark_version
    for doc in case.rest.of("environment"):
        runtime = doc.data.get("runtime") if isinstance(doc.data, dict) else None
        for key, name in (("javaVersion", "Java"), ("scalaVersion", "Scala")):
            if isinstance(runtime, dict) and isinstance(runtime.get(key), str):
                yield name, runtime[key]
        for path in _pairs(doc.data, "classpathEntries"):
            name = path.rpartition("/")[2]
            if name.endswith(".jar"):
                stem, _, version = name[:-4].rpartition("-")
                yield f"jar {stem or name}", version or name


def _pairs(data: Any, key: str) -> dict[str, str]:
    held = data.get(key) if isinstance(data, dict) else None
    return {
        pair[0]: pair[1]
        for pair in (held if isinstance(held, list) else [])
        if isinstance(pair, list | tuple) and len(pair) == 2 and all(isinstance(p, str) for p in pair)
    }


def _conf(case: Case) -> Iterator[tuple[str, str]]:
    yield from {**case.app.conf, **case.rest.conf}.items()
    for doc in case.rest.of("environment"):
        yield from ((f"hadoop {k}", v) for k, v in _pairs(doc.data, "hadoopProperties").items())


def _env(pods: list[Pod]) -> Iterator[tuple[str, str]]:
    for role in ("driver", "executor"):
        pod = _first(pods, role)
        if pod is not None and pod.main is not None:
            yield from ((f"{role} {name}", value) for name, value in pod.main.env.items())
            options = sorted(v for k, v in pod.main.env.items() if k.startswith("SPARK_JAVA_OPT_"))
            if options:
                yield f"{role} options of the JVM", " ".join(masked(o) for o in options if "-Dspark." not in o)


def _arguments(case: Case) -> Iterator[tuple[str, str]]:
    cr = case.group.cr if case.group is not None else None
    if cr is not None and cr.spec:
        for key in ("mainApplicationFile", "mainClass", "type"):
            if isinstance(value := cr.spec.get(key), str):
                yield key, value
        if isinstance(words := cr.spec.get("arguments"), list):
            yield "arguments", " ".join(str(w) for w in words)
    elif case.driver is not None and case.driver.main is not None and case.driver.main.args:
        yield "arguments", " ".join(case.driver.main.args)


def _spec(case: Case) -> Iterator[tuple[str, str]]:
    cr = case.group.cr if case.group is not None else None
    if cr is not None:
        apart = (
            "mainApplicationFile",
            "mainClass",
            "type",
            "arguments",
            "sparkConf",
            "hadoopConf",
            "image",
            "sparkVersion",
        )
        queued = NAME_LABEL in cr.labels
        for key, value in _flat({k: v for k, v in cr.spec.items() if k not in apart}, ""):
            if not (queued and any(part in key for part in _KUEUE_WRITES)):
                yield key, value
    pod = case.driver
    if pod is not None:
        yield "service account", pod.service_account
        yield "priority class", pod.priority_class


def _flat(value: Any, at: str, depth: int = 0) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and depth < 6:
        for key, one in value.items():
            yield from _flat(one, f"{at}.{key}" if at else str(key), depth + 1)
    elif isinstance(value, list):
        yield at, "; ".join(sorted(str(one) for one in value))
    elif value is not None:
        yield at, str(value)


def _resources(pods: list[Pod]) -> Iterator[tuple[str, str]]:
    for role in ("driver", "executor"):
        pod = _first(pods, role)
        main: Container | None = pod.main if pod is not None else None
        for word, held in (("requests", main.requests), ("limits", main.limits)) if main is not None else ():
            yield from ((f"{role} {word} {name}", human_amount(count, name)) for name, count in held.items())


def _nodes(case: Case, pods: list[Pod]) -> Iterator[tuple[str, str]]:
    known = case.world.nodes
    for role in ("driver", "executor"):
        used = {p.node for p in pods if p.node in known and p.labels.get("spark-role") == role}
        if not used:
            continue
        for label in _LABELS:
            if values := sorted({known[n].labels[label] for n in used if label in known[n].labels}):
                yield f"{role} {label}", ", ".join(values)
        yield f"{role} kubelet", ", ".join(sorted({known[n].kubelet_version for n in used if known[n].kubelet_version}))


def _operator(case: Case) -> Iterator[tuple[str, str]]:
    for one in case.world.workloads("Deployment"):
        if "spark" not in one.name or "operator" not in one.name:
            continue
        template = one.spec.get("template")
        spec = template.get("spec") if isinstance(template, dict) else None
        for container in mappings(spec.get("containers") if isinstance(spec, dict) else None):
            yield f"{one.name} image", text(container, "image")
            if isinstance(words := container.get("args"), list):
                yield f"{one.name} arguments", " ".join(sorted(str(w) for w in words))


def _objects(case: Case) -> Iterator[tuple[str, float | None]]:
    """Objects beside it with when they were last written to: those of its namespace, and those of none."""
    for kind in _SIDE_KINDS:
        for one in case.world.workloads(kind):
            mine = one.namespace in ("", case.app.namespace)
            if mine and not _of_run(one):
                yield f"{kind} {one.name}", one.changed if one.changed is not None else one.created


def _neighbours(case: Case, pods: list[Pod]) -> list[str]:
    """Applications with pods on its nodes, without what tells their runs apart."""
    names = case.world.on_nodes(frozenset(p.node for p in pods if p.node), case.app.key)
    return sorted({masked(run_name(name)) for name in names})


def _of_run(one: Workload) -> bool:
    """Whether each run makes one of its own."""
    made = (
        one.name.endswith(("-conf-map", "-hadoop-config", "-krb5-file", "-podspec-conf-map")) or "-driver-" in one.name
    )
    return made or any(o.kind in ("Pod", "SparkApplication") for o in one.owners)
