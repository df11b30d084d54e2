"""Kubernetes JSON objects → facts: pods, nodes, events, workloads. Pure: no I/O, no clock; live and saved use the same.

Objects come as plain trees (`msgspec.json.decode(body, type=ObjectTree)` drops what nobody reads, managedFields first).
Wrong types inside are read as missing (`fields`); what is kept passes redaction.
"""

from __future__ import annotations

from operator import itemgetter
from typing import Any, TypedDict

from console.base.shapes import mapping, mappings
from console.facts.model import MAIN_CONTAINERS, Container, Event, Node, Origin, Pod, Terminated, Workload
from console.sources.cluster.fields import (
    arguments,
    asked_before,
    conditions,
    device_health,
    gate_names,
    integer,
    kept_tree,
    moment,
    owners,
    prose,
    quantities,
    said,
    security_of,
    spark_env,
    string_map,
    volume_kinds,
    whole,
    word,
)


class ManagerTree(TypedDict, total=False):
    """Of a managedFields entry only who wrote when is read, and whether it was the status."""

    manager: str
    time: str | None
    subresource: str


class MetaTree(TypedDict, total=False):
    """ObjectMeta without the bulk of managedFields."""

    name: str
    namespace: str | None
    uid: str
    resourceVersion: str
    generation: int
    creationTimestamp: str | None
    deletionTimestamp: str | None
    deletionGracePeriodSeconds: int | None
    labels: dict[str, str] | None
    annotations: dict[str, str] | None
    ownerReferences: list[dict[str, Any]] | None
    managedFields: list[ManagerTree] | None


class ObjectTree(TypedDict, total=False):
    """Any Kubernetes object, for `msgspec.json.decode(data, type=ObjectTree)`: half the size of a whole pod."""

    apiVersion: str
    kind: str
    metadata: MetaTree
    spec: Any
    status: Any
    data: Any
    involvedObject: Any
    regarding: Any
    reason: Any
    message: Any
    note: Any
    type: Any
    count: Any
    series: Any
    source: Any
    deprecatedSource: Any
    deprecatedCount: Any
    deprecatedFirstTimestamp: Any
    deprecatedLastTimestamp: Any
    firstTimestamp: Any
    lastTimestamp: Any
    eventTime: Any
    reportingComponent: Any
    reportingController: Any
    webhooks: Any
    subjects: Any
    roleRef: Any
    rules: Any
    provisioner: Any


def _terminated(value: Any) -> Terminated | None:
    if not isinstance(value, dict):
        return None
    return Terminated(
        exit_code=integer(value.get("exitCode")),
        reason=said(value.get("reason")),
        message=prose(value.get("message")),
        signal=integer(value.get("signal")),
        started=moment(value.get("startedAt")),
        finished=moment(value.get("finishedAt")),
    )


def _container(spec: dict[str, Any], status: dict[str, Any], role: Any) -> Container:
    state, last = mapping(status.get("state")), mapping(status.get("lastState"))
    waiting = mapping(state.get("waiting"))
    shown: Any = next((w for w in ("terminated", "running", "waiting") if isinstance(state.get(w), dict)), "unknown")
    resources = mapping(spec.get("resources"))
    given = mapping(status.get("resources"))
    return Container(
        name=word(spec.get("name")) or word(status.get("name")),
        role=role,
        image=word(spec.get("image")) or word(status.get("image")),
        image_id=word(status.get("imageID")),
        requests=quantities(given.get("requests") or resources.get("requests")),
        limits=quantities(given.get("limits") or resources.get("limits")),
        env=spark_env(spec.get("env")),
        args=arguments(spec.get("args")),
        state=shown,
        waiting_reason=said(waiting.get("reason")),
        waiting_message=prose(waiting.get("message")),
        started=moment(mapping(state.get("running")).get("startedAt"))
        or moment(mapping(state.get("terminated")).get("startedAt")),
        terminated=_terminated(state.get("terminated")),
        last_terminated=_terminated(last.get("terminated")),
        restarts=whole(status.get("restartCount")),
        ready=status.get("ready") is True,
        devices=device_health(status.get("allocatedResourcesStatus")),
    )


