"""Verdicts: SparkApp, Finding, SloStatus, Component and the Board that holds them. Immutable, JSON-able by msgspec."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

from console.health.facts import Alert, Node, Owner, SourceState
from console.health.gpu.model import Fleet

Severity = Literal["critical", "warning", "info"]
Confidence = Literal["high", "medium", "low"]
Launcher = Literal["kubeflow", "apache", "submit", "connect", "standalone", "unknown"]
SEVERITY_ORDER: dict[str, int] = {"critical": 0, "warning": 1, "info": 2}


class Evidence(Struct, frozen=True):
    """One thing that was seen. `locator` says where to look again, `excerpt` quotes it (cleaned, redacted, short)."""

    source: str
    locator: str
    excerpt: str
    at: float | None = None


class RuledOut(Struct, frozen=True, rename={"class_": "class"}):
    """A look-alike that does not hold: `class_` is an incident class or a short word, `because` the reason."""

    class_: str
    because: str


class Finding(Struct, frozen=True, rename={"class_": "class"}):
    """Something that is wrong, as one statement with proof.

    Attributes:
        code: stable kebab-case word of the rule, e.g. `executor-oom-container`.
        class_: incident class `I01`…`I30`, or None (user code, or not classed).
        subject: `kind/namespace/name` of what it is about.
        since: epoch seconds of the first proof, or None.
        title: one short line for a row; `detail` one or two lines of reasoning.
        open_questions: what would decide between the causes still open: the exact thing to look at.
        app: key of the SparkApp it belongs to, `` if none.
        data: figures that runbooks use (sizes in bytes, counts), documented by the rule.
    """

    code: str
    class_: str | None
    severity: Severity
    subject: str
    since: float | None
    confidence: Confidence
    title: str
    detail: str = ""
    evidence: tuple[Evidence, ...] = ()
    ruled_out: tuple[RuledOut, ...] = ()
    open_questions: tuple[str, ...] = ()
    runbooks: tuple[str, ...] = ()
    app: str = ""
    causes: tuple[str, ...] = ()
    """Keys (`code@subject`) of the findings that this one is a consequence of."""
    data: dict[str, Any] = {}

    @property
    def key(self) -> str:
        return f"{self.code}@{self.subject}"


class Death(Struct, frozen=True):
    """How a driver or an executor ended. `kind` is the verdict in one word, `words` the same for people.

    Kinds: container-oom, heap-oom, gc-overhead, python-oom, driver-result, evicted, preempted, drained, deleted,
    sigterm, sigkill, node-lost, disk-limit, deadline, start-error, image, user-error, max-executor-failures, normal,
    decommissioned, unknown.
    """

    kind: str
    words: str
    exit_code: int | None = None
    reason: str = ""
    at: float | None = None


class Member(Struct, frozen=True):
    """A driver or an executor of an application."""

    id: str
    """`driver` or the executor id."""
    role: Literal["driver", "executor"]
    state: str
    """A word: Pending, Running, Succeeded, Failed, OOMKilled, Evicted, Deleted, Unknown, …"""
    pod: str = ""
    namespace: str = ""
    node: str = ""
    ready: bool = False
    created: float | None = None
    ended: float | None = None
    death: Death | None = None
    attempt: int = 0
    memory_limit: float | None = None
    memory_request: float | None = None
    cpu_request: float | None = None
    gpus: float = 0
    memory_used: float | None = None
    restarts: int = 0
    gone: bool = False
    waiting: str = ""
    captured: bool = False
    """True where the evidence was kept on disk before the pod vanished."""


class MemoryPlan(Struct, frozen=True):
    """How Spark sizes a container, in bytes: heap + overhead (+ off-heap + pyspark) = total.

    `source` says where each number comes from: `spec.executor.memory`, `default`, `pod limit`, …
    """

    heap: float | None
    overhead: float | None
    off_heap: float | None = None
    pyspark: float | None = None
    total: float | None = None
    factor: float | None = None
    source: str = ""


class Attempt(Struct, frozen=True):
    """One attempt of an application. `death` is the driver's; `cause` the key of the finding that explains it."""

    number: int
    state: str
    app_id: str = ""
    started: float | None = None
    ended: float | None = None
    death: Death | None = None
    cause: str = ""


