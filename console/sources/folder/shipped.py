"""Logs as collectors and their stores give them in JSON → the lines of each process: Fluent Bit, Fluentd, Vector,
stern, Loki, CloudWatch, Elasticsearch and Cloud Logging; as lines of JSON, or as the answer to one query.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from msgspec import Struct

from console.base.clock import parse_time
from console.base.shapes import is_number

Tree = dict[str, Any]
_POD = ("pod_name", "podName", "pod", "k8s_pod_name", "kubernetes_pod_name", "k8s.pod.name")
_LEVEL = ("level", "log.level", "severity", "log_level")
_TIME = ("@timestamp", "timestamp", "time", "ts", "date")
_MARKS = ("kubernetes", "docker", "stream", "logtag", "logStreamName", "ingestionTime", "textPayload", "labels")


class Shipped(Struct, frozen=True):
    """One line: whose it is (`` where nothing says so), what it says, when it was written (None: unknown)."""

    pod: str
    text: str
    at: float | None = None


def shipped(values: list[Any]) -> list[Shipped] | None:
    """The lines that JSON documents hold; None where they are no collector's."""
    if len(values) == 1:
        answered = _answered(values[0])
        if answered is not None:
            return answered
        if isinstance(values[0], list):
            values = values[0]
    first = [value for value in values[:20] if isinstance(value, dict)]
    if not first or any(_record(value) is None for value in first):
        return None
    return _records(values)


def processes(lines: Iterable[Shipped]) -> list[tuple[str, str]]:
    """(pod, its log) of each process, its lines in order of time where all of them have one."""
    held: dict[str, list[Shipped]] = {}
    for line in lines:
        held.setdefault(line.pod, []).append(line)
    out = []
    for pod, own in held.items():
        if all(line.at is not None for line in own):
            own.sort(key=lambda line: line.at or 0.0)
        out.append((pod, "".join(line.text if line.text.endswith("\n") else f"{line.text}\n" for line in own)))
    return out


def _record(value: Tree) -> Shipped | None:
    """The line of one record; None where it is something else, a line of structured logging too."""
    if "apiVersion" in value or "Event" in value or isinstance(value.get("items"), list):
        return None
    source = value.get("_source")
    if isinstance(source, dict):
        value = source
    said = _said(value)
    if said is None:
        return None
    return Shipped(_pod(value), _unpacked(said), _at(value))


def _said(value: Tree) -> str | None:
    """What the process wrote."""
    text, payload = value.get("log"), value.get("jsonPayload")
    if isinstance(text, str) and not isinstance(value.get("message"), str):
        return text
    inner = payload.get("message") if isinstance(payload, dict) else None
    wrapped = any(key in value for key in ("labels", "timestamp", "fields"))
    for text in (value.get("textPayload"), inner, value.get("line") if wrapped else None, value.get("@message")):
        if isinstance(text, str):
            return text
    return _message(value)


def _message(value: Tree) -> str | None:
    """The message of a record that says whose it is; with the level that the collector took out of the line."""
    text = value.get("message", value.get("msg"))
    if not isinstance(text, str) or not (_pod(value) or any(key in value for key in _MARKS)):
        return None
    level = next((value[key] for key in _LEVEL if isinstance(value.get(key), str)), "")
    if level and not _dated(text):
        merged = {"ts": str(value.get("@timestamp") or value.get("timestamp") or ""), "level": level, "msg": text}
        kept = ("logger", "log.logger", "loggerName", "exception", "thrown", "error.stack_trace", "stack_trace")
        return json.dumps(merged | {key: value[key] for key in kept if key in value}, separators=(",", ":"))
    return text


def _dated(text: str) -> bool:
    return text[:2].isdigit()


def _unpacked(text: str) -> str:
    """A message that is itself a record of another collector, taken out of it once."""
    if not text.startswith("{"):
        return text
    try:
        inner = json.loads(text)
    except (ValueError, RecursionError):
        return text
    said = inner.get("log") if isinstance(inner, dict) else None
    return said if isinstance(said, str) else text


def _pod(value: Tree) -> str:
    """The pod that a record names, in whichever of the places where collectors put it."""
    resource = value.get("resource")
    places = [
        value,
        value.get("kubernetes"),
        value.get("labels"),
        value.get("fields"),
        value.get("stream"),
        resource.get("labels") if isinstance(resource, dict) else None,
    ]
    for place in places:
        if not isinstance(place, dict):
            continue
        for key in _POD:
            if isinstance(found := place.get(key), str) and found:
                return found
            if isinstance(found, dict) and isinstance(found.get("name"), str):
                return str(found["name"])
    stream = value.get("logStreamName")
    return _of_stream(stream) if isinstance(stream, str) else ""


def _of_stream(name: str) -> str:
    """The pod in the name of a stream of CloudWatch: `kube.var.log.containers.POD_NAMESPACE_CONTAINER-ID.log`."""
    return name.partition("containers.")[2].partition("_")[0]


def _at(value: Tree) -> float | None:
    for key in _TIME:
        stamp = value.get(key)
        if isinstance(stamp, str) and stamp.isdigit():
            stamp = int(stamp)
        if isinstance(stamp, str):
            return parse_time(stamp)
        if is_number(stamp):
            return _epoch(float(stamp))
    return None


def _epoch(number: float) -> float:
    """Epoch seconds of a number that may count seconds, milliseconds, microseconds or nanoseconds."""
    for unit in (1e9, 1e6, 1e3):
        if abs(number) >= 1e8 * unit:
            return number / unit
    return number


def _answered(value: Any) -> list[Shipped] | None:
    """The lines of an answer to a query: of Loki, CloudWatch (events, Insights) or Elasticsearch."""
    if not isinstance(value, dict):
        return None
    data, hits, events, results = (value.get(key) for key in ("data", "hits", "events", "results"))
    if isinstance(data, dict) and data.get("resultType") == "streams":
        return list(_of_loki(data.get("result")))
    if isinstance(hits, dict) and isinstance(hits.get("hits"), list):
        return _records(hits["hits"])
    if isinstance(events, list) and "message" in _first(events):
        return [
            Shipped(_pod(one), _unpacked(one["message"]), _at(one))
            for one in events
            if isinstance(one, dict) and isinstance(one.get("message"), str)
        ]
    if isinstance(results, list) and results and isinstance(results[0], list):
        return _records(_of_cells(row) for row in results if isinstance(row, list))
    return None


def _records(values: Iterable[Any]) -> list[Shipped]:
    return [line for value in values if isinstance(value, dict) and (line := _record(value)) is not None]


def _first(values: list[Any]) -> Tree:
    return values[0] if values and isinstance(values[0], dict) else {}


def _of_cells(row: list[Any]) -> Tree:
    """A row of CloudWatch's Insights, which gives each field with its name."""
    return {str(cell.get("field")): cell.get("value") for cell in row if isinstance(cell, dict)}


def _of_loki(result: Any) -> Iterator[Shipped]:
    for stream in result if isinstance(result, list) else []:
        if not isinstance(stream, dict) or not isinstance(stream.get("values"), list):
            continue
        pod = _pod(stream)
        for pair in stream["values"]:
            if isinstance(pair, list) and len(pair) >= 2 and isinstance(pair[1], str):
                nanos = str(pair[0])
                yield Shipped(pod, _unpacked(pair[1]), _epoch(float(nanos)) if nanos.isdigit() else None)
