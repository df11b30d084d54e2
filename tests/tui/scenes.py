"""Situations to look at pages with: values only, delivered by a source that has no thread and no cluster."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any

import msgspec

from console.advice.model import Advice, AdviceReport, Unjudged
from console.apps.model import Death, Member, MemoryPlan, SparkApp
from console.board.model import Board, Cluster
from console.causes.model import Incident
from console.facts.evidence import Evidence
from console.facts.model import Alert, Log, Origin, Owner, SourceState
from console.findings.model import Finding, RuledOut
from console.live.against import AgainstRead
from console.live.situation import Focus, FocusOn, Situation
from console.runbook.match import Matched
from console.slo.model import Burn, SloStatus

NOW = 1795545720.0
GI = 2.0**30
KEY = "spark-prod/etl-orders"
WINDOWS = (300.0, 3600.0, 21600.0, 259200.0)
FACTORS = (14.4, 14.4, 6.0, 1.0)


def member(number: int) -> Member:
    dead = number % 3 == 0
    death = Death("container-oom", "container limit (cgroup)", 137, "OOMKilled", NOW - 30 * number)
    return Member(
        id=str(number),
        role="executor",
        state="OOMKilled" if dead else "Running",
        pod=f"etl-orders-exec-{number}",
        namespace="spark-prod",
        node=f"node-{number % 7:03d}",
        created=NOW - 60 * number,
        ended=NOW - 30 * number if dead else None,
        death=death if dead else None,
        memory_limit=4 * GI,
    )


def sick_app() -> SparkApp:
    driver = Member("driver", "driver", "Running", pod="etl-orders-driver", namespace="spark-prod", node="node-112")
    return SparkApp(
        key=KEY,
        namespace="spark-prod",
        name="etl-orders",
        launcher="kubeflow",
        state="RUNNING",
        kind="SparkApplication",
        attempt=2,
        spark_version="4.1.4",
        language="Python",
        driver=driver,
        executors=tuple(member(n) for n in range(1, 21)),
        wanted_executors=20,
        running_executors=14,
        started=NOW - 2460,
        executor_memory=MemoryPlan(2.9 * GI, 1.1 * GI, total=4 * GI, factor=0.4, source="factor 0.4, Python job"),
        owners=(Owner("v1beta2", "ScheduledSparkApplication", "nightly-etl"),),
    )


def app(number: int) -> SparkApp:
    name = f"job-{number:05d}"
    return SparkApp(
        key=f"spark-prod/{name}",
        namespace="spark-prod",
        name=name,
        launcher="kubeflow",
        state=("RUNNING", "COMPLETED", "PENDING_RERUN")[number % 3],
        attempt=1,
        spark_version="4.1.4",
        wanted_executors=4,
        running_executors=4,
        started=NOW - 60 * number,
    )


def slo(id: str, title: str, left: float | None, rates: tuple[float, ...], reason: str = "") -> SloStatus:
    burning = any(r >= f for r, f in zip(rates, FACTORS, strict=False))
    burns = tuple(
        Burn(w, r / 100, r, 3, 20, low_traffic=w == 300, factor=f)
        for w, r, f in zip(WINDOWS, rates, FACTORS, strict=False)
    )
    return SloStatus(
        id=id,
        title=title,
        objective=0.99,
        period=30 * 86400,
        state="no data" if left is None else "burning" if burning else "good",
        severity="page" if burning else "",
        budget_left=left,
        bad=None if left is None else 41,
        total=None if left is None else 4982,
        burns=burns,
        reason=reason,
        arithmetic="events over the period",
        source="spark_application_success_count",
        measured_at=NOW - 12,
    )


OOM = Finding(
    code="executor-oom-container",
    class_="I01",
    severity="critical",
    subject=f"SparkApplication/{KEY}",
    since=NOW - 840,
    confidence="high",
    title="executors killed at their container limit",
    detail="6 of 20 executors ended with exit code 137 and reason OOMKilled; the heap stayed at 1.1 of 2.9Gi.",
    evidence=tuple(
        Evidence("kubernetes", f"Pod/spark-prod/etl-orders-exec-{n}", "exitCode 137, reason OOMKilled") for n in (3, 6)
    ),
    ruled_out=(RuledOut("I02", "no 'Java heap space' in 6 logs"),),
    open_questions=("Python RSS is unknown: set spark.executor.processTreeMetrics.enabled=true",),
    runbooks=("spark-oom",),
    app=KEY,
)
MATCH = Matched("spark-oom", "Executor or driver out of memory", "finding executor-oom-container", 60, finding=OOM.key)


def situation(*, apps: int = 40, production: bool = True, **changes: Any) -> Situation:
    """One sick application among `apps` healthy ones."""
    everyone = (sick_app(), *(app(n) for n in range(apps)))
    board = Board(
        at=NOW,
        cluster=Cluster(context="spark-prod/eu-west-1", production=production, mode="guarded"),
        verdict="BURNING",
        summary="1 of 3 SLOs burning, 1 without data · 1 finding",
        apps=everyone,
        findings=(OOM,),
        slos=(
            slo("job-success", "job success", 0.18, (16.0, 14.9, 6.1, 1.3), "5m and 1h burn above 14.4"),
            slo("connect", "connect available", None, (), "target spark-connect-41 has no endpoints"),
            slo("start-latency", "start latency", 0.83, (2.0, 1.9, 0.8, 0.4)),
        ),
        alerts=(Alert("SparkPodOOMKilled", {"app": "etl-orders"}, Origin("prometheus", "ALERTS"), since=NOW - 720),),
        sources=(SourceState("pods", "fresh"), SourceState("prometheus", "late", detail="2m")),
        pods=812,
    )
    matches = {OOM.key: (MATCH,), f"app:{KEY}": (MATCH,), "alert:SparkPodOOMKilled{app=etl-orders}": (MATCH,)}
    return Situation(**{"board": board, "phase": "live", "matches": matches, **changes})


def shared(count: int = 12) -> Situation:
    """`count` applications that suffer from one node, and one with trouble of its own."""
    findings = tuple(
        msgspec.structs.replace(
            OOM,
            code="executor-lost-node",
            class_="I06",
            title="executors lost with their node",
            subject=f"SparkApplication/spark-prod/job-{n:05d}",
            app=f"spark-prod/job-{n:05d}",
            detail="",
            open_questions=(),
        )
        for n in range(count)
    )
    incident = Incident(
        key="node:node-112:",
        title=f"node-112 does not answer ({count} applications)",
        findings=tuple(f.key for f in findings),
        severity="critical",
        since=NOW - 300,
        shared="node node-112",
        speaks_for=(f"{count} of {count} had executors on node-112", "they began within 40s"),
        against=("2 applications on node-112 are well",),
    )
    board = msgspec.structs.replace(situation().board, findings=(*findings, OOM), incidents=(incident,))
    return situation(board=board)


ADVICE = AdviceReport(
    at=NOW,
    items=(
        Advice(
            "credential-in-conf",
            "security",
            "high",
            f"SparkApplication/{KEY}",
            "spark.hadoop.fs.s3a.secret.key holds a credential in plain text",
            "who may read the application can read it",
            "put it in a Secret",
            "every Spark version on Kubernetes",
            "https://spark.apache.org/docs/latest/security.html",
            about="spark.hadoop.fs.s3a.secret.key",
            evidence=(Evidence("kubernetes", "/apis/x", "spec.sparkConf spark.hadoop.fs.s3a.secret.key"),),
            app=KEY,
            namespace="spark-prod",
        ),
        Advice(
            "pod-security-level",
            "security",
            "medium",
            "Namespace//spark-prod",
            "namespace spark-prod enforces no Pod Security level",
            "whoever may create pods here can make privileged ones",
            "label it pod-security.kubernetes.io/enforce=baseline",
            "Kubernetes 1.25 and later",
            "https://kubernetes.io/docs/concepts/security/pod-security-admission/",
            namespace="spark-prod",
        ),
    ),
    unjudged=(Unjudged("security", "which rights it has", "rolebindings may not be read", "list rolebindings"),),
    sources=(SourceState("rolebindings", "forbidden", detail="cannot list", hint="list rolebindings"),),
    apps=(KEY,),
    namespaces=("spark-prod",),
)


class Scene:
    """A source: it shows `situation`, and remembers what it was asked."""

    def __init__(self, situation: Situation, log: str = "") -> None:
        self._situation, self._log = situation, log
        self.asked: list[tuple[str, Any]] = []
        self.drifted: tuple[str, ...] = ()
        self.advice, self.changed = ADVICE, AgainstRead("no data", detail="no good run of it is known here")
        self._show: Callable[[Situation], None] | None = None
        self._focus: Callable[[Focus], None] | None = None

    @property
    def situation(self) -> Situation:
        return self._situation

    def start(self) -> None:
        self.show(self._situation)

    def stop(self, timeout: float = 5.0) -> None:
        self.asked.append(("stop", None))

    def subscribe(self, situation: Callable[[Situation], None], focus: Callable[[Focus], None] | None = None) -> None:
        self._show, self._focus = situation, focus

    def show(self, situation: Situation) -> None:
        """Deliver another situation."""
        self._situation = situation
        if self._show is not None:
            self._show(situation)

    def focus(self, on: FocusOn) -> None:
        self.asked.append(("focus", on))
        if self._focus is not None and (on.app or on.pod):
            log = Log(f"Pod/{on.pod}", self._log, Origin("log", on.pod)) if on.pod else None
            self._focus(Focus(on, state="ready", log=log))

    def _did(self, what: str, value: Any, result: Any = None) -> Future[Any]:
        self.asked.append((what, value))
        future: Future[Any] = Future()
        future.set_result(result)
        return future

    def begin(
        self,
        runbook: str,
        *,
        app: str = "",
        alert: Alert | None = None,
        given: Mapping[str, str] | None = None,
        person: Any = None,
    ) -> Future[str]:
        return self._did("begin", (runbook, app), "w1")

    def resume(self, walk: str, person: Any = None, *, bind: bool = False) -> Future[str]:
        return self._did("resume", (walk, bind), walk)

    def drift(self, walk: str) -> Future[tuple[str, ...]]:
        return self._did("drift", walk, self.drifted)

    def reply(self, walk: str, reply: Any, question: Any = None) -> Future[None]:
        return self._did("reply", reply)

    def note(self, walk: str, text: str) -> Future[None]:
        return self._did("note", text)

    def hand_over(self, walk: str, text: str) -> Future[None]:
        return self._did("hand over", text)

    def stop_walk(self, walk: str, because: str = "stopped") -> Future[None]:
        return self._did("stop walk", because)

    def rollback(self, walk: str, effect: str) -> Future[None]:
        return self._did("rollback", effect)

    def asked_of_me(self, digest: str) -> Future[Any]:
        from console.operate.approvals.giving import question

        request = next(one for one in self._situation.requests if one.digest == digest)
        return self._did("asked_of_me", digest, question(request, "prod-eu", ("the same change",)))

    def approve(self, digest: str, person: Any) -> Future[int]:
        return self._did("approve", (digest, person), 60)

    def timeline(self, walk: str) -> Future[str]:
        return self._did("timeline", walk, "# Timeline\n")

    def against(self, app: str, run: str = "") -> Future[AgainstRead]:
        return self._did("against", (app, run), self.changed)

    def advise(self, app: str = "") -> Future[AdviceReport]:
        return self._did("advise", app, self.advice)