def _containers(spec: dict[str, Any], status: dict[str, Any]) -> tuple[Container, ...]:
    out: list[Container] = []
    seen: set[str] = set()
    mains = mappings(spec.get("containers"))
    known = any(c.get("name") in MAIN_CONTAINERS for c in mains)
    states = {s.get("name"): s for s in mappings(status.get("containerStatuses"))}
    for c in mains:
        role = "sidecar" if known and c.get("name") not in MAIN_CONTAINERS else "main"
        out.append(_container(c, mapping(states.get(c.get("name"))), role))
        seen.add(word(c.get("name")))
    out.extend(_container({}, s, "main") for name, s in states.items() if name not in seen)
    states = {s.get("name"): s for s in mappings(status.get("initContainerStatuses"))}
    for c in mappings(spec.get("initContainers")):
        role = "sidecar" if c.get("restartPolicy") == "Always" else "init"
        out.append(_container(c, mapping(states.get(c.get("name"))), role))
    return tuple(out)


def _named(obj: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    tree = mapping(obj)
    meta = mapping(tree.get("metadata"))
    if not word(meta.get("name")):
        raise ValueError("this is no Kubernetes object: metadata.name is missing")
    return tree, meta


def _deletion_asked(meta: dict[str, Any]) -> float | None:
    """When deletion was asked for: the API's deletionTimestamp lies a grace period later."""
    return asked_before(meta.get("deletionTimestamp"), whole(meta.get("deletionGracePeriodSeconds")))


def pod(obj: Any, origin: Origin, *, gone: bool = False) -> Pod:
    """A v1 Pod.

    Args:
        obj: the object as a plain tree.
        origin: where it was read.
        gone: it was deleted (a DELETED watch event): this is its last object.

    Raises:
        ValueError: it has no name.
    """
    tree, meta = _named(obj)
    spec, status = mapping(tree.get("spec")), mapping(tree.get("status"))
    return Pod(
        namespace=word(meta.get("namespace")),
        name=meta["name"],
        origin=origin,
        uid=word(meta.get("uid")),
        labels=string_map(meta.get("labels")),
        annotations=string_map(meta.get("annotations")),
        owners=owners(meta),
        node=word(spec.get("nodeName")),
        ip=word(status.get("podIP")),
        phase=word(status.get("phase")) or "Unknown",
        reason=said(status.get("reason")),
        message=prose(status.get("message")),
        created=moment(meta.get("creationTimestamp")),
        deleted=_deletion_asked(meta),
        started=moment(status.get("startTime")),
        conditions=conditions(status.get("conditions")),
        containers=_containers(spec, status),
        priority_class=word(spec.get("priorityClassName")),
        service_account=word(spec.get("serviceAccountName")),
        tolerations=tuple(kept_tree(mappings(spec.get("tolerations")))),
        node_selector=string_map(spec.get("nodeSelector")),
        volumes=volume_kinds(spec.get("volumes")),
        gates=gate_names(spec.get("schedulingGates")),
        security=security_of(spec),
        resource_version=word(meta.get("resourceVersion")),
        gone=gone,
    )


def node(obj: Any, origin: Origin) -> Node:
    """A v1 Node.

    Raises:
        ValueError: it has no name.
    """
    tree, meta = _named(obj)
    spec, status = mapping(tree.get("spec")), mapping(tree.get("status"))
    return Node(
        name=meta["name"],
        origin=origin,
        uid=word(meta.get("uid")),
        labels=string_map(meta.get("labels")),
        capacity=quantities(status.get("capacity")),
        allocatable=quantities(status.get("allocatable")),
        conditions=conditions(status.get("conditions")),
        taints=tuple(kept_tree(mappings(spec.get("taints")))),
        unschedulable=spec.get("unschedulable") is True,
        kubelet_version=word(mapping(status.get("nodeInfo")).get("kubeletVersion")),
        created=moment(meta.get("creationTimestamp")),
    )


def event(obj: Any, origin: Origin) -> Event:
    """An event of core/v1 or events.k8s.io/v1. Null timestamps fall back to eventTime, the series, the creation.

    Raises:
        ValueError: it is about nothing.
    """
    tree = mapping(obj)
    meta = mapping(tree.get("metadata"))
    about = mapping(tree.get("involvedObject")) or mapping(tree.get("regarding"))
    if not about:
        raise ValueError("this is no event: neither involvedObject nor regarding is there")
    series, source = mapping(tree.get("series")), mapping(tree.get("source")) or mapping(tree.get("deprecatedSource"))
    first, last = _seen(tree, series, meta)
    kind = word(about.get("kind"))
    return Event(
        namespace="" if kind == "Node" else word(about.get("namespace")) or word(meta.get("namespace")),
        origin=origin,
        type=word(tree.get("type")) or "Normal",
        reason=said(tree.get("reason")),
        message=prose(tree.get("message") or tree.get("note")),
        kind=kind,
        name=word(about.get("name")),
        uid=word(about.get("uid")),
        field_path=word(about.get("fieldPath")),
        count=whole(tree.get("count")) or whole(tree.get("deprecatedCount")) or whole(series.get("count")) or 1,
        first=first,
        last=last,
        reporter=word(tree.get("reportingComponent"))
        or word(tree.get("reportingController"))
        or word(source.get("component")),
    )


def _seen(tree: dict[str, Any], series: dict[str, Any], meta: dict[str, Any]) -> tuple[float | None, float | None]:
    """When an event was seen first and last."""
    at = tree.get("eventTime")
    first = _first_time(tree.get("firstTimestamp"), tree.get("deprecatedFirstTimestamp"), at)
    last = _first_time(
        tree.get("lastTimestamp"), tree.get("deprecatedLastTimestamp"), series.get("lastObservedTime"), at
    )
    created = moment(meta.get("creationTimestamp"))
    return first or last or created, last or first or created


def _first_time(*values: Any) -> float | None:
    """The first of them that is a time."""
    return next((at for value in values if (at := moment(value)) is not None), None)


def workload(obj: Any, origin: Origin, *, gone: bool = False) -> Workload:
    """Any other object. Kinds without `spec` (ConfigMap, Role, webhook configuration, …) carry their own top-level
    fields in `spec`.

    Raises:
        ValueError: it has no name or no kind.
    """
    tree, meta = _named(obj)
    kind = word(tree.get("kind"))
    if not kind:
        raise ValueError("this is no Kubernetes object: kind is missing")
    clean = kept_tree({k: v for k, v in tree.items() if k != "metadata"})
    spec = clean.get("spec")
    if not isinstance(spec, dict):
        spec = {k: v for k, v in clean.items() if k not in ("apiVersion", "kind", "status", "spec")}
    written = mappings(meta.get("managedFields"))
    managers = {word(m.get("manager")) for m in written}
    times = [
        (word(m.get("manager")), at)
        for m in written
        if not m.get("subresource") and (at := moment(m.get("time"))) is not None
    ]
    return Workload(
        api_version=word(tree.get("apiVersion")),
        kind=kind,
        namespace=word(meta.get("namespace")),
        name=meta["name"],
        origin=origin,
        uid=word(meta.get("uid")),
        labels=string_map(meta.get("labels")),
        annotations=string_map(meta.get("annotations")),
        owners=owners(meta),
        generation=whole(meta.get("generation")),
        created=moment(meta.get("creationTimestamp")),
        spec=spec,
        status=mapping(clean.get("status")),
        changed=max((at for _, at in times), default=None),
        writers=tuple(sorted(dict(sorted(times, key=itemgetter(1))).items())),
        managers=tuple(sorted(managers - {""})),
        gone=gone,
    )
