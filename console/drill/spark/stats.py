"""Numbers of a Spark application at a time: what its REST API, its executors endpoint and its UI are made of."""

from __future__ import annotations

import math
from collections.abc import Callable

from console.drill.spark import memory
from console.drill.spark.memory import MI
from console.drill.spark.progress import Executor, SparkRun
from console.drill.spark.use import driver_memory, memory_of

HEARTBEAT = 10.0
EXPOSED: dict[str, str] = {
    "metrics_executor_rddBlocks": "rddBlocks",
    "metrics_executor_memoryUsed_bytes": "memoryUsed",
    "metrics_executor_diskUsed_bytes": "diskUsed",
    "metrics_executor_totalCores": "totalCores",
    "metrics_executor_maxTasks": "maxTasks",
    "metrics_executor_activeTasks": "activeTasks",
    "metrics_executor_failedTasks_total": "failedTasks",
    "metrics_executor_completedTasks_total": "completedTasks",
    "metrics_executor_totalTasks_total": "totalTasks",
    "metrics_executor_totalDuration_seconds_total": "totalDuration",
    "metrics_executor_totalGCTime_seconds_total": "totalGCTime",
    "metrics_executor_totalInputBytes_bytes_total": "totalInputBytes",
    "metrics_executor_totalShuffleRead_bytes_total": "totalShuffleRead",
    "metrics_executor_totalShuffleWrite_bytes_total": "totalShuffleWrite",
    "metrics_executor_maxMemory_bytes": "maxMemory",
    "metrics_executor_usedOnHeapStorageMemory_bytes": "memoryUsed",
    "metrics_executor_usedOffHeapStorageMemory_bytes": "diskUsed",
    "metrics_executor_totalOnHeapStorageMemory_bytes": "maxMemory",
    "metrics_executor_totalOffHeapStorageMemory_bytes": "diskUsed",
    "metrics_executor_JVMHeapMemory_bytes": "JVMHeapMemory",
    "metrics_executor_JVMOffHeapMemory_bytes": "JVMOffHeapMemory",
    "metrics_executor_OnHeapExecutionMemory_bytes": "OnHeapExecutionMemory",
    "metrics_executor_OnHeapStorageMemory_bytes": "memoryUsed",
    "metrics_executor_OnHeapUnifiedMemory_bytes": "memoryUsed",
    "metrics_executor_ProcessTreeJVMRSSMemory_bytes": "ProcessTreeJVMRSSMemory",
    "metrics_executor_ProcessTreeJVMVMemory_bytes": "ProcessTreeJVMVMemory",
    "metrics_executor_ProcessTreePythonRSSMemory_bytes": "ProcessTreePythonRSSMemory",
    "metrics_executor_ProcessTreePythonVMemory_bytes": "ProcessTreePythonVMemory",
    "metrics_executor_MinorGCCount_total": "MinorGCCount",
    "metrics_executor_MinorGCTime_seconds_total": "totalGCTime",
    "metrics_executor_MajorGCCount_total": "MajorGCCount",
}
ZEROS = ("rddBlocks", "diskUsed", "MajorGCCount")
PEAKS = (
    "JVMHeapMemory",
    "JVMOffHeapMemory",
    "OnHeapExecutionMemory",
    "ProcessTreeJVMRSSMemory",
    "ProcessTreeJVMVMemory",
    "ProcessTreePythonRSSMemory",
    "ProcessTreePythonVMemory",
)


