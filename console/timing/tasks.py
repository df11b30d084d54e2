"""Tasks and their distributions per stage attempt, from whatever answers are there: task lists, details, summaries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from console.base.clock import parse_time
from console.base.shapes import mappings
from console.facts.rest import RestView, Row, num, text, when


@dataclass(frozen=True, slots=True)
class Task:
    """One task attempt. Times in seconds, sizes in bytes."""

    index: int
    attempt: int
    status: str
    executor: str
    host: str
    launched: float | None
    duration: float
    run: float
    gc: float
    read: float
    """Input and shuffle read, bytes."""
    records: float
    spilled: float
    wait: float
    """Shuffle fetch wait."""
    cpu: float = 0.0
    delay: float = 0.0
    """Seconds between launch and end in which it neither loaded code, nor ran, nor handed over its result."""
    disk: float = 0.0
    """Bytes spilled to disk; `spilled` is what they were in memory."""
    speculative: bool = False
    error: str = ""

    @property
    def ended(self) -> float | None:
        return self.launched + self.duration if self.launched is not None else None


@dataclass(slots=True)
class StageTasks:
    """One attempt of a stage with its tasks, as far as they are known."""

    id: int
    attempt: int
    row: Row
    tasks: list[Task] = field(default_factory=list)
    quantiles: dict[str, dict[float, float]] = field(default_factory=dict)
    """Metric (`duration`, `run`, `read`) → quantile → value, from taskSummary or withSummaries."""
    _done: tuple[list[Task], int, list[Task]] | None = None

    @property
    def name(self) -> str:
        return text(self.row, "name") or text(self.row, "description")

    @property
    def begun(self) -> float | None:
        return when(self.row, "firstTaskLaunchedTime") or when(self.row, "submissionTime")

    @property
    def ended(self) -> float | None:
        return when(self.row, "completionTime")

    @property
    def wall(self) -> float | None:
        begun, ended = when(self.row, "submissionTime") or self.begun, self.ended
        return ended - begun if begun is not None and ended is not None else None

    @property
    def done(self) -> list[Task]:
        if self._done is None or self._done[0] is not self.tasks or self._done[1] != len(self.tasks):
            self._done = (self.tasks, len(self.tasks), [t for t in self.tasks if t.status == "SUCCESS"])
        return self._done[2]

    @property
    def complete(self) -> bool:
        """Whether every task of the stage is in the list."""
        return len({t.index for t in self.done}) >= num(self.row, "numTasks") > 0

    def middle(self, metric: str) -> float | None:
        """The median of a metric over tasks that succeeded."""
        values = [float(getattr(t, metric)) for t in self.done]
        if self.complete and values:
            return float(median(values))
        known = self.quantiles.get(metric, {})
        if 0.5 in known:
            return known[0.5]
        return float(median(values)) if len(values) >= 3 else None

    def top(self, metric: str) -> float | None:
        values = [float(getattr(t, metric)) for t in self.done]
        known = self.quantiles.get(metric, {})
        found = [*values, *([known[1.0]] if 1.0 in known else [])]
        return max(found, default=None)


def stages(rest: RestView) -> dict[tuple[int, int], StageTasks]:
    """Every stage attempt with what is known of its tasks."""
    out = {key: StageTasks(key[0], key[1], row) for key, row in rest.stages.items()}
    lists: dict[tuple[int, int] | None, dict[tuple[int, int], Task]] = {}
    for doc in rest.docs:
        if not doc.path.startswith("stages"):
            continue
        parts = doc.path.split("/")
        key = (int(parts[1]), int(parts[2])) if len(parts) == 4 and parts[1].isdigit() and parts[2].isdigit() else None
        if doc.path.endswith("/taskList"):
            for row in mappings(doc.data):
                _keep(lists.setdefault(key, {}), row)
        elif doc.path.endswith("/taskSummary") and isinstance(doc.data, dict):
            _summary(out, key, doc.data)
        else:
            for row in mappings(doc.data) if isinstance(doc.data, list) else [doc.data]:
                _details(out, lists, row)
    for stage_key, held in lists.items():
        where = out.get(stage_key) if stage_key is not None else _fitting(out, held)
        if where is not None:
            known = {(t.index, t.attempt): t for t in where.tasks}
            for ident, task in held.items():
                old = known.get(ident)
                if old is None or task.duration >= old.duration:
                    known[ident] = task
            where.tasks = list(known.values())
    return out


def _keep(held: dict[tuple[int, int], Task], row: Row) -> None:
    task = task_of(row)
    old = held.get((task.index, task.attempt))
    if old is None or (old.status == "RUNNING" and task.duration >= old.duration):
        held[task.index, task.attempt] = task


def _details(
    out: dict[tuple[int, int], StageTasks], lists: dict[tuple[int, int] | None, dict[tuple[int, int], Task]], row: Any
) -> None:
    if not isinstance(row, dict) or not isinstance(row.get("stageId"), int):
        return
    key = (row["stageId"], int(num(row, "attemptId")))
    tasks = row.get("tasks")
    if isinstance(tasks, dict):
        for one in tasks.values():
            if isinstance(one, dict):
                _keep(lists.setdefault(key, {}), one)
    spread = row.get("taskMetricsDistributions")
    if isinstance(spread, dict):
        _summary(out, key, spread)


_SUMMARIES = {"duration": "duration", "executorRunTime": "run", "jvmGcTime": "gc"}


def _summary(out: dict[tuple[int, int], StageTasks], key: tuple[int, int] | None, data: Mapping[str, Any]) -> None:
    points = data.get("quantiles")
    if not isinstance(points, list):
        return
    stage = out.get(key) if key is not None else _largest(out)
    if stage is None:
        return

    def put(name: str, values: Any, scale: float) -> None:
        if isinstance(values, list) and len(values) == len(points):
            known = stage.quantiles.setdefault(name, {})
            for point, value in zip(points, values, strict=True):
                if isinstance(point, int | float) and isinstance(value, int | float):
                    known[float(point)] = max(known.get(float(point), 0.0), value * scale)

    for field_name, name in _SUMMARIES.items():
        put(name, data.get(field_name), 0.001)
    shuffle, source = data.get("shuffleReadMetrics"), data.get("inputMetrics")
    sums = [
        values
        for part, word in ((shuffle, "readBytes"), (source, "bytesRead"))
        if isinstance(part, dict) and isinstance(values := part.get(word), list) and len(values) == len(points)
    ]
    if sums:
        put("read", [sum(v[i] for v in sums if isinstance(v[i], int | float)) for i in range(len(points))], 1.0)


def _largest(out: dict[tuple[int, int], StageTasks]) -> StageTasks | None:
    """The stage that a summary without a number most likely belongs to: people fetch the longest."""
    return max(out.values(), key=lambda s: num(s.row, "executorRunTime"), default=None)


def _fitting(out: dict[tuple[int, int], StageTasks], held: dict[tuple[int, int], Task]) -> StageTasks | None:
    """The one stage attempt that tasks without a stage fit into by their times and number."""
    launched = [t.launched for t in held.values() if t.launched is not None]
    if not launched:
        return None
    fits = []
    for stage in out.values():
        begun, ended = when(stage.row, "submissionTime"), stage.ended
        if begun is None or num(stage.row, "numTasks") < len({i for i, _ in held}):
            continue
        if min(launched) >= begun - 1 and (ended is None or max(launched) <= ended + 1):
            fits.append(stage)
    return fits[0] if len(fits) == 1 else None


def task_of(row: Row) -> Task:
    """A row of taskList or of a stage's details."""
    inner = row.get("taskMetrics")
    metrics: Row = inner if isinstance(inner, dict) else {}
    shuffle, source = metrics.get("shuffleReadMetrics"), metrics.get("inputMetrics")
    read = num(metrics, "shuffleReadBytes") + num(metrics, "inputBytes")
    records = num(metrics, "shuffleReadRecords") + num(metrics, "inputRecords")
    wait = num(metrics, "shuffleFetchWaitTime")
    if isinstance(shuffle, dict):
        read += num(shuffle, "remoteBytesRead") + num(shuffle, "localBytesRead")
        records += num(shuffle, "recordsRead")
        wait += num(shuffle, "fetchWaitTime")
    if isinstance(source, dict):
        read += num(source, "bytesRead")
        records += num(source, "recordsRead")
    launched = row.get("launched")
    phases = ("executorRunTime", "executorDeserializeTime", "resultSerializationTime")
    known = sum(num(metrics, p) for p in phases) + num(row, "gettingResultTime")
    return Task(
        index=int(num(row, "index")),
        attempt=int(num(row, "attempt")),
        status=text(row, "status"),
        executor=text(row, "executorId"),
        host=text(row, "host"),
        launched=launched / 1000 if isinstance(launched, int) and launched else parse_time(text(row, "launchTime")),
        duration=num(row, "duration") / 1000,
        run=num(metrics, "executorRunTime") / 1000,
        gc=num(metrics, "jvmGcTime") / 1000,
        read=read,
        records=records,
        spilled=num(metrics, "memoryBytesSpilled"),
        wait=wait / 1000,
        cpu=num(metrics, "executorCpuTime") / 1e9,
        delay=max(0.0, num(row, "duration") - known) / 1000 if num(metrics, "executorRunTime") > 0 else 0.0,
        disk=num(metrics, "diskBytesSpilled"),
        speculative=row.get("speculative") is True,
        error=text(row, "errorMessage"),
    )
