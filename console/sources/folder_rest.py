"""Answers of Spark's REST API, of a standalone master and of Prometheus and Alertmanager, told by their shape; a file's
name only decides where the shape does not (an empty list, `executors` against `allexecutors`, the id of a stage)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from console.base.clock import parse_time
from console.base.redact import redact_value
from console.health.facts import Alert, Origin, RestDocument, Sample

_APP_ID = re.compile(r"(?<![\w-])(spark-[0-9a-f]{32}|app-\d{14}-\d{4}|local-\d{13}|application_\d{10,}_\d+)(?!\d)")
_STAGE = re.compile(r"stages[_/](\d+)[_/](\d+)")
_EMPTY = ("allexecutors", "executors", "jobs", "stages", "sql", "storage_rdd", "applications")


def _row(data: Any) -> dict[str, Any]:
    """The first row of a list, or the value itself."""
    if isinstance(data, list):
        return next((r for r in data if isinstance(r, dict)), {})
    return data if isinstance(data, dict) else {}


def spark_path(data: Any, name: str) -> str | None:
    """The path that `RestDocument` uses, or None where this is no answer of Spark."""
    row = _row(data)
    many = isinstance(data, list)
    low = name.lower()
    if many and not data:
        return next((word.replace("_", "/") for word in _EMPTY if word in low), None)
    if {"id", "name", "attempts"} <= row.keys():
        return "applications" if many else ""
    if {"id", "isActive", "totalCores"} <= row.keys():
        return "allexecutors" if "allexecutors" in low else "executors"
    if {"jobId", "status"} <= row.keys() and ("stageIds" in row or "numTasks" in row):
        return "jobs"
    if {"stageId", "attemptId", "status"} <= row.keys():
        return "stages"
    if {"taskId", "index", "attempt"} <= row.keys() and many:
        return _of_stage("taskList", low)
    if "quantiles" in row and "executorRunTime" in row and not many:
        return _of_stage("taskSummary", low)
    if {"id", "status"} <= row.keys() and (
        "runningJobIds" in row or "planDescription" in row or "successJobIds" in row
    ):
        return "sql"
    if {"runtime", "sparkProperties"} <= row.keys():
        return "environment"
    if {"threadId", "threadName", "threadState"} <= row.keys():
        return "threads/driver" if "driver" in low.split("executors", 1)[-1][:20] else "threads"
    if {"id", "numPartitions", "storageLevel"} <= row.keys():
        return "storage/rdd"
    if "url" in row and "workers" in row and ("activeapps" in row or "aliveworkers" in row):
        return "master"
    if "masterurl" in row and "finishedexecutors" in row:
        return "worker"
    if "gauges" in row and "counters" in row and "timers" in row:
        return "metrics"
    if set(row) == {"spark"}:
        return "version"
    if "batchDuration" in row and "numReceivers" in row:
        return "streaming/statistics"
    return None


def _of_stage(word: str, name: str) -> str:
    found = _STAGE.search(name)
    return f"stages/{found.group(1)}/{found.group(2)}/{word}" if found else f"stages/?/?/{word}"


def spark_document(data: Any, locator: str) -> RestDocument | None:
    """One saved answer of Spark, secrets redacted."""
    path = spark_path(data, locator)
    if path is None:
        return None
    found = _APP_ID.search(locator)
    app_id = found.group(1) if found else ""
    if path == "" and isinstance(data, dict) and isinstance(data.get("id"), str):
        app_id = data["id"]
    if path == "environment":
        data = redact_value(data)
        app_id = app_id or _environment_id(data)
    return RestDocument(path=path, data=data, origin=Origin("spark-rest", locator), app_id=app_id)


def _environment_id(data: Any) -> str:
    for pair in data.get("sparkProperties", []) if isinstance(data, dict) else []:
        if isinstance(pair, list) and len(pair) == 2 and pair[0] == "spark.app.id" and isinstance(pair[1], str):
            return pair[1]
    return ""


def with_app_ids(docs: list[RestDocument], folders: dict[str, str]) -> list[RestDocument]:
    """Answers whose file does not name an application belong to the one that its folder's own answers name.

    Args:
        folders: locator → its folder.
    """
    from msgspec.structs import replace

    known: dict[str, set[str]] = {}
    listed: dict[str, set[str]] = {}
    for doc in docs:
        folder = folders.get(doc.origin.locator, "")
        if doc.path != "applications" and doc.app_id:
            known.setdefault(folder, set()).add(doc.app_id)
        elif doc.path == "applications" and isinstance(doc.data, list) and len(doc.data) == 1:
            first = _row(doc.data).get("id")
            if isinstance(first, str):
                listed.setdefault(folder, set()).add(first)
    out: list[RestDocument] = []
    for doc in docs:
        if not doc.app_id and doc.path not in ("applications", "master", "worker", "version"):
            folder = folders.get(doc.origin.locator, "")
            ids = known.get(folder) or listed.get(folder) or set()
            if len(ids) == 1:
                doc = replace(doc, app_id=next(iter(ids)))
        out.append(doc)
    return out


_DRIVER_METRIC = re.compile(
    r"metrics_(spark_[0-9a-f]{32}|app_\d{14}_\d{4}|local_\d{13}|application_\d{10,}_\d+)_driver_"
)


def measured(samples: Iterable[Sample], known: set[str]) -> list[RestDocument]:
    """Applications that only metrics speak of: by the label `application_id`, or by the id in a metric's name."""
    out: dict[str, RestDocument] = {}
    for sample in samples:
        app_id = sample.labels.get("application_id", "")
        if not app_id and (found := _DRIVER_METRIC.match(sample.name)) is not None:
            app_id = (
                found.group(1).replace("_", "-") if not found.group(1).startswith("application") else found.group(1)
            )
        if app_id and app_id not in known and app_id not in out:
            row = {"id": app_id, "name": sample.labels.get("application_name", "")}
            out[app_id] = RestDocument("", row, sample.origin, app_id=app_id)
    return list(out.values())


