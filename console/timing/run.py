"""One run as the finders of lost time look at it: its stages, slots, jobs, and the words for where something was."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from console.base.clock import rfc3339
from console.base.text import shorten
from console.facts.rest import RestView, num, text, when
from console.timing.tasks import StageTasks, Task, stages

TaskId = tuple[int, int, int, int]
"""(stage, attempt, task, attempt)."""


@dataclass(frozen=True)
class ExecutorLife:
    """One executor's life. Times in Unix seconds; `ended` None: it lives, or nobody said."""

    id: str
    host: str
    slots: float
    added: float | None
    ended: float | None
    active: bool


@dataclass
class ObservedRun:
    """What is known of one run. `now` is given where it may still go on."""

    rest: RestView
    now: float | None = None

    @cached_property
    def stages(self) -> dict[tuple[int, int], StageTasks]:
        found = stages(self.rest)
        if self.until is not None:
            for stage in found.values():
                if text(stage.row, "status") == "ACTIVE" and stage.ended is None:
                    self._so_far(stage, self.until)
        return found

    @cached_property
    def until(self) -> float | None:
        """The moment up to which an unfinished run is known: by the clock of the server that answered, whose times all
        others are; else now, or the last word of an event log that breaks off."""
        for attempt in self.rest.attempts[-1:]:
            began, ran = num(attempt, "startTimeEpoch"), num(attempt, "duration")
            if not attempt.get("completed") and began > 0 and ran > 0:
                return (began + ran) / 1000
            if not self.now and not attempt.get("completed") and (last := num(attempt, "lastUpdatedEpoch")) > 0:
                return last / 1000
        return self.now or None

    @staticmethod
    def _so_far(stage: StageTasks, now: float) -> None:
        """What still runs counts as it stands."""
        if (stage.begun or now) >= now:
            return
        stage.row = {**stage.row, "completionTime": rfc3339(now)}
        stage.tasks = [
            replace(t, duration=max(t.duration, now - t.launched)) if t.status == "RUNNING" and t.launched else t
            for t in stage.tasks
        ]

    @cached_property
    def workers(self) -> list[ExecutorLife]:
        """Executors other than the driver's own."""
        out = []
        for key, row in self.rest.executors.items():
            if key != "driver":
                size = num(row, "maxTasks") or num(row, "totalCores")
                host = text(row, "hostPort").rpartition(":")[0]
                ended = when(row, "removeTime")
                out.append(ExecutorLife(key, host, size, when(row, "addTime"), ended, bool(row.get("isActive"))))
        return out

    @cached_property
    def slots(self) -> float:
        """Task slots: the most of executors that lived at once, else the most tasks that ever ran at once."""
        if self.workers:
            edges = sorted(
                edge
                for w in self.workers
                for edge in ((w.added or 0.0, 1, w.slots), (w.ended or float("inf"), 0, -w.slots))
                if w.active or w.ended is not None or w.added is not None
            )
            listed = most = 0.0
            for _, _, step in edges:
                most += step
                listed = max(listed, most)
            listed = listed or max(w.slots for w in self.workers)
        else:
            driver = self.rest.executors.get("driver", {})
            listed = num(driver, "maxTasks") or num(driver, "totalCores")
        return listed or float(max((at_once(s.tasks) for s in self.stages.values()), default=1)) or 1.0

    @cached_property
    def spans(self) -> list[tuple[float, float, int | None]]:
        """(start, end, job) of every job; of stages where no job is known."""
        out: list[tuple[float, float, int | None]] = []
        for key, job in self.rest.jobs.items():
            begun = when(job, "submissionTime")
            ended = when(job, "completionTime") or (self.until if text(job, "status") == "RUNNING" else None)
            if begun is not None and ended is not None and ended >= begun:
                out.append((begun, ended, key))
        if not out:
            for row in self.rest.stages.values():
                begun, ended = when(row, "submissionTime"), when(row, "completionTime")
                if begun is not None and ended is not None:
                    out.append((begun, ended, None))
        return sorted(out, key=lambda s: s[:2])

    @cached_property
    def jobs(self) -> float:
        """Seconds in which at least one job ran."""
        return union([(b, e) for b, e, _ in self.spans])

    @cached_property
    def span(self) -> float | None:
        """Seconds from the application's start to its end, or to now."""
        for attempt in self.rest.attempts[-1:]:
            begun, ended = num(attempt, "startTimeEpoch"), num(attempt, "endTimeEpoch")
            if begun > 0 and ended > begun:
                return (ended - begun) / 1000
            if begun > 0 and self.until is not None and self.until * 1000 > begun:
                return self.until - begun / 1000
        return None

    @cached_property
    def cold(self) -> set[TaskId]:
        """The first task of each slot of each executor: it also pays for loading code and starting Python."""
        first: dict[str, list[tuple[float, TaskId]]] = {}
        for stage in self.stages.values():
            for task in stage.tasks:
                if task.launched is not None:
                    ident = (stage.id, stage.attempt, task.index, task.attempt)
                    first.setdefault(task.executor, []).append((task.launched, ident))
        sizes = {w.id: int(w.slots) for w in self.workers}
        out: set[TaskId] = set()
        for executor, launched in first.items():
            launched.sort()
            out |= {ident for _, ident in launched[: max(1, sizes.get(executor, 1))]}
        return out

    def warming(self, stage: StageTasks, task: Task) -> bool:
        return (stage.id, stage.attempt, task.index, task.attempt) in self.cold

    @cached_property
    def alone(self) -> dict[tuple[int, int], float]:
        """Stage → seconds in which no other stage ran: to make it shorter makes the whole shorter."""
        edges = []
        for key, stage in self.stages.items():
            begun, ended = when(stage.row, "submissionTime") or stage.begun, stage.ended
            if begun is not None and ended is not None and ended > begun:
                edges += [(begun, 1, key), (ended, 0, key)]
        out: dict[tuple[int, int], float] = {}
        running: set[tuple[int, int]] = set()
        before = 0.0
        for at, starts, key in sorted(edges):
            if len(running) == 1:
                only = next(iter(running))
                out[only] = out.get(only, 0.0) + at - before
            before = at
            if starts:
                running.add(key)
            else:
                running.discard(key)
        return out

    @cached_property
    def job_of(self) -> dict[int, int]:
        """Stage → the job that ran it first."""
        out: dict[int, int] = {}
        for key, job in sorted(self.rest.jobs.items()):
            ids = job.get("stageIds")
            for stage in ids if isinstance(ids, list) else []:
                if isinstance(stage, int):
                    out.setdefault(stage, key)
        return out

    @cached_property
    def _sql_of_job(self) -> dict[int, int]:
        out: dict[int, int] = {}
        for key, row in self.rest.sql.items():
            for word in ("runningJobIds", "successJobIds", "failedJobIds"):
                ids = row.get(word)
                for job in ids if isinstance(ids, list) else []:
                    if isinstance(job, int):
                        out.setdefault(job, key)
        return out

    def sql_of(self, stage: int, attempt: int = 0) -> int | None:
        """The SQL execution that a stage belongs to."""
        told = self.rest.stages.get((stage, attempt), {}).get("sqlExecutionId")
        if isinstance(told, int):
            return told
        job = self.job_of.get(stage)
        return self._sql_of_job.get(job) if job is not None else None

    def where(self, stage: StageTasks) -> str:
        """Stage, call site and SQL execution in words."""
        words = f"stage {stage.id}.{stage.attempt}: {stage.name}"
        execution = self.sql_of(stage.id, stage.attempt)
        if execution is None:
            return words
        description = text(self.rest.sql.get(execution, {}), "description")
        return words + f" (SQL execution {execution}" + (f": {shorten(description, 60)})" if description else ")")


def union(spans: Sequence[tuple[float, float]]) -> float:
    """Seconds covered by any of the spans."""
    total, end = 0.0, float("-inf")
    for begun, ended in sorted(spans):
        total += max(0.0, ended - max(begun, end))
        end = max(end, ended)
    return total


def at_once(tasks: Iterable[Task]) -> int:
    """The most tasks that ran at the same time."""
    edges = sorted(
        edge
        for t in tasks
        if t.launched is not None and t.duration > 0
        for edge in ((t.launched, 1), (t.launched + t.duration * 0.999, -1))
    )
    best = now = 0
    for _, step in edges:
        now += step
        best = max(best, now)
    return best
