"""Thread dumps of applications that do not get on: taken twice, some time apart, and of the busiest processes only.

A dump stops the threads of its JVM for a moment, so none is taken while tasks complete.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from console.base.clock import Clock
from console.base.errors import ConsoleError
from console.base.shapes import mappings
from console.facts.model import RestDocument
from console.facts.rest import RestView, num, text

if TYPE_CHECKING:
    from console.sources.spark.rest import SparkRest

QUIET = 180.0
"""Seconds of the clock without a task or a stage that completed after which threads are looked at."""
APART = 30.0
"""Seconds between two dumps that are compared."""
EXECUTORS = 2
"""Executors whose threads are read beside the driver's: those with most tasks under way."""

ProgressMark = tuple[str, int, int]


@dataclass
class _Still:
    """An application as it was seen to stand: since when, and its first and last dump of each process."""

    mark: ProgressMark
    since: float
    first: dict[str, RestDocument] = field(default_factory=dict)
    last: dict[str, RestDocument] = field(default_factory=dict)
    at: float | None = None

    @property
    def documents(self) -> tuple[RestDocument, ...]:
        return (*self.first.values(), *self.last.values())


@dataclass
class ThreadDumps:
    """The dumps by application key; they go when it gets on."""

    clock: Clock
    _still: dict[str, _Still] = field(default_factory=dict)

    async def of(
        self, key: str, rest: SparkRest, documents: Sequence[RestDocument]
    ) -> tuple[tuple[RestDocument, ...], tuple[tuple[str, str], ...]]:
        """The dumps of an application, and what of them could not be read, and why.

        Args:
            documents: what its REST API has just answered.
        """
        view, now = RestView(documents), self.clock.now()
        mark = _mark(view)
        still = self._still.get(key)
        if still is None or mark != still.mark or not _works(view):
            self._still[key] = _Still(mark, now)
            return (), ()
        if now - still.since < QUIET or (still.at is not None and now - still.at < APART):
            return still.documents, ()
        still.at = now
        try:
            read = await rest.threads(mark[0], _busiest(view))
        except ConsoleError as error:
            return still.documents, (("thread dumps", error.message),)
        for document in read.documents:
            (still.last if document.path in still.first else still.first)[document.path] = document
        return still.documents, read.unread

    def forget(self, key: str) -> None:
        self._still.pop(key, None)


def _mark(view: RestView) -> ProgressMark:
    """What grows while an application gets on: the run, its completed tasks, its stages that are over."""
    tasks = sum(int(num(row, "completedTasks") + num(row, "failedTasks")) for row in view.executors.values())
    over = sum(1 for stage in view.stages.values() if text(stage, "status") not in ("ACTIVE", "PENDING"))
    return text(view.application, "id"), tasks, over


def _works(view: RestView) -> bool:
    """Whether there is something that should get on."""
    return any(text(job, "status") == "RUNNING" for job in view.jobs.values())


def _busiest(view: RestView) -> tuple[str, ...]:
    rows = [row for doc in view.of("allexecutors") for row in mappings(doc.data) if row.get("isActive") is True]
    busy = [row for row in rows if text(row, "id") not in ("", "driver") and num(row, "activeTasks") > 0]
    return ("driver", *(text(row, "id") for row in sorted(busy, key=lambda r: -num(r, "activeTasks"))[:EXECUTORS]))
