"""One Spark application as its REST API shows it at one time: jobs, stages, executors, environment, tasks."""

from __future__ import annotations

import math
from typing import Any

from console.drill.spark.memory import MI
from console.drill.spark.progress import Executor, Progress, SparkRun
from console.drill.spark.stats import RunStats, unified
from console.drill.state.ids import spark_stamp

Object = dict[str, Any]


def words(text: str) -> tuple[str, ...]:
    """The words of a text."""
    return tuple(text.split())


STAGE_ZEROS = words(
    "numKilledTasks executorDeserializeTime executorDeserializeCpuTime resultSerializationTime memoryBytesSpilled "
    "diskBytesSpilled outputBytes outputRecords shuffleRemoteBlocksFetched shuffleLocalBlocksFetched "
    "shuffleFetchWaitTime shuffleRemoteBytesRead shuffleRemoteBytesReadToDisk shuffleLocalBytesRead shuffleReadRecords "
    "shuffleCorruptMergedBlockChunks shuffleMergedFetchFallbackCount shuffleMergedRemoteBlocksFetched "
    "shuffleMergedLocalBlocksFetched shuffleMergedRemoteChunksFetched shuffleMergedLocalChunksFetched "
    "shuffleMergedRemoteBytesRead shuffleMergedLocalBytesRead shuffleRemoteReqsDuration "
    "shuffleMergedRemoteReqsDuration shuffleWriteTime shuffleWriteRecords inputRecords"
)


class RestNotFound(Exception):
    """404 with a text body, as Jersey answers."""


