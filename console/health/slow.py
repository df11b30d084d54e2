"""Why an application is slow: where its wall time went that it need not have, by tasks and stages of REST or event log.

No threshold without a share of time: each cause is given with the seconds of wall time it costs, estimated as what the
stage would take if its work were spread evenly over the slots it had. A skewed stage of two seconds is nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from statistics import median

from msgspec.structs import replace

from console.base.units import human_bytes, human_duration
from console.health.case import World
from console.health.model import SparkApp
from console.health.restview import RestView, num, text, when
from console.health.slow_items import Report, Slow
from console.health.slow_sql import of_plans
from console.health.tasks import Stage, Task, stages

SKEW = 3.0
"""Largest over median from which a distribution is skewed."""
TINY_TASK = 0.2
"""Seconds below which a task is too short to be worth its start."""
LEAST, SHARE = 2.0, 0.05
"""Seconds, and share of the wall time of all jobs, below which lost time is not worth a word."""
MARGIN = 0.25
"""Share by which a stage must exceed its slowest former run."""
LONG_GAP = 5.0
"""Seconds between jobs below which a driver only plans and loads its classes."""


def analyse(rest: RestView, *, now: float | None = None) -> Report:
    """The causes of lost wall time, the costliest first. What costs less than a few seconds or than a twentieth of the
    time is left out."""
    found = stages(rest)
    slots = _slots(rest, found.values())
    spans = _job_spans(rest, now)
    jobs = _union(spans)
    span = _span(rest, now)
    items: list[Slow] = []
    cold = _cold(found.values())
    for stage in found.values():
        if stage.wall is not None and jobs > 0:
            items.extend(_of_stage(stage, slots, jobs, rest, cold))
    if jobs > 0:
        items.extend(_retries(found.values(), slots, jobs))
        items.extend(of_plans(rest, slots, jobs))
        items.extend(_gaps(spans))
    kept = [i for i in items if i.lost >= (LONG_GAP if i.kind == "driver-gap" else LEAST) and i.share >= SHARE]
    kept.sort(key=lambda i: -i.lost)
    busy = sum(num(s.row, "executorRunTime") for s in found.values()) / 1000
    idle = max(0.0, 1 - busy / (slots * jobs)) if jobs > 0 and slots > 0 else None
    return Report(span, jobs, slots, tuple(kept), tuple(_critical(found)), idle)


def slower(rest: RestView, former: Sequence[RestView], jobs: float) -> list[Slow]:
    """Stages that take longer than in every former run of the same application, by their call site."""
    if len(former) < 2 or jobs <= 0:
        return []
    before = [_by_name(one) for one in former]
    out = []
    for name, took in _by_name(rest).items():
        known = [b[name] for b in before if name in b]
        if len(known) < 2 or took <= max(known) * (1 + MARGIN):
            continue
        lost = took - median(known)
        out.append(
            Slow(
                "slower-than-before",
                lost,
                lost / jobs,
                f"took {human_duration(took)}, before {human_duration(min(known))} to {human_duration(max(known))} in "
                f"{len(known)} runs",
                name,
                "what changed: input bytes and rows of the stage, version, executors, nodes",
            )
        )
    return sorted((i for i in out if i.lost >= LEAST and i.share >= SHARE), key=lambda i: -i.lost)


def _by_name(rest: RestView) -> dict[str, float]:
    out: dict[str, float] = {}
    for stage in stages(rest).values():
        if stage.wall is not None and text(stage.row, "status") != "FAILED":
            out[stage.name] = out.get(stage.name, 0.0) + stage.wall
    return out


def reports(world: World) -> list[tuple[SparkApp, Report]]:
    """A report for every application whose stages are known; earlier runs of the same name are its measure."""
    told = [(c.app, c.rest) for c in world.cases if c.rest.stages]
    out = []
    for app, rest in told:
        report = analyse(rest, now=world.now if app.live else None)
        former = [
            other
            for one, other in told
            if one is not app
            and one.namespace == app.namespace
            and _run_of(one, other) == _run_of(app, rest)
            and (one.started or 0.0) < (app.started or 0.0)
        ]
        more = slower(rest, former, report.jobs)
        out.append((app, replace(report, items=(*report.items, *more)) if more else report))
    return out


def _run_of(app: SparkApp, rest: RestView) -> str:
    """What a recurring application is called without the stamp of its run."""
    return re.sub(r"[-_]?\d{6,}.*$", "", text(rest.application, "name") or app.name)


def _gaps(spans: list[tuple[float, float]]) -> list[Slow]:
    """Time between the first job and the last in which no job ran."""
    begun, ended = min(b for b, _ in spans), max(e for _, e in spans)
    lost = ended - begun - _union(spans)
    if lost <= 0:
        return []
    longest, end = 0.0, begun
    for one, until in sorted(spans):
        longest, end = max(longest, one - end), max(end, until)
    return [
        Slow(
            "driver-gap",
            lost,
            lost / (ended - begun),
            f"no job ran for {human_duration(lost)} of {human_duration(ended - begun)}, the longest "
            f"{human_duration(longest)}",
            "between jobs: the driver's own code, planning, listing, commit",
            "what the driver does between jobs: its threads, its log",
        )
    ]


def _slots(rest: RestView, found: Iterable[Stage]) -> float:
    """Task slots: of executors that REST lists, else the most tasks that ever ran at once."""
    workers = [row for key, row in rest.executors.items() if key != "driver"]
    sizes = [num(row, "maxTasks") or num(row, "totalCores") for row in workers if row.get("isActive")]
    listed = sum(sizes) or max((num(row, "maxTasks") or num(row, "totalCores") for row in workers), default=0.0)
    if not workers:
        driver = rest.executors.get("driver", {})
        listed = num(driver, "maxTasks") or num(driver, "totalCores")
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
    """Stages in order of the wall time in which they ran alone: to make those shorter makes the whole shorter."""
    edges = []
    for key, stage in found.items():
        begun, ended = when(stage.row, "submissionTime") or stage.begun, stage.ended
        if begun is not None and ended is not None and ended > begun:
            edges += [(begun, 1, key), (ended, 0, key)]
    alone: dict[tuple[int, int], float] = {}
    running: set[tuple[int, int]] = set()
    before = 0.0
    for at, starts, key in sorted(edges):
        if len(running) == 1:
            only = next(iter(running))
            alone[only] = alone.get(only, 0.0) + at - before
        before = at
        if starts:
            running.add(key)
        else:
            running.discard(key)
    return sorted((k for k, v in alone.items() if v > 0), key=lambda k: -alone[k])[:10]


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
    if stage.complete and len(done) >= 100 and (usual := median(t.duration for t in done)) < TINY_TASK:
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
    rows_most, rows_usual = stage.top("records"), stage.middle("records")
    sizes = _ratio(read_most, read_usual) >= SKEW
    counts = _ratio(rows_most, rows_usual) >= SKEW
    small = counts and (read_most or 0.0) < 2**20
    long = [t for t in stage.done if t.duration >= largest * 0.5 and t.duration >= SKEW * usual]
    warming = [t for t in long if (stage.id, stage.attempt, t.index, t.attempt) in cold]
    if not sizes and not counts and (not long or len(warming) == len(long)):
        return None
    hosts = {t.executor for t in long}
    others = {t.executor for t in stage.done}
    words = f"longest task {largest:.1f} s, median {usual:.1f} s"
    if sizes and not small and read_most is not None:
        kind, confirm = (
            "data-skew",
            "which key: count by key of the join or grouping; AQE skew join or salting must level it",
        )
        words += f"; it read {human_bytes(read_most)}, the median {human_bytes(read_usual)}"
    elif counts and rows_most is not None:
        kind, confirm = (
            "data-skew",
            "which key: count by key of the join or grouping; the sizes alone do not show it",
        )
        words += f"; it read {rows_most:,.0f} records, the median {rows_usual:,.0f}"
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


def _ratio(most: float | None, usual: float | None) -> float:
    return most / max(usual, 1.0) if most is not None and usual is not None and most > 0 else 0.0


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