class RunStats:
    """Reads one run at any time."""

    def __init__(self, run: SparkRun) -> None:
        self.run = run
        self.process_tree = str(run.conf.get("spark.executor.processTreeMetrics.enabled", "false")).lower() == "true"

    def reader(self, metric: str, executor: str) -> Callable[[float], float | None]:
        """The exposed metric of one executor as a function of time; None while it is not listed.

        Only living executors are listed: counters of a lost one end with it.
        """
        field = EXPOSED[metric]

        def read(when: float) -> float | None:
            if executor == "driver":
                return self.driver(field, when)
            found = self.run.executors.get(int(executor))
            if found is None or found.registered is None or when < found.registered:
                return None
            if found.removed is not None and when >= found.removed:
                return None
            return self.executor(found, field, when)

        return read

    def driver(self, field: str, when: float) -> float:
        """A number of the driver's own line."""
        if field == "totalDuration":
            return round(when - (self.run.started or when), 3)
        if field == "maxMemory":
            return float(unified(self.run.driver_size.heap))
        if field in PEAKS:
            return float(self._peak_of(self.run.driver_size, driver_memory(self.run, when), field, when))
        return 0.0

    def executor(self, executor: Executor, field: str, when: float) -> float:
        """A number of an executor."""
        size = executor.size
        if field in ("totalCores", "maxTasks"):
            return float(size.cores)
        if field == "maxMemory":
            return float(unified(size.heap))
        if field in ZEROS:
            return 0.0
        if field == "memoryUsed":
            return float(MI)
        if field == "activeTasks":
            return float(self.active(executor, when))
        if field in PEAKS:
            return float(self.peak(executor, field, when))
        done = math.floor(executor.done(when))
        if field == "completedTasks":
            return float(done)
        failed = executor.failed_tasks
        if field == "failedTasks":
            return float(failed)
        if field == "totalTasks":
            return float(done + failed + self.active(executor, when))
        if field == "totalDuration":
            return round(executor.busy(when), 3)
        if field == "totalGCTime":
            return round(self.gc_seconds(executor, when), 3)
        if field == "MinorGCCount":
            return float(int(executor.busy(when) / 4))
        return float(self.volume(executor, field, when))

    def active(self, executor: Executor, when: float) -> int:
        """Tasks that run on it."""
        current = [entry for entry in executor.work if entry[0] <= when]
        return executor.slots(current[-1][0]) if current and current[-1][2] > 0 else 0

    def gc_seconds(self, executor: Executor, when: float) -> float:
        """Time spent in garbage collection during tasks."""
        total = 0.0
        for since, until, stage, rate in executor.spans(when):
            if rate <= 0:
                continue
            demand = self.run.program.stages[stage].executor
            part = min(1.0, (until - since) / demand.ramp)
            live = int(memory.BASE_LIVE + max(0, demand.heap - memory.BASE_LIVE) * part)
            total += (until - since) * executor.slots(since) * memory.gc_share(executor.size, live)
        return total

    def volume(self, executor: Executor, field: str, when: float) -> int:
        """Bytes read or written until then."""
        total = 0.0
        for index, plan in enumerate(self.run.program.stages):
            tasks = executor.done(when, index)
            if field == "totalInputBytes":
                total += tasks * plan.input_bytes
            elif field == "totalShuffleWrite":
                total += tasks * plan.shuffle_bytes
            elif index:
                before = self.run.program.stages[index - 1]
                total += tasks / plan.tasks * before.shuffle_bytes * before.tasks
        return int(total)

    def peak(self, executor: Executor, field: str, when: float) -> int:
        """A peak metric: the greatest value of any heartbeat until then; 0 before the first."""
        if executor.registered is None:
            return 0
        beats = math.floor((when - executor.registered) / HEARTBEAT)
        if beats < 1:
            return 0
        last = executor.registered + beats * HEARTBEAT
        moments = [last, *(since - 0.1 for since, _, _ in executor.work if executor.registered < since <= last)]
        return max(self._peak_of(executor.size, memory_of(self.run, executor, at), field, at) for at in moments)

    def _peak_of(self, size: memory.Sizing, used: memory.Use, field: str, when: float) -> int:
        if field == "JVMHeapMemory":
            return memory.seen_heap(size, used.live)
        if field == "JVMOffHeapMemory":
            return int(memory.JVM_OWN * 0.55)
        if field == "OnHeapExecutionMemory":
            return max(0, used.live - memory.BASE_LIVE) // 3
        if not self.process_tree:
            return 0
        if field.startswith("ProcessTreeJVM"):
            return used.jvm if "RSS" in field else size.heap + 3 * 2**30
        return used.python if "RSS" in field else int(used.python * 1.6)


def unified(heap: int) -> int:
    """The unified memory region of a heap."""
    return int((heap - 300 * MI) * 0.6)
