"""A run of an application as everybody sees it: its executors, its stages, and how far they are."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from console.drill.spark.memory import Demand, Sizing, sizing
from console.drill.spark.program import Program, StagePlan
from console.drill.state.clock import Happening

Object = dict[str, Any]


@dataclass
class Executor:
    """One executor.

    `work` holds (since, stage index, tasks per second): tasks done are a function of time.
    """

    number: int
    pod: Object
    size: Sizing
    host: str = ""
    asked: float = 0.0
    registered: float | None = None
    removed: float | None = None
    reason: str = ""
    failed_tasks: int = 0
    work: list[tuple[float, int, float]] = field(default_factory=list)
    fate: Happening | None = None
    ending: bool = False
    stretch: float = 1.0
    alone: float | None = None
    """Since when a single task, the longest of its stage, runs on it."""
    worker_killed: bool = False
    """The kernel killed a Python worker in it, and the container lived on."""

    @property
    def active(self) -> bool:
        """Registered and not lost."""
        return self.registered is not None and self.removed is None

    def begin(self, when: float, stage: int, rate: float) -> None:
        """From now on it works on a stage, at so many tasks per second."""
        self.work.append((when, stage, rate))

    def spared(self) -> None:
        """Memory will not kill it any more."""
        if self.fate:
            self.fate.cancel()
            self.fate = None

    def done(self, now: float, stage: int | None = None) -> float:
        """Tasks finished until `now`, of one stage or of all."""
        return sum(
            (until - since) * rate for since, until, number, rate in self.spans(now) if stage is None or stage == number
        )

    def busy(self, now: float) -> float:
        """Seconds of work until `now`, summed over its cores."""
        return sum((until - since) * self.slots(since) for since, until, _, rate in self.spans(now) if rate > 0)

    def slots(self, since: float) -> int:
        """How many tasks run at a time in work that began at `since`."""
        return 1 if since == self.alone else self.size.cores

    def spans(self, now: float) -> list[tuple[float, float, int, float]]:
        """(since, until, stage, rate) of its work until `now`."""
        now = min(now, self.removed) if self.removed is not None else now
        out = []
        for index, (since, number, rate) in enumerate(self.work):
            if since > now:
                break
            until = self.work[index + 1][0] if index + 1 < len(self.work) else now
            out.append((since, min(until, now), number, rate))
        return out

    @property
    def deleted(self) -> str:
        """How the driver explains that its pod is gone."""
        return f"The executor with id {self.number} was deleted by a user or the framework."


@dataclass
class Progress:
    """One stage of a run."""

    index: int
    plan: StagePlan
    started: float
    ended: float | None = None
    kept: float = 0.0
    """Tasks whose output survives although their executor is gone."""
    failed: int = 0
    failure: str = ""
    rounds: int = 0
    """How often every running task of it failed."""


class SparkRun:
    """One run of an application, from its driver's start to its end.

    Attributes:
        driver: the driver's pod as it was last seen.
        spec: the SparkApplication's `spec`.
        name: as the program calls itself.
        prefix: of the names of executor pods.
        executors: by their numbers; lost ones stay.
        failures: how many executors were lost.
        started: when SparkContext was up (virtual epoch seconds).
        ended, exit_code: how its process ended.
        driver_work: since when the driver holds what a stage brings to it.
    """

    def __init__(self, driver: Object, spec: Object, app_id: str, name: str, program: Program) -> None:
        self.driver, self.spec, self.app_id, self.name = driver, spec, app_id, name
        self.program = program
        self.size = sizing(spec, "executor")
        self.driver_size = sizing(spec, "driver")
        self.conf: dict[str, str] = {key: str(value) for key, value in (spec.get("sparkConf") or {}).items()}
        self.instances = int((spec.get("executor") or {}).get("instances") or 2)
        self.prefix = name
        self.executors: dict[int, Executor] = {}
        self.stages: list[Progress] = []
        self.failures = 0
        self.started: float | None = None
        self.ended: float | None = None
        self.exit_code: int | None = None
        self.driver_ip = ""
        self.driver_work: tuple[float, Demand] | None = None
        self._by_uid: dict[str, Executor] = {}

    def executor_of(self, uid: str) -> Executor | None:
        """The executor whose pod has that uid; None for the driver's."""
        return self._by_uid.get(uid)

    def done(self, stage: Progress, now: float) -> float:
        """Tasks of a stage whose results exist at `now`."""
        if stage.ended is not None and now >= stage.ended:
            return float(stage.plan.tasks)
        alive = sum(e.done(now, stage.index) for e in self.executors.values() if e.active)
        return min(float(stage.plan.tasks - (stage.plan.tail > 0)), stage.kept + alive)
