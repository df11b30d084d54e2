"""Small clusters for tests, built as Kubernetes objects and decoded as real ones are. Times are seconds after T0."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from console.apps.assemble import assemble
from console.apps.model import SparkApp
from console.base.clock import parse_time, rfc3339
from console.facts.model import Alert, Event, Facts, Log, Node, Origin, Pod, RestDocument, Sample, Workload
from console.findings.diagnose import diagnose
from console.findings.figures import Figures, figures_of
from console.findings.model import Finding
from console.sources.cluster import decode

T0 = parse_time("2026-11-24T10:00:00Z") or 0.0
NS = "jobs"
APP_ID = "spark-" + "a" * 32
HERE = Origin("kubernetes", "/api/v1")


def at(seconds: float | None) -> str | None:
    return rfc3339(T0 + seconds) if seconds is not None else None


def ended(code: int | None, reason: str = "Error", when: float = 300, began: float = 10) -> dict[str, Any]:
    """A `terminated` state."""
    return {"terminated": {"exitCode": code, "reason": reason, "startedAt": at(began), "finishedAt": at(when)}}


RUNNING: dict[str, Any] = {"running": {"startedAt": at(10)}}


def waiting(reason: str, message: str = "") -> dict[str, Any]:
    return {"waiting": {"reason": reason, "message": message}}


def raw_pod(
    name: str,
    role: str = "executor",
    *,
    number: int = 1,
    state: dict[str, Any] | None = None,
    phase: str = "Running",
    created: float = 0,
    deleted: float | None = None,
    reason: str = "",
    message: str = "",
    node: str = "node-1",
    app_id: str = APP_ID,
    labels: dict[str, str] | None = None,
    conditions: list[dict[str, Any]] | None = None,
    limits: dict[str, str] | None = None,
    heap: str = "512m",
    container: str = "",
    others: list[dict[str, Any]] | None = None,
    other_states: list[dict[str, Any]] | None = None,
    volumes: list[dict[str, Any]] | None = None,
    uid: str = "",
    owner: str = "",
    args: list[str] | None = None,
    ready: bool = False,
    image: str = "registry.local/spark:4.1.4",
    version: str = "4.1.4",
    restarts: int = 0,
    last: dict[str, Any] | None = None,
    ip: str = "",
    gates: Sequence[str] = (),
    devices: Sequence[dict[str, Any]] = (),
) -> dict[str, Any]:
    main = container or f"spark-kubernetes-{role}"
    held = {"spark-role": role, "spark-app-selector": app_id, "spark-version": version, **(labels or {})}
    if role == "executor":
        held.setdefault("spark-exec-id", str(number))
    meta: dict[str, Any] = {
        "name": name,
        "namespace": NS,
        "uid": uid or f"uid-{name}-{created:g}",
        "creationTimestamp": at(created),
        "labels": {k: v for k, v in held.items() if v},
        "ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": owner, "uid": f"uid-{owner}-0"}]
        if owner
        else [],
    }
    if deleted is not None:
        meta |= {"deletionTimestamp": at(deleted + 30), "deletionGracePeriodSeconds": 30}
    sizes = limits if limits is not None else {"memory": "896Mi"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": meta,
        "spec": {
            "nodeName": node,
            "containers": [
                {
                    "name": main,
                    "image": image,
                    "args": args or [],
                    "resources": {"limits": sizes, "requests": {"cpu": "1", **sizes}},
                    "env": [{"name": "SPARK_EXECUTOR_MEMORY", "value": heap}] if role == "executor" else [],
                },
                *(others or []),
            ],
            "volumes": volumes or [],
            "schedulingGates": [{"name": gate} for gate in gates],
        },
        "status": {
            "phase": phase,
            "reason": reason,
            "message": message,
            "podIP": ip,
            "conditions": conditions or [],
            "containerStatuses": [
                *(
                    [
                        {
                            "name": main,
                            "state": state,
                            "ready": ready,
                            "restartCount": restarts,
                            "lastState": last or {},
                            "allocatedResourcesStatus": list(devices),
                        }
                    ]
                    if state is not None
                    else []
                ),
                *(other_states or []),
            ],
        },
    }


def pod(name: str, role: str = "executor", *, gone: bool = False, **rest: Any) -> Pod:
    return decode.pod(raw_pod(name, role, **rest), HERE, gone=gone)


def driver(state: dict[str, Any] | None = None, phase: str = "Running", **rest: Any) -> Pod:
    rest.setdefault("args", ["driver", "--class", "org.apache.spark.deploy.PythonRunner", "local:///opt/job.py"])
    return pod(rest.pop("name", "etl-driver"), "driver", state=state or RUNNING, phase=phase, **rest)


def executor(number: int, state: dict[str, Any] | None = None, phase: str = "Running", **rest: Any) -> Pod:
    rest.setdefault("owner", "etl-driver")
    return pod(rest.pop("name", f"etl-exec-{number}"), number=number, state=state or RUNNING, phase=phase, **rest)


def pending(number: int, reason: str, message: str, since: float = 0, **rest: Any) -> Pod:
    """An executor that has no node."""
    conditions = [
        {
            "type": "PodScheduled",
            "status": "False",
            "reason": reason,
            "message": message,
            "lastTransitionTime": at(since),
        }
    ]
    return pod(f"etl-exec-{number}", number=number, phase="Pending", node="", conditions=conditions, **rest)


def event(about: str, reason: str, message: str, when: float = 100, type: str = "Warning", count: int = 1) -> Event:
    kind, namespace, name = about.split("/")
    return decode.event(
        {
            "metadata": {"namespace": namespace or "default", "name": f"{name}.{reason}.{when}"},
            "involvedObject": {"kind": kind, "namespace": namespace, "name": name},
            "reason": reason,
            "message": message,
            "type": type,
            "count": count,
            "firstTimestamp": at(when),
            "lastTimestamp": at(when),
        },
        HERE,
    )


def node(name: str = "node-1", **rest: Any) -> Node:
    conditions = rest.pop("conditions", [{"type": "Ready", "status": "True"}])
    return decode.node(
        {
            "metadata": {"name": name, "labels": rest.pop("labels", {})},
            "spec": {"unschedulable": rest.pop("cordoned", False), "taints": rest.pop("taints", [])},
            "status": {
                "capacity": rest.pop("capacity", {}),
                "allocatable": rest.pop("allocatable", {}),
                "conditions": conditions,
            },
        },
        HERE,
    )


def disruption(reason: str, message: str = "") -> list[dict[str, Any]]:
    return [{"type": "DisruptionTarget", "status": "True", "reason": reason, "message": message}]


def log(text: str, role: Any = "driver", subject: str = "", name: str = "") -> Log:
    subject = subject or (f"Pod/{NS}/etl-driver" if role == "driver" else f"Pod/{NS}/etl-exec-1")
    return Log(subject, text, Origin("log", name or f"{role}.log"), role=role)


def line(text: str, level: str = "WARN", when: float = 100) -> str:
    """A log record of Spark's plain layout; `text` begins with the logger's name and a colon."""
    stamp = (at(when) or "")[2:19].replace("-", "/").replace("T", " ")
    return f"{stamp} {level} {text}\n"


def cr(
    state: str = "RUNNING",
    *,
    name: str = "etl",
    message: str = "",
    spec: dict[str, Any] | None = None,
    status: dict[str, Any] | None = None,
    kind: str = "SparkApplication",
    api: str = "sparkoperator.k8s.io/v1beta2",
    generation: int = 1,
    meta: dict[str, Any] | None = None,
    created: float = 0,
) -> Workload:
    body = {"applicationState": {"state": state, "errorMessage": message}} if kind == "SparkApplication" else {}
    return decode.workload(
        {
            "apiVersion": api,
            "kind": kind,
            "metadata": {
                "name": name,
                "namespace": NS,
                "uid": f"uid-{name}",
                "generation": generation,
                "creationTimestamp": at(created),
                **(meta or {}),
            },
            "spec": {
                "type": "Python",
                "sparkVersion": "4.1.4",
                "driver": {"memory": "512m"},
                "executor": {"instances": 2, "memory": "512m"},
                **(spec or {}),
            },
            "status": {**body, **(status or {})},
        },
        HERE,
    )


def workload(
    kind: str, name: str, *, spec: Any = None, status: Any = None, namespace: str = NS, **meta: Any
) -> Workload:
    return decode.workload(
        {
            "apiVersion": "v1",
            "kind": kind,
            "metadata": {"name": name, "namespace": namespace, "creationTimestamp": at(0), **meta},
            "spec": spec or {},
            "status": status or {},
        },
        HERE,
    )


def rest(path: str, data: Any, app_id: str = APP_ID) -> RestDocument:
    return RestDocument(path, data, Origin("spark-rest", f"/api/v1/applications/{app_id}/{path}"), app_id=app_id)


def sample(series: str, value: float, when: float = 0, **labels: str) -> Sample:
    return Sample(series, labels, value, T0 + when, Origin("prometheus", series))


def facts(*things: Any, now: float = 600) -> Facts:
    """Facts of anything that the functions above make, in any order."""
    kinds: dict[type, list[Any]] = {}
    spark, others = [], []
    for thing in things:
        if isinstance(thing, Workload):
            known = thing.kind in ("SparkApplication", "ScheduledSparkApplication", "SparkConnect", "SparkCluster")
            (spark if known else others).append(thing)
        else:
            kinds.setdefault(type(thing), []).append(thing)
    return Facts(
        at=T0 + now,
        pods=tuple(kinds.get(Pod, ())),
        nodes=tuple(kinds.get(Node, ())),
        events=tuple(kinds.get(Event, ())),
        spark=tuple(spark),
        workloads=tuple(others),
        logs=tuple(kinds.get(Log, ())),
        rest=tuple(kinds.get(RestDocument, ())),
        samples=tuple(kinds.get(Sample, ())),
        alerts=tuple(kinds.get(Alert, ())),
    )


def apps(*things: Any, now: float = 600) -> tuple[SparkApp, ...]:
    return assemble(facts(*things, now=now))


def judge(*things: Any, now: float = 600) -> tuple[Finding, ...]:
    world = facts(*things, now=now)
    found = diagnose(world, assemble(world))
    for finding in found:
        assert has_its_figures(finding), (finding.code, finding.data)
    return found


def has_its_figures(finding: Finding) -> bool:
    """Whether the figures of a finding are those that its code is listed with."""
    family = figures_of(finding.code)
    return isinstance(finding.data, family) and (family is not Figures or type(finding.data) is Figures)


def one(*things: Any, now: float = 600) -> Finding:
    """The first finding, or a failure that shows that there is none."""
    found = judge(*things, now=now)
    assert found, "no finding"
    return found[0]
