"""The critical path of a run: the chain of stages that ended last, back to the first job."""

from __future__ import annotations

from console.facts.rest import num, when
from console.timing.items import PathStep
from console.timing.run import ObservedRun
from console.timing.tasks import StageTasks


def critical(run: ObservedRun) -> tuple[PathStep, ...]:
    """The steps in order of time; their seconds sum up to the time from the first job's start to the last one's end.

    From the end backwards: the stage that ended last before the point reached so far. A stage's parents come first
    where the event log names them, for what ran beside them did not hold it up.
    """
    if not run.spans:
        return ()
    begun, at = run.spans[0][0], max(e for _, e, _ in run.spans)
    done = [(b, e, s) for s in run.stages.values() if (b := _begun(s)) is not None and (e := s.ended) and e > b]
    steps: list[PathStep] = []
    current: StageTasks | None = None
    while at > begun + 0.001:
        before = _before(done, current, at)
        if not before:
            break
        start, end, stage = max(before, key=lambda x: (x[1], -x[0]))
        if at - end > 0.0015:
            steps.append(PathStep(None, at - end, end))
        start, end = max(start, begun), min(end, at)
        steps.append(_step(run, stage, end - start, start))
        at, current = start, stage
        left = [x for x in before if x[2] is not stage] if len(before) > 1 else done
        done = [x for x in left if x[1] <= at + 0.001]
    if at > begun + 0.0015:
        steps.append(PathStep(None, at - begun, begun))
    return tuple(reversed(steps))


Ended = tuple[float, float, StageTasks]
"""A stage with its begin and end."""


def _before(done: list[Ended], current: StageTasks | None, at: float) -> list[Ended]:
    """Stages that ended before `at`; only the parents of the current one, where one of them ended just then."""
    before = [x for x in done if x[0] < at - 0.0005 and x[1] <= at + 0.001]
    parents = current.row.get("parentIds") if current is not None else None
    if not isinstance(parents, list) or not parents:
        return before
    own = [x for x in before if x[2].id in parents]
    return own if max((x[1] for x in own), default=0.0) >= at - 1.0 else before


def _begun(stage: StageTasks) -> float | None:
    return when(stage.row, "submissionTime") or stage.begun


def _step(run: ObservedRun, stage: StageTasks, seconds: float, begun: float) -> PathStep:
    key = (stage.id, stage.attempt)
    busy = sum(t.duration for t in stage.tasks) or num(stage.row, "executorRunTime") / 1000
    return PathStep(
        key,
        seconds,
        begun,
        stage.name,
        run.job_of.get(stage.id),
        run.sql_of(*key),
        int(num(stage.row, "numTasks")),
        split(stage),
        min(1.0, busy / (seconds * run.slots)) if seconds > 0 else None,
    )


def split(stage: StageTasks) -> dict[str, float]:
    """Share of the tasks' time by what they did in it, from the stage's sums."""
    row = stage.row
    ran = num(row, "executorRunTime") / 1000
    start = num(row, "executorDeserializeTime") / 1000 + sum(t.delay for t in stage.tasks)
    whole = ran + start
    if whole <= 0:
        return {}
    parts = {
        "gc": num(row, "jvmGcTime") / 1000,
        "shuffle wait": num(row, "shuffleFetchWaitTime") / 1000,
        "shuffle write": num(row, "shuffleWriteTime") / 1e9,
    }
    cpu = min(num(row, "executorCpuTime") / 1e9, max(0.0, ran - parts["gc"] - parts["shuffle wait"]))
    parts["cpu"] = cpu
    parts["start"] = start
    parts["other"] = max(0.0, whole - sum(parts.values()))
    return {k: round(v / whole, 3) for k, v in parts.items() if v / whole >= 0.005}