class RunView:
    """One run as REST shows it at one time."""

    def __init__(self, run: SparkRun, now: float) -> None:
        self.run, self.now = run, now if run.ended is None else min(now, run.ended)
        self.stats = RunStats(run)

    def one(self, rows: list[Object], key: str, wanted: str, word: str) -> Object:
        """The row with that id."""
        for row in rows:
            if str(row[key]) == wanted:
                return row
        raise RestNotFound(f"unknown {word}: {wanted}")

    def _state(self, stage: Progress) -> str:
        if stage.ended is not None:
            return "COMPLETE"
        return "ACTIVE" if self.run.ended is None else "FAILED"

    def _counts(self, stage: Progress) -> tuple[int, int]:
        done = math.floor(self.run.done(stage, self.now))
        busy = (
            sum(e.size.cores for e in self.run.executors.values() if e.active) if self._state(stage) == "ACTIVE" else 0
        )
        return done, min(busy, stage.plan.tasks - done)

    def jobs(self, query: dict[str, str]) -> list[Object]:
        """Jobs, newest first: one for each stage."""
        states = {"COMPLETE": "SUCCEEDED", "ACTIVE": "RUNNING", "FAILED": "FAILED"}
        out = []
        for stage in reversed(self.run.stages):
            done, active = self._counts(stage)
            state = self._state(stage)
            row: Object = {
                "jobId": stage.index,
                "name": stage.plan.name,
                "submissionTime": spark_stamp(stage.started),
                "stageIds": [stage.index],
                "jobTags": [],
                "status": states[state],
                "numTasks": stage.plan.tasks,
                "numActiveTasks": active,
                "numCompletedTasks": done,
                "numSkippedTasks": 0,
                "numFailedTasks": stage.failed,
                "numKilledTasks": 0,
                "numCompletedIndices": done,
                "numActiveStages": int(state == "ACTIVE"),
                "numCompletedStages": int(state == "COMPLETE"),
                "numSkippedStages": 0,
                "numFailedStages": int(state == "FAILED"),
                "killedTasksSummary": {},
            }
            ended = stage.ended or self.run.ended
            if ended is not None:
                row["completionTime"] = spark_stamp(ended)
            out.append(row)
        wanted = query.get("status", "").upper()
        return [row for row in out if not wanted or row["status"] == wanted]

    def stages(self, query: dict[str, str]) -> list[Object]:
        """Stages, newest first."""
        out = [self._stage(stage) for stage in reversed(self.run.stages)]
        wanted = query.get("status", "").upper()
        return [row for row in out if not wanted or row["status"] == wanted]

    def _stage(self, stage: Progress) -> Object:
        plan, state = stage.plan, self._state(stage)
        done, active = self._counts(stage)
        longest = plan.tail - plan.seconds if plan.tail and stage.ended is not None else 0.0
        milliseconds = int((done * plan.seconds + longest) * 1000)
        read = int(done * self._read(stage))
        row: Object = {
            "status": state,
            "stageId": stage.index,
            "attemptId": 0,
            "numTasks": plan.tasks,
            "numActiveTasks": active,
            "numCompleteTasks": done,
            "numFailedTasks": stage.failed,
            "numCompletedIndices": done,
            "submissionTime": spark_stamp(stage.started),
            "firstTaskLaunchedTime": spark_stamp(stage.started + 0.02),
            "executorRunTime": milliseconds,
            "executorCpuTime": milliseconds * 900_000,
            "resultSize": done * plan.result_bytes,
            "jvmGcTime": int(milliseconds * 0.02),
            "peakExecutionMemory": max(0, plan.executor.heap) // 3,
            "inputBytes": done * plan.input_bytes,
            "shuffleReadBytes": read,
            "shuffleWriteBytes": done * plan.shuffle_bytes,
            "name": plan.name,
            "details": "",
            "schedulingPool": "default",
            "rddIds": [3 + 7 * stage.index],
            "accumulatorUpdates": [],
            "killedTasksSummary": {},
            "resourceProfileId": 0,
            "isShufflePushEnabled": False,
            "shuffleMergersCount": 0,
            **dict.fromkeys(STAGE_ZEROS, 0),
        }
        if stage.ended is not None:
            row["completionTime"] = spark_stamp(stage.ended)
        elif self.run.ended is not None:
            row["completionTime"] = spark_stamp(self.run.ended)
            row["failureReason"] = stage.failure or (f"Job {stage.index} cancelled because SparkContext was shut down")
        return row

    def executors(self) -> list[Object]:
        """Every executor that ever was, the driver first; at most 100 dead ones, as Spark keeps."""
        dead = [e for e in self.run.executors.values() if e.removed is not None and e.registered is not None]
        kept = {e.number for e in dead[-100:]}
        rows = [self._driver()]
        for executor in self.run.executors.values():
            if executor.registered is not None and (executor.removed is None or executor.number in kept):
                rows.append(self._executor(executor))
        return rows

    def _peaks(self, read: Any) -> Object:
        names = ("JVMHeapMemory", "JVMOffHeapMemory", "OnHeapExecutionMemory")
        trees = [f"ProcessTree{kind}{what}Memory" for kind in ("JVM", "Python") for what in ("V", "RSS")]
        zeros = words(
            "OffHeapExecutionMemory OffHeapStorageMemory OffHeapUnifiedMemory DirectPoolMemory MappedPoolMemory "
            "ProcessTreeOtherVMemory ProcessTreeOtherRSSMemory MajorGCCount MajorGCTime "
            "ConcurrentGCCount ConcurrentGCTime"
        )
        out: Object = {name: int(read(name)) for name in (*names, *trees)}
        storage = {"OnHeapStorageMemory": int(read("memoryUsed")), "OnHeapUnifiedMemory": int(read("memoryUsed"))}
        collected = int(read("totalGCTime") * 1000)
        times = {"MinorGCCount": int(read("MinorGCCount")), "MinorGCTime": collected, "TotalGCTime": collected}
        return out | storage | times | dict.fromkeys(zeros, 0)

    def _row(self, number: str, host: str, read: Any, added: float, heap: int) -> Object:
        return {
            "id": number,
            "hostPort": host,
            "isActive": True,
            "rddBlocks": 0,
            "memoryUsed": int(read("memoryUsed")),
            "diskUsed": 0,
            "totalCores": int(read("totalCores")),
            "maxTasks": int(read("maxTasks")),
            "activeTasks": int(read("activeTasks")),
            "failedTasks": int(read("failedTasks")),
            "completedTasks": int(read("completedTasks")),
            "totalTasks": int(read("totalTasks")),
            "totalDuration": int(read("totalDuration") * 1000),
            "totalGCTime": int(read("totalGCTime") * 1000),
            "totalInputBytes": int(read("totalInputBytes")),
            "totalShuffleRead": int(read("totalShuffleRead")),
            "totalShuffleWrite": int(read("totalShuffleWrite")),
            "isBlacklisted": False,
            "maxMemory": unified(heap),
            "addTime": spark_stamp(added),
            "executorLogs": {},
            "memoryMetrics": {
                "usedOnHeapStorageMemory": int(read("memoryUsed")),
                "usedOffHeapStorageMemory": 0,
                "totalOnHeapStorageMemory": unified(heap),
                "totalOffHeapStorageMemory": 0,
            },
            "blacklistedInStages": [],
            "peakMemoryMetrics": self._peaks(read),
            "attributes": {},
            "resources": {},
            "resourceProfileId": 0,
            "isExcluded": False,
            "excludedInStages": [],
        }

    def _driver(self) -> Object:
        run = self.run
        host = f"{run.driver['metadata']['name']}-svc.{run.driver['metadata']['namespace']}.svc:7079"
        return self._row(
            "driver", host, lambda f: self.stats.driver(f, self.now), run.started or 0.0, run.driver_size.heap
        )

    def _executor(self, executor: Executor) -> Object:
        at = min(self.now, executor.removed) if executor.removed is not None else self.now
        host = f"{executor.host}:{36000 + executor.number}"
        added = executor.registered or 0.0
        row = self._row(
            str(executor.number), host, lambda f: self.stats.executor(executor, f, at), added, executor.size.heap
        )
        if executor.removed is not None and executor.removed <= self.now:
            row |= {"isActive": False, "activeTasks": 0}
            row |= {"removeTime": spark_stamp(executor.removed), "removeReason": executor.reason}
        return row

    def environment(self) -> Object:
        """Runtime, Spark properties and the resource profile."""
        run, size = self.run, self.run.size
        properties = {
            "spark.app.id": run.app_id,
            "spark.app.name": run.name,
            "spark.app.startTime": str(int((run.started or 0.0) * 1000)),
            "spark.driver.memory": f"{run.driver_size.heap // MI}m",
            "spark.executor.cores": str(size.cores),
            "spark.executor.instances": str(run.instances),
            "spark.executor.memory": f"{size.heap // MI}m",
            "spark.executor.memoryOverhead": f"{size.overhead // MI}m",
            "spark.kubernetes.namespace": run.driver["metadata"]["namespace"],
            "spark.master": "k8s://https://kubernetes.default.svc:443",
            "spark.submit.deployMode": "client",
            **run.conf,
        }
        amounts = {"cores": size.cores, "memory": size.heap // MI, "memoryOverhead": size.overhead // MI, "offHeap": 0}
        resources = {
            name: {"resourceName": name, "amount": amount, "discoveryScript": "", "vendor": ""}
            for name, amount in amounts.items()
        }
        tasks = {"cpus": {"resourceName": "cpus", "amount": 1.0}}
        return {
            "runtime": {"javaVersion": "17.0.19 (Debian)", "javaHome": "/opt/java", "scalaVersion": "version 2.13.17"},
            "sparkProperties": [[k, v] for k, v in sorted(properties.items())],
            "hadoopProperties": [],
            "systemProperties": [["SPARK_SUBMIT", "true"]],
            "metricsProperties": [["*.sink.servlet.path", "/metrics/json"]],
            "classpathEntries": [["/opt/spark/conf/", "System Classpath"]],
            "resourceProfiles": [{"id": 0, "executorResources": resources, "taskResources": tasks}],
        }

    def task_summary(self, number: int, query: dict[str, str]) -> Object:
        """Quantiles of task metrics: tasks of one stage are alike, give or take a quarter."""
        stage = self.run.stages[number]
        quantiles = [float(q) for q in query.get("quantiles", "0.05,0.25,0.5,0.75,0.95").split(",")]
        if self._counts(stage)[0] < 1:
            raise RestNotFound(f"No tasks reported metrics for {number} / 0 yet.")
        spread = [0.85 + 0.3 * q for q in quantiles]
        plan = stage.plan
        if plan.tail and stage.ended is not None and quantiles[-1] == 1.0:
            spread[-1] = plan.tail / plan.seconds
        duration = [round(plan.seconds * 1000 * s) for s in spread]
        zeros = [0.0 for _ in quantiles]
        return {
            "quantiles": quantiles,
            "duration": [float(d) for d in duration],
            "executorDeserializeTime": zeros,
            "executorDeserializeCpuTime": zeros,
            "executorRunTime": [float(int(d * 0.97)) for d in duration],
            "executorCpuTime": [d * 900_000.0 for d in duration],
            "resultSize": [float(plan.result_bytes) for _ in quantiles],
            "jvmGcTime": [float(int(d * 0.02)) for d in duration],
            "resultSerializationTime": zeros,
            "gettingResultTime": zeros,
            "schedulerDelay": [30.0 for _ in quantiles],
            "peakExecutionMemory": [float(plan.executor.heap // 3) for _ in quantiles],
            "memoryBytesSpilled": zeros,
            "diskBytesSpilled": zeros,
            "inputMetrics": {"bytesRead": [plan.input_bytes * s for s in spread], "recordsRead": zeros},
            "outputMetrics": {"bytesWritten": zeros, "recordsWritten": zeros},
            "shuffleReadMetrics": {"readBytes": [self._read(stage) * s for s in spread], "readRecords": zeros},
            "shuffleWriteMetrics": {"writeBytes": [plan.shuffle_bytes * s for s in spread], "writeRecords": zeros},
        }

    def _read(self, stage: Progress) -> float:
        """Shuffle bytes that one task of a stage reads."""
        before = self.run.program.stages[stage.index - 1] if stage.index else None
        return before.shuffle_bytes * before.tasks / stage.plan.tasks if before else 0.0

    def _took(self, stage: Progress, index: int) -> float:
        """Seconds of one task; the first one is the longest where they are not alike."""
        if stage.plan.tail and not index:
            return min(stage.plan.tail, self.now - stage.started)
        return stage.plan.seconds * (0.85 + 0.3 * ((index * 37) % 100) / 100)

    def tasks(self, number: int, query: dict[str, str]) -> list[Object]:
        """Tasks of a stage, as far as they have run."""
        stage = self.run.stages[number]
        done, active = self._counts(stage)
        hosts = [e for e in self.run.executors.values() if e.registered is not None]
        rows = []
        for index in range(done + active):
            executor = hosts[index % len(hosts)]
            running = index == 0 if stage.plan.tail and stage.ended is None else index >= done
            rows.append(
                {
                    "taskId": index,
                    "index": index,
                    "attempt": 0,
                    "partitionId": index,
                    "launchTime": spark_stamp(stage.started),
                    "duration": int(self._took(stage, index) * 1000),
                    "executorId": str(executor.number),
                    "host": executor.host,
                    "status": "RUNNING" if running else "SUCCESS",
                    "taskLocality": "PROCESS_LOCAL",
                    "speculative": False,
                    "accumulatorUpdates": [],
                    "executorLogs": {},
                    "schedulerDelay": 0 if running else 30,
                    "gettingResultTime": 0,
                }
            )
        if query.get("sortBy") == "-runtime":
            rows.sort(key=lambda row: -int(str(row["duration"])))
        first = int(query.get("offset", 0))
        return rows[first : first + int(query.get("length", 20))]
