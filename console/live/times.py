"""Where the time of one application went: read from its driver, or from the History Server once that is gone, and
measured against its former runs there."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from console.apps.model import SparkApp
from console.base.clock import Clock
from console.base.errors import ConsoleError
from console.base.shapes import mappings
from console.facts.model import Origin, Pod, RestDocument
from console.timing.items import TimeReport
from console.wire.pool import Pool

if TYPE_CHECKING:
    from console.facts.rest import RestView
    from console.settings.load import Settings
    from console.sources.spark.rest import SparkRest
    from console.wire.endpoint import Endpoint
    from console.wire.reader import Reader

UI_PORT = 4040
LISTED = 500
"""Applications of the History Server that are looked through for former runs."""
FORMER = 5
AGAIN = 20.0
"""Seconds of the clock after which a running application is read again."""
LOOK_AGAIN = 60.0
"""Seconds of the clock after which a History Server that was not found is looked for again."""
KEPT = 8

TimesState = Literal["loading", "ready", "no data", "unreachable"]


class Times(Struct, frozen=True):
    """A report with where it comes from.

    Attributes:
        state: `no data`: neither a driver nor a History Server that knows the application.
        source: what was read, for people.
        former: ids of the former runs that it was compared with.
        former_note: why there are none.
        unread: (locator, reason).
    """

    state: TimesState = "loading"
    report: TimeReport | None = None
    detail: str = ""
    source: str = ""
    app_id: str = ""
    former: tuple[str, ...] = ()
    former_note: str = ""
    unread: tuple[tuple[str, str], ...] = ()
    at: float | None = None
    live: bool = False


class TimesReader:
    """Reads one application at a time; what has ended is read once."""

    def __init__(self, reader: Reader, settings: Settings, clock: Clock) -> None:
        self._reader, self._settings, self._clock = reader, settings, clock
        self._kept: dict[str, Times] = {}
        self._history: Endpoint | None = None
        self._looked: float | None = None
        self._gate = asyncio.Lock()
        self._pool = Pool(1, "console-times")

    async def read(self, app: SparkApp, pod: Pod | None) -> Times:
        """The times of `app`; `pod` is its driver's. Never raises a ConsoleError."""
        key = f"{app.key}/{app.app_id}/{app.attempt}"
        async with self._gate:
            known = self._kept.get(key)
            now = self._clock.now()
            alive = pod is not None and not pod.gone and pod.phase == "Running"
            if known is not None and known.at is not None:
                fresh = now - known.at < AGAIN
                if fresh or (known.state == "ready" and not known.live and not alive):
                    return known
            times = await self._read(app, pod if alive else None)
            self._kept[key] = times
            while len(self._kept) > KEPT:
                del self._kept[next(iter(self._kept))]
            return times

    async def documents(
        self, app: SparkApp, pod: Pod | None, run: str, *, other: bool
    ) -> tuple[tuple[RestDocument, ...], str]:
        """What the driver or the History Server has of `app`, and with `other` what that has of the run with the id
        `run`, or without one of the newest run of the same name whose jobs all went well; and why there is no more."""
        from console.sources.spark.rest import SparkRest
        from console.wire.endpoint import PodEndpoint

        unread: list[tuple[str, str]] = []
        async with self._gate:
            history = await self._history_server(unread)
        own: tuple[RestDocument, ...] = ()
        if pod is not None and not pod.gone and pod.phase == "Running":
            driver = PodEndpoint(self._reader, pod.namespace, pod.name, UI_PORT)
            own, _ = await self._from(SparkRest(driver, self._clock, pod=pod.name), "", driver, unread)
        if history is None:
            return own, "; ".join(f"{what}: {why}" for what, why in unread) or "no History Server is known"
        rest = SparkRest(history, self._clock)
        if not own and app.app_id:
            own, _ = await self._from(rest, app.app_id, history, unread)
        if not other:
            return own, ""
        wanted, why = (run, "") if run else await good_run(rest, history.label, app, own)
        more, _ = await self._from(rest, wanted, history, unread) if wanted else ((), "")
        return (*own, *more), why or "; ".join(f"{what}: {said}" for what, said in unread)

    async def close(self) -> None:
        self._pool.close()
        if self._history is not None:
            await self._history.close()

    async def _read(self, app: SparkApp, pod: Pod | None) -> Times:
        from console.facts.rest import RestView
        from console.sources.spark.rest import SparkRest
        from console.timing.report import compared
        from console.wire.endpoint import PodEndpoint

        now = self._clock.now()
        unread: list[tuple[str, str]] = []
        documents: tuple[RestDocument, ...] = ()
        source = ""
        if pod is not None:
            endpoint = PodEndpoint(self._reader, pod.namespace, pod.name, UI_PORT)
            documents, source = await self._from(SparkRest(endpoint, self._clock, pod=pod.name), "", endpoint, unread)
        live = bool(documents)
        history = await self._history_server(unread)
        if not documents and history is not None and app.app_id:
            documents, source = await self._from(SparkRest(history, self._clock), app.app_id, history, unread)
        view = RestView(documents)
        if not view.stages:
            state: TimesState = "unreachable" if unread else "no data"
            return Times(state, None, _nothing(app, pod, history), unread=tuple(unread), at=now, app_id=app.app_id)
        former: list[tuple[str, RestView]] = []
        note = "no History Server is known, so there are no former runs"
        if history is not None:
            former, note = await former_runs(SparkRest(history, self._clock), history.label, view)
        over = [v for _, v in former]
        report = await self._pool.run(lambda: compared(view, over, now=now if live else None))
        return Times(
            "ready",
            report,
            source=source,
            app_id=str(view.application.get("id", "")),
            former=tuple(key for key, _ in former),
            former_note=note,
            unread=tuple(unread),
            at=self._clock.now(),
            live=live,
        )

    async def _from(
        self, rest: SparkRest, app_id: str, endpoint: Endpoint, unread: list[tuple[str, str]]
    ) -> tuple[tuple[RestDocument, ...], str]:
        try:
            read = await rest.timed(app_id)
        except ConsoleError as error:
            unread.append((endpoint.label, error.message))
            return (), ""
        unread += read.unread
        return (read.documents, endpoint.label) if read.document("stages") else ((), "")

    async def _history_server(self, unread: list[tuple[str, str]]) -> Endpoint | None:
        now = self._clock.now()
        if self._history is None and (self._looked is None or now - self._looked >= LOOK_AGAIN):
            from console.live.endpoints import endpoint_of
            from console.sources.cluster.discovery import discover

            self._looked = now
            try:
                self._history = endpoint_of(self._settings.history_server, self._reader)
                if self._history is None:
                    found = await discover(self._reader, "history-server", self._settings.namespaces)
                    self._history = found[0].endpoint(self._reader) if found else None
            except ConsoleError as error:
                unread.append(("History Server", error.message))
        return self._history


