"""Spark's event log (lines of JSON, also rolled into several files) → the documents that the REST API would give.

One `EventLog` per application; its files may be fed in any order. Tasks are kept per stage attempt up to a bound.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import msgspec

from console.base.clock import rfc3339
from console.base.redact import redact, redact_value
from console.health.facts import Origin, RestDocument

MAX_TASKS = 300_000
_ROLLED = re.compile(r"eventlog_v2_([\w-]+)|events_\d+_((?:spark|app|local|application)[\w-]+?)(?:\.|$)")
_WANTED = {
    "SparkListenerApplicationStart",
    "SparkListenerApplicationEnd",
    "SparkListenerEnvironmentUpdate",
    "SparkListenerLogStart",
    "SparkListenerJobStart",
    "SparkListenerJobEnd",
    "SparkListenerStageSubmitted",
    "SparkListenerStageCompleted",
    "SparkListenerTaskEnd",
    "SparkListenerExecutorAdded",
    "SparkListenerExecutorRemoved",
    "org.apache.spark.sql.execution.ui.SparkListenerSQLExecutionStart",
    "org.apache.spark.sql.execution.ui.SparkListenerSQLExecutionEnd",
    "org.apache.spark.sql.execution.ui.SparkListenerSQLAdaptiveExecutionUpdate",
    "org.apache.spark.sql.execution.ui.SparkListenerDriverAccumUpdates",
}
_NAME = re.compile(r'^\{"Event":"([\w.$]+)"')
_NUMBER = re.compile(r"events_(\d+)_")

Tree = dict[str, Any]


def group_key(locator: str) -> str:
    """Files of one rolled log share a key."""
    found = _ROLLED.search(locator)
    return (found.group(1) or found.group(2)) if found else locator


def is_event(head: str) -> bool:
    """Whether a text begins with an event. The later files of a rolled log begin with any of them."""
    return _NAME.match(head) is not None


def order(locator: str) -> int:
    """The number of a file of a rolled log: `events_10_…` comes after `events_9_…`; 0 for a log of one file."""
    found = _NUMBER.search(locator.rpartition("/")[2])
    return int(found.group(1)) if found else 0


def _gmt(ms: Any) -> str | None:
    if not isinstance(ms, int | float) or ms <= 0:
        return None
    return (rfc3339(ms // 1000) or "").replace("Z", f".{int(ms) % 1000:03d}GMT")


def _int(tree: Tree, *path: str) -> int:
    value: Any = tree
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0


@dataclass
class EventLog:
    """What the events of one application say so far."""

    locator: str
    app_id: str = ""
    name: str = ""
    version: str = ""
    start: int = 0
    end: int = 0
    conf: dict[str, str] = field(default_factory=dict)
    jobs: dict[int, Tree] = field(default_factory=dict)
    stages: dict[tuple[int, int], Tree] = field(default_factory=dict)
    tasks: dict[tuple[int, int], list[Tree]] = field(default_factory=dict)
    executors: dict[str, Tree] = field(default_factory=dict)
    sql: dict[int, Tree] = field(default_factory=dict)
    plans: dict[int, list[tuple[int, int, Tree]]] = field(default_factory=dict)
    """SQL execution → (number of the file, of the plan in it, tree): the last one holds."""
    counters: dict[int, float] = field(default_factory=dict)
    """Accumulator → value."""
    kept: int = 0
    dropped: int = 0
    damaged: int = 0
    last: int = 0
    _file: int = 0

    def feed(self, text: str, number: int = 0) -> None:
        """Take the lines of one file; `number` is its place in a rolled log."""
        self._file = number
        for line in text.splitlines():
            found = _NAME.match(line)
            if found is None or found.group(1) not in _WANTED:
                self.damaged += bool(line.strip()) and found is None and not line.startswith("{")
                continue
            try:
                event = msgspec.json.decode(line)
            except (msgspec.DecodeError, RecursionError):
                self.damaged += 1
                continue
            handler = _HANDLERS.get(found.group(1).rpartition("SparkListener")[2])
            if handler is not None:
                handler(self, event)

    def _log_start(self, e: Tree) -> None:
        self.version = str(e.get("Spark Version", "")) or self.version

    def _app_start(self, e: Tree) -> None:
        self.app_id, self.name = str(e.get("App ID") or ""), str(e.get("App Name") or "")
        self.start = _int(e, "Timestamp")

    def _app_end(self, e: Tree) -> None:
        self.end = _int(e, "Timestamp")

    def _environment(self, e: Tree) -> None:
        properties = e.get("Spark Properties")
        if isinstance(properties, dict):
            self.conf.update(redact_value({str(k): str(v) for k, v in properties.items()}))

    def _job_start(self, e: Tree) -> None:
        job = self.jobs.setdefault(_int(e, "Job ID"), {})
        properties = e.get("Properties") if isinstance(e.get("Properties"), dict) else {}
        infos = e.get("Stage Infos")
        names = [i.get("Stage Name") for i in infos if isinstance(i, dict)] if isinstance(infos, list) else []
        job.update(
            jobId=_int(e, "Job ID"),
            name=str(names[-1]) if names else "",
            submissionTime=_gmt(e.get("Submission Time")),
            stageIds=[s for s in e.get("Stage IDs", []) if isinstance(s, int)],
        )
        execution = properties.get("spark.sql.execution.id") if isinstance(properties, dict) else None
        if isinstance(execution, str) and execution.isdigit():
            job["sqlExecutionId"] = int(execution)
        job.setdefault("status", "RUNNING")

    def _job_end(self, e: Tree) -> None:
        job = self.jobs.setdefault(_int(e, "Job ID"), {"jobId": _int(e, "Job ID")})
        result = e.get("Job Result") if isinstance(e.get("Job Result"), dict) else {}
        good = isinstance(result, dict) and result.get("Result") == "JobSucceeded"
        job.update(status="SUCCEEDED" if good else "FAILED", completionTime=_gmt(e.get("Completion Time")))
        trouble = result.get("Exception") if isinstance(result, dict) else None
        if isinstance(trouble, dict):
            job["failureReason"] = redact(str(trouble.get("Message", ""))[:4_000])

    def _stage(self, e: Tree) -> Tree | None:
        info = e.get("Stage Info")
        if not isinstance(info, dict):
            return None
        key = (_int(info, "Stage ID"), _int(info, "Stage Attempt ID"))
        stage = self.stages.setdefault(key, _new_stage(key))
        stage.update(
            name=str(info.get("Stage Name", "")),
            numTasks=_int(info, "Number of Tasks"),
            details=str(info.get("Details", ""))[:2_000],
            parentIds=info.get("Parent IDs", []),
        )
        for word, field_name in (("Submission Time", "submissionTime"), ("Completion Time", "completionTime")):
            if info.get(word):
                stage[field_name] = _gmt(info[word])
        if isinstance(info.get("Failure Reason"), str):
            stage["failureReason"] = redact(info["Failure Reason"][:4_000])
        return stage

    def _stage_submitted(self, e: Tree) -> None:
        stage = self._stage(e)
        properties = e.get("Properties")
        if stage is not None and isinstance(properties, dict):
            execution = properties.get("spark.sql.execution.id")
            if isinstance(execution, str) and execution.isdigit():
                stage["sqlExecutionId"] = int(execution)

    def _stage_completed(self, e: Tree) -> None:
        stage = self._stage(e)
        if stage is not None:
            stage["status"] = "FAILED" if stage.get("failureReason") else "COMPLETE"
            for row in e["Stage Info"].get("Accumulables") or []:
                if isinstance(row, dict) and row.get("Metadata") == "sql":
                    self._count(row.get("ID"), row.get("Value"))

    def _count(self, key: Any, value: Any) -> None:
        try:
            number = float(value)
        except (TypeError, ValueError):
            return
        if isinstance(key, int) and len(self.counters) < MAX_TASKS:
            self.counters[key] = max(number, self.counters.get(key, 0.0))

    def _driver_counts(self, e: Tree) -> None:
        for pair in e.get("accumUpdates") or []:
            if isinstance(pair, list) and len(pair) == 2:
                self._count(*pair)

    def _plan(self, e: Tree) -> None:
        tree = e.get("sparkPlanInfo")
        if isinstance(tree, dict):
            known = self.plans.setdefault(_int(e, "executionId"), [])
            known.append((self._file, len(known), tree))

    def _task_end(self, e: Tree) -> None:
        key = (_int(e, "Stage ID"), _int(e, "Stage Attempt ID"))
        info, metrics = e.get("Task Info"), e.get("Task Metrics")
        if not isinstance(info, dict):
            return
        metrics = metrics if isinstance(metrics, dict) else {}
        stage = self.stages.setdefault(key, _new_stage(key))
        failed, killed = info.get("Failed") is True, info.get("Killed") is True
        word = "numKilledTasks" if killed else "numFailedTasks" if failed else "numCompleteTasks"
        stage[word] += 1
        launched, finished = _int(info, "Launch Time"), _int(info, "Finish Time")
        self.last = max(self.last, finished)
        row = _task_metrics(metrics)
        for field_name in _SUMMED:
            stage[field_name] += row[field_name]
        if self.kept >= MAX_TASKS:
            self.dropped += 1
            return
        self.kept += 1
        reason = e.get("Task End Reason")
        self.tasks.setdefault(key, []).append(
            {
                "taskId": _int(info, "Task ID"),
                "index": _int(info, "Index"),
                "attempt": _int(info, "Attempt"),
                "partitionId": _int(info, "Partition ID") if "Partition ID" in info else _int(info, "Index"),
                "launchTime": _gmt(launched),
                "launched": launched,
                "duration": max(0, finished - launched),
                "executorId": str(info.get("Executor ID", "")),
                "host": str(info.get("Host", "")),
                "status": "KILLED" if killed else "FAILED" if failed else "SUCCESS",
                "taskLocality": str(info.get("Locality", "")),
                "speculative": info.get("Speculative") is True,
                "gettingResultTime": max(0, finished - _int(info, "Getting Result Time"))
                if _int(info, "Getting Result Time")
                else 0,
                "errorMessage": _task_error(reason),
                "taskMetrics": row,
            }
        )

    def _executor_added(self, e: Tree) -> None:
        info = e.get("Executor Info") if isinstance(e.get("Executor Info"), dict) else {}
        key = str(e.get("Executor ID", ""))
        row = self.executors.setdefault(key, _new_executor(key))
        row.update(
            hostPort=f"{info.get('Host', '')}:0" if isinstance(info, dict) else "",
            addTime=_gmt(e.get("Timestamp")),
            totalCores=_int(info, "Total Cores") if isinstance(info, dict) else 0,
        )

    def _executor_removed(self, e: Tree) -> None:
        key = str(e.get("Executor ID", ""))
        row = self.executors.setdefault(key, _new_executor(key))
        row.update(
            isActive=False, removeTime=_gmt(e.get("Timestamp")), removeReason=str(e.get("Removed Reason", ""))[:4_000]
        )

    def _sql_start(self, e: Tree) -> None:
        key = _int(e, "executionId")
        row = self.sql.setdefault(key, {"id": key})
        row.update(
            description=redact(str(e.get("description", ""))[:400]),
            details=str(e.get("details", ""))[:400],
            planDescription=redact(str(e.get("physicalPlanDescription", ""))[:60_000]),
            submissionTime=_gmt(e.get("time")),
            started=_int(e, "time"),
        )
        row.setdefault("status", "RUNNING")
        self._plan(e)

    def _sql_end(self, e: Tree) -> None:
        key = _int(e, "executionId")
        row = self.sql.setdefault(key, {"id": key})
        trouble = e.get("errorMessage")
        row.update(status="FAILED" if trouble else "COMPLETED", ended=_int(e, "time"))
        if isinstance(trouble, str) and trouble:
            row["errorMessage"] = redact(trouble[:2_000])

    def documents(self) -> list[RestDocument]:
        """The REST documents of everything fed so far."""
        origin = Origin("event-log", self.locator)
        app_id = self.app_id or group_key(self.locator)
        end = self.end or 0
        attempt = {
            "startTimeEpoch": self.start,
            "endTimeEpoch": end or -1,
            "lastUpdatedEpoch": end or self.last,
            "duration": max(0, (end or self.last) - self.start),
            "completed": bool(end),
            "appSparkVersion": self.version,
        }
        by_stage = {sid: job for job in self.jobs.values() for sid in job.get("stageIds", [])}
        for (sid, _), stage in self.stages.items():
            job = by_stage.get(sid)
            if job is not None and "sqlExecutionId" in job:
                stage.setdefault("sqlExecutionId", job["sqlExecutionId"])
        for job in self.jobs.values():
            ids = set(job.get("stageIds", []))
            mine = [s for (sid, _), s in self.stages.items() if sid in ids]
            job.update(
                numTasks=sum(s["numTasks"] for s in mine),
                numCompletedTasks=sum(s["numCompleteTasks"] for s in mine),
                numFailedTasks=sum(s["numFailedTasks"] for s in mine),
                numKilledTasks=sum(s["numKilledTasks"] for s in mine),
                numFailedStages=sum(s["status"] == "FAILED" for s in mine),
            )
        for execution in self.sql.values():
            if execution.get("ended") and execution.get("started"):
                execution["duration"] = execution["ended"] - execution["started"]
            plans = self.plans.get(execution["id"])
            if plans:
                execution["nodes"], execution["edges"] = self._graph(max(plans, key=lambda p: p[:2])[2])
        for key, row in self.executors.items():
            mine = [t for tasks in self.tasks.values() for t in tasks if t["executorId"] == key]
            row.update(
                totalTasks=len(mine),
                completedTasks=sum(t["status"] == "SUCCESS" for t in mine),
                failedTasks=sum(t["status"] == "FAILED" for t in mine),
                totalDuration=sum(t["taskMetrics"]["executorRunTime"] for t in mine),
                totalGCTime=sum(t["taskMetrics"]["jvmGcTime"] for t in mine),
            )
        made: list[tuple[str, Any]] = [
            ("", {"id": app_id, "name": self.name, "attempts": [attempt]}),
            ("environment", {"sparkProperties": [[k, v] for k, v in sorted(self.conf.items())]}),
            ("jobs", list(self.jobs.values())),
            ("stages", list(self.stages.values())),
            ("allexecutors", list(self.executors.values())),
            ("sql", list(self.sql.values())),
        ]
        made.extend((f"stages/{sid}/{attempt_id}/taskList", rows) for (sid, attempt_id), rows in self.tasks.items())
        return [RestDocument(path, data, origin, app_id=app_id) for path, data in made if data]

    def _graph(self, root: Tree) -> tuple[list[Tree], list[Tree]]:
        """A plan in the shape of the REST API's nodes and edges (from child to parent); sizes in bytes, times in
        seconds."""
        nodes: list[Tree] = []
        edges: list[Tree] = []
        waiting: list[tuple[Tree, int]] = [(root, -1)]
        while waiting and len(nodes) < 2_000:
            tree, parent = waiting.pop()
            made = {"nodeId": len(nodes), "nodeName": str(tree.get("nodeName", "")), "metrics": self._metrics(tree)}
            made["description"] = redact(str(tree.get("simpleString", ""))[:400])
            nodes.append(made)
            if parent >= 0:
                edges.append({"fromId": made["nodeId"], "toId": parent})
            waiting.extend((c, len(nodes) - 1) for c in reversed(tree.get("children") or []) if isinstance(c, dict))
        return nodes, edges

    def _metrics(self, tree: Tree) -> list[Tree]:
        out = []
        for metric in tree.get("metrics") or []:
            value = self.counters.get(_int(metric, "accumulatorId")) if isinstance(metric, dict) else None
            if value is not None:
                scale = {"timing": 1e-3, "nsTiming": 1e-9}.get(str(metric.get("metricType")), 1.0)
                out.append({"name": str(metric.get("name", "")), "value": value * scale})
        return out

    def trouble(self) -> str:
        parts = []
        if self.damaged:
            parts.append(f"{self.damaged} damaged lines were left out")
        if self.dropped:
            parts.append(f"{self.dropped} tasks beyond the first {MAX_TASKS} were only summed")
        return "; ".join(parts)


_SUMMED = (
    "executorRunTime",
    "executorCpuTime",
    "jvmGcTime",
    "resultSize",
    "memoryBytesSpilled",
    "diskBytesSpilled",
    "inputBytes",
    "inputRecords",
    "outputBytes",
    "outputRecords",
    "shuffleReadBytes",
    "shuffleReadRecords",
    "shuffleFetchWaitTime",
    "shuffleWriteBytes",
    "shuffleWriteRecords",
    "shuffleWriteTime",
    "executorDeserializeTime",
    "resultSerializationTime",
    "peakExecutionMemory",
)


def _new_stage(key: tuple[int, int]) -> Tree:
    return {
        "stageId": key[0],
        "attemptId": key[1],
        "status": "ACTIVE",
        "name": "",
        "numTasks": 0,
        "numCompleteTasks": 0,
        "numFailedTasks": 0,
        "numKilledTasks": 0,
        "numActiveTasks": 0,
        **dict.fromkeys(_SUMMED, 0),
    }


def _new_executor(key: str) -> Tree:
    return {"id": key, "isActive": True, "totalCores": 0, "maxTasks": 0, "hostPort": ""}


def _task_metrics(m: Tree) -> Tree:
    read, write = m.get("Shuffle Read Metrics"), m.get("Shuffle Write Metrics")
    read = read if isinstance(read, dict) else {}
    write = write if isinstance(write, dict) else {}
    return {
        "executorRunTime": _int(m, "Executor Run Time"),
        "executorCpuTime": _int(m, "Executor CPU Time"),
        "executorDeserializeTime": _int(m, "Executor Deserialize Time"),
        "resultSerializationTime": _int(m, "Result Serialization Time"),
        "jvmGcTime": _int(m, "JVM GC Time"),
        "resultSize": _int(m, "Result Size"),
        "peakExecutionMemory": _int(m, "Peak Execution Memory"),
        "memoryBytesSpilled": _int(m, "Memory Bytes Spilled"),
        "diskBytesSpilled": _int(m, "Disk Bytes Spilled"),
        "inputBytes": _int(m, "Input Metrics", "Bytes Read"),
        "inputRecords": _int(m, "Input Metrics", "Records Read"),
        "outputBytes": _int(m, "Output Metrics", "Bytes Written"),
        "outputRecords": _int(m, "Output Metrics", "Records Written"),
        "shuffleReadBytes": _int(read, "Remote Bytes Read") + _int(read, "Local Bytes Read"),
        "shuffleReadRecords": _int(read, "Total Records Read"),
        "shuffleFetchWaitTime": _int(read, "Fetch Wait Time"),
        "shuffleWriteBytes": _int(write, "Shuffle Bytes Written"),
        "shuffleWriteRecords": _int(write, "Shuffle Records Written"),
        "shuffleWriteTime": _int(write, "Shuffle Write Time"),
    }


def _task_error(reason: Any) -> str:
    if not isinstance(reason, dict) or reason.get("Reason") in (None, "Success"):
        return ""
    parts = [
        str(reason.get(k))
        for k in ("Reason", "Class Name", "Description", "Message", "Loss Reason", "Kill Reason")
        if reason.get(k)
    ]
    return redact(": ".join(parts)[:2_000])


_HANDLERS = {
    "LogStart": EventLog._log_start,
    "ApplicationStart": EventLog._app_start,
    "ApplicationEnd": EventLog._app_end,
    "EnvironmentUpdate": EventLog._environment,
    "JobStart": EventLog._job_start,
    "JobEnd": EventLog._job_end,
    "StageSubmitted": EventLog._stage_submitted,
    "StageCompleted": EventLog._stage_completed,
    "TaskEnd": EventLog._task_end,
    "ExecutorAdded": EventLog._executor_added,
    "ExecutorRemoved": EventLog._executor_removed,
    "SQLExecutionStart": EventLog._sql_start,
    "SQLExecutionEnd": EventLog._sql_end,
    "SQLAdaptiveExecutionUpdate": EventLog._plan,
    "DriverAccumUpdates": EventLog._driver_counts,
}
