"""Causes that one stage shows: garbage collection, waits, spill, too many and too few tasks.

Where every task is known, the stage is played again without the cause; else its sums are spread over the slots.
"""

from __future__ import annotations

from collections.abc import Callable
from statistics import median

from console.base.units import human_bytes
from console.facts.rest import num
from console.timing.items import Slow
from console.timing.replay import gained
from console.timing.run import ObservedRun
from console.timing.tasks import StageTasks, Task

TINY_TASK = 0.2
"""Seconds below which a task is too short to be worth its start."""
SPILL_RATE = 50 * 2**20
"""Bytes of spill files a second that one task of many writes, or reads again: serialised, compressed, merged."""


def of_stage(run: ObservedRun, stage: StageTasks) -> list[Slow]:
    """What the stage lost by causes of its own."""
    found = [_gc(run, stage), _shuffle_wait(run, stage), _spill(run, stage), _too_few(run, stage)]
    many = _too_many(run, stage)
    found.append(many if many is not None else _delay(run, stage))
    return [item for item in found if item is not None]


def used(run: ObservedRun, stage: StageTasks) -> int:
    """Slots that the stage can fill."""
    return max(1, int(min(run.slots, max(num(stage.row, "numTasks"), 1.0))))


def ordered(stage: StageTasks) -> list[Task]:
    """Its tasks that succeeded, in order of launch."""
    return sorted(stage.done, key=lambda t: t.launched or 0.0)


def without(run: ObservedRun, stage: StageTasks, seconds: Callable[[Task], float], total: float) -> float:
    """Wall time that the stage is shorter when each task is by `seconds`; by `total` where tasks are not known."""
    tasks = ordered(stage)
    if not stage.complete:
        return total / used(run, stage)
    shorter = [max(0.0, t.duration - max(0.0, seconds(t))) for t in tasks]
    return gained([t.duration for t in tasks], shorter, used(run, stage))


def _item(run: ObservedRun, stage: StageTasks, kind: str, lost: float, words: str, confirm: str) -> Slow | None:
    if lost <= 0:
        return None
    sql = run.sql_of(stage.id, stage.attempt)
    key = (stage.id, stage.attempt)
    return Slow(kind, lost, lost / run.jobs, words, run.where(stage), confirm, key, sql=sql)


def _gc(run: ObservedRun, stage: StageTasks) -> Slow | None:
    spent = num(stage.row, "jvmGcTime") / 1000
    busy = num(stage.row, "executorRunTime") / 1000
    lost = without(run, stage, lambda t: t.gc, spent)
    share = f" of {busy:.0f} s" if busy > 0 else ""
    words = f"{spent:.0f} s{share} of task time in garbage collection"
    return _item(run, stage, "gc", lost, words, "GC log: live data against the heap; more heap must level it")


def _shuffle_wait(run: ObservedRun, stage: StageTasks) -> Slow | None:
    spent = num(stage.row, "shuffleFetchWaitTime") / 1000
    read = num(stage.row, "shuffleReadBytes")
    lost = without(run, stage, lambda t: t.wait, spent)
    rate = f" for {human_bytes(read)}: {human_bytes(read / spent)} a second" if read and spent else ""
    words = f"{spent:.0f} s of task time waiting for shuffle blocks{rate}"
    confirm = "network and disks of the hosts it reads from; which executor's blocks come late"
    return _item(run, stage, "shuffle-wait", lost, words, confirm)


def _spill(run: ObservedRun, stage: StageTasks) -> Slow | None:
    disk = num(stage.row, "diskBytesSpilled")
    if disk <= 0:
        return None
    lost = without(run, stage, lambda t: 2 * t.disk / SPILL_RATE, 2 * disk / SPILL_RATE)
    memory = num(stage.row, "memoryBytesSpilled")
    tasks = [t for t in stage.done if t.disk > 0]
    told = f" in {len(tasks)} of {len(stage.done)} tasks" if tasks else ""
    words = f"{human_bytes(disk)} ({human_bytes(memory)} in memory) written to disk and read again{told}"
    confirm = "more partitions or memory per task: the spill must go"
    return _item(run, stage, "spill", lost, words + " (estimated at 50 MiB/s and task)", confirm)


def _too_many(run: ObservedRun, stage: StageTasks) -> Slow | None:
    done = stage.done
    if not stage.complete or len(done) < 100 or (usual := median(t.duration for t in done)) >= TINY_TASK:
        return None
    lost = sum(max(0.0, t.duration - t.run) for t in done) / used(run, stage)
    words = f"{len(done)} tasks of {usual * 1000:.0f} ms: starting them takes longer than running them"
    confirm = "fewer partitions (coalesce, advisoryPartitionSizeInBytes)"
    return _item(run, stage, "too-many-tasks", lost, words, confirm)


def _too_few(run: ObservedRun, stage: StageTasks) -> Slow | None:
    count, total = num(stage.row, "numTasks"), num(stage.row, "executorRunTime") / 1000
    if not 0 < count < run.slots or total <= 0:
        return None
    lost = total / count - total / run.slots
    if run.alone:
        lost = min(lost, run.alone.get((stage.id, stage.attempt), 0.0))
    read = num(stage.row, "inputBytes") + num(stage.row, "shuffleReadBytes")
    size = f", {human_bytes(read / count)} each" if read else ""
    words = f"{count:.0f} tasks on {run.slots:.0f} slots{size}"
    return _item(run, stage, "too-few-tasks", lost, words, "more partitions, splittable input")


def _delay(run: ObservedRun, stage: StageTasks) -> Slow | None:
    """Tasks whose end the driver noticed late, or which it sent out late."""
    known = [t for t in stage.done if not run.warming(stage, t)]
    spent = sum(t.delay for t in known)
    if not stage.complete or not known or spent <= 0:
        return None
    lost = without(run, stage, lambda t: 0.0 if run.warming(stage, t) else t.delay, spent)
    words = f"{spent:.0f} s of {sum(t.duration for t in known):.0f} s of task time between executor and driver"
    confirm = "the driver: CPU throttling, GC, its threads, listener queues; size of task results"
    return _item(run, stage, "scheduler-delay", lost, words, confirm)
