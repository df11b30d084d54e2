"""Rows of Spark's REST API as the events of an event log fill them: stages, executors, tasks."""

from __future__ import annotations

from typing import Any

from console.base.clock import parse_epoch, rfc3339
from console.base.redact import redact
from console.base.text import shorten
from console.base.units import parse_number

EventRow = dict[str, Any]


def gmt(ms: Any) -> str | None:
    """A time in milliseconds as the REST API writes it."""
    at = parse_epoch(ms, per_second=1000)
    return (rfc3339(int(at)) or "").replace("Z", f".{int(ms) % 1000:03d}GMT") if at is not None else None


def whole(tree: EventRow, *path: str) -> int:
    """The whole number at a path of an event; 0 where there is none."""
    value: Any = tree
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    number = parse_number(value)
    return int(number) if number is not None else 0


_FRAMES = 3
"""Frames of each exception of a failed task that are kept."""
SUMMED = (
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


def new_stage(key: tuple[int, int]) -> EventRow:
    """A stage attempt of which nothing is known yet."""
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
        **dict.fromkeys(SUMMED, 0),
    }


def new_executor(key: str) -> EventRow:
    """An executor of which nothing is known yet."""
    return {"id": key, "isActive": True, "totalCores": 0, "maxTasks": 0, "hostPort": ""}


def task_metrics(m: EventRow) -> EventRow:
    """What a task measured."""
    read, write = m.get("Shuffle Read Metrics"), m.get("Shuffle Write Metrics")
    read = read if isinstance(read, dict) else {}
    write = write if isinstance(write, dict) else {}
    return {
        "executorRunTime": whole(m, "Executor Run Time"),
        "executorCpuTime": whole(m, "Executor CPU Time"),
        "executorDeserializeTime": whole(m, "Executor Deserialize Time"),
        "resultSerializationTime": whole(m, "Result Serialization Time"),
        "jvmGcTime": whole(m, "JVM GC Time"),
        "resultSize": whole(m, "Result Size"),
        "peakExecutionMemory": whole(m, "Peak Execution Memory"),
        "memoryBytesSpilled": whole(m, "Memory Bytes Spilled"),
        "diskBytesSpilled": whole(m, "Disk Bytes Spilled"),
        "inputBytes": whole(m, "Input Metrics", "Bytes Read"),
        "inputRecords": whole(m, "Input Metrics", "Records Read"),
        "outputBytes": whole(m, "Output Metrics", "Bytes Written"),
        "outputRecords": whole(m, "Output Metrics", "Records Written"),
        "shuffleReadBytes": whole(read, "Remote Bytes Read") + whole(read, "Local Bytes Read"),
        "shuffleReadRecords": whole(read, "Total Records Read"),
        "shuffleFetchWaitTime": whole(read, "Fetch Wait Time"),
        "shuffleWriteBytes": whole(write, "Shuffle Bytes Written"),
        "shuffleWriteRecords": whole(write, "Shuffle Records Written"),
        "shuffleWriteTime": whole(write, "Shuffle Write Time"),
    }


def _heads(trace: str) -> str:
    """A stack trace with the first frames of each exception, so that a chain is short and has its end."""
    out: list[str] = []
    frames = 0
    for line in trace.split("\n"):
        frames = frames + 1 if line.lstrip().startswith("at ") else 0
        if frames <= _FRAMES:
            out.append(line)
    return "\n".join(out)


def task_error(reason: Any) -> str:
    """Why a task failed, redacted; `` where it did not."""
    if not isinstance(reason, dict) or reason.get("Reason") in (None, "Success"):
        return ""
    trace = reason.get("Full Stack Trace")
    if isinstance(trace, str) and trace.strip():
        return redact(_heads(trace[:40_000]).strip()[:4_000])
    parts = [
        str(reason.get(k))
        for k in ("Reason", "Class Name", "Description", "Message", "Loss Reason", "Kill Reason")
        if reason.get(k)
    ]
    return redact(shorten(": ".join(parts), 2_000))
