"""Spark's REST: the UI of each running driver, and the History Server for what ended. Shapes of 4.1."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import msgspec
from aiohttp import web

from console.drill.ids import spark_stamp
from console.drill.memory import MI
from console.drill.resources import PODS
from console.drill.sparkstats import EXPOSED, RunStats, unified

if TYPE_CHECKING:
    from console.drill.controllers.spark import Run
    from console.drill.controllers.sparkmodel import Executor, Progress
    from console.drill.kube.server import Backend
    from console.drill.world import World

Object = dict[str, Any]
NEVER = "1969-12-31T23:59:59.999GMT"


def words(text: str) -> tuple[str, ...]:
    """The words of a text."""
    return tuple(text.split())


PAGE = "<!DOCTYPE html><html><head><title>{title}</title></head><body><h3>{title}</h3></body></html>"
STAGE_ZEROS = words(
    "numKilledTasks executorDeserializeTime executorDeserializeCpuTime resultSerializationTime memoryBytesSpilled "
    "diskBytesSpilled outputBytes outputRecords shuffleRemoteBlocksFetched shuffleLocalBlocksFetched "
    "shuffleFetchWaitTime shuffleRemoteBytesRead shuffleRemoteBytesReadToDisk shuffleLocalBytesRead shuffleReadRecords "
    "shuffleCorruptMergedBlockChunks shuffleMergedFetchFallbackCount shuffleMergedRemoteBlocksFetched "
    "shuffleMergedLocalBlocksFetched shuffleMergedRemoteChunksFetched shuffleMergedLocalChunksFetched "
    "shuffleMergedRemoteBytesRead shuffleMergedLocalBytesRead shuffleRemoteReqsDuration "
    "shuffleMergedRemoteReqsDuration shuffleWriteTime shuffleWriteRecords inputRecords"
)


class _Missing(Exception):
    """404 with a text body, as Jersey answers."""


class SparkRest:
    """All Spark user interfaces of a world."""

    def __init__(self, world: World) -> None:
        self.world = world

    def backend(self, plural: str, namespace: str, name: str, port: int) -> Backend | None:
        """What listens there, or None."""
        if plural == "services" and (name, port) == ("spark-history-server", 18080):
            return self._history
        if plural == "pods":
            pod = self.world.store.get(PODS, namespace, name)
            if pod is None:
                return None
            labels = pod["metadata"].get("labels") or {}
            if labels.get("app") == "spark-history-server" and port == 18080:
                return self._history
            run = self.world.spark.run_of(pod)
            drives = run is not None and run.driver["metadata"]["uid"] == pod["metadata"]["uid"]
            if port == 4040 and drives and run and run.started and run.ended is None:

                async def answer(path: str, request: web.Request) -> web.StreamResponse:
                    return self.driver(run, path, request)

                return answer
        return None

    # -- driver UI ------------------------------------------------------------------------------------------------

    def driver(self, run: Run, path: str, request: web.Request) -> web.Response:
        """A request to a driver's UI."""
        if path == "/metrics/executors/prometheus":
            return web.Response(text=self.exposition(run), content_type="text/plain")
        if not path.startswith("/api/v1"):
            if path.startswith("/metrics/"):
                return web.Response(status=404, text="Not Found", content_type="text/html")
            return web.Response(text=PAGE.format(title=f"{run.name} - Spark Jobs"), content_type="text/html")
        return self._api([run], path, dict(request.query))

    async def _history(self, path: str, request: web.Request) -> web.StreamResponse:
        if not path.startswith("/api/v1"):
            return web.Response(text=PAGE.format(title="History Server"), content_type="text/html")
        runs = [run for run in self.world.spark.runs if run.started is not None and run.ended is not None]
        return self._api(runs, path, dict(request.query))

    def _api(self, runs: list[Run], path: str, query: dict[str, str]) -> web.Response:
        parts = [part for part in path.removeprefix("/api/v1").split("/") if part]
        try:
            return web.Response(
                body=msgspec.json.format(msgspec.json.encode(self._answer(runs, parts, query)), indent=2),
                content_type="application/json",
            )
        except _Missing as error:
            return web.Response(status=404, text=str(error), content_type="text/plain")

    def _answer(self, runs: list[Run], parts: list[str], query: dict[str, str]) -> Any:
        if parts == ["version"]:
            return {"spark": "4.1.4"}
        if not parts or parts[0] != "applications":
            raise _Missing("HTTP 404 Not Found")
        if len(parts) == 1:
            return self._applications(runs, query)
        run = next((r for r in runs if r.app_id == parts[1]), None)
        if run is None:
            raise _Missing(f"no such app: {parts[1]}")
        if len(parts) == 2:
            return self.application(run)
        view = RunView(run, self.world.heap.now)
        rest = parts[2:]
        if rest == ["jobs"]:
            return view.jobs(query)
        if rest[0] == "jobs" and len(rest) == 2:
            return view.one(view.jobs({}), "jobId", rest[1], "job")
        if rest == ["stages"]:
            return view.stages(query)
        if rest[0] == "stages" and len(rest) >= 2:
            return self._stage(view, rest, query)
        if rest == ["executors"]:
            return [e for e in view.executors() if e["isActive"]]
        if rest == ["allexecutors"]:
            return view.executors()
        if rest == ["environment"]:
            return view.environment()
        if rest in (["sql"], ["storage", "rdd"], ["allmiscellaneousprocess"]):
            return []
        raise _Missing("HTTP 404 Not Found")

    def _stage(self, view: RunView, rest: list[str], query: dict[str, str]) -> Any:
        stage = view.one(view.stages({}), "stageId", rest[1], "stage")
        if len(rest) == 2:
            return [stage]
        if len(rest) == 3:
            return stage
        if rest[3] == "taskSummary":
            return view.task_summary(int(rest[1]), query)
        if rest[3] == "taskList":
            return view.tasks(int(rest[1]), query)
        raise _Missing("HTTP 404 Not Found")

    def _applications(self, runs: list[Run], query: dict[str, str]) -> list[Object]:
        out = [self.application(run) for run in reversed(runs)]
        wanted = query.get("status")
        if wanted:
            out = [a for a in out if a["attempts"][0]["completed"] is (wanted == "completed")]
        return out[: int(query["limit"])] if query.get("limit") else out

    def application(self, run: Run) -> Object:
        """One application. One that was killed from outside stays incomplete for ever, as its event log does."""
        started = run.started or 0.0
        clean = run.ended is not None and run.exit_code != 137
        ended = run.ended if clean and run.ended is not None else None
        last = ended or started
        until = ended if ended is not None else self.world.heap.now if run.ended is None else started
        return {
            "id": run.app_id,
            "name": run.name,
            "attempts": [
                {
                    "startTime": spark_stamp(started),
                    "endTime": spark_stamp(ended) if ended else NEVER,
                    "lastUpdated": spark_stamp(last),
                    "duration": int((until - started) * 1000),
                    "sparkUser": "root",
                    "completed": ended is not None,
                    "appSparkVersion": str(run.spec.get("sparkVersion", "4.1.4")),
                    "startTimeEpoch": int(started * 1000),
                    "endTimeEpoch": int(ended * 1000) if ended else -1,
                    "lastUpdatedEpoch": int(last * 1000),
                }
            ],
        }

    def exposition(self, run: Run) -> str:
        """`/metrics/executors/prometheus`: no HELP, no TYPE, living executors only."""
        stats, now = RunStats(run), self.world.heap.now
        version = run.spec.get("sparkVersion", "4.1.4")
        lines = [f'spark_info{{version="{version}", revision="45b9b176e6e27f530a86ac5421b03865b7ea6287"}} 1.0']
        for executor in ["driver", *map(str, run.executors)]:
            labels = f'application_id="{run.app_id}", application_name="{run.name}", executor_id="{executor}"'
            for name in EXPOSED:
                value = stats.reader(name, executor)(now)
                if value is not None:
                    lines.append(f"{name}{{{labels}}} {int(value) if value == int(value) else value}")
        return "\n".join(lines) + "\n"


