"""Causes that only the whole run shows: work done twice, gaps between jobs, slots that were not there or not used."""

from __future__ import annotations

from console.base.text import listed, shorten
from console.base.units import human_duration
from console.facts.rest import num, text, when
from console.timing.items import Slow
from console.timing.replay import makespan
from console.timing.run import ObservedRun
from console.timing.stage import ordered
from console.timing.tasks import StageTasks

LOADING = 5.0
"""Seconds that the driver may need once to load the classes of its first query."""
IDLE = 0.25
"""Share of its slots' time below which an executor that ran tasks counts as idle."""


def retries(run: ObservedRun) -> list[Slow]:
    """Time of tasks that failed or were killed, and of tasks whose output was lost and made again."""
    wasted: dict[tuple[int, int], float] = {}
    failed = again = 0
    made: set[tuple[int, int]] = set()
    errors: dict[str, int] = {}
    for key, stage in sorted(run.stages.items()):
        for task in stage.tasks:
            lost = 0.0
            if task.status in ("FAILED", "KILLED") and not task.speculative:
                failed, lost = failed + 1, task.duration
                if task.error:
                    word = shorten(task.error.splitlines()[0], 80)
                    errors[word] = errors.get(word, 0) + 1
            elif task.status == "SUCCESS" and stage.attempt and (stage.id, task.index) in made:
                again, lost = again + 1, task.duration
            if lost:
                wasted[key] = wasted.get(key, 0.0) + lost
        made |= {(stage.id, t.index) for t in stage.done}
    if not wasted:
        return []
    total = sum(wasted.values())
    worst = run.stages[max(wasted, key=lambda k: wasted[k])]
    lost = total / run.slots
    parts = [f"{failed} tasks failed or were killed"] if failed else []
    parts += [f"{again} tasks were run again because their output was lost"] if again else []
    words = f"{' and '.join(parts)}: {total:.0f} s of work"
    if errors:
        words += f"; most often {max(errors, key=lambda e: errors[e])}"
    return [
        Slow(
            "retries",
            lost,
            lost / run.jobs,
            words,
            run.where(worst),
            "what they failed of: the findings of this application",
            (worst.id, worst.attempt),
            sql=run.sql_of(worst.id, worst.attempt),
            count=len(wasted),
        )
    ]


def gaps(run: ObservedRun) -> list[Slow]:
    """Time between the first job and the last in which no job ran."""
    if not run.spans:
        return []
    begun, ended = run.spans[0][0], max(e for _, e, _ in run.spans)
    lost = ended - begun - run.jobs - _loading(run)
    if lost <= 0:
        return []
    longest, after, before = 0.0, run.spans[0][2], run.spans[0][2]
    end, last, many = begun, run.spans[0][2], 0
    for one, until, job in run.spans:
        if one > end:
            many += 1
        if one - end > longest:
            longest, after, before = one - end, last, job
        if until >= end:
            end, last = until, job
    words = f"no job ran for {human_duration(lost)} of {human_duration(ended - begun)} in {many} gaps, the longest "
    words += human_duration(longest)
    planned = _planning(run)
    if planned >= 0.2 * lost:
        words += f"; {human_duration(min(planned, lost))} of it queries waited for their first job (planning, listing)"
    where = f"the longest between {_job(run, after)} and {_job(run, before)}" if after is not None else "between stages"
    confirm = "what the driver does between jobs: its threads, its log, listing and commit of files"
    return [Slow("driver-gap", lost, lost / (ended - begun), words, where, confirm, count=many)]


def _loading(run: ObservedRun) -> float:
    """Seconds of the gap before the first query's first job that loading of classes explains."""
    end = run.spans[0][1]
    for begun, until, job in run.spans[1:]:
        ids = run.rest.jobs.get(job, {}).get("stageIds") if job is not None else None
        if isinstance(ids, list) and any(isinstance(s, int) and run.sql_of(s) is not None for s in ids):
            return min(LOADING, max(0.0, begun - end))
        end = max(end, until)
    return 0.0


def _job(run: ObservedRun, job: int | None) -> str:
    return f"job {job}: {text(run.rest.jobs.get(job, {}), 'name')}" if job is not None else "?"


def _planning(run: ObservedRun) -> float:
    """Seconds from the start of SQL executions to their first job."""
    first: dict[int, float] = {}
    for job in run.rest.jobs.values():
        ids = job.get("stageIds")
        begun = when(job, "submissionTime")
        for stage in ids if isinstance(ids, list) else []:
            sql = run.sql_of(stage) if isinstance(stage, int) else None
            if sql is not None and begun is not None:
                first[sql] = min(first.get(sql, begun), begun)
    total = 0.0
    for key, begun in first.items():
        asked = when(run.rest.sql.get(key, {}), "submissionTime")
        if asked is not None and asked < begun:
            total += begun - asked
    return total


