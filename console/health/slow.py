"""Why an application is slow: where its wall time went that it need not have, by tasks and stages of REST or event log.

No threshold without a share of time: each cause is given with the seconds of wall time it costs, estimated as what the
stage would take if its work were spread evenly over the slots it had. A skewed stage of two seconds is nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median

from msgspec import Struct

from console.base.units import human_bytes, human_duration
from console.health.restview import RestView, num, text, when
from console.health.tasks import Stage, Task, stages

SKEW = 3.0
"""Largest over median from which a distribution is skewed."""
TINY_TASK = 0.05


class Slow(Struct, frozen=True):
    """One cause of lost time.

    Attributes:
        kind: data-skew, straggler, slow-node, spill, gc, shuffle-wait, too-many-tasks, too-few-tasks, retries,
            driver-gap.
        lost: seconds of wall time, estimated.
        share: of the wall time of all jobs (driver-gap: of the application).
        where: stage, call site and SQL execution.
        confirm: what would prove it.
    """

    kind: str
    lost: float
    share: float
    words: str
    where: str
    confirm: str
    stage: tuple[int, int] | None = None
    largest: float | None = None
    usual: float | None = None
    executors: tuple[str, ...] = ()


class Report(Struct, frozen=True):
    """Times in seconds. `jobs` is the wall time in which at least one job ran."""

    span: float | None
    jobs: float
    slots: float
    items: tuple[Slow, ...]
    path: tuple[tuple[int, int], ...] = ()
    """Stages on the critical path, the longest first."""


def analyse(rest: RestView, *, now: float | None = None) -> Report:
    """The causes of lost wall time, the costliest first."""
    found = stages(rest)
    slots = _slots(rest, found.values())
    jobs = _union(_job_spans(rest, now))
    span = _span(rest, now)
    path = _critical(found)
    items: list[Slow] = []
    cold = _cold(found.values())
    for stage in found.values():
        if stage.wall is None or jobs <= 0:
            continue
        items.extend(_of_stage(stage, slots, jobs, rest, cold))
    items.extend(_retries(found.values(), slots, jobs))
    if span is not None and span > jobs > 0:
        items.append(
            Slow(
                "driver-gap",
                span - jobs,
                (span - jobs) / span,
                f"no job ran for {human_duration(span - jobs)} of {human_duration(span)}",
                "between jobs: the driver's own code, planning, listing, commit",
                "what the driver does between jobs: thread dumps, its log",
            )
        )
    items.sort(key=lambda i: -i.lost)
    return Report(span, jobs, slots, tuple(items), tuple(path))


def _slots(rest: RestView, found: Iterable[Stage]) -> float:
    """Task slots: of executors that REST lists, else the most tasks that ever ran at once."""
    workers = [row for key, row in rest.executors.items() if key != "driver"]
    sizes = [num(row, "maxTasks") or num(row, "totalCores") for row in workers if row.get("isActive")]
    listed = sum(sizes) or max((num(row, "maxTasks") or num(row, "totalCores") for row in workers), default=0.0)
    if not workers:
        listed = num(rest.executors.get("driver", {}), "maxTasks")
    return listed or float(max((_at_once(s.tasks) for s in found), default=1)) or 1.0


def _at_once(tasks: Sequence[Task]) -> int:
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


def _job_spans(rest: RestView, now: float | None) -> list[tuple[float, float]]:
    out = []
    for job in rest.jobs.values():
        begun = when(job, "submissionTime")
        ended = when(job, "completionTime") or (now if text(job, "status") == "RUNNING" else None)
        if begun is not None and ended is not None and ended >= begun:
            out.append((begun, ended))
    if not out:
        for row in rest.stages.values():
            begun, ended = when(row, "submissionTime"), when(row, "completionTime")
            if begun is not None and ended is not None:
                out.append((begun, ended))
    return out


def _union(spans: Sequence[tuple[float, float]]) -> float:
    total, end = 0.0, float("-inf")
    for begun, ended in sorted(spans):
        total += max(0.0, ended - max(begun, end))
        end = max(end, ended)
    return total


def _span(rest: RestView, now: float | None) -> float | None:
    for attempt in rest.attempts[-1:]:
        begun, ended = num(attempt, "startTimeEpoch"), num(attempt, "endTimeEpoch")
        if begun > 0 and ended > begun:
            return (ended - begun) / 1000
        if begun > 0 and now is not None and now * 1000 > begun:
            return now - begun / 1000
    return None


def _critical(found: dict[tuple[int, int], Stage]) -> list[tuple[int, int]]:
    """Stages in order of the wall time that they alone account for."""
    timed = [(s.wall or 0.0, key) for key, s in found.items() if (s.wall or 0.0) > 0]
    return [key for _, key in sorted(timed, reverse=True)[:10]]


def _where(stage: Stage, rest: RestView) -> str:
    execution = stage.row.get("sqlExecutionId")
    if not isinstance(execution, int):
        for job in rest.jobs.values():
            ids = job.get("stageIds")
            if isinstance(ids, list) and stage.id in ids:
                for key, row in rest.sql.items():
                    known = [row.get(k) for k in ("runningJobIds", "successJobIds", "failedJobIds")]
                    if any(isinstance(k, list) and job.get("jobId") in k for k in known):
                        execution = key
    words = f"stage {stage.id}.{stage.attempt}: {stage.name}"
    if isinstance(execution, int):
        words += f" (SQL execution {execution}"
        description = text(rest.sql.get(execution, {}), "description")
        words += f": {description[:60]})" if description else ")"
    return words


def _cold(found: Iterable[Stage]) -> set[tuple[int, int, int, int]]:
    """(stage, attempt, task, attempt) of the first task of each executor: it also pays for loading code and Python."""
    first: dict[str, tuple[float, tuple[int, int, int, int]]] = {}
    for stage in found:
        for task in stage.tasks:
            if task.launched is not None:
                key = (stage.id, stage.attempt, task.index, task.attempt)
                old = first.get(task.executor)
                if old is None or task.launched < old[0]:
                    first[task.executor] = (task.launched, key)
    return {key for _, key in first.values()}


def _of_stage(
    stage: Stage, slots: float, jobs: float, rest: RestView, cold: set[tuple[int, int, int, int]]
) -> list[Slow]:
    wall = stage.wall or 0.0
    row = stage.row
    total = num(row, "executorRunTime") / 1000
    count = num(row, "numTasks")
    where = _where(stage, rest)
    out: list[Slow] = []
    used = min(slots, max(count, 1.0))
    skew = _skew(stage, wall, total, slots, jobs, where, cold)
    if skew is not None:
        out.append(skew)
    gc = num(row, "jvmGcTime") / 1000
    if gc > 0:
        lost = gc / used
        out.append(
            Slow(
                "gc",
                lost,
                lost / jobs,
                f"{gc:.0f} s of task time in garbage collection",
                where,
                "GC log; heap against live data",
                (stage.id, stage.attempt),
            )
        )
    wait = num(row, "shuffleFetchWaitTime") / 1000
    if wait > 0:
        lost = wait / used
        out.append(
            Slow(
                "shuffle-wait",
                lost,
                lost / jobs,
                f"{wait:.0f} s of task time waiting for shuffle blocks",
                where,
                "network and disks of the hosts it reads from",
                (stage.id, stage.attempt),
            )
        )
    spilled = num(row, "diskBytesSpilled")
    if spilled > 0:
        lost = 2 * spilled / (100 * 2**20) / used
        out.append(
            Slow(
                "spill",
                lost,
                lost / jobs,
                f"{human_bytes(spilled)} written to disk and read again (estimate at 100 MiB/s)",
                where,
                "more partitions or memory per task: the spill must go",
                (stage.id, stage.attempt),
            )
        )
    done = stage.done
    if stage.complete and len(done) >= 100 and (usual := median(t.duration for t in done)) < TINY_TASK * 4:
        overhead = sum(max(0.0, t.duration - t.run) for t in done) / used
        out.append(
            Slow(
                "too-many-tasks",
                overhead,
                overhead / jobs,
                f"{len(done)} tasks of {usual * 1000:.0f} ms: starting them takes longer than running them",
                where,
                "fewer partitions (coalesce, advisoryPartitionSizeInBytes)",
                (stage.id, stage.attempt),
            )
        )
    if 0 < count < slots and total > 0:
        lost = max(0.0, total / count - total / slots)
        out.append(
            Slow(
                "too-few-tasks",
                lost,
                lost / jobs,
                f"{count:.0f} tasks on {slots:.0f} slots",
                where,
                "more partitions, splittable input",
                (stage.id, stage.attempt),
            )
        )
    return out


def _skew(
    stage: Stage,
    wall: float,
    total: float,
    slots: float,
    jobs: float,
    where: str,
    cold: set[tuple[int, int, int, int]],
) -> Slow | None:
    """One task much longer than the others: larger data, a slow machine, or neither is known."""
    if text(stage.row, "status") == "FAILED":
        return None
    largest, usual = stage.top("duration"), stage.middle("duration")
    count = num(stage.row, "numTasks")
    if largest is None or usual is None or usual <= 0 or count < 3 or largest / usual < SKEW:
        return None
    busy = sum(t.duration for t in stage.done) if stage.complete else total
    lost = min(wall - busy / min(slots, count), largest - usual)
    if lost <= 0:
        return None
    read_most, read_usual = stage.top("read"), stage.middle("read")
    sizes = (
        read_most is not None and read_usual is not None and read_most > 0 and read_most / max(read_usual, 1.0) >= SKEW
    )
    long = [t for t in stage.done if t.duration >= largest * 0.5 and t.duration >= SKEW * usual]
    warming = [t for t in long if (stage.id, stage.attempt, t.index, t.attempt) in cold]
    if not sizes and (not long or len(warming) == len(long)):
        return None
    hosts = {t.executor for t in long}
    others = {t.executor for t in stage.done}
    words = f"longest task {largest:.1f} s, median {usual:.1f} s"
    if sizes and read_most is not None:
        kind, confirm = (
            "data-skew",
            "which key: count by key of the join or grouping; AQE skew join or salting must level it",
        )
        words += f"; it read {human_bytes(read_most)}, the median {human_bytes(read_usual)}"
    elif len(long) >= 2 and len(hosts) == 1 and len(others) > 1:
        kind, confirm = (
            "slow-node",
            "the executor's node: CPU throttling, disk, other pods on it; other stages on the same executor",
        )
        words += f"; all long tasks ran on executor {next(iter(hosts))}"
    else:
        kind, confirm = (
            "straggler",
            "the task's own work against its neighbours: records, input, the user's code, its node",
        )
    return Slow(
        kind,
        lost,
        lost / jobs,
        words,
        where,
        confirm,
        (stage.id, stage.attempt),
        largest,
        usual,
        tuple(sorted(hosts)),
    )


def _retries(found: Iterable[Stage], slots: float, jobs: float) -> list[Slow]:
    wasted = 0.0
    count = 0
    for stage in found:
        for task in stage.tasks:
            if task.status in ("FAILED", "KILLED") and not task.speculative:
                wasted += task.duration
                count += 1
    if not count or jobs <= 0:
        return []
    lost = wasted / slots
    return [
        Slow(
            "retries",
            lost,
            lost / jobs,
            f"{count} tasks failed or were killed after {wasted:.0f} s of work",
            "all stages",
            "what they failed of: the findings of this application",
        )
    ]
