"""Kubernetes JSON objects → facts: pods, nodes, events, workloads. Pure: no I/O, no clock; live and saved use the same.

Objects come as plain trees (`msgspec.json.decode(body, type=Raw)` drops what nobody reads, managedFields first).
Wrong types inside are read as missing. Values of environment variables other than Spark's own are not kept at all;
what is kept passes redaction.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, TypedDict

from console.base.clock import parse_time
from console.base.redact import MARK, is_secret_key, redact, redact_value
from console.base.units import parse_quantity
from console.health.facts import Condition, Container, Event, Node, Origin, Owner, Pod, Terminated, Workload

KNOWN_MAIN = frozenset({"spark-kubernetes-driver", "spark-kubernetes-executor", "spark-connect", "executor"})
_ENV_KEPT = ("SPARK_", "PYSPARK_", "NVIDIA_", "CUDA_", "JAVA_TOOL_OPTIONS", "AIRFLOW_CTX_", "HADOOP_USER_NAME")
_ANNOTATION_DROPPED = frozenset({"kubectl.kubernetes.io/last-applied-configuration"})
_TEXT_LIMIT = 4_000


class RawManager(TypedDict, total=False):
    """Of a managedFields entry only the name of the manager is read."""

    manager: str


class RawMeta(TypedDict, total=False):
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
    managedFields: list[RawManager] | None


class Raw(TypedDict, total=False):
    """Any Kubernetes object, for `msgspec.json.decode(data, type=Raw)`: half the size of the full tree for a pod."""

    apiVersion: str
    kind: str
    metadata: RawMeta
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


def _map(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _items(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _str(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _int(value: Any, missing: int = 0) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else missing


@lru_cache(maxsize=16_384)
def _time(text: str) -> float | None:
    return parse_time(text)


def _when(value: Any) -> float | None:
    return _time(value) if isinstance(value, str) else None


@lru_cache(maxsize=4_096)
def _quantity(text: str) -> float | None:
    try:
        return parse_quantity(text)
    except (ValueError, ArithmeticError):
        return None


def quantities(value: Any) -> dict[str, float]:
    """A resource list as numbers of base units; what is no quantity is left out."""
    out: dict[str, float] = {}
    for key, raw in _map(value).items():
        number = _quantity(str(raw)) if isinstance(raw, str | int | float) else None
        if number is not None:
            out[str(key)] = number
    return out


@lru_cache(maxsize=8_192)
def _clean(text: str) -> str:
    return redact(text[:_TEXT_LIMIT])


def _text(value: Any) -> str:
    return _clean(value) if isinstance(value, str) and value else ""


def _strings(value: Any) -> dict[str, str]:
    """Labels or annotations: string to string, secrets redacted, bulk dropped."""
    return {
        str(k): (MARK if is_secret_key(str(k)) and v else _clean(v))
        for k, v in _map(value).items()
        if isinstance(v, str) and k not in _ANNOTATION_DROPPED
    }


@lru_cache(maxsize=4_096)
def _env_value(name: str, value: str) -> str:
    return MARK if value and is_secret_key(name) else redact(value[:1_000])


def _env(value: Any) -> dict[str, str]:
    out: dict[str, str] = {}
    for item in _items(value):
        name, text = item.get("name"), item.get("value")
        if not isinstance(name, str) or not isinstance(text, str) or not name.startswith(_ENV_KEPT):
            continue
        if name == "SPARK_EXECUTOR_ID":  # the label spark-exec-id says it; without it the executors of a run are alike
            continue
        if name.startswith("SPARK_JAVA_OPT_") and text.startswith(("--add-", "--enable-", "-Djava.", "-Djdk.")):
            continue
        out[name] = _env_value(name, text)
    return out


def owners(meta: dict[str, Any]) -> tuple[Owner, ...]:
    return tuple(
        Owner(
            api_version=_str(ref.get("apiVersion")),
            kind=_str(ref.get("kind")),
            name=_str(ref.get("name")),
            uid=_str(ref.get("uid")),
            controller=ref.get("controller") is True,
        )
        for ref in _items(meta.get("ownerReferences"))
    )


def conditions(value: Any) -> tuple[Condition, ...]:
    return tuple(
        Condition(
            type=_str(c.get("type")),
            status=_str(c.get("status")),
            reason=_str(c.get("reason")),
            message=_text(c.get("message")),
            since=_when(c.get("lastTransitionTime")),
        )
        for c in _items(value)
    )


def _terminated(value: Any) -> Terminated | None:
    if not isinstance(value, dict):
        return None
    code = value.get("exitCode")
    signal = value.get("signal")
    return Terminated(
        exit_code=code if isinstance(code, int) and not isinstance(code, bool) else None,
        reason=_str(value.get("reason")),
        message=_text(value.get("message")),
        signal=signal if isinstance(signal, int) else None,
        started=_when(value.get("startedAt")),
        finished=_when(value.get("finishedAt")),
    )


def _container(spec: dict[str, Any], status: dict[str, Any], role: Any) -> Container:
    state, last = _map(status.get("state")), _map(status.get("lastState"))
    waiting = _map(state.get("waiting"))
    word: Any = next((w for w in ("terminated", "running", "waiting") if isinstance(state.get(w), dict)), "unknown")
    resources = _map(spec.get("resources"))
    given = _map(status.get("resources"))
    args = spec.get("args")
    return Container(
        name=_str(spec.get("name")) or _str(status.get("name")),
        role=role,
        image=_str(spec.get("image")) or _str(status.get("image")),
        image_id=_str(status.get("imageID")),
        requests=quantities(given.get("requests") or resources.get("requests")),
        limits=quantities(given.get("limits") or resources.get("limits")),
        env=_env(spec.get("env")),
        args=tuple(_clean(a) for a in args if isinstance(a, str)) if isinstance(args, list) else (),
        state=word,
        waiting_reason=_str(waiting.get("reason")),
        waiting_message=_text(waiting.get("message")),
        started=_when(_map(state.get("running")).get("startedAt"))
        or _when(_map(state.get("terminated")).get("startedAt")),
        terminated=_terminated(state.get("terminated")),
        last_terminated=_terminated(last.get("terminated")),
        restarts=_int(status.get("restartCount")),
        ready=status.get("ready") is True,
    )


def _containers(spec: dict[str, Any], status: dict[str, Any]) -> tuple[Container, ...]:
    out: list[Container] = []
    seen: set[str] = set()
    mains = _items(spec.get("containers"))
    known = any(c.get("name") in KNOWN_MAIN for c in mains)
    states = {s.get("name"): s for s in _items(status.get("containerStatuses"))}
    for c in mains:
        role = "sidecar" if known and c.get("name") not in KNOWN_MAIN else "main"
        out.append(_container(c, _map(states.get(c.get("name"))), role))
        seen.add(_str(c.get("name")))
    out.extend(_container({}, s, "main") for name, s in states.items() if name not in seen)
    states = {s.get("name"): s for s in _items(status.get("initContainerStatuses"))}
    for c in _items(spec.get("initContainers")):
        role = "sidecar" if c.get("restartPolicy") == "Always" else "init"
        out.append(_container(c, _map(states.get(c.get("name"))), role))
    return tuple(out)


_VOLUME_KEPT = ("emptyDir", "persistentVolumeClaim", "hostPath", "ephemeral")


def _volumes(value: Any) -> tuple[dict[str, Any], ...]:
    """Names and kinds of volumes; what they hold only where it is judged."""
    out: list[dict[str, Any]] = []
    for volume in _items(value):
        if _str(volume.get("name")).startswith("kube-api-access-"):  # the token that every pod gets, named at random
            continue
        kept: dict[str, Any] = {"name": _str(volume.get("name"))}
        for kind, body in volume.items():
            if kind == "name":
                continue
            if kind in _VOLUME_KEPT:
                kept[kind] = body
            elif isinstance(body, dict) and kind in ("configMap", "secret"):
                key = "name" if kind == "configMap" else "secretName"
                kept[kind] = {key: _str(body.get(key)), "optional": body.get("optional") is True}
            else:
                kept[kind] = {}
        out.append(kept)
    return tuple(out)


HOSTS = ("hostNetwork", "hostPID", "hostIPC", "automountServiceAccountToken")


def _security(spec: dict[str, Any]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    if context := _map(spec.get("securityContext")):
        out["pod"] = context
    per = {
        _str(c.get("name")): c["securityContext"]
        for c in (*_items(spec.get("containers")), *_items(spec.get("initContainers")))
        if isinstance(c.get("securityContext"), dict) and c["securityContext"]
    }
    if per:
        out["containers"] = per
    out.update({k: True for k in HOSTS[:3] if spec.get(k) is True})
    if spec.get(HOSTS[3]) is False:
        out[HOSTS[3]] = False
    return out


def _named(obj: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    tree = _map(obj)
    meta = _map(tree.get("metadata"))
    if not _str(meta.get("name")):
        raise ValueError("this is no Kubernetes object: metadata.name is missing")
    return tree, meta


def _deletion_asked(meta: dict[str, Any]) -> float | None:
    """When deletion was asked for: the API's deletionTimestamp lies a grace period later."""
    at = _when(meta.get("deletionTimestamp"))
    return None if at is None else at - _int(meta.get("deletionGracePeriodSeconds"))


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
    spec, status = _map(tree.get("spec")), _map(tree.get("status"))
    return Pod(
        namespace=_str(meta.get("namespace")),
        name=meta["name"],
        origin=origin,
        uid=_str(meta.get("uid")),
        labels=_strings(meta.get("labels")),
        annotations=_strings(meta.get("annotations")),
        owners=owners(meta),
        node=_str(spec.get("nodeName")),
        ip=_str(status.get("podIP")),
        phase=_str(status.get("phase")) or "Unknown",
        reason=_str(status.get("reason")),
        message=_text(status.get("message")),
        created=_when(meta.get("creationTimestamp")),
        deleted=_deletion_asked(meta),
        started=_when(status.get("startTime")),
        conditions=conditions(status.get("conditions")),
        containers=_containers(spec, status),
        priority_class=_str(spec.get("priorityClassName")),
        service_account=_str(spec.get("serviceAccountName")),
        tolerations=tuple(_items(spec.get("tolerations"))),
        node_selector={str(k): v for k, v in _map(spec.get("nodeSelector")).items() if isinstance(v, str)},
        volumes=_volumes(spec.get("volumes")),
        security=_security(spec),
        resource_version=_str(meta.get("resourceVersion")),
        gone=gone,
    )


