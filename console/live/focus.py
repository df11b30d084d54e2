"""Details of what is on screen: log, events, manifest. One subscription at a time, bounded."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import msgspec

from console.apps.model import SparkApp
from console.base.clock import Clock
from console.base.errors import ConsoleError, ForbiddenError
from console.base.redact import redact_value
from console.facts.model import Event, Facts, Log
from console.facts.notjudged import not_judged
from console.findings.diagnose import explain
from console.live.crashes import CrashFiles
from console.live.situation import Focus, FocusOn
from console.live.trends import STEP, AskRange, MemoryTrend, memory_trend

if TYPE_CHECKING:
    from console.live.times import Times
    from console.wire.reader import Reader

LOG_LINES = 3000
REFRESH = 5.0


class FocusReader:
    """Keeps one `Focus` current.

    Args:
        publish: called with every new value.
        facts: the latest facts, for events and captured logs.
        app: the application of a key, or None.
        times: where the time of the application of a key went.
        ask_range: asks Prometheus over a time; None where there is none to ask.
    """

    def __init__(
        self,
        reader: Reader,
        clock: Clock,
        publish: Callable[[Focus], None],
        facts: Callable[[], Facts],
        app: Callable[[str], SparkApp | None],
        times: Callable[[str], Awaitable[Times]],
        crashes: CrashFiles,
        ask_range: AskRange | None = None,
    ) -> None:
        self._ask_range = ask_range
        self._trend: tuple[str, float, MemoryTrend] | None = None
        self._crashes = crashes
        self._reader, self._clock, self._publish, self._times = reader, clock, publish, times
        self._facts, self._app = facts, app
        self.on = FocusOn()
        self._turned = asyncio.Event()

    def turn_to(self, on: FocusOn) -> None:
        """Look at `on` from now on. Called on the loop's thread."""
        if on != self.on:
            self.on = on
            self._turned.set()

    async def run(self) -> None:
        """Refresh until cancelled; at once when the focus turns, then every few seconds."""
        while True:
            self._turned.clear()
            on = self.on
            if on.app or on.pod:
                focus = await self._unless_turned(on)
                if focus is None:
                    continue
                self._publish(focus)
            try:
                async with asyncio.timeout(REFRESH if on.app or on.pod else None):
                    await self._turned.wait()
            except TimeoutError:
                continue

    async def _unless_turned(self, on: FocusOn) -> Focus | None:
        """What there is to see of `on`; None where the focus turned before it was read."""
        reading = asyncio.create_task(self._read(on))
        turned = asyncio.create_task(self._turned.wait())
        try:
            await asyncio.wait({reading, turned}, return_when=asyncio.FIRST_COMPLETED)
            return self._result(reading, on) if reading.done() and self.on == on else None
        finally:
            for task in (reading, turned):
                task.cancel()
            await asyncio.gather(reading, turned, return_exceptions=True)

    def _result(self, reading: asyncio.Task[Focus], on: FocusOn) -> Focus:
        """What was read; that Console failed at it is said of what is in focus, and nothing else."""
        try:
            return reading.result()
        except Exception as error:
            failed = not_judged(on.pod or on.app, "reading details", error)
            self._crashes.keep((failed,))
            said = f"{failed.part} failed with {failed.error} ({failed.reference}): a fault of Console"
            return Focus(on, state="unreachable", detail=said, at=self._clock.now())

    async def _read(self, on: FocusOn) -> Focus:
        facts = self._facts()
        app = self._app(on.app) if on.app else None
        focus = Focus(on, state="ready", events=self._events(app, on), at=self._clock.now())
        if on.pod:
            focus = await self._with_log(focus, facts)
        if on.explain and app is not None:
            focus = msgspec.structs.replace(focus, trials=explain(facts, (app,)))
        if on.manifest and app is not None:
            focus = await self._with_manifest(focus, app)
        if on.trends and app is not None:
            focus = msgspec.structs.replace(focus, memory=await self.memory(app))
        if on.times:
            focus = msgspec.structs.replace(focus, times=await self._timed(on.app))
        return focus

    async def memory(self, app: SparkApp) -> MemoryTrend:
        """How its memory went; asked again only when there may be another sample."""
        now = self._clock.now()
        if self._trend is None or self._trend[0] != app.key or now - self._trend[1] >= STEP:
            if self._ask_range is None:
                return MemoryTrend("no data", detail="no Prometheus is known here")
            try:
                self._trend = (app.key, now, await memory_trend(app, self._ask_range, now))
            except ConsoleError as error:
                return MemoryTrend("no data", detail=error.message)
        return self._trend[2]

    async def _timed(self, app: str) -> Times:
        from console.live.times import Times

        try:
            return await self._times(app)
        except ConsoleError as error:
            return Times("no data", detail=error.message)

    def _events(self, app: SparkApp | None, on: FocusOn) -> tuple[Event, ...]:
        names = {on.pod.rpartition("/")[2]} if on.pod else set()
        if app is not None:
            names.add(app.name)
            names |= {m.pod for m in (app.driver, *app.executors) if m is not None and m.pod}
        namespace = app.namespace if app is not None else on.pod.partition("/")[0]
        found = [e for e in self._facts().events if e.namespace == namespace and e.name in names]
        return tuple(sorted(found, key=lambda e: -(e.last or 0.0)))

    async def _with_log(self, focus: Focus, facts: Facts) -> Focus:
        from console.sources.cluster.logs import tail

        on = focus.on
        namespace, _, name = on.pod.partition("/")
        container = on.container or self._main(facts, namespace, name)
        try:
            log = await tail(
                self._reader,
                namespace,
                name,
                container=container,
                previous=on.previous,
                lines=LOG_LINES,
                at=self._clock.now(),
            )
            return msgspec.structs.replace(focus, log=log)
        except ConsoleError as error:
            kept = self._kept(facts, namespace, name)
            if kept is not None:
                return msgspec.structs.replace(focus, log=kept, detail="kept from before the pod vanished")
            word = "forbidden" if isinstance(error, ForbiddenError) else "unreachable"
            return msgspec.structs.replace(focus, state=word, detail=error.message)

    @staticmethod
    def _main(facts: Facts, namespace: str, name: str) -> str:
        """The container that matters of a pod: where there are several, the server wants one to be named."""
        pod = next((p for p in facts.pods if p.name == name and p.namespace == namespace and not p.gone), None)
        return pod.main.name if pod is not None and pod.main is not None else ""

    @staticmethod
    def _kept(facts: Facts, namespace: str, name: str) -> Log | None:
        subject = f"Pod/{namespace}/{name}"
        return next((log for log in facts.logs if log.subject == subject), None)

    async def _with_manifest(self, focus: Focus, app: SparkApp) -> Focus:
        from console.wire.paths import object_path

        try:
            resource = await self._reader.resource(app.api_version, app.kind)
            tree = await self._reader.object(object_path(app.api_version, resource.plural, app.namespace, app.name))
        except (ConsoleError, KeyError, ValueError) as error:
            return msgspec.structs.replace(focus, detail=str(error))
        tree.get("metadata", {}).pop("managedFields", None)
        return msgspec.structs.replace(focus, manifest=redact_value(tree))
