"""One application's REST answers folded into the newest state of each executor, job, stage and task list.

Answers may be several snapshots of the same path, of the live driver and of the History Server, in any order; the fold
does not depend on it: what has ended wins over what runs, larger counters over smaller ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any

from console.base.clock import parse_time
from console.base.shapes import is_number, mappings
from console.facts.model import Origin, RestDocument

_STAGE_RANK = {"PENDING": 0, "ACTIVE": 1, "SKIPPED": 2, "COMPLETE": 3, "FAILED": 3}
_JOB_RANK = {"UNKNOWN": 0, "RUNNING": 1, "SUCCEEDED": 2, "FAILED": 2}

Row = Mapping[str, Any]


def num(row: Row, key: str) -> float:
    """A number of a row; 0 where it is missing or none."""
    value = row.get(key)
    return float(value) if is_number(value) else 0.0


def text(row: Row, key: str) -> str:
    value = row.get(key)
    return value if isinstance(value, str) else ""


def when(row: Row, key: str) -> float | None:
    value = row.get(key)
    return parse_time(value) if isinstance(value, str) else None


class RestView:
    """REST answers of one application, folded when first asked for."""

    def __init__(self, docs: Iterable[RestDocument]) -> None:
        self.docs = tuple(docs)

    def __bool__(self) -> bool:
        return bool(self.docs)

    def of(self, path: str) -> list[RestDocument]:
        return [d for d in self.docs if d.path == path]

    @cached_property
    def application(self) -> Row:
        """The application's own answer; of several, the one that says it ended."""
        best: Row = {}
        for doc in self.of(""):
            if isinstance(doc.data, dict) and (not best or _ended(doc.data) >= _ended(best)):
                best = doc.data
        return best

    @cached_property
    def attempts(self) -> list[dict[str, Any]]:
        return mappings(self.application.get("attempts"))

    @cached_property
    def executors(self) -> dict[str, Row]:
        """Executor id → row, dead ones too; `peakMemoryMetrics` are the maxima over all answers."""
        out: dict[str, dict[str, Any]] = {}
        for path in ("executors", "allexecutors"):
            for doc in self.of(path):
                for row in mappings(doc.data):
                    key = text(row, "id")
                    if not key:
                        continue
                    old = out.get(key)
                    new = dict(row)
                    if old is not None:
                        peaks = _maxima(old.get("peakMemoryMetrics"), new.get("peakMemoryMetrics"))
                        if (bool(old.get("removeReason")), num(old, "totalDuration")) > (
                            bool(new.get("removeReason")),
                            num(new, "totalDuration"),
                        ):
                            new = old
                        new["peakMemoryMetrics"] = peaks
                    out[key] = new
        return dict(out)

    @cached_property
    def origin_of(self) -> dict[str, Origin]:
        """Path → where its last answer was read."""
        return {doc.path: doc.origin for doc in self.docs}

    def origin(self, *paths: str) -> Origin:
        for path in paths:
            if path in self.origin_of:
                return self.origin_of[path]
        return Origin("spark-rest", "/" + (paths[0] if paths else ""))

    @cached_property
    def jobs(self) -> dict[int, Row]:
        out: dict[int, Row] = {}
        for doc in self.docs:
            if doc.path == "jobs" or doc.path.startswith("jobs/"):
                for row in mappings(doc.data) if isinstance(doc.data, list) else [doc.data]:
                    if isinstance(row, dict) and isinstance(row.get("jobId"), int):
                        old = out.get(row["jobId"])
                        if old is None or _job_age(row) >= _job_age(old):
                            out[row["jobId"]] = row
        return out

    @cached_property
    def stages(self) -> dict[tuple[int, int], Row]:
        out: dict[tuple[int, int], Row] = {}
        for doc in self.docs:
            if doc.path == "stages" or doc.path.startswith("stages/"):
                for row in mappings(doc.data) if isinstance(doc.data, list) else [doc.data]:
                    if not isinstance(row, dict):
                        continue
                    stage, attempt = row.get("stageId"), row.get("attemptId")
                    if isinstance(stage, int) and isinstance(attempt, int) and "numTasks" in row:
                        old = out.get((stage, attempt))
                        if old is None or _stage_age(row) >= _stage_age(old):
                            out[stage, attempt] = {**(old or {}), **row}
        return out

    @cached_property
    def conf(self) -> dict[str, str]:
        """Spark properties of the environment answer."""
        out: dict[str, str] = {}
        for doc in self.of("environment"):
            pairs = doc.data.get("sparkProperties") if isinstance(doc.data, dict) else None
            for pair in pairs if isinstance(pairs, list) else []:
                if isinstance(pair, list | tuple) and len(pair) == 2 and all(isinstance(p, str) for p in pair):
                    out[pair[0]] = pair[1]
        return out

    @cached_property
    def sql(self) -> dict[int, Row]:
        out: dict[int, Row] = {}
        for doc in self.docs:
            if doc.path == "sql" or doc.path.startswith("sql/"):
                for row in mappings(doc.data) if isinstance(doc.data, list) else [doc.data]:
                    if isinstance(row, dict) and isinstance(row.get("id"), int):
                        old = out.get(row["id"], {})
                        if not old or num(row, "duration") >= num(old, "duration"):
                            out[row["id"]] = {**old, **row}
        return out

    def peaks(self, executor: str, metric: str, app_id: str = "") -> Iterator[tuple[float, float | None]]:
        """(bytes, when it was read) of a peak memory metric of one executor; nothing where it was never measured (0).

        Args:
            app_id: Spark's id of the attempt that it belonged to: attempts number their executors from 1 again.
        """
        for doc in self.docs:
            if doc.path in ("executors", "allexecutors") and (not app_id or doc.app_id in ("", app_id)):
                for row in mappings(doc.data):
                    peaks = row.get("peakMemoryMetrics") if text(row, "id") == executor else None
                    value = peaks.get(metric) if isinstance(peaks, dict) else None
                    if isinstance(value, int | float) and value > 0:
                        yield float(value), doc.origin.at


def _ended(row: Row) -> float:
    ends = [num(a, "endTimeEpoch") for a in mappings(row.get("attempts"))]
    return max(ends, default=0.0)


def _job_age(row: Row) -> tuple[int, float]:
    done = num(row, "numCompletedTasks") + num(row, "numFailedTasks") + num(row, "numKilledTasks")
    return (_JOB_RANK.get(text(row, "status"), 0), done)


def _stage_age(row: Row) -> tuple[int, float]:
    done = num(row, "numCompleteTasks") + num(row, "numFailedTasks") + num(row, "numKilledTasks")
    return (_STAGE_RANK.get(text(row, "status"), 0), done)


def _maxima(a: Any, b: Any) -> dict[str, float]:
    out: dict[str, float] = {}
    for side in (a, b):
        if isinstance(side, dict):
            for key, value in side.items():
                if isinstance(value, int | float):
                    out[key] = max(out.get(key, 0), value)
    return out
