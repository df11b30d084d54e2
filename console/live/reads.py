"""Bounded reads of single applications: sick ones, walked ones, that in focus. Each gets a log tail and REST."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from console.apps.model import SparkApp
from console.base.clock import Clock
from console.base.errors import ConsoleError, ForbiddenError
from console.base.shapes import mappings
from console.facts.leftout import LeftOut, bounded
from console.facts.model import Log, Pod, RestDocument, Sample, SourceState
from console.facts.notjudged import NotJudged, not_judged
from console.facts.rest import num, text

if TYPE_CHECKING:
    from console.sources.spark.standstill import ThreadDumps
    from console.wire.reader import Reader

MAX_APPS = 40
"""Applications that are read at one time; the worst come first."""
AT_ONCE = 4
UI_PORT = 4040
PEAKS = ("JVMHeapMemory", "ProcessTreePythonRSSMemory", "ProcessTreeJVMRSSMemory")
MOST_PEAKS = 4000
"""Peaks that are kept of one application, those of the latest attempts."""


@dataclass
class _Read:
    key: tuple[str, str, str]
    at: float
    logs: tuple[Log, ...] = ()
    rest: tuple[RestDocument, ...] = ()
    unread: tuple[tuple[str, str], ...] = ()
    refused: dict[str, ForbiddenError] = field(default_factory=dict)
    failed: tuple[NotJudged, ...] = ()

    @property
    def whole(self) -> bool:
        return not self.unread and not self.failed


@dataclass
class Reads:
    """What was read of applications so far, by application key.

    A driver that ended is read until that succeeded once; one that lives is read again after `again` seconds of the
    clock.
    """

    reader: Reader
    clock: Clock
    again: float
    left_out: tuple[LeftOut, ...] = ()
    _done: dict[str, _Read] = field(default_factory=dict)
    _peaks: dict[str, dict[tuple[str, str, str], Sample]] = field(default_factory=dict)
    _threads: dict[str, ThreadDumps] = field(default_factory=dict)

    def logs(self) -> tuple[Log, ...]:
        return tuple(log for read in self._done.values() for log in read.logs)

    def rest(self) -> tuple[RestDocument, ...]:
        return tuple(document for read in self._done.values() for document in read.rest)

    def peaks(self) -> tuple[Sample, ...]:
        """The highest use of memory that was ever read of each executor, of attempts that are over too: a driver takes
        what it measured with it."""
        return tuple(sample for of_app in self._peaks.values() for sample in of_app.values())

    def unread(self, app: str = "") -> tuple[tuple[str, str], ...]:
        """(what, why) for everything that could not be read, of all applications or of one."""
        return tuple(item for key, read in self._done.items() if app in ("", key) for item in read.unread)

    def sources(self) -> tuple[SourceState, ...]:
        """What may not be read: that a log shows nothing wrong is then not known."""
        refused: dict[str, ForbiddenError] = {}
        for read in self._done.values():
            refused = read.refused | refused
        return tuple(
            SourceState(name, "forbidden", detail=why.message, hint=why.hint or "") for name, why in refused.items()
        )

    def not_judged(self) -> tuple[NotJudged, ...]:
        """Applications at whose log or REST answers Console failed."""
        return tuple(one for read in self._done.values() for one in read.failed)

    async def refresh(self, apps: list[SparkApp], pods: dict[str, Pod]) -> bool:
        """Read what is due of `apps` (worst first). True when something new came."""
        wanted, self.left_out = bounded(
            apps,
            MAX_APPS,
            source="logs",
            what="applications that fail, stall or are looked at have log and REST read",
            first="the worst first",
            name=lambda app: app.key,
            blinds=True,
        )
        keep = {app.key for app in wanted}
        dropped = [key for key in self._done if key not in keep]
        for key in dropped:
            del self._done[key]
            self._peaks.pop(key, None)
            self._threads.pop(key, None)
        due = [(app, pod) for app in wanted if (pod := self._driver(app, pods)) is not None and self._due(app, pod)]
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(app: SparkApp, pod: Pod) -> None:
            async with gate:
                try:
                    self._done[app.key] = read = await self._read(app, pod)
                    self._remember(app.key, read.rest)
                except Exception as error:
                    failed = not_judged(pod.key, "reading its log and REST answers", error, app=app.key)
                    self._done[app.key] = _Read(_state(pod), self.clock.now(), failed=(failed,))

        await asyncio.gather(*(one(app, pod) for app, pod in due))
        return bool(due or dropped)

    def _remember(self, key: str, documents: Iterable[RestDocument]) -> None:
        held = self._peaks.setdefault(key, {})
        for document in documents:
            for row in mappings(document.data) if document.path == "allexecutors" else ():
                measured = row.get("peakMemoryMetrics")
                if not isinstance(measured, dict):
                    continue
                for metric in PEAKS:
                    value, place = num(measured, metric), (document.app_id, text(row, "id"), metric)
                    if value > 0 and (place not in held or value > held[place].value):
                        labels = {"application_id": document.app_id, "executor_id": place[1]}
                        name = f"metrics_executor_{metric}_bytes"
                        held[place] = Sample(name, labels, value, document.origin.at, document.origin)
        for place in list(held)[:-MOST_PEAKS]:
            del held[place]

    @staticmethod
    def _driver(app: SparkApp, pods: dict[str, Pod]) -> Pod | None:
        if app.driver is None or not app.driver.pod:
            return None
        return pods.get(f"{app.driver.namespace or app.namespace}/{app.driver.pod}")

    def _due(self, app: SparkApp, pod: Pod) -> bool:
        done = self._done.get(app.key)
        if done is None or done.key != _state(pod):
            return not pod.gone
        return (_alive(pod) or (not pod.gone and not done.whole)) and self.clock.now() - done.at >= self.again

    async def _read(self, app: SparkApp, pod: Pod) -> _Read:
        from console.sources.cluster.logs import tail
        from console.sources.spark.rest import SparkRest
        from console.sources.spark.standstill import ThreadDumps
        from console.wire.endpoint import PodEndpoint

        read = _Read(_state(pod), self.clock.now())
        main = pod.main
        try:
            log = await tail(
                self.reader,
                pod.namespace,
                pod.name,
                container=main.name if main else "",
                role="driver",
                at=self.clock.now(),
            )
            read.logs = (log,)
        except ConsoleError as error:
            _note(read, "logs", f"log of {pod.namespace}/{pod.name}", error)
        if _alive(pod):
            rest = SparkRest(PodEndpoint(self.reader, pod.namespace, pod.name, UI_PORT), self.clock, pod=pod.name)
            try:
                answer = await rest.application(app.app_id)
                dumps = self._threads.setdefault(app.key, ThreadDumps(self.clock))
                await dumps.follow(rest, answer.documents)
                read.rest = (*answer.documents, *dumps.documents)
                read.unread += (*answer.unread, *dumps.unread)
            except ConsoleError as error:
                _note(read, "Spark REST", f"REST of {pod.namespace}/{pod.name}", error)
        return read


def _note(read: _Read, source: str, locator: str, error: ConsoleError) -> None:
    read.unread += ((locator, error.message),)
    if isinstance(error, ForbiddenError):
        read.refused[source] = error


def by_name(pods: Iterable[Pod]) -> dict[str, Pod]:
    """`namespace/name` → pod. Each attempt's driver has the same name: the living one counts, else the latest."""
    out: dict[str, Pod] = {}
    for pod in pods:
        held = out.get(key := f"{pod.namespace}/{pod.name}")
        if held is None or (not pod.gone, pod.created or 0.0) > (not held.gone, held.created or 0.0):
            out[key] = pod
    return out


def _state(pod: Pod) -> tuple[str, str, str]:
    main = pod.main
    return (pod.uid, pod.phase, main.state if main else "")


def _alive(pod: Pod) -> bool:
    main = pod.main
    return not pod.gone and pod.phase == "Running" and (main is None or main.state == "running")
