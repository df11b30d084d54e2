"""Bounded reads of single applications: those that fail or stall, and those in focus. Each gets a log tail and REST."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from console.base.clock import Clock
from console.base.errors import ConsoleError
from console.health.facts import Log, Pod, RestDocument
from console.health.model import SparkApp

if TYPE_CHECKING:
    from console.wire.reader import Reader

MAX_APPS = 40
"""Applications that are read at one time; the worst come first."""
AT_ONCE = 4
UI_PORT = 4040


@dataclass
class _Read:
    key: tuple[str, str, str]
    at: float
    logs: tuple[Log, ...] = ()
    rest: tuple[RestDocument, ...] = ()
    unread: tuple[tuple[str, str], ...] = ()


@dataclass
class Reads:
    """What was read of applications so far, by application key.

    A driver that ended is read once; one that lives is read again after `again` seconds of the clock.
    """

    reader: Reader
    clock: Clock
    again: float
    _done: dict[str, _Read] = field(default_factory=dict)

    def logs(self) -> tuple[Log, ...]:
        return tuple(log for read in self._done.values() for log in read.logs)

    def rest(self) -> tuple[RestDocument, ...]:
        return tuple(document for read in self._done.values() for document in read.rest)

    def unread(self) -> tuple[tuple[str, str], ...]:
        return tuple(item for read in self._done.values() for item in read.unread)

    async def refresh(self, apps: list[SparkApp], pods: dict[str, Pod]) -> bool:
        """Read what is due of `apps` (worst first). True when something new came."""
        wanted = apps[:MAX_APPS]
        keep = {app.key for app in wanted}
        dropped = [key for key in self._done if key not in keep]
        for key in dropped:
            del self._done[key]
        due = [(app, pod) for app in wanted if (pod := self._driver(app, pods)) is not None and self._due(app, pod)]
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(app: SparkApp, pod: Pod) -> None:
            async with gate:
                self._done[app.key] = await self._read(app, pod)

        await asyncio.gather(*(one(app, pod) for app, pod in due))
        return bool(due or dropped)

    @staticmethod
    def _driver(app: SparkApp, pods: dict[str, Pod]) -> Pod | None:
        if app.driver is None or not app.driver.pod:
            return None
        return pods.get(f"{app.driver.namespace or app.namespace}/{app.driver.pod}")

    def _due(self, app: SparkApp, pod: Pod) -> bool:
        done = self._done.get(app.key)
        if done is None or done.key != _state(pod):
            return not pod.gone
        return _alive(pod) and self.clock.now() - done.at >= self.again

    async def _read(self, app: SparkApp, pod: Pod) -> _Read:
        from console.sources.logs import tail
        from console.sources.spark import SparkRest
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
            read.unread = ((f"log of {pod.namespace}/{pod.name}", error.message),)
        if _alive(pod):
            rest = SparkRest(PodEndpoint(self.reader, pod.namespace, pod.name, UI_PORT), self.clock, pod=pod.name)
            try:
                answer = await rest.application(app.app_id)
                read.rest = answer.documents
                read.unread += answer.unread
            except ConsoleError as error:
                read.unread += ((f"REST of {pod.namespace}/{pod.name}", error.message),)
        return read


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