def slots(run: ObservedRun) -> list[Slow]:
    """Slots that came late, and slots that stood free while tasks waited, in stages that had the cluster to itself."""
    late, idle = [], []
    for key, stage in run.stages.items():
        wall, begun = stage.wall, when(stage.row, "submissionTime")
        if not run.workers or wall is None or begun is None or not stage.complete:
            continue
        if run.alone.get(key, 0.0) < 0.9 * wall or text(stage.row, "status") == "FAILED":
            continue
        ready = _ready(run, stage, begun)
        durations = [t.duration for t in ordered(stage)]
        at_once = makespan(durations, len(ready))
        as_came = makespan(durations, len(ready), [r for r in ready if r > 0])
        if as_came > at_once:
            late.append((as_came - at_once, stage, sum(r > 0 for r in ready), len(ready), max(ready)))
        if wall > as_came:
            idle.append((wall - as_came, stage, len(ready)))
    out = []
    if late:
        _, stage, came, size, last = max(late, key=lambda item: item[0])
        lost = sum(item[0] for item in late)
        words = f"{came} of {size} slots came up to {last:.0f} s after the stage began"
        confirm = (
            "why executors came late: pending pods and their events, dynamicAllocation.schedulerBacklogTimeout, images"
        )
        out.append(_whole(run, "late-executors", lost, stage, words, confirm, len(late)))
    if idle:
        _, stage, size = max(idle, key=lambda item: item[0])
        lost = sum(item[0] for item in idle)
        most: dict[str, int] = {}
        for task in stage.done:
            most[task.executor] = most.get(task.executor, 0) + 1
        top = max(most, key=lambda k: most[k]) if most else ""
        words = f"tasks waited although {size} slots were there; executor {top} ran {most.get(top, 0)} of "
        words += f"{len(stage.done)} tasks"
        confirm = "spark.locality.wait, placement of cached blocks, free cores against spark.task.cpus"
        out.append(_whole(run, "idle-slots", lost, stage, words, confirm, len(idle)))
    return out


def _whole(run: ObservedRun, kind: str, lost: float, stage: StageTasks, words: str, confirm: str, count: int) -> Slow:
    key = (stage.id, stage.attempt)
    return Slow(kind, lost, lost / run.jobs, words, run.where(stage), confirm, key, sql=run.sql_of(*key), count=count)


def _ready(run: ObservedRun, stage: StageTasks, begun: float) -> list[float]:
    """Seconds after the stage's start at which each slot was there; of executors that lived to see its end."""
    ended = stage.ended or begun
    out: list[float] = []
    for worker in run.workers:
        if worker.added is not None and worker.added < ended and (worker.ended is None or worker.ended >= ended - 1):
            out += [max(0.0, worker.added - begun)] * int(worker.slots)
    return out or [0.0]


def idle_executors(run: ObservedRun) -> list[Slow]:
    """Executors that ran almost nothing while they were paid for. They cost money, no time."""
    if not run.workers or not run.spans:
        return []
    begun, ended = run.spans[0][0], max(e for _, e, _ in run.spans)
    busy: dict[str, float] = {}
    for stage in run.stages.values():
        for task in stage.tasks:
            busy[task.executor] = busy.get(task.executor, 0.0) + task.duration
    known = sum(len(s.tasks) for s in run.stages.values())
    if known < 0.9 * sum(num(s.row, "numTasks") for s in run.stages.values()):
        return []  # what the executors did is not known
    paid = total = 0.0
    names = []
    for worker in run.workers:
        from_, until = max(worker.added or begun, begun), min(worker.ended or ended, ended)
        life = max(0.0, until - from_) * worker.slots
        total += life
        if life > 0 and busy.get(worker.id, 0.0) < IDLE * life:
            paid += life - busy.get(worker.id, 0.0)
            names.append(worker.id)
    if paid <= 0:
        return []
    words = f"{len(names)} of {len(run.workers)} executors ran almost nothing: {human_duration(paid)} of slot time of "
    words += human_duration(total)
    return [
        Slow(
            "idle-executors",
            0.0,
            paid / total,
            words,
            "executors " + listed(sorted(names), 8),
            "fewer executors, or dynamic allocation: the run must take as long as before",
            executors=tuple(sorted(names)),
            paid=paid,
            count=len(names),
        )
    ]