async def former_runs(rest: SparkRest, label: str, view: RestView) -> tuple[list[tuple[str, RestView]], str]:
    """([(application id, its answers)], why there are none): the newest runs of the same name that began earlier.

    Args:
        rest: a History Server; `label` names it.
        view: the run that is measured.
    """
    from console.facts.rest import RestView, num, text
    from console.timing.former import run_name

    name, own = run_name(text(view.application, "name")), text(view.application, "id")
    begun = max((num(a, "startTimeEpoch") for a in view.attempts), default=math.inf)
    earlier = []
    try:
        listed = (await rest.applications(limit=LISTED, status="completed")).document("applications")
        for row in mappings(listed):
            attempts = mappings(row.get("attempts"))
            started = max((num(a, "startTimeEpoch") for a in attempts), default=0.0)
            if run_name(text(row, "name")) == name and text(row, "id") != own and started < begun:
                earlier.append((started, text(row, "id"), next((text(a, "attemptId") for a in attempts), "")))
        newest = sorted(earlier, reverse=True)[:FORMER]
        read = await asyncio.gather(*(rest.shallow(key, attempt=attempt) for _, key, attempt in newest))
    except ConsoleError as error:
        return [], f"{label}: {error.message}"
    found = [(key, RestView(r.documents)) for (_, key, _), r in zip(newest, read, strict=True) if r.document("stages")]
    if not found:
        known = f" among its newest {LISTED} applications" if len(mappings(listed)) >= LISTED else ""
        return [], f"{label} knows no former run of {name!r}{known}"
    return found, "" if len(found) > 1 else "one former run is no measure: two are needed"


async def good_run(rest: SparkRest, label: str, app: SparkApp, own: tuple[RestDocument, ...]) -> tuple[str, str]:
    """(id of the newest run of the same name that began earlier and of which no job failed, why there is none)."""
    from console.facts.rest import RestView, text
    from console.timing.former import recurring

    view = RestView(own)
    name = recurring(app, view)
    if not view.application:
        view = RestView([RestDocument("", {"id": app.app_id, "name": name}, Origin("spark-rest", label))])
    former, why = await former_runs(rest, label, view)
    good = (key for key, one in former if one.jobs and all(text(j, "status") == "SUCCEEDED" for j in one.jobs.values()))
    found = next(good, "")
    return (
        found,
        "" if found else why if not former else f"of {len(former)} former runs none is known to have gone well",
    )


def _nothing(app: SparkApp, pod: Pod | None, history: Endpoint | None) -> str:
    driver = "its driver does not answer" if pod is not None else "its driver is not running"
    if history is None:
        return f"{driver}, and no History Server is known (set history_server.url or history_server.service)"
    if not app.app_id:
        return f"{driver}, and its application id is not known, so the History Server cannot be asked"
    return f"{driver}, and {history.label} does not know {app.app_id}"
