"""Answers of Spark's REST API, of a standalone master and of Prometheus and Alertmanager, told by their shape; a file's
name only decides where the shape does not (an empty list, `executors` against `allexecutors`, the id of a stage)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

from console.base.clock import parse_epoch, parse_time
from console.facts.model import Alert, Origin, RestDocument, Sample

_APP_ID = re.compile(r"(?<![\w-])(spark-[0-9a-f]{32}|app-\d{14}-\d{4}|local-\d{13}|application_\d{10,}_\d+)(?!\d)")
_STAGE = re.compile(r"stages[_/](\d+)[_/](\d+)")
_EMPTY = ("allexecutors", "executors", "jobs", "stages", "sql", "storage_rdd", "applications")


def _row(data: Any) -> dict[str, Any]:
    """The first row of a list, or the value itself."""
    if isinstance(data, list):
        return next((r for r in data if isinstance(r, dict)), {})
    return data if isinstance(data, dict) else {}


@dataclass(frozen=True)
class _Shape:
    """How an answer of Spark is known: keys that its first row has.

    Attributes:
        path: the path that `RestDocument` uses, or how it follows from the lower-case name of the file.
        keys: all of them are there; of `any_of` at least one, where any is named.
        many: whether it is a list; None where it may be either.
        only: it has no other keys.
    """

    path: str | Callable[[str], str]
    keys: frozenset[str]
    any_of: frozenset[str] = frozenset()
    many: bool | None = None
    only: bool = False

    def fits(self, row: dict[str, Any], *, many: bool) -> bool:
        if not self.keys <= row.keys() or (self.only and len(row) > len(self.keys)):
            return False
        return (self.many is None or self.many == many) and (not self.any_of or bool(self.any_of & row.keys()))


def _keys(*names: str) -> frozenset[str]:
    return frozenset(names)


def _executors(name: str) -> str:
    return "allexecutors" if "allexecutors" in name else "executors"


def _threads(name: str) -> str:
    return "threads/driver" if "driver" in name.split("executors", 1)[-1][:20] else "threads"


_SHAPES = (
    _Shape("applications", _keys("id", "name", "attempts"), many=True),
    _Shape("", _keys("id", "name", "attempts"), many=False),
    _Shape(_executors, _keys("id", "isActive", "totalCores")),
    _Shape("jobs", _keys("jobId", "status"), any_of=_keys("stageIds", "numTasks")),
    _Shape("stages", _keys("stageId", "attemptId", "status")),
    _Shape(lambda name: _of_stage("taskList", name), _keys("taskId", "index", "attempt"), many=True),
    _Shape(lambda name: _of_stage("taskSummary", name), _keys("quantiles", "executorRunTime"), many=False),
    _Shape("sql", _keys("id", "status"), any_of=_keys("runningJobIds", "planDescription", "successJobIds")),
    _Shape("environment", _keys("runtime", "sparkProperties")),
    _Shape(_threads, _keys("threadId", "threadName", "threadState")),
    _Shape("storage/rdd", _keys("id", "numPartitions", "storageLevel")),
    _Shape("master", _keys("url", "workers"), any_of=_keys("activeapps", "aliveworkers")),
    _Shape("worker", _keys("masterurl", "finishedexecutors")),
    _Shape("metrics", _keys("gauges", "counters", "timers")),
    _Shape("version", _keys("spark"), only=True),
    _Shape("streaming/statistics", _keys("batchDuration", "numReceivers")),
)
"""Answers of Spark; the first that fits is it."""


def spark_path(data: Any, name: str) -> str | None:
    """The path that `RestDocument` uses, or None where this is no answer of Spark."""
    low, many = name.lower(), isinstance(data, list)
    if many and not data:
        return next((word.replace("_", "/") for word in _EMPTY if word in low), None)
    found = next((shape for shape in _SHAPES if shape.fits(_row(data), many=many)), None)
    if found is None:
        return None
    return found.path if isinstance(found.path, str) else found.path(low)


def _of_stage(word: str, name: str) -> str:
    found = _STAGE.search(name)
    return f"stages/{found.group(1)}/{found.group(2)}/{word}" if found else f"stages/?/?/{word}"


def spark_document(data: Any, locator: str) -> RestDocument | None:
    """One saved answer of Spark. Its secrets went where the file was read (`harvest`)."""
    path = spark_path(data, locator)
    if path is None:
        return None
    found = _APP_ID.search(locator)
    app_id = found.group(1) if found else ""
    if path == "" and isinstance(data, dict) and isinstance(data.get("id"), str):
        app_id = data["id"]
    if path == "environment":
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
        for point in points if isinstance(points, list) else []:
            if isinstance(point, list) and len(point) == 2:
                try:
                    at, value = parse_epoch(float(point[0])), float(point[1])
                except (TypeError, ValueError, OverflowError):
                    continue
                if at is not None and value < 9e18:
                    out.append(Sample(str(metric.get("__name__", "")), labels, value, at, origin))
    return out


def alerts(data: Any, locator: str) -> list[Alert] | None:
    """Alerts of Alertmanager (list, webhook payload) or of Prometheus' `/alerts`, or None where it is none."""
    items, source = _alert_items(data)
    if items is None:
        return None
    found = (_alert(item, Origin(source, locator)) for item in items)
    return [alert for alert in found if alert is not None]


def _alert_items(data: Any) -> tuple[list[Any] | None, Literal["alertmanager", "prometheus"]]:
    """The alerts of an answer, and who gives such answers."""
    if isinstance(data, list):
        return (data if data and {"labels", "startsAt"} <= _row(data).keys() else None), "alertmanager"
    if not isinstance(data, dict):
        return None, "alertmanager"
    inner = data.get("data")
    if isinstance(inner, dict) and isinstance(inner.get("alerts"), list):
        return inner["alerts"], "prometheus"
    payload = isinstance(data.get("alerts"), list) and ("receiver" in data or "groupLabels" in data)
    return (data["alerts"] if payload else None), "alertmanager"


def _alert(item: Any, origin: Origin) -> Alert | None:
    """One alert; None where it is none, or is over."""
    labels = item.get("labels") if isinstance(item, dict) else None
    if not isinstance(labels, dict):
        return None
    status = item.get("status")
    state = status.get("state", "active") if isinstance(status, dict) else str(item.get("state") or status or "firing")
    if state == "resolved":
        return None
    words = item.get("annotations")
    since = item.get("startsAt") or item.get("activeAt")
    return Alert(
        name=str(labels.get("alertname", "")),
        labels={str(k): str(v) for k, v in labels.items()},
        origin=origin,
        state="pending" if state == "pending" else "firing",
        annotations={str(k): str(v) for k, v in words.items()} if isinstance(words, dict) else {},
        since=parse_time(since) if isinstance(since, str) else None,
        silenced=state == "suppressed",
    )
