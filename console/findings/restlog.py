"""What REST answers and event logs say of failures, as a driver's log would say it: the same rules read it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from console.base.clock import rfc3339
from console.base.shapes import mappings
from console.facts.model import Log, Origin
from console.facts.rest import RestView, num, text, when

MAX_REASONS = 60
"""Failure reasons of tasks that are read: the first of each wording."""
_TASKS = re.compile(r"stages/(\d+)/(\d+)/taskList")
_DIGITS = re.compile(r"\d+")
_CANCELLED = ("cancelled", "was shut down", "Stage cancelled")


def rest_log(rest: RestView, subject: str) -> Log | None:
    """Failure reasons of tasks, stages, jobs and queries as records of a driver's log; None where there are none."""
    lines = [*_of_tasks(rest), *_of_stages(rest), *_of_jobs(rest), *_of_queries(rest)]
    if not lines:
        return None
    lines.sort(key=lambda pair: pair[0])
    origin = rest.origin("stages", "jobs", "sql")
    place = Origin(origin.source, f"{origin.locator} (failure reasons)", origin.at)
    return Log(subject, "".join(line for _, line in lines), place, role="driver")


def _of_tasks(rest: RestView) -> Iterator[tuple[float, str]]:
    seen: set[str] = set()
    for doc in rest.docs:
        found = _TASKS.fullmatch(doc.path)
        for row in mappings(doc.data) if found is not None else []:
            reason = text(row, "errorMessage")
            shape = _DIGITS.sub("#", reason[:200])
            if not reason or found is None or shape in seen or len(seen) >= MAX_REASONS:
                continue
            seen.add(shape)
            at = when(row, "launchTime") or 0.0
            at += num(row, "duration") / 1000
            yield (
                at,
                _record(
                    at,
                    "WARN",
                    f"TaskSetManager: Lost task {int(num(row, 'index'))}.{int(num(row, 'attempt'))} in stage "
                    f"{found.group(1)}.{found.group(2)} (TID {int(num(row, 'taskId'))}) "
                    f"({text(row, 'host') or 'host'} executor {text(row, 'executorId') or '?'}): {reason}",
                ),
            )


def _of_stages(rest: RestView) -> Iterator[tuple[float, str]]:
    for row in rest.stages.values():
        reason = text(row, "failureReason")
        if reason and not _cancelled(reason):
            at = when(row, "completionTime") or when(row, "submissionTime") or 0.0
            yield at, _record(at, "ERROR", f"DAGScheduler: {reason}")


def _of_jobs(rest: RestView) -> Iterator[tuple[float, str]]:
    for number, row in rest.jobs.items():
        reason = text(row, "failureReason")
        if reason and not _cancelled(reason):
            at = when(row, "completionTime") or 0.0
            yield at, _record(at, "ERROR", f"DAGScheduler: Job {number} did not succeed: {reason}")


def _of_queries(rest: RestView) -> Iterator[tuple[float, str]]:
    """Queries that failed; a part of a query that failed, too, says nothing more."""
    failed = {
        key: row for key, row in rest.sql.items() if text(row, "status") == "FAILED" and text(row, "errorMessage")
    }
    for key, row in failed.items():
        reason = text(row, "errorMessage")
        root = row.get("rootExecutionId")
        if _cancelled(reason) or (isinstance(root, int) and root != key and root in failed):
            continue
        at = num(row, "ended") / 1000 or when(row, "submissionTime") or 0.0
        yield at, _record(at, "ERROR", f"SQLExecution: Query {key} failed with error\n{reason}")


def _cancelled(reason: str) -> bool:
    return any(word in reason[:400] for word in _CANCELLED)


def _record(at: float, level: str, words: str) -> str:
    stamp = rfc3339(at) or "1970-01-01T00:00:00Z"
    return f"{stamp} {level} {words.rstrip()}\n"
