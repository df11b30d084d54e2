"""What Spark's executors write, and what both sides write when a Python worker dies."""

from __future__ import annotations

from console.drill.spark.driverlog import BANNER, HEAP_STACK, NATIVE, PROFILE, PYTHON_CRASH, DriverLog, storage
from console.drill.spark.progress import Executor, Progress, SparkRun
from console.drill.state.logs import ContainerLog


def executor_started(log: ContainerLog, run: SparkRun, executor: Executor, now: float) -> None:
    """An executor's own log from its start to its registration."""
    name = executor.pod["name"]
    log.raw(now + 0.6, BANNER)
    log.raw(now + 0.7, PROFILE)
    log.info(now + 0.9, f"KubernetesExecutorBackend: Started daemon with process name: 11@{name}")
    log.info(now + 0.9, "SignalUtils: Registering signal handler for TERM")
    log.warn(now + 1.2, NATIVE)
    log.info(
        now + 2.0,
        f"CoarseGrainedExecutorBackend: Connecting to driver: spark://CoarseGrainedScheduler@{run.driver_ip}:7078",
    )
    log.info(now + 2.8, "CoarseGrainedExecutorBackend: Successfully registered with driver")
    log.info(now + 2.9, f"Executor: Starting executor ID {executor.number} on host {executor.host}")
    log.info(now + 2.9, f"Executor: Running Spark version {run.spec.get('sparkVersion', '4.1.4')}")
    log.info(now + 3.0, f"MemoryStore: MemoryStore started with capacity {storage(executor.size.heap)}")


def executor_died_of_heap(log: ContainerLog, run: SparkRun, executor: Executor, now: float) -> None:
    """The last words of an executor whose heap is full."""
    stage = run.stages[-1].index
    task = f"task {executor.number % 7}.0 in stage {stage}.0 (TID {executor.number * 3})"
    options = run.conf.get("spark.executor.extraJavaOptions", "")
    stack = HEAP_STACK
    if "UseParallelGC" in options:
        stack = stack.replace("Java heap space", "GC overhead limit exceeded")
    log.error(now, f"Executor: Exception in {task}")
    log.raw(now, stack)
    thread = f"Thread[Executor task launch worker for {task},5,main]"
    log.error(now, f"SparkUncaughtExceptionHandler: Uncaught exception in thread {thread}")
    log.raw(now, stack)


def worker_died(driver: DriverLog, log: ContainerLog, now: float, executor: Executor, stage: Progress) -> None:
    """A Python worker was killed and the JVM lived on: the executor and the driver say the same."""
    crash = f"{PYTHON_CRASH}\n\tat org.apache.spark.api.python.PythonRunner$$anon$3.read(PythonRunner.scala:1056)"
    crash += "\nCaused by: java.io.EOFException"
    for slot in range(executor.size.cores):
        task = f"task {slot}.{stage.rounds} in stage {stage.index}.0 (TID {executor.number * 10 + slot})"
        log.error(now, f"Executor: Exception in {task}\n{crash}")
        driver.log.warn(now, f"TaskSetManager: Lost {task} ({executor.host} executor {executor.number}): {crash}")


def terminated_gracefully(log: ContainerLog, now: float) -> None:
    """An executor that was asked to stop."""
    log.error(now, "CoarseGrainedExecutorBackend: RECEIVED SIGNAL TERM")
