"""Applications: SparkApp with its members, attempts, deaths and memory. Immutable, JSON-able by msgspec."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from console.apps.states import over
from console.facts.model import Owner

Launcher = Literal["kubeflow", "apache", "submit", "connect", "standalone", "unknown"]


class Death(Struct, frozen=True, gc=False):
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

    @property
    def harmless(self) -> bool:
        """Whether it is the ordinary end of a member."""
        return self.kind in HARMLESS


HARMLESS = frozenset({"normal", "decommissioned"})
"""Kinds of death that are the ordinary end of a member."""


class Member(Struct, frozen=True, gc=False):
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
    memory_at: float | None = None
    """When `memory_used` was measured (epoch seconds)."""
    restarts: int = 0
    gone: bool = False
    waiting: str = ""
    captured: bool = False
    """True where the evidence was kept on disk before the pod vanished."""


class MemoryPlan(Struct, frozen=True, gc=False):
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

    @property
    def parts(self) -> tuple[tuple[str, float | None], ...]:
        """What the container is made up of, in bytes, by Spark's words; None where that is not known or not asked."""
        return ("heap", self.heap), ("overhead", self.overhead), ("off-heap", self.off_heap), ("pyspark", self.pyspark)


class Attempt(Struct, frozen=True, gc=False):
    """One attempt of an application. `death` is the driver's; `cause` the key of the finding that explains it."""

    number: int
    state: str
    app_id: str = ""
    started: float | None = None
    ended: float | None = None
    death: Death | None = None
    cause: str = ""

    @property
    def failed(self) -> bool:
        """Whether it ended badly of itself: one whose driver was deleted, so that it begins anew, did not."""
        return self.death is not None and not self.death.harmless and self.death.kind != "deleted"


class SparkApp(Struct, frozen=True, gc=False):
    """One Spark application, whatever started it.

    Attributes:
        key: `namespace/name`, unique on a board.
        state: a word of the launcher (RUNNING, FAILED, COMPLETED, PENDING_RERUN, …), `Ready` for a Connect server.
        attempt: number of the latest attempt; it never falls while the object lives. `attempt_exact`: whether it is
            known; otherwise there were at least so many.
        operator_attempts: the operator's own count, which begins anew when the spec is edited; None where it has none.
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
    attempt_exact: bool = True
    operator_attempts: int | None = None
    started: float | None = None
    ended: float | None = None
    driver_memory: MemoryPlan | None = None
    executor_memory: MemoryPlan | None = None
    cpu_requested: float = 0.0
    memory_requested: float = 0.0
    memory_used: float | None = None
    memory_at: float | None = None
    """When `memory_used` was measured, the oldest part of it."""
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
    tasks_at: float | None = None
    """When they were counted (epoch seconds)."""

    @property
    def subject(self) -> str:
        return f"{self.kind or 'SparkApp'}/{self.namespace}/{self.name}"

    @property
    def live(self) -> bool:
        return not over(self.state)
