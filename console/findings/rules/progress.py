"""Applications that live and do not get on (I10)."""

from __future__ import annotations

import re
from statistics import median

from console.apps.evidence import of_hit, of_rest, of_sample
from console.base.shapes import mappings
from console.base.text import listed, plural
from console.base.units import human_duration
from console.facts.evidence import Evidence
from console.facts.logs import Hit
from console.facts.model import Sample
from console.facts.rest import num, text, when
from console.findings.case import Case
from console.findings.figures.progress import NoProgressFigures
from console.findings.model import Confidence, Finding
from console.findings.rule import Answer, Rule, finding
from console.findings.stacks import of_rest as of_rest_dumps
from console.findings.stacks import of_text, standing
from console.timing.tasks import StageTasks, stages

LONG, OUTLIER = 30.0, 20.0
"""A task hangs if it runs this long (s) and this many times longer than its finished neighbours."""
SURE = 900.0
QUIET = 300.0
_TASK = re.compile(r"task (\d+\.\d+) in stage (\d+\.\d+)")


def hung(case: Case) -> Answer:
    """Tasks that do not end, a driver that starts no stage, threads that wait for each other."""
    found = (
        _deadlock(case)
        or _dumped(case)
        or _standing(case)
        or _hung_task(case)
        or _hung_by_log(case)
        or _no_stage(case)
        or _flat(case)
    )
    if found is not None:
        return [found]
    return "tasks end, and a running job has running stages, as far as it is seen"


def _make(
    case: Case,
    title: str,
    detail: str,
    evidence: list[Evidence],
    confidence: Confidence,
    since: float | None,
    waited: float | None,
) -> Finding:
    cancelled = bool(case.hits("cancelled", roles=("driver",))) or any(
        "cancel" in str(row.get("failureReason") or "").lower() for row in case.rest.stages.values()
    )
    return finding(
        case,
        "no-progress",
        "I10",
        "warning" if case.over or cancelled else "critical",
        confidence,
        title,
        since=since,
        detail=detail + ("; the job was cancelled" if cancelled else ""),
        evidence=evidence,
        ruled_out=[
            ("I14", "executors are there and run tasks"),
            *([("failure", "a cancelled job is FAILED in REST; nothing in it failed")] if cancelled else []),
        ],
        questions=[
            "what it waits for: two thread dumps of the executor, 30 s apart (executors/ID/threads): the same lock, "
            "a socket (S3, JDBC, metastore), or the user's own code",
            "whether the partition is only large (I11): records and bytes of the task against its neighbours",
        ],
        data=NoProgressFigures(waited=waited, cancelled=cancelled),
    )


def _hung_task(case: Case) -> Finding | None:
    worst: tuple[float, StageTasks, str, str] | None = None
    for stage in stages(case.rest).values():
        done = [t.duration for t in stage.done]
        running = [t for t in stage.tasks if t.status == "RUNNING"]
        if len(done) < 3 or not running:
            continue
        usual = float(median(done))
        sizes = [t.read for t in stage.done]
        for task in running:
            if task.duration < LONG or task.duration < OUTLIER * max(usual, 1.0):
                continue
            if task.read > 5 * max(float(median(sizes)), 1.0):
                continue
            if worst is None or task.duration > worst[0]:
                words = (
                    f"task {task.index}.{task.attempt} of stage {stage.id}.{stage.attempt} runs for "
                    f"{task.duration:.0f} s on "
                    f"executor {task.executor}; {len(done)} others took {usual:.1f} s (median)"
                )
                worst = (task.duration, stage, words, task.executor)
    if worst is None:
        return None
    waited, stage, words, executor = worst
    return _make(
        case,
        f"one task of stage {stage.id} does not end ({human_duration(waited)}, its neighbours took seconds)",
        f"executor {executor}; {stage.name}",
        [of_rest(case.rest.origin("stages", f"stages/{stage.id}/{stage.attempt}/taskList"), words)],
        "medium" if waited >= SURE else "low",
        stage.begun,
        waited,
    )


def _hung_by_log(case: Case) -> Finding | None:
    """An executor's log: a task begun, never finished, until it was killed."""
    finished = {_task_of(h): h.at for h in case.hits("task-finished", roles=("executor",))}
    begun = case.hits("task-running", roles=("executor",))
    usual = [end - h.at for h in begun if h.at is not None and (end := finished.get(_task_of(h)))]
    patience = max(LONG, OUTLIER / 2 * max(median(usual), 1.0)) if usual else LONG
    for hit in begun:
        name = _name(hit.text)
        if hit.at is None or not name or _task_of(hit) in finished:
            continue
        kills = (h for h in case.hits("task-kill", roles=("executor",)) if h.log is hit.log and _name(h.text) == name)
        kill = next(kills, None)
        if kill is None or kill.at is None or kill.at - hit.at < patience:
            continue
        waited = kill.at - hit.at
        return _make(
            case,
            f"task {name} ran for {human_duration(waited)} without end until it was killed",
            "its executor logged nothing in between",
            [of_hit(hit), of_hit(kill)],
            "low",
            hit.at,
            waited,
        )
    return None


def _task_of(hit: Hit) -> tuple[str, str]:
    """The log that a line stands in, and the task that it is about: executors count alike."""
    return hit.log.origin.locator, _name(hit.text)


