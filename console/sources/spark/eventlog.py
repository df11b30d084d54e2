"""Spark's event log (lines of JSON, also rolled into several files) → rows of the REST API (`eventdocs`).

One `EventLog` per application; its files may be fed in any order. Tasks are kept per stage attempt up to a bound.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import msgspec

from console.base.jsontext import decode_tree
from console.base.redact import redact_value
from console.base.text import shorten
from console.base.units import parse_count, parse_number
from console.sources.spark.eventrows import (
    SUMMED,
    EventRow,
    gmt,
    new_executor,
    new_stage,
    task_error,
    task_metrics,
    whole,
)

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
_NAME = re.compile(r'^\{\s*"Event"\s*:\s*"([\w.$]+)"')
_DATED = re.compile(r"(?:^|[/!])eventlog(?:-(\d{4})-(\d\d)-(\d\d)--(\d\d)-(\d\d))?(?:\.\w+)?$")
"""Databricks rolls `eventlog-2021-06-15--15-00.gz`; what was not rolled yet is called `eventlog`."""
_NUMBER = re.compile(r"events_(\d+)_")
_LAST = 10**12


def group_key(locator: str) -> str:
    """Files of one rolled log share a key."""
    found = _ROLLED.search(locator)
    if found is None and _DATED.search(locator) is not None:
        return f"{locator.rpartition('/')[0]}/eventlog"
    return (found.group(1) or found.group(2)) if found else locator


def is_event(head: str) -> bool:
    """Whether a text begins with an event. The later files of a rolled log begin with any of them."""
    return _NAME.match(head) is not None


def order(locator: str) -> int:
    """The number of a file of a rolled log: `events_10_…` comes after `events_9_…`; 0 for a log of one file."""
    dated = _DATED.search(locator)
    if dated is not None:
        return int("".join(dated.groups())) if dated.group(1) else _LAST
    found = _NUMBER.search(locator.rpartition("/")[2])
    return (parse_count(found.group(1)) or 0) if found else 0


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
    jobs: dict[int, EventRow] = field(default_factory=dict)
    stages: dict[tuple[int, int], EventRow] = field(default_factory=dict)
    tasks: dict[tuple[int, int], list[EventRow]] = field(default_factory=dict)
    executors: dict[str, EventRow] = field(default_factory=dict)
    sql: dict[int, EventRow] = field(default_factory=dict)
    plans: dict[int, list[tuple[int, int, EventRow]]] = field(default_factory=dict)
    """SQL execution → (number of the file, of the plan in it, tree): the last one holds."""
    counters: dict[int, float] = field(default_factory=dict)
    """Accumulator → value."""
    kept: int = 0
    dropped: int = 0
    uncounted: bool = False
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
                event = decode_tree(line)
                handler = _HANDLERS.get(found.group(1).rpartition("SparkListener")[2])
                if handler is not None:
                    handler(self, event)
            except (msgspec.DecodeError, ValueError, TypeError, AttributeError, KeyError, RecursionError):
                self.damaged += 1

    def _log_start(self, e: EventRow) -> None:
        self.version = str(e.get("Spark Version", "")) or self.version

    def _app_start(self, e: EventRow) -> None:
        self.app_id, self.name = str(e.get("App ID") or ""), str(e.get("App Name") or "")
        self.start = whole(e, "Timestamp")

    def _app_end(self, e: EventRow) -> None:
        self.end = whole(e, "Timestamp")

    def _environment(self, e: EventRow) -> None:
        properties = e.get("Spark Properties")
        if isinstance(properties, dict):
            self.conf.update(redact_value({str(k): str(v) for k, v in properties.items()}))

    def _job_start(self, e: EventRow) -> None:
        job = self.jobs.setdefault(whole(e, "Job ID"), {})
        properties = e.get("Properties") if isinstance(e.get("Properties"), dict) else {}
        infos = e.get("Stage Infos")
        names = [i.get("Stage Name") for i in infos if isinstance(i, dict)] if isinstance(infos, list) else []
        job.update(
            jobId=whole(e, "Job ID"),
            name=str(names[-1]) if names else "",
            submissionTime=gmt(e.get("Submission Time")),
            stageIds=[s for s in e.get("Stage IDs", []) if isinstance(s, int)],
        )
        execution = properties.get("spark.sql.execution.id") if isinstance(properties, dict) else None
        if isinstance(execution, str) and (number := parse_count(execution)) is not None:
            job["sqlExecutionId"] = number
        job.setdefault("status", "RUNNING")

    def _job_end(self, e: EventRow) -> None:
        job = self.jobs.setdefault(whole(e, "Job ID"), {"jobId": whole(e, "Job ID")})
        result = e.get("Job Result") if isinstance(e.get("Job Result"), dict) else {}
        good = isinstance(result, dict) and result.get("Result") == "JobSucceeded"
        job.update(status="SUCCEEDED" if good else "FAILED", completionTime=gmt(e.get("Completion Time")))
        trouble = result.get("Exception") if isinstance(result, dict) else None
        if isinstance(trouble, dict):
            job["failureReason"] = shorten(str(trouble.get("Message", "")), 4_000)

    def _stage(self, e: EventRow) -> EventRow | None:
        info = e.get("Stage Info")
        if not isinstance(info, dict):
            return None
        key = (whole(info, "Stage ID"), whole(info, "Stage Attempt ID"))
        stage = self.stages.setdefault(key, new_stage(key))
        stage.update(
            name=str(info.get("Stage Name", "")),
            numTasks=whole(info, "Number of Tasks"),
            details=shorten(str(info.get("Details", "")), 2_000),
            parentIds=info.get("Parent IDs", []),
        )
        for word, field_name in (("Submission Time", "submissionTime"), ("Completion Time", "completionTime")):
            if info.get(word):
                stage[field_name] = gmt(info[word])
        if isinstance(info.get("Failure Reason"), str):
            stage["failureReason"] = shorten(info["Failure Reason"], 4_000)
        return stage

    def _stage_submitted(self, e: EventRow) -> None:
        stage = self._stage(e)
        properties = e.get("Properties")
        if stage is not None and isinstance(properties, dict):
            execution = properties.get("spark.sql.execution.id")
            if isinstance(execution, str) and (number := parse_count(execution)) is not None:
                stage["sqlExecutionId"] = number

    def _stage_completed(self, e: EventRow) -> None:
        stage = self._stage(e)
        if stage is not None:
            stage["status"] = "FAILED" if stage.get("failureReason") else "COMPLETE"
            for row in e["Stage Info"].get("Accumulables") or []:
                if isinstance(row, dict) and row.get("Metadata") == "sql":
                    self._count(row.get("ID"), row.get("Value"))

    def _count(self, key: Any, value: Any) -> None:
        try:
            number = parse_number(float(value))
        except (TypeError, ValueError, OverflowError):
            return
        if number is None or not isinstance(key, int):
            return
        if key not in self.counters and len(self.counters) >= MAX_TASKS:
            self.uncounted = True
        else:
            self.counters[key] = max(number, self.counters.get(key, 0.0))

    def _driver_counts(self, e: EventRow) -> None:
        for pair in e.get("accumUpdates") or []:
            if isinstance(pair, list) and len(pair) == 2:
                self._count(*pair)

    def _plan(self, e: EventRow) -> None:
        tree = e.get("sparkPlanInfo")
        if isinstance(tree, dict):
            known = self.plans.setdefault(whole(e, "executionId"), [])
            known.append((self._file, len(known), tree))

    def _task_end(self, e: EventRow) -> None:
        key = (whole(e, "Stage ID"), whole(e, "Stage Attempt ID"))
        info, metrics = e.get("Task Info"), e.get("Task Metrics")
        if not isinstance(info, dict):
            return
        metrics = metrics if isinstance(metrics, dict) else {}
        stage = self.stages.setdefault(key, new_stage(key))
        failed, killed = info.get("Failed") is True, info.get("Killed") is True
        word = "numKilledTasks" if killed else "numFailedTasks" if failed else "numCompleteTasks"
        stage[word] += 1
        launched, finished = whole(info, "Launch Time"), whole(info, "Finish Time")
        self.last = max(self.last, finished)
        row = task_metrics(metrics)
        for field_name in SUMMED:
            stage[field_name] += row[field_name]
        if self.kept >= MAX_TASKS:
            self.dropped += 1
            return
        self.kept += 1
        reason = e.get("Task End Reason")
        self.tasks.setdefault(key, []).append(
            {
                "taskId": whole(info, "Task ID"),
                "index": whole(info, "Index"),
                "attempt": whole(info, "Attempt"),
                "partitionId": whole(info, "Partition ID") if "Partition ID" in info else whole(info, "Index"),
                "launchTime": gmt(launched),
                "launched": launched,
                "duration": max(0, finished - launched),
                "executorId": str(info.get("Executor ID", "")),
                "host": str(info.get("Host", "")),
                "status": "KILLED" if killed else "FAILED" if failed else "SUCCESS",
                "taskLocality": str(info.get("Locality", "")),
                "speculative": info.get("Speculative") is True,
                "gettingResultTime": max(0, finished - whole(info, "Getting Result Time"))
                if whole(info, "Getting Result Time")
                else 0,
                "errorMessage": task_error(reason),
                "taskMetrics": row,
            }
        )

    def _executor_added(self, e: EventRow) -> None:
        info = e.get("Executor Info") if isinstance(e.get("Executor Info"), dict) else {}
        key = str(e.get("Executor ID", ""))
        row = self.executors.setdefault(key, new_executor(key))
        row.update(
            hostPort=f"{info.get('Host', '')}:0" if isinstance(info, dict) else "",
            addTime=gmt(e.get("Timestamp")),
            totalCores=whole(info, "Total Cores") if isinstance(info, dict) else 0,
        )

    def _executor_removed(self, e: EventRow) -> None:
        key = str(e.get("Executor ID", ""))
        row = self.executors.setdefault(key, new_executor(key))
        row.update(
            isActive=False,
            removeTime=gmt(e.get("Timestamp")),
            removeReason=shorten(str(e.get("Removed Reason", "")), 4_000),
        )

    def _sql_start(self, e: EventRow) -> None:
        key = whole(e, "executionId")
        row = self.sql.setdefault(key, {"id": key})
        row.update(
            description=shorten(str(e.get("description", "")), 400),
            details=shorten(str(e.get("details", "")), 400),
            planDescription=shorten(str(e.get("physicalPlanDescription", "")), 60_000),
            submissionTime=gmt(e.get("time")),
            started=whole(e, "time"),
        )
        if isinstance(e.get("rootExecutionId"), int):
            row["rootExecutionId"] = e["rootExecutionId"]
        row.setdefault("status", "RUNNING")
        self._plan(e)

    def _sql_end(self, e: EventRow) -> None:
        key = whole(e, "executionId")
        row = self.sql.setdefault(key, {"id": key})
        trouble = e.get("errorMessage")
        row.update(status="FAILED" if trouble else "COMPLETED", ended=whole(e, "time"))
        if isinstance(trouble, str) and trouble:
            row["errorMessage"] = shorten(trouble, 2_000)

    def trouble(self) -> str:
        parts = []
        if self.damaged:
            parts.append(f"{self.damaged} damaged lines were left out")
        if self.dropped:
            parts.append(f"{self.dropped} tasks beyond the first {MAX_TASKS} were only summed")
        if self.uncounted:
            parts.append(f"SQL metrics beyond the first {MAX_TASKS} were left out")
        return "; ".join(parts)


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