def node(obj: Any, origin: Origin) -> Node:
    """A v1 Node.

    Raises:
        ValueError: it has no name.
    """
    tree, meta = _named(obj)
    spec, status = _map(tree.get("spec")), _map(tree.get("status"))
    return Node(
        name=meta["name"],
        origin=origin,
        uid=_str(meta.get("uid")),
        labels=_strings(meta.get("labels")),
        capacity=quantities(status.get("capacity")),
        allocatable=quantities(status.get("allocatable")),
        conditions=conditions(status.get("conditions")),
        taints=tuple(_items(spec.get("taints"))),
        unschedulable=spec.get("unschedulable") is True,
        kubelet_version=_str(_map(status.get("nodeInfo")).get("kubeletVersion")),
        created=_when(meta.get("creationTimestamp")),
    )


def event(obj: Any, origin: Origin) -> Event:
    """An event of core/v1 or events.k8s.io/v1. Null timestamps fall back to eventTime, the series, the creation.

    Raises:
        ValueError: it is about nothing.
    """
    tree = _map(obj)
    meta = _map(tree.get("metadata"))
    about = _map(tree.get("involvedObject")) or _map(tree.get("regarding"))
    if not about:
        raise ValueError("this is no event: neither involvedObject nor regarding is there")
    series = _map(tree.get("series"))
    at = _when(tree.get("eventTime"))
    first = _when(tree.get("firstTimestamp")) or _when(tree.get("deprecatedFirstTimestamp")) or at
    last = (
        _when(tree.get("lastTimestamp"))
        or _when(tree.get("deprecatedLastTimestamp"))
        or _when(series.get("lastObservedTime"))
        or at
    )
    created = _when(meta.get("creationTimestamp"))
    source = _map(tree.get("source")) or _map(tree.get("deprecatedSource"))
    kind = _str(about.get("kind"))
    return Event(
        namespace="" if kind == "Node" else _str(about.get("namespace")) or _str(meta.get("namespace")),
        origin=origin,
        type=_str(tree.get("type")) or "Normal",
        reason=_str(tree.get("reason")),
        message=_text(tree.get("message") or tree.get("note")),
        kind=kind,
        name=_str(about.get("name")),
        uid=_str(about.get("uid")),
        field_path=_str(about.get("fieldPath")),
        count=_int(tree.get("count")) or _int(tree.get("deprecatedCount")) or _int(series.get("count")) or 1,
        first=first or last or created,
        last=last or first or created,
        reporter=_str(tree.get("reportingComponent"))
        or _str(tree.get("reportingController"))
        or _str(source.get("component")),
    )