class RunView:
    """One run as REST shows it at one time."""

    def __init__(self, run: Run, now: float) -> None:
        self.run, self.now = run, now if run.ended is None else min(now, run.ended)
        self.stats = RunStats(run)

    def one(self, rows: list[Object], key: str, wanted: str, word: str) -> Object:
        """The row with that id."""
        for row in rows:
            if str(row[key]) == wanted:
                return row
        raise _Missing(f"unknown {word}: {wanted}")

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
        milliseconds = int(done * plan.seconds * 1000)
        before = self.run.workload.stages[stage.index - 1] if stage.index else None
        read = int(done / plan.tasks * before.shuffle_bytes * before.tasks) if before else 0
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
            raise _Missing(f"No tasks reported metrics for {number} / 0 yet.")
        spread = [0.85 + 0.3 * q for q in quantiles]
        plan = stage.plan
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
            "shuffleReadMetrics": {"readBytes": zeros, "readRecords": zeros},
            "shuffleWriteMetrics": {"writeBytes": [plan.shuffle_bytes * s for s in spread], "writeRecords": zeros},
        }

    def tasks(self, number: int, query: dict[str, str]) -> list[Object]:
        """Tasks of a stage, as far as they have run."""
        stage = self.run.stages[number]
        done, active = self._counts(stage)
        hosts = [e for e in self.run.executors.values() if e.registered is not None]
        rows = []
        for index in range(done + active):
            executor = hosts[index % len(hosts)]
            running = index >= done
            rows.append(
                {
                    "taskId": index,
                    "index": index,
                    "attempt": 0,
                    "partitionId": index,
                    "launchTime": spark_stamp(stage.started),
                    "duration": int(stage.plan.seconds * (0.85 + 0.3 * ((index * 37) % 100) / 100) * 1000),
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
