"""Boards for the tests of runbooks: one kubeflow application that loses executors, before and after a change."""

from __future__ import annotations

from typing import Any

from msgspec.structs import fields as fields_of

from console.apps.model import Death, Member, MemoryPlan, SparkApp
from console.board.model import Board, Cluster
from console.facts.evidence import Evidence
from console.facts.model import Alert, Condition, Node, Origin
from console.findings.figures import Figures, figures_of
from console.findings.figures.memory import SizeProposal
from console.findings.model import Finding, RuledOut
from console.findings.sizing import SizeQuestion, beside_the_heap, proposed
from console.slo.model import Burn, SloStatus

NOW = 1_795_000_000.0
MI = 2**20
GI = 2**30
ORIGIN = Origin("test", "test")
KEY = "spark-jobs/etl-orders"


def executor(number: int, *, created: float, state: str = "Running", death: Death | None = None, **more: Any) -> Member:
    return Member(
        id=str(number),
        role="executor",
        state=state,
        pod=f"etl-orders-exec-{number}",
        namespace="spark-jobs",
        node="node-041",
        created=created,
        death=death,
        **more,
    )


def driver(created: float, state: str = "Running", **more: Any) -> Member:
    return Member(
        id="driver",
        role="driver",
        state=state,
        pod="etl-orders-driver",
        namespace="spark-jobs",
        created=created,
        **more,
    )


def oom_death(at: float, kind: str = "container-oom") -> Death:
    return Death(kind=kind, words="container limit (cgroup)", exit_code=137, reason="OOMKilled", at=at)


def app(**fields: Any) -> SparkApp:
    """etl-orders, RUNNING, with two executors; started forty minutes ago."""
    begun = NOW - 2400
    basis: dict[str, Any] = {
        "key": KEY,
        "namespace": "spark-jobs",
        "name": "etl-orders",
        "launcher": "kubeflow",
        "state": "RUNNING",
        "app_id": "spark-1",
        "language": "Python",
        "driver": driver(begun),
        "executors": (executor(1, created=begun + 20), executor(2, created=begun + 20)),
        "wanted_executors": 2,
        "running_executors": 2,
        "started": begun,
        "executor_memory": MemoryPlan(heap=2.9 * GI, overhead=1.1 * GI, total=4.0 * GI),
        "uid": "uid-1",
        "generation": 1,
        "api_version": "sparkoperator.k8s.io/v1beta2",
        "kind": "SparkApplication",
        "writable": True,
        "tasks": {"completed": 100, "failed": 6},
        "conf": {"spark.hadoop.fs.s3a.secret.key": "hunter2-hunter2"},
    }
    return SparkApp(**{**basis, **fields})


def figures(code: str, known: dict[str, Any]) -> Figures:
    """The figures of a code, as far as they are known."""
    family = figures_of(code)
    known = {"proposal": proposal(code, known), **known}
    unknown = dict.fromkeys(field.name for field in fields_of(family) if field.required)
    return family(**unknown | {name: value for name, value in known.items() if name in family.__struct_fields__})


def proposal(code: str, known: dict[str, Any]) -> SizeProposal | None:
    """What a finding of memory proposes where nothing but its own figures is known."""
    role, now, field = known.get("role"), known.get("heap"), "heap"
    if code == "driver-result-size":
        now, field = known.get("max_result_size"), "result-size"
    elif code in ("executor-oom-container", "executor-oom-overhead", "executor-oom-python", "driver-oom-container"):
        now, field = known.get("overhead"), "overhead"
    elif code not in ("executor-oom-heap", "executor-gc-overhead", "driver-oom-heap"):
        return None
    if now is None:
        return None
    beside = field == "overhead"
    python = known.get("python_rss")
    return proposed(
        SizeQuestion(
            field=f"driver-{field}" if role == "driver" and field != "result-size" else field,  # type: ignore[arg-type]
            now=now,
            need=beside_the_heap(known["heap"], now, python, None) if beside else None,
            added=known["limit"] if beside and known.get("tmpfs") else 0.0,
            least=known.get("result_size") or 0.0,
            heap=known.get("heap") or 0.0,
        )
    )


def finding(code: str = "executor-oom-container", **fields: Any) -> Finding:
    """A finding of the OOM family with the figures that health documents."""
    known: dict[str, Any] = {
        "current": True,
        "role": "driver" if code.startswith("driver") else "executor",
        "app_id": "spark-1",
        "language": "Python",
        "deaths": 6,
        "heap": 2900 * MI,
        "overhead": 1100 * MI,
        "limit": 4000 * MI,
        "heap_peak": 1126 * MI,
        "python_rss": None,
        "decided": "unknown",
        "likely": "overhead",
        "tmpfs": False,
        "one_task": False,
        "result_size": 3 * GI if code == "driver-result-size" else None,
        "max_result_size": GI if code == "driver-result-size" else None,
        **fields.pop("data", {}),
    }
    basis: dict[str, Any] = {
        "code": code,
        "class_": "I01",
        "severity": "critical",
        "subject": f"SparkApplication/{KEY}",
        "since": NOW - 840,
        "confidence": "high",
        "title": f"{code} on 6 executors",
        "detail": "exit 137 with reason OOMKilled",
        "evidence": (Evidence("kubernetes", "Pod/spark-jobs/etl-orders-exec-31", "exitCode 137 reason OOMKilled"),),
        "ruled_out": (RuledOut("I06", "no node is under pressure"),),
        "open_questions": ("the Python workers' resident memory",),
        "app": KEY,
        "data": figures(code, known),
    }
    return Finding(**{**basis, **fields})


def look_alike(code: str) -> Finding:
    return finding(code, class_="I06", title=f"{code} on 2 executors", data={"current": True})


def node(name: str = "node-041", *true: str) -> Node:
    return Node(name, ORIGIN, conditions=tuple(Condition(t, "True") for t in ("Ready", *true)))


def slo(fast: float | None, slow: float | None, state: Any = None, id: str = "job-success") -> SloStatus:
    rates = [r for r in (fast, slow) if r is not None]
    word = state or ("no data" if not rates else "burning" if max(rates) >= 1 else "good")
    return SloStatus(
        id=id,
        title=id,
        objective=0.99,
        period=2_419_200,
        state=word,
        budget_left=0.18,
        burns=(Burn(300.0, None, fast, awaited=True), Burn(3600.0, None, slow, awaited=True)),
    )


def board(*findings: Finding, apps: tuple[SparkApp, ...] | None = None, at: float = NOW, **fields: Any) -> Board:
    basis: dict[str, Any] = {
        "at": at,
        "cluster": Cluster(context="spark-prod", mode="guarded"),
        "verdict": "BURNING",
        "apps": (app(),) if apps is None else apps,
        "findings": findings,
        "slos": (slo(14.2, 6.1),),
        "nodes": (node(),),
    }
    return Board(**{**basis, **fields})


def alert(name: str = "SparkPodOOMKilled", **labels: str) -> Alert:
    return Alert(name, {"namespace": "spark-jobs", "pod": "etl-orders-exec-1", **labels}, ORIGIN)
