"""The loops of a session: sources are read, judged and published, again and again. Walks see the world by them."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from console.apps.model import SparkApp
from console.apps.states import FAILED
from console.base.errors import ConsoleError, UsageError
from console.base.text import joined
from console.board.compose import board as composed
from console.board.model import Board
from console.board.verdict import untrusted
from console.causes.incidents import group as incidents_of
from console.causes.tenants import Tenants
from console.facts.model import Facts, SourceState
from console.facts.notjudged import Isolation, NotJudged, not_judged
from console.findings.diagnose import Engine
from console.findings.of_components import findings_of_components
from console.findings.order import ordered
from console.findings.unjudged import CODE as UNJUDGED
from console.findings.unjudged import findings_of
from console.live.connect import Connected
from console.live.crashes import CrashFiles
from console.live.focus import FocusReader
from console.live.history import Histories
from console.live.matches import matches
from console.live.reads import by_name
from console.live.situation import Focus, FocusOn, Phase, Situation
from console.live.times import Times
from console.operate.world import Queried

if TYPE_CHECKING:
    pass

FIRST_ROUNDS = 2
"""Rounds of reading before everything is said to have been read once."""
LATE = 15.0
"""Seconds of the clock after which a walk has the objectives measured, and pods of components read, again."""
FRESH_WITHIN = 10.0
"""Seconds of real time that a refreshed board may take."""
_SICK = FAILED | {"PENDING_RERUN", "INVALIDATING"}


class Loops:
    """Keeps `situation` current, without walks: those are no facts.

    Args:
        publish: called with every new situation.
        publish_focus: called with every new focus.
        settled: called when every source was read once.
        walked: keys of the applications that open walks are about; they are read like sick ones.
    """

    def __init__(
        self,
        at: Connected,
        publish: Callable[[Situation], None],
        publish_focus: Callable[[Focus], None],
        settled: Callable[[], None],
        walked: Callable[[], frozenset[str]],
    ) -> None:
        self._at, self._publish, self._settled, self._walked = at, publish, settled, walked
        self.engine, self._tenants = Engine(), Tenants()
        self._crashes = CrashFiles(at.plan.state)
        self.focus = FocusReader(
            at.connection.reader,
            at.clock,
            publish_focus,
            lambda: self.facts,
            self.app,
            self.times,
            self._crashes,
            at.metrics.query_range,
        )
        self.facts = Facts(at=at.clock.now())
        self.situation = Situation(Board(at=at.clock.now(), cluster=at.cluster, verdict="UNKNOWN"))
        self._dirty, self._wanted = asyncio.Event(), asyncio.Event()
        self._built = asyncio.Condition()
        self._builds = 0
        self._synced = False
        self._first_read = False
        self._components_read = at.clock.now()
        self._failed: dict[str, NotJudged] = {}
        self._histories = Histories()

    def works(self) -> tuple[Coroutine[Any, Any, None], ...]:
        """Everything that runs until it is cancelled."""
        return (
            self._watch_source(),
            self._watch_synced(),
            self._measure(),
            self._read_apps(),
            self._read_components(),
            self._keep_building(),
            self._heartbeat(),
            self.focus.run(),
        )

    def build_soon(self) -> None:
        """Have the board built again, at the pace of the plan."""
        self._dirty.set()

    def app(self, key: str) -> SparkApp | None:
        return self.situation.board.app(key)

    async def _watch_source(self) -> None:
        while True:
            await self._at.source.changed.wait()
            self._at.source.changed.clear()
            self._dirty.set()

    async def _watch_synced(self) -> None:
        await self._at.source.synced()
        self._synced = True
        self._dirty.set()

    async def _measure(self) -> None:
        await self._at.source.synced("pods", "deployments")
        while True:
            if await self._read("prometheus", self._at.metrics.measure()):
                self._dirty.set()
            await asyncio.sleep(self._at.plan.pace.metrics)

    async def _read_apps(self) -> None:
        await self._at.source.synced()
        await self._at.source.loaded()
        await self._build()  # what is sick shows once everything is there; and a log may show that more is
        for _ in range(FIRST_ROUNDS):
            if not await self._read_sick():
                break
            await self._build()
        await self._read_pods_of_components()
        self._first_read = True
        self._dirty.set()
        while True:
            await asyncio.sleep(max(0.5, self._at.plan.pace.reads / 4))
            if await self._read_sick():
                self._dirty.set()

    async def _read_components(self) -> None:
        while True:
            await asyncio.sleep(self._at.plan.pace.reads)
            if self._first_read and await self._read_pods_of_components():
                self._dirty.set()

    async def _read_pods_of_components(self) -> bool:
        self._components_read = self._at.clock.now()
        found = self._at.metrics.found(self.facts)
        spaces = {thing.namespace for part in found for thing in part.things}
        new = await self._read("objects beside components", self._at.beside.refresh(spaces))
        facts = replace(self.facts, workloads=self._at.beside.beside(self._at.source.snapshot().facts()))
        new = await self._read("names", self._at.names.refresh(facts, spaces, self._at.beside.names)) or new
        return await self._read("pods of components", self._at.component_pods.refresh(found)) or new

    async def _read_sick(self) -> bool:
        return await self._read("logs and REST of applications", self._read_of_sick())

    async def _read_of_sick(self) -> bool:
        snapshot, sick = self._at.source.snapshot(), self._sick_apps()
        pods = by_name(snapshot.pods)
        read = await self._at.reads.refresh(sick, pods)
        masters = self._at.metrics.pods_of("standalone-master", snapshot.facts())
        wanted = [app.app_id for app in sick if app.launcher == "standalone" and app.live]
        return await self._at.standalone.refresh(masters, snapshot.pods, wanted) or read

    def failed_at(self, subject: str, part: str, error: Exception) -> None:
        """Say that Console failed at one subject, and go on with the others."""
        self._failed[subject] = not_judged(subject, part, error)

    async def _read(self, source: str, work: Coroutine[Any, Any, bool]) -> bool:
        """Read one source. That Console fails at it is said of that source, and the others are read."""
        try:
            new = await work
        except ConsoleError:
            raise
        except Exception as error:
            self._failed[source] = not_judged(f"source {source}", f"reading {source}", error)
            return True
        return self._failed.pop(source, None) is not None or new

    def _sick_apps(self) -> list[SparkApp]:
        board = self.situation.board
        wanted = {f.app for f in board.findings if f.app} | self._walked() | {self.focus.on.app}
        return [a for a in board.apps if a.key in wanted or a.state.upper() in _SICK]

    async def _heartbeat(self) -> None:
        while True:
            await asyncio.sleep(self._at.plan.pace.heartbeat)
            self._dirty.set()

    async def _keep_building(self) -> None:
        while True:
            await self._dirty.wait()
            self._dirty.clear()
            self._wanted.clear()
            began = time.monotonic()
            await self._build()
            pause = max(self._at.plan.pace.build, (time.monotonic() - began) * 2)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wanted.wait(), pause)  # a walk that waits for a board is not kept waiting

    async def _build(self) -> None:
        """Judge what is known and publish it. Where that fails as a whole, the last picture stays and says so."""
        try:
            self._judge()
            self._failed.pop("everything", None)
        except Exception as error:
            failed = self._failed["everything"] = not_judged("everything", "judging what was read", error)
            self._crashes.keep((failed,))
            stale = [f for f in self.situation.board.findings if f.code != UNJUDGED]
            board = untrusted(self.situation.board, f"Console failed at judging: {failed.error}")
            board = replace(board, findings=(*stale, *findings_of((failed,))))
            self.situation = replace(self.situation, board=board)
        async with self._built:
            self._builds += 1
            self._built.notify_all()
        self._publish(self.situation)
        if self._synced and self._at.metrics.asked and self._first_read:
            self._settled()

    def _judge(self) -> None:
        """`facts` and `situation` of this moment."""
        snapshot, remembered = self._at.source.snapshot(), self._at.remembered
        now = self._at.clock.now()
        self.facts = snapshot.facts(
            at=now,
            logs=(*self._at.reads.logs(), *self._at.standalone.logs),
            rest=(*self._at.reads.rest(), *self._at.standalone.rest),
            samples=(*self._at.metrics.samples, *self._at.reads.peaks()),
            alerts=self._at.metrics.alerts,
            sources=(
                *remembered.missed(self._at.metrics.sources(), now),
                *self._at.standalone.state(),
                *self._at.reads.sources(),
                *self._unread(),
            ),
            unread=(
                *self._at.reads.unread(),
                *self._at.standalone.unread,
                *self._at.names.unread,
                *self._at.beside.unread,
            ),
            monitoring=self._at.metrics.monitoring,
            not_judged=(*self._failed.values(), *self._at.reads.not_judged(), *self._at.metrics.not_judged),
            left_out=(
                *self._at.reads.left_out,
                *self._at.standalone.left_out,
                *self._at.component_pods.left_out,
                *self._at.names.left_out,
                *self._at.beside.left_out,
                *self._at.metrics.left_out,
            ),
            counted=remembered.counted,
        )
        beside = self._at.beside
        self.facts = replace(
            self.facts, workloads=beside.beside(self.facts), names={**self._at.names.names, **beside.names}
        )
        verdict, failed = self.engine.judge(self.facts), Isolation()
        remembered.count(verdict.counted, now)
        components = self._at.metrics.components(self._at.component_pods.beside(self.facts), failed)
        more = [*findings_of(failed.failed), *findings_of_components(components, verdict.findings)]
        findings = ordered([*verdict.findings, *more]) if more else verdict.findings
        findings = remembered.since(findings, now)
        board = composed(
            self.facts,
            self._at.cluster,
            verdict.apps,
            findings,
            incidents_of(findings, verdict.apps, self.facts, failed=failed, tenants=self._tenants),
            self._at.metrics.slos,
            components,
            self._at.metrics.alerts,
            gpus=verdict.gpus,
            lost=remembered.lost(self._at.metrics.slos, now),
        )
        phase = self._phase(board.sources)
        runbooks, alerts = tuple(self._at.library.runbooks.values()), self._at.metrics.alerts
        self.situation = Situation(
            board,
            phase=phase,
            trouble=self._trouble(board.sources) if phase == "lost" else "",
            matches=matches(runbooks, board, alerts, failed),
            history=self._histories.note(board, {*self._walked(), self.focus.on.app}),
            conformance=self._at.metrics.conformance(board),
            detection=self._at.metrics.detection(board),
        )
        self._crashes.keep((*verdict.not_judged, *failed.failed))
        remembered.save()

    def _unread(self) -> tuple[SourceState, ...]:
        """Logs and REST of what is sick: until they were read once, that nothing is found says nothing."""
        return () if self._first_read else (SourceState("logs", "loading"),)

    def _phase(self, sources: tuple[SourceState, ...]) -> Phase:
        pods = next((s for s in sources if s.name == "pods"), None)
        if pods is not None and pods.state in ("stale", "unreachable", "login needed"):
            return "lost"
        return "live" if self._synced else "loading"

    @staticmethod
    def _trouble(sources: tuple[SourceState, ...]) -> str:
        pods = next((s for s in sources if s.name == "pods"), None)
        why = joined("the cluster does not answer", pods.detail) if pods else ""
        return f"{why}; what is shown is old" if why else ""

    async def times(self, key: str) -> Times:
        """Where the time of the application `key` went.

        Raises:
            UsageError: there is no such application.
        """
        app = self.app(key)
        if app is None:
            raise UsageError(f"there is no application {key!r}")
        pods = by_name(self._at.source.snapshot().pods)
        name = f"{app.driver.namespace or app.namespace}/{app.driver.pod}" if app.driver is not None else ""
        return await self._at.timing.read(app, pods.get(name))

    def board(self) -> Board:
        return self.situation.board

    async def refreshed(self, *, after: float | None = None) -> Board:
        """A board built from facts that were read after this call began; the latest one where sources are late."""
        if self._at.metrics.age() >= LATE:
            await self._at.metrics.measure()
        await self._read_sick()
        if self._at.clock.now() - self._components_read >= LATE:
            await self._read_pods_of_components()
        began = self._builds
        self._wanted.set()
        self._dirty.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FRESH_WITHIN), self._built:
                await self._built.wait_for(
                    lambda: self._builds > began and (after is None or self.situation.board.at >= after)
                )
        return self.situation.board

    async def examined(self, app: str) -> Board:
        """The board once an application was read as one in focus is: its driver's log and REST API."""
        self.focus.turn_to(FocusOn(app=app))
        await self._read_sick()
        await self._build()
        return self.situation.board

    async def built(self) -> None:
        """Return when a board was built, after everything was read once."""
        async with self._built:
            await self._built.wait_for(lambda: self._first_read and self._builds > 0)
            builds = self._builds
            await self._built.wait_for(lambda: self._builds > builds)

    async def seen(self, versions: Mapping[str, int]) -> None:
        """Wait until the sources have read these resource versions. Kinds that are not watched are not waited for."""
        known = {state.name for state in self._at.source.snapshot().sources if state.state != "absent"}
        watched = {(k if k in known else k.partition(".")[0]): v for k, v in versions.items()}
        await asyncio.gather(*(self._at.source.seen(k, v) for k, v in watched.items() if k in known))

    async def query(self, expr: str) -> Queried:
        return await self._at.metrics.query(expr)
