"""What an event log says, as the documents that the REST API would give."""

from __future__ import annotations

from typing import Any

from console.base.redact import redact_short, redact_value
from console.base.text import shorten
from console.facts.model import Origin, RestDocument
from console.sources.spark.eventlog import EventLog, group_key
from console.sources.spark.eventrows import EventRow, whole


def documents(log: EventLog) -> list[RestDocument]:
    """The REST documents of everything fed so far."""
    app_id = log.app_id or group_key(log.locator)
    _sum_up_jobs(log)
    _finish_queries(log)
    _count_tasks_of_executors(log)
    made: list[tuple[str, Any]] = [
        ("", {"id": app_id, "name": log.name, "attempts": [_attempt(log)]}),
        ("environment", {"sparkProperties": [[k, v] for k, v in sorted(log.conf.items())]}),
        ("jobs", list(log.jobs.values())),
        ("stages", list(log.stages.values())),
        ("allexecutors", list(log.executors.values())),
        ("sql", list(log.sql.values())),
    ]
    made.extend((f"stages/{sid}/{attempt_id}/taskList", rows) for (sid, attempt_id), rows in log.tasks.items())
    origin = Origin("event-log", log.locator)
    return [RestDocument(path, _redacted(path, data), origin, app_id=app_id) for path, data in made if data]


_NAMES = ("executorId", "host", "taskLocality")


def _redacted(path: str, data: Any) -> Any:
    """Rows without secrets. Tasks are many, and hold numbers beside a few names."""
    if not path.endswith("/taskList"):
        return redact_value(data)
    for row in data:
        row.update({name: redact_short(row[name]) for name in _NAMES})
    return data


def _attempt(log: EventLog) -> EventRow:
    end = log.end or log.last
    return {
        "startTimeEpoch": log.start,
        "endTimeEpoch": log.end or -1,
        "lastUpdatedEpoch": end,
        "duration": max(0, end - log.start),
        "completed": bool(log.end),
        "appSparkVersion": log.version,
    }


def _sum_up_jobs(log: EventLog) -> None:
    """Jobs count the tasks of their stages, and stages belong to the query of their job."""
    by_stage = {sid: job for job in log.jobs.values() for sid in job.get("stageIds", [])}
    for (sid, _), stage in log.stages.items():
        job = by_stage.get(sid)
        if job is not None and "sqlExecutionId" in job:
            stage.setdefault("sqlExecutionId", job["sqlExecutionId"])
    for job in log.jobs.values():
        ids = set(job.get("stageIds", []))
        mine = [s for (sid, _), s in log.stages.items() if sid in ids]
        job.update(
            numTasks=sum(s["numTasks"] for s in mine),
            numCompletedTasks=sum(s["numCompleteTasks"] for s in mine),
            numFailedTasks=sum(s["numFailedTasks"] for s in mine),
            numKilledTasks=sum(s["numKilledTasks"] for s in mine),
            numFailedStages=sum(s["status"] == "FAILED" for s in mine),
        )


def _finish_queries(log: EventLog) -> None:
    """Queries have their duration, and the last plan that was said of them."""
    for execution in log.sql.values():
        if execution.get("ended") and execution.get("started"):
            execution["duration"] = execution["ended"] - execution["started"]
        if plans := log.plans.get(execution["id"]):
            execution["nodes"], execution["edges"] = _graph(log, max(plans, key=lambda p: p[:2])[2])


def _count_tasks_of_executors(log: EventLog) -> None:
    for key, row in log.executors.items():
        mine = [t for tasks in log.tasks.values() for t in tasks if t["executorId"] == key]
        row.update(
            totalTasks=len(mine),
            completedTasks=sum(t["status"] == "SUCCESS" for t in mine),
            failedTasks=sum(t["status"] == "FAILED" for t in mine),
            totalDuration=sum(t["taskMetrics"]["executorRunTime"] for t in mine),
            totalGCTime=sum(t["taskMetrics"]["jvmGcTime"] for t in mine),
        )


def _graph(log: EventLog, root: EventRow) -> tuple[list[EventRow], list[EventRow]]:
    """A plan in the shape of the REST API's nodes and edges (from child to parent); sizes in bytes, times in
    seconds."""
    nodes: list[EventRow] = []
    edges: list[EventRow] = []
    waiting: list[tuple[EventRow, int]] = [(root, -1)]
    while waiting and len(nodes) < 2_000:
        tree, parent = waiting.pop()
        made = {"nodeId": len(nodes), "nodeName": str(tree.get("nodeName", "")), "metrics": _metrics(log, tree)}
        made["description"] = shorten(str(tree.get("simpleString", "")), 400)
        nodes.append(made)
        if parent >= 0:
            edges.append({"fromId": made["nodeId"], "toId": parent})
        waiting.extend((c, len(nodes) - 1) for c in reversed(tree.get("children") or []) if isinstance(c, dict))
    return nodes, edges


def _metrics(log: EventLog, tree: EventRow) -> list[EventRow]:
    out = []
    for metric in tree.get("metrics") or []:
        value = log.counters.get(whole(metric, "accumulatorId")) if isinstance(metric, dict) else None
        if value is not None:
            scale = {"timing": 1e-3, "nsTiming": 1e-9}.get(str(metric.get("metricType")), 1.0)
            out.append({"name": str(metric.get("name", "")), "value": value * scale})
    return out
