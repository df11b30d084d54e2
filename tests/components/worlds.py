"""Small worlds of facts: objects as a cluster shows them, and what is broken in them while every replica is ready."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from console.base.clock import rfc3339
from console.facts.model import Event, Facts, Log, Node, Origin, Pod, RestDocument, Sample, SourceState, Workload
from console.facts.series import MARK
from console.sources.cluster import decode

NOW = 1_800_000_000.0
HERE = Origin("kubernetes", "test", NOW)
API = {"Deployment": "apps/v1", "StatefulSet": "apps/v1", "DaemonSet": "apps/v1", "CronJob": "batch/v1"}


def workload(
    kind: str,
    name: str,
    labels: dict[str, str] | None = None,
    *,
    replicas: int = 1,
    ready: int | None = None,
    image: str = "",
    probe: bool = False,
    annotations: dict[str, str] | None = None,
    api: str = "",
    spec: dict[str, Any] | None = None,
    status: dict[str, Any] | None = None,
    namespace: str = "spark",
    resources: dict[str, str] | None = None,
) -> Workload:
    """An object; Deployments, StatefulSets and DaemonSets with `ready` of `replicas` (all, if not said)."""
    ready = replicas if ready is None else ready
    mine = labels or {"app": name}
    container: dict[str, Any] = {"name": "main", "image": image}
    if probe:
        container["readinessProbe"] = {"tcpSocket": {"port": 1}}
    if resources:
        container["resources"] = {"limits": resources}
    if kind in API and kind != "CronJob":
        template = {"metadata": {"labels": mine}, "spec": {"containers": [container]}}
        body = {"replicas": replicas, "selector": {"matchLabels": mine}, "template": template}
        state = {"replicas": replicas, "readyReplicas": ready, "availableReplicas": ready}
        if kind == "DaemonSet":
            state = {"desiredNumberScheduled": replicas, "numberReady": ready}
    else:
        body, state = {}, {}
    tree = {
        "apiVersion": api or API.get(kind, "v1"),
        "kind": kind,
        "metadata": {
            "name": name,
            "namespace": namespace,
            "uid": f"uid-{name}",
            "labels": mine,
            "annotations": annotations or {},
            "creationTimestamp": rfc3339(NOW - 86400),
        },
        "spec": {**body, **(spec or {})},
        "status": {**state, **(status or {})},
    }
    if kind == "ConfigMap":
        tree["data"] = tree.pop("spec")
    return decode.workload(tree, HERE)


def pod(
    owner: str,
    labels: dict[str, str],
    *,
    ready: bool = True,
    waiting: str = "",
    restarts: int = 0,
    restarted_ago: float = 120.0,
    **over: Any,
) -> Pod:
    """A pod of a workload."""
    state: dict[str, Any] = (
        {"waiting": {"reason": waiting}} if waiting else {"running": {"startedAt": rfc3339(NOW - 60)}}
    )
    status = {"name": "main", "state": state, "ready": ready, "restartCount": restarts}
    if restarts:
        status["lastState"] = {
            "terminated": {"exitCode": 1, "reason": "Error", "finishedAt": rfc3339(NOW - restarted_ago)}
        }
    tree = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"{owner}-7f9c4-abcde",
            "namespace": "spark",
            "labels": labels,
            "uid": f"uid-{owner}-pod",
            "annotations": over.get("annotations", {}),
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": f"{owner}-7f9c4", "uid": "u"}],
        },
        "spec": {"containers": [{"name": "main", "image": ""}]},
        "status": {
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": str(ready)}],
            "containerStatuses": [status],
        },
    }
    return decode.pod(tree, HERE)


def log(owner: str, *lines: str) -> Log:
    return Log(f"Pod/spark/{owner}-7f9c4-abcde", "\n".join(lines), Origin("log", "test", NOW))


def sample(component: str, signal: str, value: float) -> Sample:
    """The answer to the query of a metric signal; NaN says: asked, and nothing there."""
    return Sample("", {MARK: f"component|{component}|{signal}"}, value, NOW, Origin("prometheus", "test"))


def event(kind: str, name: str, reason: str, message: str = "", ago: float = 60) -> Event:
    return Event("spark", HERE, "Warning", reason, message, kind, name, last=NOW - ago)


def rest(path: str, data: Any) -> RestDocument:
    return RestDocument(path, data, Origin("spark-rest", f"http://master/{path}", NOW))


def node(name: str, *, gpus: float = 8, allocatable: float | None = None) -> Node:
    left = gpus if allocatable is None else allocatable
    return Node(name, HERE, capacity={"nvidia.com/gpu": gpus}, allocatable={"nvidia.com/gpu": left})


def app(
    name: str, state: str = "RUNNING", *, api: str = "sparkoperator.k8s.io/v1beta2", age: float = 3600, conf: Any = None
) -> Workload:
    path: dict[str, Any] = {"applicationState": {"state": state}} if state else {}
    if api.startswith("spark.apache.org"):
        path = {"currentState": {"currentStateSummary": state}}
    tree = {
        "apiVersion": api,
        "kind": "SparkApplication",
        "metadata": {"name": name, "namespace": "spark", "creationTimestamp": rfc3339(NOW - age)},
        "spec": {"sparkConf": conf or {}},
        "status": path,
    }
    return decode.workload(tree, HERE)


def facts(*things: Any) -> Facts:
    """Facts that hold all these, sorted by what they are."""
    of: dict[str, list[Any]] = {
        name: [] for name in ("pods", "nodes", "events", "spark", "workloads", "logs", "rest", "samples", "sources")
    }
    for thing in things:
        match thing:
            case Pod():
                of["pods"].append(thing)
            case Node():
                of["nodes"].append(thing)
            case Event():
                of["events"].append(thing)
            case Workload():
                of["spark" if thing.kind == "SparkApplication" else "workloads"].append(thing)
            case Log():
                of["logs"].append(thing)
            case RestDocument():
                of["rest"].append(thing)
            case Sample():
                of["samples"].append(thing)
            case SourceState():
                of["sources"].append(thing)
    return Facts(at=NOW, **{name: tuple(items) for name, items in of.items()})


def conf(*lines: str) -> Workload:
    """A ConfigMap with lines of Spark configuration."""
    return workload("ConfigMap", f"conf-{abs(hash(lines)) % 9999}", spec={"spark.conf": "\n".join(lines)})


def _connect(pod: dict[str, Any] | None = None, **over: Any) -> Workload:
    """A Deployment that has the label of a Connect server, and nothing by which it would be told to be one."""
    made = workload("Deployment", f"mark-{len(str(pod))}-{len(over)}", {"app": "spark-connect"}, **over)
    inner = made.spec["template"]["spec"]
    return replace(made, spec={**made.spec, "template": {**made.spec["template"], "spec": {**inner, **(pod or {})}}})


def _history(folder: str) -> Workload:
    made = workload("Deployment", "rel-spark-41-history", {"app": "spark-history-server"})
    container = {"name": "main", "image": "", "env": [{"name": "SPARK_HISTORY_LOG_DIR", "value": folder}]}
    template = {**made.spec["template"], "spec": {"containers": [container]}}
    return replace(made, spec={**made.spec, "template": template})


MARKED: dict[str, Workload] = {
    "spark.master is k8s://": conf("spark.master=k8s://https://kubernetes.default.svc:443"),
    "spark.master is spark://": conf("spark.master=spark://rel-standalone-master:7077"),
    "spark.master is local": conf("spark.master=local[*]"),
    "Connect asks for GPUs": _connect(resources={"nvidia.com/gpu": "1"}),
    "the release has a standalone master of its own": workload(
        "Deployment", "rel-spark-35-standalone-master", {"app": "spark-standalone-master"}
    ),
    "a database that is not Airflow's own": workload("StatefulSet", "rel-spark-base-postgresql", {"app": "postgresql"}),
    "at most 5 executors": conf("spark.dynamicAllocation.maxExecutors 5"),
    "at most 20 executors": conf("spark.dynamicAllocation.maxExecutors 20"),
    "at most 50 executors": conf("spark.dynamicAllocation.maxExecutors 50"),
    "tasks are speculated": conf("spark.speculation true"),
    "Connect stands on preemptible nodes": _connect({"nodeSelector": {"cloud.google.com/gke-preemptible": "true"}}),
    "event logs lie in the History Server's own pod": _history("file:///tmp/spark-logs"),
    "the service account is that of OpenShift": _connect({"serviceAccountName": "spark-41-openshift"}),
    "pods ask for what Pod Security restricted asks for": _connect(
        {"securityContext": {"seccompProfile": {"type": "RuntimeDefault"}}}
    ),
}
"""What a mark says -> an object that has it."""


def crowded() -> Facts:
    """10,000 pods of 500 applications beside 64 nodes and 40 Connect servers."""
    worker = pod("etl-exec", {"spark-role": "executor", "app": "spark-executor"})
    leader = pod("etl-driver", {"spark-role": "driver", "sparkoperator.k8s.io/app-name": "etl"})
    pods = [replace(worker, name=f"etl-exec-{n}", uid=str(n)) for n in range(9500)]
    pods += [replace(leader, name=f"etl-{n}-driver", uid=f"d{n}") for n in range(500)]
    apps = [app(f"etl-{n}") for n in range(500)]
    nodes = [node(f"gpu-{n}") for n in range(64)]
    parts = [
        workload("Deployment", f"rel-{n}-spark-41-connect", {"app": "spark-connect"}, image="s:4.1") for n in range(40)
    ]
    return replace(facts(*parts, *nodes, *apps), pods=tuple(pods))
