"""Tasks of a stage that take much longer than the others: more data, a slow executor or node, or neither is known."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import median

from console.base.units import human_bytes
from console.health.restview import num, text
from console.health.slow.items import Slow
from console.health.slow.replay import gained
from console.health.slow.run import Run
from console.health.slow.stage import ordered, used
from console.health.tasks import Stage, Task

SKEW = 3.0
"""Largest over median from which a distribution is skewed."""
SLOWER = 1.5
"""Times that an executor's tasks take against those of the others, from which it is slow."""
LEAST_TASKS = 3
"""Tasks on each side that a comparison of executors needs."""


def of_skew(run: Run, stage: Stage, slow: Iterable[str] = ()) -> Slow | None:
    """One task much longer than the others, in a stage whose long tasks do not all belong to `slow` executors."""
    if text(stage.row, "status") == "FAILED":
        return None
    largest, usual = stage.top("duration"), stage.middle("duration")
    running = [t for t in stage.tasks if t.status == "RUNNING"]
    largest = max([largest or 0.0, *(t.duration for t in running)])
    count, wall = num(stage.row, "numTasks"), stage.wall
    if not largest or usual is None or wall is None or usual <= 0 or count < 3 or largest / usual < SKEW:
        return None
    busy = sum(t.duration for t in stage.done) if stage.complete else num(stage.row, "executorRunTime") / 1000
    lost = min(wall - busy / used(run, stage), largest - usual)
    known = [*stage.done, *running]
    long = [t for t in known if t.duration >= largest * 0.5 and t.duration >= SKEW * usual]
    if lost <= 0 or (long and {t.executor for t in long} <= set(slow)):
        return None
    read, rows = (stage.top("read"), stage.middle("read")), (stage.top("records"), stage.middle("records"))
    sizes, counts = _ratio(*read) >= SKEW, _ratio(*rows) >= SKEW
    if not sizes and not counts and (not long or all(run.warming(stage, t) for t in long)):
        return None
    words = f"longest task {largest:.1f} s, median {usual:.1f} s"
    if any(t.duration >= largest for t in running):
        words += f"; {len(running)} still running"
    kind, confirm = "data-skew", "which key: count by key of the join or grouping; "
    if sizes and not (counts and (read[0] or 0.0) < 2**20):
        words += f"; it read {human_bytes(read[0])}, the median {human_bytes(read[1])}"
        confirm += "AQE skew join or salting must level it"
    elif counts:
        words += f"; it read {rows[0]:,.0f} records, the median {rows[1]:,.0f}"
        confirm += "the sizes alone do not show it"
    else:
        kind, confirm = (
            "straggler",
            "the task's own work against its neighbours: records, input, the user's code, its node",
        )
    hosts = tuple(sorted({t.executor for t in long}))
    key = (stage.id, stage.attempt)
    sql = run.sql_of(*key)
    return Slow(kind, lost, lost / run.jobs, words, run.where(stage), confirm, key, largest, usual, hosts, sql)


def _ratio(most: float | None, usual: float | None) -> float:
    return most / max(usual, 1.0) if most is not None and usual is not None and most > 0 else 0.0


def slow_executors(run: Run) -> list[Slow]:
    """Executors whose tasks take longer than those of the others with as much data, over all stages."""
    out = []
    found: dict[str, list[tuple[float, Stage, float, float]]] = {}
    fine: dict[str, int] = {}
    for stage in run.stages.values():
        if not stage.complete:
            continue
        by_executor: dict[str, list[Task]] = {}
        for task in stage.done:
            by_executor.setdefault(task.executor, []).append(task)
        usual = median(t.duration for t in stage.done)
        for name, tasks in by_executor.items() if len(by_executor) > 1 else ():
            if median(t.duration for t in tasks) < 1.1 * usual:
                fine[name] = fine.get(name, 0) + (len(tasks) >= LEAST_TASKS)
                continue
            others = [t for t in stage.done if t.executor != name]
            judged = _slower(run, stage, tasks, others)
            if judged is None:
                fine[name] = fine.get(name, 0) + (len(tasks) >= LEAST_TASKS)
            else:
                found.setdefault(name, []).append((*_cost(run, stage, tasks, judged[1]), *judged))
    for name, seen in found.items():
        lost = sum(item[0] for item in seen)
        _, stage, own, usual = max(seen, key=lambda item: item[0])
        host = next((w.host for w in run.workers if w.id == name), "") or next(
            (t.host for t in stage.done if t.executor == name), ""
        )
        if len(seen) < fine.get(name, 0):
            continue
        words = f"executor {name}{f' on {host}' if host else ''}: its tasks take {own:.1f} s, those of the others "
        words += f"{usual:.1f} s with as much data, in {len(seen)} of {len(seen) + fine.get(name, 0)} stages"
        out.append(
            Slow(
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
                count=len(seen),
            )
        )
    return out


def _slower(run: Run, stage: Stage, tasks: list[Task], others: list[Task]) -> tuple[float, float] | None:
    """(median of its tasks, of the others) where it is slow by itself; the first task of a slot does not count."""
    own = [t for t in tasks if not run.warming(stage, t)]
    rest = [t for t in others if not run.warming(stage, t)]
    if own and not len(own) >= LEAST_TASKS <= len(rest) and median(t.duration for t in own) > 0:
        late = median(t.duration for t in own)  # few tasks: those of cold slots count too, if the later ones agree
        own, rest = list(tasks), list(others)
        if len(rest) >= LEAST_TASKS and late < SLOWER * median(t.duration for t in rest):
            return None
    if len(own) < LEAST_TASKS or len(rest) < LEAST_TASKS:
        return None
    mine, theirs = median(t.duration for t in own), median(t.duration for t in rest)
    if theirs <= 0 or mine / theirs < SLOWER:
        return None
    data = median(t.read for t in own) / max(1.0, median(t.read for t in rest))
    rows = median(t.records for t in own) / max(1.0, median(t.records for t in rest))
    if max(data, rows) >= 1.3:
        return None
    waits = median(t.wait + t.delay for t in own) - median(t.wait + t.delay for t in rest)
    return (mine, theirs) if waits < 0.5 * (mine - theirs) else None


def _cost(run: Run, stage: Stage, tasks: list[Task], usual: float) -> tuple[float, Stage]:
    mine = {(t.index, t.attempt) for t in tasks}
    whole = ordered(stage)
    level = [min(t.duration, usual) if (t.index, t.attempt) in mine else t.duration for t in whole]
    return gained([t.duration for t in whole], level, used(run, stage)), stage
