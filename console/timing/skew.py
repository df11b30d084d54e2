"""Tasks of a stage that take much longer than the others: more data, a slow executor or node, or neither is known."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import median

from console.base.units import human_bytes
from console.facts.rest import num, text
from console.timing.items import Slow
from console.timing.replay import gained
from console.timing.run import ObservedRun
from console.timing.stage import ordered, used
from console.timing.tasks import StageTasks, Task

SKEW = 3.0
"""Largest over median from which a distribution is skewed."""
SLOWER = 1.5
"""Times that an executor's tasks take against those of the others, from which it is slow."""
LEAST_TASKS = 3
"""Tasks on each side that a comparison of executors needs."""


def of_skew(run: ObservedRun, stage: StageTasks, slow: Iterable[str] = ()) -> Slow | None:
    """One task much longer than the others, in a stage whose long tasks do not all belong to `slow` executors."""
    running = [t for t in stage.tasks if t.status == "RUNNING"]
    skewed = _skewed(stage, running)
    if skewed is None:
        return None
    largest, usual, wall = skewed
    busy = sum(t.duration for t in stage.done) if stage.complete else num(stage.row, "executorRunTime") / 1000
    lost = min(wall - busy / used(run, stage), largest - usual)
    long = [t for t in (*stage.done, *running) if t.duration >= largest * 0.5 and t.duration >= SKEW * usual]
    if lost <= 0 or (long and {t.executor for t in long} <= set(slow)):
        return None
    data = _skewed_data(stage)
    if data is None and all(run.warming(stage, t) for t in long):
        return None
    kind, more, confirm = data or STRAGGLER
    words = f"longest task {largest:.1f} s, median {usual:.1f} s"
    if any(t.duration >= largest for t in running):
        words += f"; {len(running)} still running"
    executors = tuple(sorted({t.executor for t in long}))
    key = (stage.id, stage.attempt)
    sql = run.sql_of(*key)
    where = run.where(stage)
    return Slow(kind, lost, lost / run.jobs, words + more, where, confirm, key, largest, usual, executors, sql)


def _skewed(stage: StageTasks, running: list[Task]) -> tuple[float, float, float] | None:
    """Seconds of (the longest task, the median, the stage), where the longest stands out."""
    if text(stage.row, "status") == "FAILED":
        return None
    largest = max([stage.top("duration") or 0.0, *(t.duration for t in running)])
    usual, wall = stage.middle("duration"), stage.wall
    if not largest or usual is None or wall is None or usual <= 0 or num(stage.row, "numTasks") < 3:
        return None
    return (largest, usual, wall) if largest / usual >= SKEW else None


def _skewed_data(stage: StageTasks) -> tuple[str, str, str] | None:
    """(kind, words, what would prove it) where a task has much more data than the others, by bytes or by records."""
    read, rows = (stage.top("read"), stage.middle("read")), (stage.top("records"), stage.middle("records"))
    sizes, counts = _ratio(*read) >= SKEW, _ratio(*rows) >= SKEW
    which = "which key: count by key of the join or grouping; "
    if sizes and not (counts and (read[0] or 0.0) < 2**20):
        words = f"; it read {human_bytes(read[0])}, the median {human_bytes(read[1])}"
        return "data-skew", words, which + "AQE skew join or salting must level it"
    if counts:
        words = f"; it read {rows[0]:,.0f} records, the median {rows[1]:,.0f}"
        return "data-skew", words, which + "the sizes alone do not show it"
    return None


STRAGGLER = (
    "straggler",
    "",
    "the task's own work against its neighbours: records, input, the user's code, its node",
)


def _ratio(most: float | None, usual: float | None) -> float:
    return most / max(usual, 1.0) if most is not None and usual is not None and most > 0 else 0.0


@dataclass
class _Compared:
    """One executor against the others.

    Attributes:
        slow: stages in which it was slow: (seconds lost, stage, its median, that of the others).
        fine: in how many it was not.
    """

    slow: list[tuple[float, StageTasks, float, float]] = field(default_factory=list)
    fine: int = 0