class SparkApp(Struct, frozen=True):
    """One Spark application, whatever started it.

    Attributes:
        key: `namespace/name`, unique on a board.
        state: a word of the launcher (RUNNING, FAILED, COMPLETED, PENDING_RERUN, …), `Ready` for a Connect server.
        writable: whether Console may offer changes (kubeflow only, so far); `why_not` says why not.
        owners: the chain above it: ScheduledSparkApplication, Airflow, Argo CD, Flux, …
    """

    key: str
    namespace: str
    name: str
    launcher: Launcher
    state: str
    message: str = ""
    app_id: str = ""
    spark_version: str = ""
    language: str = ""
    image: str = ""
    driver: Member | None = None
    executors: tuple[Member, ...] = ()
    wanted_executors: int | None = None
    running_executors: int = 0
    attempts: tuple[Attempt, ...] = ()
    attempt: int = 0
    started: float | None = None
    ended: float | None = None
    driver_memory: MemoryPlan | None = None
    executor_memory: MemoryPlan | None = None
    cpu_requested: float = 0.0
    memory_requested: float = 0.0
    memory_used: float | None = None
    gpus_requested: float = 0.0
    conf: dict[str, str] = {}
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    uid: str = ""
    generation: int = 0
    api_version: str = ""
    kind: str = ""
    owners: tuple[Owner, ...] = ()
    managers: tuple[str, ...] = ()
    writable: bool = False
    why_not: str = ""
    tasks: dict[str, int] = {}
    """active, completed, failed, total where Spark's REST or metrics say so."""

    @property
    def subject(self) -> str:
        return f"{self.kind or 'SparkApp'}/{self.namespace}/{self.name}"

    @property
    def live(self) -> bool:
        return self.state.upper() not in (
            "COMPLETED",
            "FAILED",
            "SUBMISSION_FAILED",
            "SUCCEEDED",
            "TERMINATED",
            "FINISHED",
            "KILLED",
            "ERROR",
        )


SloState = Literal["good", "burning", "exhausted", "no data"]


class Burn(Struct, frozen=True):
    """Error ratio and burn rate over one window. None means no data, which is neither zero nor good."""

    window: float
    """Seconds."""
    ratio: float | None
    rate: float | None
    bad: float | None = None
    total: float | None = None
    low_traffic: bool = False
    factor: float | None = None
    """Alert factor of the pair that this window belongs to, where there is one."""
    covered: float | None = None
    """Share of the window for which there is data, 0–1."""


class Contributor(Struct, frozen=True):
    name: str
    bad: float
    share: float


class SloStatus(Struct, frozen=True):
    """One objective and how it stands. The arithmetic is named and its age given."""

    id: str
    title: str
    objective: float
    period: float
    """Seconds."""
    state: SloState
    reason: str = ""
    """Why there is no data, or which pair of windows burns."""
    budget_left: float | None = None
    """Share of the budget, 1 = untouched, below 0 = overspent."""
    bad: float | None = None
    total: float | None = None
    burns: tuple[Burn, ...] = ()
    severity: Literal["page", "ticket", ""] = ""
    low_traffic: bool = False
    exhausted_in: float | None = None
    """Seconds until the budget is gone at the present burn."""
    contributors: tuple[Contributor, ...] = ()
    contributors_by: tuple[str, ...] = ()
    """The labels that a contributor's name is made of."""
    arithmetic: str = ""
    source: str = ""
    queries: tuple[str, ...] = ()
    covered: float | None = None
    measured_at: float | None = None
    runbooks: tuple[str, ...] = ()
    partial: bool = False
    """Some series are missing from the answer; `reason` says why. The figures are of what came."""

    @property
    def unattributed(self) -> float | None:
        """Share of the bad events for which no contributor is known; None without contributors."""
        if not self.contributors:
            return None
        return max(0.0, 1.0 - sum(c.share for c in self.contributors))

    def burn(self, window: float) -> Burn | None:
        return next((b for b in self.burns if b.window == window), None)


class Component(Struct, frozen=True):
    """A system of the platform. `state` unknown means that no signal says how it is."""

    id: str
    title: str
    state: Literal["healthy", "degraded", "down", "unknown", "absent"]
    reason: str = ""
    found: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    runbooks: tuple[str, ...] = ()
    expected: bool = False


class Cluster(Struct, frozen=True):
    """Which cluster, as whom, and what we may do there."""

    context: str = ""
    server: str = ""
    user: str = ""
    namespace: str = ""
    version: str = ""
    production: bool = False
    mode: Literal["read-only", "guarded", "write"] = "read-only"
    kind: Literal["real", "simulated", "saved"] = "real"


class Incident(Struct, frozen=True):
    """Findings that share one cause, shown as one row. `speaks_for` and `against` are sentences."""

    key: str
    title: str
    findings: tuple[str, ...]
    severity: Severity
    since: float | None = None
    shared: str = ""
    speaks_for: tuple[str, ...] = ()
    against: tuple[str, ...] = ()


class Board(Struct, frozen=True):
    """Everything that is judged at one moment. `verdict` is one word: OK, DEGRADED, BURNING or UNKNOWN."""

    at: float
    cluster: Cluster
    verdict: str
    summary: str = ""
    apps: tuple[SparkApp, ...] = ()
    findings: tuple[Finding, ...] = ()
    incidents: tuple[Incident, ...] = ()
    slos: tuple[SloStatus, ...] = ()
    components: tuple[Component, ...] = ()
    alerts: tuple[Alert, ...] = ()
    nodes: tuple[Node, ...] = ()
    gpus: Fleet = Fleet()
    sources: tuple[SourceState, ...] = ()
    pods: int = 0

    def app(self, key: str) -> SparkApp | None:
        return next((a for a in self.apps if a.key == key), None)

    def findings_of(self, app: str) -> tuple[Finding, ...]:
        return tuple(f for f in self.findings if f.app == app)
