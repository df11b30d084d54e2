"""What a driver knows of its executors and stages."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from console.drill.heap import Happening
from console.drill.memory import Sizing
from console.drill.workload import Stage

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
        return sum((until - since) * self.size.cores for since, until, _, rate in self.spans(now) if rate > 0)

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
    plan: Stage
    started: float
    ended: float | None = None
    kept: float = 0.0
    """Tasks whose output survives although their executor is gone."""
    failed: int = 0
    failure: str = ""
    rounds: int = 0
    """How often every running task of it failed."""