def slow_executors(run: ObservedRun) -> list[Slow]:
    """Executors whose tasks take longer than those of the others with as much data, over all stages."""
    found: dict[str, _Compared] = {}
    for stage in run.stages.values():
        if stage.complete:
            _compare(run, stage, found)
    return [_slow_executor(run, name, one) for name, one in found.items() if one.slow and len(one.slow) >= one.fine]


def _compare(run: ObservedRun, stage: StageTasks, found: dict[str, _Compared]) -> None:
    """Each executor of a stage against the others of it."""
    by_executor: dict[str, list[Task]] = {}
    for task in stage.done:
        by_executor.setdefault(task.executor, []).append(task)
    if len(by_executor) < 2:
        return
    usual = median(t.duration for t in stage.done)
    for name, tasks in by_executor.items():
        judged = None
        if median(t.duration for t in tasks) >= 1.1 * usual:
            judged = _slower(run, stage, tasks, [t for t in stage.done if t.executor != name])
        one = found.setdefault(name, _Compared())
        if judged is not None:
            one.slow.append((_cost(run, stage, tasks, judged[1]), stage, *judged))
        elif len(tasks) >= LEAST_TASKS:
            one.fine += 1


def _slow_executor(run: ObservedRun, name: str, seen: _Compared) -> Slow:
    lost = sum(item[0] for item in seen.slow)
    _, stage, own, usual = max(seen.slow, key=lambda item: item[0])
    hosts = [w.host for w in run.workers if w.id == name][:1] + [t.host for t in stage.done if t.executor == name]
    host = next((h for h in hosts if h), "")
    words = f"executor {name}{f' on {host}' if host else ''}: its tasks take {own:.1f} s, those of the others "
    words += f"{usual:.1f} s with as much data, in {len(seen.slow)} of {len(seen.slow) + seen.fine} stages"
    return Slow(
        "slow-node",
        lost,
        lost / run.jobs,
        words,
        run.where(stage),
        "the executor's node: CPU throttling (cgroup cpu.stat), disk, other pods; the same work elsewhere",
        (stage.id, stage.attempt),
        own,
        usual,
        (name,),
        run.sql_of(stage.id, stage.attempt),
        count=len(seen.slow),
    )


def _slower(run: ObservedRun, stage: StageTasks, tasks: list[Task], others: list[Task]) -> tuple[float, float] | None:
    """(median of its tasks, of the others) where it is slow by itself; the first task of a slot does not count."""
    found = _comparable(run, stage, tasks, others)
    if found is None:
        return None
    own, rest = found
    mine, theirs = _usual(own), _usual(rest)
    if theirs <= 0 or mine / theirs < SLOWER:
        return None
    data = median(t.read for t in own) / max(1.0, median(t.read for t in rest))
    rows = median(t.records for t in own) / max(1.0, median(t.records for t in rest))
    if max(data, rows) >= 1.3:
        return None
    waits = median(t.wait + t.delay for t in own) - median(t.wait + t.delay for t in rest)
    return (mine, theirs) if waits < 0.5 * (mine - theirs) else None


def _comparable(
    run: ObservedRun, stage: StageTasks, tasks: list[Task], others: list[Task]
) -> tuple[list[Task], list[Task]] | None:
    """Enough tasks on each side. Where there are few, those of cold slots count too, if the later ones agree."""
    own = [t for t in tasks if not run.warming(stage, t)]
    rest = [t for t in others if not run.warming(stage, t)]
    if own and not len(own) >= LEAST_TASKS <= len(rest) and _usual(own) > 0:
        late = _usual(own)
        own, rest = tasks, others
        if len(rest) >= LEAST_TASKS and late < SLOWER * _usual(rest):
            return None
    return (own, rest) if len(own) >= LEAST_TASKS <= len(rest) else None


def _usual(tasks: list[Task]) -> float:
    return median(t.duration for t in tasks)


def _cost(run: ObservedRun, stage: StageTasks, tasks: list[Task], usual: float) -> float:
    mine = {(t.index, t.attempt) for t in tasks}
    whole = ordered(stage)
    level = [min(t.duration, usual) if (t.index, t.attempt) in mine else t.duration for t in whole]
    return gained([t.duration for t in whole], level, used(run, stage))