def prometheus_samples(data: Any, locator: str) -> list[Sample] | None:
    """Samples of an answer of Prometheus' query API (instant and range), or None where it is none."""
    if not (isinstance(data, dict) and data.get("status") == "success" and isinstance(data.get("data"), dict)):
        return None
    body = data["data"]
    kind, result = body.get("resultType"), body.get("result")
    if kind not in ("vector", "matrix") or not isinstance(result, list):
        return None
    out: list[Sample] = []
    origin = Origin("prometheus", locator)
    for series in result:
        metric = series.get("metric") if isinstance(series, dict) else None
        if not isinstance(metric, dict):
            continue
        labels = {str(k): str(v) for k, v in metric.items() if k != "__name__"}
        points = [series.get("value")] if kind == "vector" else series.get("values")
        for point in (points if isinstance(points, list) else [])[-2_000:]:
            if isinstance(point, list) and len(point) == 2:
                try:
                    at, value = float(point[0]), float(point[1])
                except (TypeError, ValueError):
                    continue
                if value < 9e18:
                    out.append(Sample(str(metric.get("__name__", "")), labels, value, at, origin))
    return out


def alerts(data: Any, locator: str) -> list[Alert] | None:
    """Alerts of Alertmanager (list, webhook payload) or of Prometheus' `/alerts`, or None where it is none."""
    origin = Origin("alertmanager", locator)
    if isinstance(data, dict) and isinstance(data.get("data"), dict) and isinstance(data["data"].get("alerts"), list):
        items = data["data"]["alerts"]
        origin = Origin("prometheus", locator)
    elif (
        isinstance(data, dict)
        and isinstance(data.get("alerts"), list)
        and ("receiver" in data or "groupLabels" in data)
    ):
        items = data["alerts"]
    elif isinstance(data, list) and data and {"labels", "startsAt"} <= _row(data).keys():
        items = data
    else:
        return None
    out: list[Alert] = []
    for item in items:
        labels = item.get("labels") if isinstance(item, dict) else None
        if not isinstance(labels, dict):
            continue
        status = item.get("status")
        state = (
            status.get("state", "active") if isinstance(status, dict) else str(item.get("state") or status or "firing")
        )
        if state == "resolved":
            continue
        words = item.get("annotations")
        since = item.get("startsAt") or item.get("activeAt")
        out.append(
            Alert(
                name=str(labels.get("alertname", "")),
                labels={str(k): str(v) for k, v in labels.items()},
                origin=origin,
                state="pending" if state == "pending" else "firing",
                annotations={str(k): str(v) for k, v in words.items()} if isinstance(words, dict) else {},
                since=parse_time(since) if isinstance(since, str) else None,
                silenced=state == "suppressed",
            )
        )
    return out
