"""Whether an application makes no progress by its own REST answers, and the thread dumps that are then worth it.

A thread dump stops the JVM that is asked for a moment: only a driver whose running job has not moved for long is asked,
and of its executors the few whose tasks do not end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from console.base.clock import Clock
from console.base.errors import ConsoleError
from console.facts.model import RestDocument
from console.facts.rest import RestView, Row, num, text, when

if TYPE_CHECKING:
    from console.sources.spark.rest import SparkRest

STILL = 300.0
"""Seconds without an ended task, or without a stage, after which the driver is asked."""
TASKS_STILL = 900.0
"""The same for executors: their tasks may be long ones."""
GAP = 3.0
"""Seconds between the first two dumps of a process."""
AGAIN = 300.0
MOST_EXECUTORS = 2
"""Executors whose threads are read, those with most tasks at work first."""

ProgressMark = tuple[tuple[float, ...], ...]


class Standstill(Struct, frozen=True):
    """A running job that does not move. `whose`: the processes that are asked for their threads, the driver first."""

    since: float
    whose: tuple[str, ...]


def mark(documents: Iterable[RestDocument]) -> ProgressMark:
    """What changes as soon as a running job gets on; empty where none runs."""
    counted = (
        "jobId",
        "numCompletedTasks",
        "numFailedTasks",
        "numKilledTasks",
        "numSkippedTasks",
        "numCompletedStages",
        "numActiveStages",
    )
    return tuple(sorted(tuple(num(job, key) for key in counted) for job in _running(RestView(documents))))


def standstill(documents: Iterable[RestDocument], seen: float | None, now: float) -> Standstill | None:
    """Where a job runs and nothing of it has ended for long.

    Args:
        seen: since when nothing was seen to move; None where it was read once.
    """
    view = RestView(documents)
    running = _running(view)
    if not running:
        return None
    living = [row for row in view.executors.values() if row.get("isActive") is not False]
    busy = sorted(
        (row for row in living if num(row, "activeTasks") > 0),
        key=lambda row: (-num(row, "activeTasks"), text(row, "id")),
    )
    active = [stage for stage in view.stages.values() if text(stage, "status") == "ACTIVE"]
    if active and not busy and all(text(row, "id") == "driver" for row in living):
        return None  # it waits for executors
    since = min((t for t in (seen, _told(view, running, active)) if t is not None), default=None)
    if since is None or now - since < STILL:
        return None
    executors = [who for row in busy if (who := text(row, "id")) != "driver"] if now - since >= TASKS_STILL else []
    return Standstill(since, ("driver", *executors[:MOST_EXECUTORS]))


def _running(view: RestView) -> list[Row]:
    return [job for job in view.jobs.values() if text(job, "status") == "RUNNING"]


def _told(view: RestView, running: Sequence[Row], active: Sequence[Row]) -> float | None:
    """Since when nothing ended, as far as one look can tell: of a stage with ended tasks it can't."""
    if any(num(stage, "numCompleteTasks") or num(stage, "numFailedTasks") for stage in active):
        return None
    times = [
        *(when(stage, "completionTime") for stage in view.stages.values()),
        *(when(job, "submissionTime") for job in running),
        *(when(stage, "firstTaskLaunchedTime") or when(stage, "submissionTime") for stage in active),
    ]
    return max((t for t in times if t is not None), default=None)


class ThreadDumps:
    """The thread dumps of one application while it stands still: the first and the latest of each process."""

    def __init__(self, clock: Clock, *, gap: float = GAP) -> None:
        self._clock, self._gap = clock, gap
        self._mark: ProgressMark = ()
        self._seen: float | None = None
        self._asked: float | None = None
        self._first: dict[tuple[str, str], RestDocument] = {}
        self._last: dict[tuple[str, str], RestDocument] = {}
        self.unread: tuple[tuple[str, str], ...] = ()

    @property
    def documents(self) -> tuple[RestDocument, ...]:
        return (*self._first.values(), *self._last.values())

    async def follow(self, rest: SparkRest, documents: Sequence[RestDocument]) -> None:
        """Take what was just read of the application; dump threads where it stands still and that is due."""
        now, found = self._clock.now(), mark(documents)
        if found != self._mark or not found:
            self._mark, self._seen, self._asked, self.unread = found, now, None, ()
            self._first, self._last = {}, {}
        still = standstill(documents, self._seen, now)
        if still is None or (self._asked is not None and now - self._asked < AGAIN):
            return
        app_id = next((d.app_id for d in documents if d.path == ""), "")
        self._asked = now
        if await self._dump(rest, app_id, still.whose) and not self._last:
            await asyncio.sleep(self._gap / max(1.0, self._clock.speed))
            await self._dump(rest, app_id, still.whose)

    async def _dump(self, rest: SparkRest, app_id: str, whose: Sequence[str]) -> bool:
        try:
            read = await rest.threads(app_id, whose)
        except ConsoleError as error:
            self.unread = ((f"threads of {app_id}", error.message),)
            return False
        self.unread = read.unread
        for document in read.documents:
            key = (document.app_id, document.path)
            (self._last if key in self._first else self._first)[key] = document
        return bool(read.documents)