def _name(line: str) -> str:
    found = _TASK.search(line)
    return f"{found.group(1)} of stage {found.group(2)}" if found else ""


def _no_stage(case: Case) -> Finding | None:
    """A job that runs without a running stage: planning, commit, broadcast, or a deadlock in the driver."""
    running = [j for j in case.rest.jobs.values() if text(j, "status") == "RUNNING"]
    if not running or any(text(s, "status") in ("ACTIVE", "PENDING") for s in case.rest.stages.values()):
        return None
    ends = [t for s in case.rest.stages.values() if (t := when(s, "completionTime")) is not None]
    last = max([*ends, *(t for j in running if (t := when(j, "submissionTime")) is not None)], default=None)
    if last is None or case.over or not case.world.past(last + QUIET):
        return None
    waited = case.world.now - last
    job = running[0]
    return _make(
        case,
        f"job {int(num(job, 'jobId'))} runs without a running stage for {human_duration(waited)}",
        "the driver plans, commits, waits for a broadcast, or stands still",
        [of_rest(case.rest.origin("jobs"), f"job {int(num(job, 'jobId'))} RUNNING, no stage ACTIVE or PENDING")],
        "medium",
        last,
        waited,
    )


def _flat(case: Case) -> Finding | None:
    """Metrics: tasks are active and none completes for a quarter of an hour."""
    completed = _of_executors(case, "metrics_executor_completedTasks_total")
    times = [s.at for s in completed if s.at is not None]
    if not times:
        return None
    first, last = min(times), max(times)
    if last - first < SURE or _grown(completed) > 0:
        return None
    active = _of_executors(case, "metrics_executor_activeTasks")
    still = [s for s in active if s.value > 0 and s.at is not None and s.at >= last - 60]
    if not still:
        return None
    return _make(
        case,
        f"no task completed for {human_duration(last - first)} while {sum(s.value for s in still):.0f} are active",
        "stragglers, blocked input or output, or skew",
        [of_sample(still[0]), of_sample(case.samples("metrics_executor_completedTasks_total")[-1])],
        "medium",
        first,
        last - first,
    )


def _of_executors(case: Case, series: str) -> list[Sample]:
    """Samples of a series, those of the driver and those of no known time aside."""
    return [s for s in case.samples(series) if s.at is not None and s.labels.get("executor_id") != "driver"]


def _grown(completed: list[Sample]) -> float:
    """By how much the executors' counters grew, each from its first sample to its last."""
    ordered = sorted(completed, key=lambda s: (s.at or 0.0, s.value))
    first = {s.labels.get("executor_id", ""): s.value for s in reversed(ordered)}
    last = {s.labels.get("executor_id", ""): s.value for s in ordered}
    return sum(last[executor] - first[executor] for executor in first)


def _deadlock(case: Case) -> Finding | None:
    """Threads of the driver that wait for each other in a circle."""
    for doc in case.rest.docs:
        if not doc.path.startswith("threads"):
            continue
        waits: dict[int, int] = {}
        names: dict[int, str] = {}
        for row in mappings(doc.data):
            key, by = row.get("threadId"), row.get("blockedByThreadId")
            if isinstance(key, int):
                names[key] = text(row, "threadName")
                if isinstance(by, int) and text(row, "threadState") == "BLOCKED":
                    waits[key] = by
        for start in waits:
            seen, at = [start], waits[start]
            while at in waits and at not in seen:
                seen.append(at)
                at = waits[at]
            if at in seen:
                circle = [names.get(k, str(k)) for k in seen[seen.index(at) :]]
                return _make(
                    case,
                    f"threads wait for each other: {listed(circle, 4, ' → ')}",
                    "a deadlock: it does not end by itself",
                    [of_rest(doc.origin, f"BLOCKED in a circle: {', '.join(circle)}")],
                    "high",
                    None,
                    None,
                )
    return None


def _standing(case: Case) -> Finding | None:
    """Threads at work that stand at the same place in two thread dumps or more."""
    still = standing([*of_rest_dumps(case.rest.docs), *of_text(case.texts)])
    if not still:
        return None
    one = still[0]
    top = one.stack.frames[0]
    if one.stack.place != top:
        top = f"{top} ‹ {one.stack.place}"
    return _make(
        case,
        f"{plural(len(still), 'thread')} stood at the same place in {one.dumps} thread dumps: {top}",
        ". ".join(part for part in (one.stack.name, one.stack.waits, " ‹ ".join(one.stack.frames[1:5])) if part),
        [
            Evidence(
                where.source,
                where.locator,
                f"{one.stack.name} {one.stack.state} at {' ‹ '.join(one.stack.frames[:4])}",
                where.at,
            )
            for where in (one.first, one.last)
        ],
        "medium",
        None,
        None,
    )


def _dumped(case: Case) -> Finding | None:
    """A thread dump in text (jstack, kill -3) in which the JVM itself found a deadlock."""
    hits = case.hits("deadlock")
    if not hits:
        return None
    return _make(
        case,
        "threads wait for each other: the JVM found a deadlock",
        "a deadlock: it does not end by itself",
        [of_hit(h) for h in hits[:2]],
        "medium",
        None,
        None,
    )


RULES = [Rule("no-progress", "I10", hung, after=("executor-gc-pressure", "object-store-throttled", "metastore-down"))]
