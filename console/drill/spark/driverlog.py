"""What Spark 4.1 writes: driver and executor log lines in their real form, several lines where it writes several."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from console.drill.spark.memory import MI
from console.drill.spark.progress import Executor, Progress, SparkRun
from console.drill.state.logs import ContainerLog
from console.drill.state.objects import StatusError

Object = dict[str, Any]
BACKEND = "KubernetesClusterSchedulerBackend"
SIGNALS = {
    50: "(Uncaught exception)",
    52: "(JVM OOM)",
    53: "(DiskStore failed to create temp dir)",
    137: "(SIGKILL, possible container OOM)",
}
HEAP_STACK = """java.lang.OutOfMemoryError: Java heap space
\tat org.apache.spark.sql.catalyst.expressions.UnsafeArrayData.createFreshArray(UnsafeArrayData.java:487)
\tat org.apache.spark.sql.catalyst.util.ArrayData$.allocateArrayData(ArrayData.scala:55)
\tat org.apache.spark.sql.execution.BufferedRowIterator.hasNext(BufferedRowIterator.java:44)
\tat org.apache.spark.rdd.RDD.iterator(RDD.scala:338)
\tat org.apache.spark.scheduler.ShuffleMapTask.runTask(ShuffleMapTask.scala:107)
\tat org.apache.spark.TaskContext.runTaskWithListeners(TaskContext.scala:180)
\tat org.apache.spark.scheduler.Task.run(Task.scala:147)
\tat org.apache.spark.executor.Executor$TaskRunner.run(Executor.scala:876)
\tat java.base/java.util.concurrent.ThreadPoolExecutor.runWorker(ThreadPoolExecutor.java:1136)
\tat java.base/java.util.concurrent.ThreadPoolExecutor$Worker.run(ThreadPoolExecutor.java:635)
\tat java.base/java.lang.Thread.run(Thread.java:840)"""
PYTHON_CRASH = (
    "org.apache.spark.SparkException: Python worker exited unexpectedly (crashed). Consider setting "
    "'spark.sql.execution.pyspark.udf.faulthandler.enabled' or'spark.python.worker.faulthandler.enabled' configuration "
    "to 'true' for the better Python traceback."
)
BANNER = "WARNING: Using incubator modules: jdk.incubator.vector"
PROFILE = "Using Spark's default log4j profile: org/apache/spark/log4j2-defaults.properties"
NATIVE = (
    "NativeCodeLoader: Unable to load native-hadoop library for your platform... "
    "using builtin-java classes where applicable"
)


def storage(heap: int) -> str:
    """The unified memory region of a heap, as the log shows it."""
    return f"{(heap - 300 * MI) * 0.6 / MI:.1f} MiB"


def size_text(count: int) -> str:
    """Bytes as Spark prints them: `81.3 MiB`."""
    for unit, size in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if count >= 2 * size:
            return f"{count / size:.1f} {unit}"
    return f"{count}.0 B"


class DriverLog:
    """Writes one driver's log as its run goes on."""

    def __init__(self, log: ContainerLog, run: SparkRun) -> None:
        self.log, self.run = log, run
        self._tasks = 0
        self._job = -1

    def begin(self, now: float) -> None:
        """The JVM starts."""
        self.log.raw(now + 1.0, BANNER)
        self.log.warn(now + 1.4, NATIVE)
        self.log.raw(now + 1.5, PROFILE)

    def context(self, now: float) -> None:
        """SparkContext is up."""
        run, log, size = self.run, self.log, self.run.size
        version = run.spec.get("sparkVersion", "4.1.4")
        log.info(now - 1.0, f"SparkContext: Running Spark version {version}")
        log.info(now - 1.0, "SparkContext: OS info Linux, 6.1.0-generic, amd64")
        log.info(now - 1.0, "SparkContext: Java version 17.0.19+10-1-deb12u2-Debian")
        log.info(now - 1.0, "ResourceUtils: No custom resources configured for spark.driver.")
        log.info(now - 1.0, f"SparkContext: Submitted application: {run.name}")
        log.info(
            now - 0.9,
            "SecurityManager: SecurityManager: authentication disabled; ui acls disabled; users with view permissions: "
            "spark, root groups with view permissions: EMPTY; users with modify permissions: spark, root; "
            "groups with modify permissions: EMPTY; RPC SSL disabled",
        )
        log.info(now - 0.8, "Utils: Successfully started service 'sparkDriver' on port 7078.")
        log.info(now - 0.7, "SparkEnv: Registering MapOutputTracker")
        log.info(now - 0.7, "SparkEnv: Registering BlockManagerMaster")
        log.info(now - 0.5, "JettyUtils: Start Jetty 0.0.0.0:4040 for SparkUI")
        log.info(now - 0.5, "Utils: Successfully started service 'SparkUI' on port 4040.")
        log.info(
            now - 0.4,
            "ResourceProfile: Default ResourceProfile created, executor resources: Map(memoryOverhead -> name: "
            f"memoryOverhead, amount: {size.overhead // MI}, script: , vendor: , cores -> name: cores, amount: "
            f"{size.cores}, script: , vendor: , memory -> name: memory, amount: {size.heap // MI}, script: , vendor: , "
            f"offHeap -> name: offHeap, amount: {size.offheap // MI}, script: , vendor: ), task resources: "
            "Map(cpus -> name: cpus, amount: 1.0)",
        )
        log.info(now - 0.4, f"ResourceProfile: Limiting resource is cpus at {size.cores} tasks per executor")
        log.info(
            now - 0.3,
            "SparkKubernetesClientFactory: "
            "Auto-configuring K8S client using current context from users K8S config file",
        )

    def request(self, now: float, count: int, target: int, known: int) -> None:
        """The allocator asks for executors."""
        self.log.info(
            now,
            f"ExecutorPodsAllocator: Going to request {count} executors from Kubernetes for ResourceProfile Id: 0, "
            f"target: {target}, known: {known}, sharedSlotFromPendingPods: 2147483647.",
        )
        self.log.info(now, "ExecutorPodsAllocator: Found 0 reusable PVCs from 0 PVCs")
        self.log.info(now, "BasicExecutorFeatureStep: Decommissioning not enabled, skipping shutdown script")

    def refused(self, now: float, error: StatusError) -> None:
        """The API server refused an executor pod."""
        self.log.warn(now, "ExecutorPodsSnapshotsStoreImpl: Exception when notifying snapshot subscriber.")
        self.log.raw(
            now,
            "io.fabric8.kubernetes.client.KubernetesClientException: Failure executing: POST at: "
            f"https://kubernetes.default.svc/api/v1/namespaces/{self.run.driver['metadata']['namespace']}/pods. "
            f"Message: {error.body['message']}.",
        )

    def registered(self, now: float, executor: Executor) -> None:
        """An executor registered."""
        self.log.info(
            now,
            f"{BACKEND}$KubernetesDriverEndpoint: Registered executor NettyRpcEndpointRef(spark-client://Executor) "
            f"({executor.host}:{40000 + executor.number}) with ID {executor.number}, ResourceProfileId 0",
        )
        self.log.info(
            now + 0.1,
            f"BlockManagerMasterEndpoint: Registering block manager {executor.host}:{36000 + executor.number} with "
            f"{storage(executor.size.heap)} RAM, BlockManagerId({executor.number}, {executor.host}, "
            f"{36000 + executor.number}, None)",
        )

    def ready(self, now: float) -> None:
        """Enough executors registered."""
        text = "SchedulerBackend is ready for scheduling beginning after reached minRegisteredResourcesRatio: 0.8"
        self.log.info(now, f"{BACKEND}: {text}")

    def ready_after_waiting(self, now: float) -> None:
        """Too few registered, and it has waited for them long enough."""
        text = "SchedulerBackend is ready for scheduling beginning after waiting maxRegisteredResourcesWaitingTime: "
        self.log.info(now, f"{BACKEND}: {text}30000000000(ns)")

    def silent(self, now: float, executor: Executor, milliseconds: int) -> None:
        """An executor has not been heard of for too long."""
        self.log.warn(
            now,
            f"HeartbeatReceiver: Removing executor {executor.number} with no recent heartbeats: {milliseconds} ms "
            "exceeds timeout 120000 ms",
        )

    def starving(self, now: float) -> None:
        """Nobody runs the tasks of the first stage."""
        self.log.warn(
            now,
            "TaskSchedulerImpl: Initial job has not accepted any resources; check your cluster UI to ensure that "
            "workers are registered and have sufficient resources",
        )

    def stage(self, now: float, stage: Progress) -> None:
        """A stage starts, in a job of its own."""
        self._job += 1
        number, plan = stage.index, stage.plan
        kind = "ShuffleMapStage" if plan.shuffle else "ResultStage"
        log = self.log
        if plan.shuffle:
            log.info(now, f"DAGScheduler: Registering RDD {3 + 7 * number} ({plan.name}) as input to shuffle {number}")
            log.info(
                now, f"DAGScheduler: Got map stage job {self._job} ({plan.name}) with {plan.tasks} output partitions"
            )
        else:
            log.info(now, f"SparkContext: Starting job: {plan.name}")
            log.info(now, f"DAGScheduler: Got job {self._job} ({plan.name}) with {plan.tasks} output partitions")
        log.info(now, f"DAGScheduler: Final stage: {kind} {number} ({plan.name})")
        log.info(
            now,
            f"DAGScheduler: Submitting {plan.tasks} missing tasks from {kind} {number} "
            f"(MapPartitionsRDD[{3 + 7 * number}] at {plan.name}) (first 15 tasks are for partitions Vector("
            f"{', '.join(str(n) for n in range(min(15, plan.tasks)))}))",
        )
        log.info(now, f"TaskSchedulerImpl: Adding task set {number}.0 with {plan.tasks} tasks resource profile 0")
        for executor in self.run.executors.values():
            if executor.active:
                for slot in range(executor.size.cores):
                    self._start_task(now, executor, number, slot)

    def _start_task(self, now: float, executor: Executor, stage: int, partition: int) -> None:
        self.log.info(
            now,
            f"TaskSetManager: Starting task {partition}.0 in stage {stage}.0 (TID {self._tasks}) ({executor.host},"
            f"executor {executor.number}, partition {partition}, PROCESS_LOCAL, 9774 bytes) ",
        )
        self._tasks += 1

    def stage_done(self, now: float, stage: Progress) -> None:
        """A stage is complete."""
        kind = "ShuffleMapStage" if stage.plan.shuffle else "ResultStage"
        took = int((now - stage.started) * 1000)
        log = self.log
        log.info(now, f"TaskSchedulerImpl: Removed TaskSet {stage.index}.0 whose tasks have all completed, from pool ")
        log.info(now, f"DAGScheduler: {kind} {stage.index} ({stage.plan.name}) finished in {took} ms")
        if not stage.plan.shuffle:
            log.info(now, f"DAGScheduler: Job {self._job} finished: {stage.plan.name}, took {took}.512 ms")

    def given_back(self, now: float, executors: Iterable[Executor]) -> None:
        """Dynamic allocation removes executors that do nothing."""
        numbers = ",".join(str(executor.number) for executor in executors)
        self.log.info(now, f"ExecutorAllocationManager: Executors {numbers} removed due to idle timeout.")

    def exit_reason(self, executor: Executor, pod: Object, ended: Object) -> str:
        """The text with which the driver explains a dead executor."""
        code = ended["exitCode"]
        status = pod["status"]
        brief = f"The API gave the following brief reason: {status['reason']}" if status.get("reason") else ""
        message = f"The API gave the following message: {status['message']}" if status.get("message") else ""
        image = pod["spec"]["containers"][0]["image"]
        return (
            f"\nThe executor with id {executor.number} exited with exit code {code}{SIGNALS.get(code, '')}.\n"
            f"{brief}\n{message}\n\nThe API gave the following container statuses:\n\n\n"
            f"\t container name: spark-kubernetes-executor\n\t container image: {image}\n"
            f"\t container state: terminated\n\t container started at: {ended.get('startedAt')}\n"
            f"\t container finished at: {ended.get('finishedAt')}\n\t exit code: {code}\n"
            f"\t termination reason: {ended.get('reason')}\n      "
        )

    def lost(self, now: float, executor: Executor, reason: str, stage: Progress | None, by_task: bool) -> None:
        """An executor is gone."""
        log, number = self.log, executor.number
        log.info(now, f"DAGScheduler: Executor lost: {number} (epoch {self.run.failures})")
        log.info(now, f"DAGScheduler: Shuffle files lost for executor: {number} (epoch {self.run.failures})")
        log.warn(now, "ExecutorPodsLifecycleManager: 1 new failed executors.")
        if "(JVM OOM)" in reason:
            log.warn(now, f"{BACKEND}: OOM is detected.")
        where = executor.host or executor.pod["name"]
        log.error(now, f"TaskSchedulerImpl: Lost executor {number} on {where}: {reason}")
        if stage is None:
            return
        for slot in range(executor.size.cores):
            task = f"task {slot}.0 in stage {stage.index}.0 (TID {max(0, self._tasks - slot - 1)})"
            if by_task:
                log.warn(
                    now,
                    f"TaskSetManager: Lost {task} ({where} executor {number}): ExecutorLostFailure (executor {number} "
                    f"exited caused by one of the running tasks) Reason: {reason}",
                )
            else:
                log.info(
                    now,
                    f"TaskSetManager: {task} failed because while it was being computed, its executor exited for a "
                    "reason unrelated to the task. Not counting this failure towards the maximum number of failures "
                    "for the task.",
                )

    def task_failed(self, now: float, stage: Progress, times: int) -> str:
        """One task failed too often; the reason of the abort."""
        task = f"Task 0 in stage {stage.index}.0"
        self.log.error(now, f"TaskSetManager: {task} failed {times} times; aborting job")
        last = f"Lost task 0.{times - 1} in stage {stage.index}.0 (TID {self._tasks})"
        return (
            f"Job aborted due to stage failure: {task} failed {times} times, most recent failure: {last}: "
            f"{PYTHON_CRASH}\n\nDriver stacktrace:"
        )

    def result_too_large(self, now: float, tasks: int, stage: Progress, most: int) -> str:
        """The results of a stage pass spark.driver.maxResultSize; the reason of the abort."""
        text = (
            f"Total size of serialized results of {tasks} tasks ({size_text(tasks * stage.plan.result_bytes)}) is "
            f"bigger than spark.driver.maxResultSize ({size_text(most)})"
        )
        self.log.error(now, f"TaskSetManager: {text}")
        self.log.warn(
            now,
            f"TaskSetManager: Lost task {tasks - 1}.0 in stage {stage.index}.0 (TID {tasks - 1}): TaskKilled (Tasks "
            "result size has exceeded maxResultSize)",
        )
        return f"Job aborted due to stage failure: {text}"

    def aborted(self, now: float, stage: Progress, failure: str) -> None:
        """The stage and its job failed, and the program did not catch it."""
        kind = "ShuffleMapStage" if stage.plan.shuffle else "ResultStage"
        took = int((now - stage.started) * 1000)
        first = failure.split("\n", 1)[0]
        self.log.info(now, f"TaskSchedulerImpl: Killing all running tasks in stage {stage.index}: {first}")
        self.log.info(
            now, f"DAGScheduler: {kind} {stage.index} ({stage.plan.name}) failed in {took} ms due to {failure}"
        )
        self.log.raw(
            now, f"py4j.protocol.Py4JJavaError: An error occurred.\n: org.apache.spark.SparkException: {failure}"
        )

    def too_many(self, now: float, most: int) -> None:
        """The limit of lost executors is passed."""
        self.log.error(now, f"ExecutorPodsLifecycleManager: Max number of executor failures ({most}) reached")

    def failed(self, now: float, error: str) -> None:
        """The job's own code failed."""
        self.log.raw(
            now, f'Traceback (most recent call last):\n  File "/opt/jobs/job.py", line 34, in <module>\n{error}'
        )

    def driver_heap(self, now: float) -> None:
        """The driver's heap is full while it fetches results."""
        self.log.error(now, "TaskResultGetter: Exception while getting task result")
        self.log.raw(now, f"java.lang.IllegalStateException: unread block data\nCaused by: {HEAP_STACK}")

    def stop(self, now: float, code: int, started: float) -> None:
        """SparkContext stops."""
        log = self.log
        log.info(
            now,
            f"SparkContext: SparkContext is stopping with exitCode {code} "
            "from stop at NativeMethodAccessorImpl.java:0.",
        )
        service = f"{self.run.driver['metadata']['name']}-svc.{self.run.driver['metadata']['namespace']}.svc"
        log.info(now, f"SparkUI: Stopped Spark web UI at http://{service}:4040")
        log.info(now, f"{BACKEND}: Shutting down all executors")
        log.info(now, f"{BACKEND}$KubernetesDriverEndpoint: Asking each executor to shut down")
        log.info(now + 0.2, "ExecutorPodsWatchSnapshotSource: Kubernetes client has been closed.")
        log.info(now + 0.3, "MapOutputTrackerMasterEndpoint: MapOutputTrackerMasterEndpoint stopped!")
        log.info(now + 0.3, "MemoryStore: MemoryStore cleared")
        log.info(now + 0.3, "BlockManager: BlockManager stopped")
        uptime = int((now - started) * 1000)
        log.info(now + 0.4, f"SparkContext: Successfully stopped SparkContext (Uptime: {uptime} ms)")