def workload(obj: Any, origin: Origin, *, gone: bool = False) -> Workload:
    """Any other object. Kinds without `spec` (ConfigMap, Role, webhook configuration, …) carry their own top-level
    fields in `spec`.

    Raises:
        ValueError: it has no name or no kind.
    """
    tree, meta = _named(obj)
    kind = _str(tree.get("kind"))
    if not kind:
        raise ValueError("this is no Kubernetes object: kind is missing")
    clean = redact_value({k: v for k, v in tree.items() if k != "metadata"})
    spec = clean.get("spec")
    if not isinstance(spec, dict):
        spec = {k: v for k, v in clean.items() if k not in ("apiVersion", "kind", "status", "spec")}
    managers = {_str(m.get("manager")) for m in _items(meta.get("managedFields"))}
    return Workload(
        api_version=_str(tree.get("apiVersion")),
        kind=kind,
        namespace=_str(meta.get("namespace")),
        name=meta["name"],
        origin=origin,
        uid=_str(meta.get("uid")),
        labels=_strings(meta.get("labels")),
        annotations=_strings(meta.get("annotations")),
        owners=owners(meta),
        generation=_int(meta.get("generation")),
        created=_when(meta.get("creationTimestamp")),
        spec=spec,
        status=_map(clean.get("status")),
        managers=tuple(sorted(managers - {""})),
        gone=gone,
    )
