"""What a Spark application's processes use at a time: read by exporters, never by the application itself."""

from __future__ import annotations

from console.drill.spark import memory
from console.drill.spark.memory import Demand
from console.drill.spark.progress import Executor, SparkRun


def memory_of(run: SparkRun, executor: Executor, now: float) -> memory.Use:
    """Memory of an executor at `now`."""
    current: tuple[float, int] | None = None
    for since, stage, rate in executor.work:
        if since <= now and rate > 0:
            current = (since, stage)
    if current is None:
        idle = min(1.0, max(0.0, now - executor.asked) / 20.0)
        return memory.use(executor.size, Demand(), 0.0, busy=4.0 * idle)
    demand = run.program.stages[current[1]].executor
    stretched = Demand(demand.heap, demand.python, demand.native, demand.ramp * executor.stretch)
    return memory.use(executor.size, stretched, now - current[0], busy=now - executor.work[0][0])


def driver_memory(run: SparkRun, now: float) -> memory.Use:
    """Memory of the driver at `now`."""
    if run.driver_work is None or now < run.driver_work[0]:
        stage = run.stages[-1] if run.stages else None
        results = int(run.done(stage, now) * stage.plan.result_bytes) if stage else 0
        return memory.use(run.driver_size, Demand(memory.BASE_LIVE + results), 30.0, busy=8.0)
    since, demand = run.driver_work
    return memory.use(run.driver_size, demand, now - since)


def resident(run: SparkRun, uid: str, now: float) -> int:
    """Resident bytes of one of its pods' containers, never more than the limit: the kernel sees to that."""
    executor = run.executor_of(uid)
    if executor is None:
        return min(driver_memory(run, now).resident, run.driver_size.limit)
    return min(memory_of(run, executor, now).resident, executor.size.limit)


def cpu_seconds(run: SparkRun, uid: str, now: float) -> float:
    """CPU time of one of its pods' containers."""
    executor = run.executor_of(uid)
    if executor is None:
        return 8.0 + 0.15 * max(0.0, now - (run.started or now))
    return 6.0 + 0.9 * executor.busy(now)
