"""One connected cluster: its sources, the judging of their facts, and the desk where walks run. Lives on the loop."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from console.base.errors import ConsoleError, UsageError
from console.health.diagnose import Engine, explain
from console.health.facts import Alert, Facts, SourceState
from console.health.incidents import group as incidents_of
from console.health.model import Board, Cluster, SparkApp
from console.live import picture
from console.live.endpoints import endpoint_of
from console.live.focus import FocusReader
from console.live.metrics import Metrics
from console.live.plan import Plan
from console.live.reads import Reads, by_name
from console.live.situation import Focus, FocusOn, Phase, Situation
from console.live.times import Times, TimesReader
from console.operate.desk import Desk
from console.operate.journal import Journal
from console.operate.person import Person, Question, Queue, Reply, Scripted
from console.operate.policy import Rules
from console.operate.world import Queried
from console.runbook.inputs import resolve
from console.runbook.walk import Walk
from console.sources.captured import Evidence
from console.sources.cluster import ClusterSource, Scope
from console.sources.component_pods import ComponentPods
from console.sources.runbooks import Library
from console.sources.standalone import Standalone
from console.wire.connection import Connection

if TYPE_CHECKING:
    from console.health.advice.model import Report
    from console.health.rule import Trial
    from console.settings.load import Settings

KEEP_ENDED = 20
COMPONENTS_AGAIN = 60.0
"""Seconds of the clock after which pods and logs of components are read again."""
FIRST_ROUNDS = 2
"""Rounds of reading before everything is said to have been read once."""
METRICS_AGE = 15.0
"""Seconds of the clock after which a walk has the objectives measured again."""
FRESH_WITHIN = 10.0
"""Seconds of real time that a refreshed board may take."""
_SICK = frozenset({"FAILED", "FAILING", "PENDING_RERUN", "SUBMISSION_FAILED", "INVALIDATING", "Failed"})


class Session:
    """Made by `open`; `run` works until it is cancelled, `close` ends everything."""

    def __init__(
        self,
        plan: Plan,
        connection: Connection,
        publish: Callable[[Situation], None],
        publish_focus: Callable[[Focus], None],
        settled: Callable[[], None],
    ) -> None:
        self.plan, self.connection = plan, connection
        self._publish, self._settled = publish, settled
        self.settings: Settings = plan.settings.at(connection.identity.context)
        self.clock = plan.clock
        limits = self.settings.evidence
        self.evidence = Evidence(
            (plan.evidence or plan.state / "evidence") / connection.identity.slug,
            max_bytes=limits.max_bytes,
            max_age=limits.max_age,
        )
        namespaces = () if plan.all_namespaces else self._namespaces()
        self.source = ClusterSource(
            connection,
            Scope(namespaces=namespaces),
            plan.clock,
            evidence=self.evidence,
            log_bytes=limits.log_bytes,
            log_lines=limits.log_lines,
        )
        self.library = Library.read(self.settings.folders("runbook_paths"))
        self.reads = Reads(connection.reader, plan.clock, plan.pace.reads)
        self.component_pods = ComponentPods(connection.reader, plan.clock, COMPONENTS_AGAIN)
        self.metrics = Metrics(plan, self.settings, connection.reader, self.library.catalogue)
        given = [endpoint_of(address, connection.reader) for address in self.settings.standalone_masters]
        self.standalone = Standalone(
            connection.reader, plan.clock, plan.pace.reads * 2, [way for way in given if way is not None]
        )
        self.engine = Engine()
        self.timing = TimesReader(connection.reader, self.settings, plan.clock)
        self.focus = FocusReader(
            connection.reader, plan.clock, publish_focus, lambda: self._facts, self._app, self.times
        )
        self.journal = Journal(plan.state / "journal.db")
        self.desk = Desk(
            connection=connection,
            journal=self.journal,
            rules=Rules.of(self.settings),
            clock=plan.clock,
            world=self,
            library=self.library,
            actor=plan.actor,
            cluster=self._identity(),
            on_change=self._walk_changed,
        )
        self._facts = Facts(at=plan.clock.now())
        self._situation = Situation(Board(at=plan.clock.now(), cluster=self._cluster(), verdict="UNKNOWN"))
        self._queues: dict[str, Queue] = {}
        self._questions: dict[str, Question] = {}
        self._dirty = asyncio.Event()
        self._built = asyncio.Condition()
        self._builds = 0
        self._synced = False
        self._first_read = False

    @classmethod
    async def open(
        cls,
        plan: Plan,
        publish: Callable[[Situation], None],
        publish_focus: Callable[[Focus], None],
        settled: Callable[[], None],
    ) -> Session:
        """Connect and say who we are there.

        Raises:
            ReachError, LoginNeeded, UsageError: as `Connection.open` does.
        """
        connection = await Connection.open(plan.ref)
        try:
            return cls(plan, connection, publish, publish_focus, settled)
        except BaseException:
            await connection.close()
            raise

    async def run(self) -> None:
        """Read, judge and publish until cancelled."""
        await self.source.start()
        tasks = [
            asyncio.create_task(work)
            for work in (
                self._watch_source(),
                self._watch_synced(),
                self._measure(),
                self._read_apps(),
                self._read_components(),
                self._keep_building(),
                self._heartbeat(),
                self.focus.run(),
            )
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def close(self) -> None:
        await self.desk.close()
        await self.source.stop()
        await self.metrics.close()
        for endpoint in self.standalone.given:
            await endpoint.close()
        await self.timing.close()
        await self.connection.close()
        self.journal.close()

    # the works

    async def _watch_source(self) -> None:
        while True:
            await self.source.changed.wait()
            self.source.changed.clear()
            self._dirty.set()

    async def _watch_synced(self) -> None:
        await self.source.synced()
        self._synced = True
        self._dirty.set()

    async def _measure(self) -> None:
        await self.source.synced("pods", "deployments")
        while True:
            if await self.metrics.measure():
                self._dirty.set()
            await asyncio.sleep(self.plan.pace.metrics)

    async def _read_apps(self) -> None:
        await self.source.synced()
        await self.source.loaded()
        await self._build()  # what is sick shows once everything is there; and a log may show that more is
        for _ in range(FIRST_ROUNDS):
            if not await self._read_sick():
                break
            await self._build()
        await self.component_pods.refresh(self.metrics.found(self._facts))
        self._first_read = True
        self._dirty.set()
        while True:
            await asyncio.sleep(max(0.5, self.plan.pace.reads / 4))
            if await self._read_sick():
                self._dirty.set()

    async def _read_components(self) -> None:
        while True:
            await asyncio.sleep(self.plan.pace.reads)
            if self._first_read and await self.component_pods.refresh(self.metrics.found(self._facts)):
                self._dirty.set()

    async def _read_sick(self) -> bool:
        snapshot, sick = self.source.snapshot(), self._sick_apps()
        pods = by_name(snapshot.pods)
        read = await self.reads.refresh(sick, pods)
        masters = self.metrics.pods_of("standalone-master", snapshot.facts())
        wanted = [app.app_id for app in sick if app.launcher == "standalone" and app.live]
        return await self.standalone.refresh(masters, snapshot.pods, wanted) or read

    def _sick_apps(self) -> list[SparkApp]:
        board = self._situation.board
        walked = {w.subject.split("/", 1)[-1] for w in self._situation.walks if w.status != "ended"}
        wanted = {f.app for f in board.findings if f.app} | walked | {self.focus.on.app}
        return [a for a in board.apps if a.key in wanted or a.state in _SICK]

    async def _heartbeat(self) -> None:
        while True:
            await asyncio.sleep(self.plan.pace.heartbeat)
            self._dirty.set()

    async def _keep_building(self) -> None:
        while True:
            await self._dirty.wait()
            self._dirty.clear()
            began = time.monotonic()
            await self._build()
            await asyncio.sleep(max(self.plan.pace.build, (time.monotonic() - began) * 2))

    async def _build(self) -> None:
        snapshot = self.source.snapshot()
        now = self.clock.now()
        self._facts = snapshot.facts(
            at=now,
            logs=(*self.reads.logs(), *self.standalone.logs),
            rest=(*self.reads.rest(), *self.standalone.rest),
            samples=self.metrics.samples,
            alerts=self.metrics.alerts,
            sources=(*self.metrics.sources(), *self.standalone.state()),
            unread=self.standalone.unread,
            monitoring=self.metrics.monitoring,
        )
        verdict = self.engine.judge(self._facts)
        incidents = incidents_of(verdict.findings, verdict.apps, self._facts)
        board = picture.board(
            self._facts,
            self._cluster(),
            verdict.apps,
            verdict.findings,
            incidents,
            self.metrics.slos,
            self.metrics.components(self.component_pods.beside(self._facts)),
            self.metrics.alerts,
            gpus=verdict.gpus,
        )
        phase = self._phase(board.sources)
        self._situation = Situation(
            board,
            phase=phase,
            trouble=self._trouble(board.sources) if phase == "lost" else "",
            matches=picture.matches(tuple(self.library.runbooks.values()), board, self.metrics.alerts),
            walks=self._walks(),
            questions=dict(self._questions),
            here=self._here(),
            conformance=self.metrics.conformance(board),
            detection=self.metrics.detection(board),
        )
        async with self._built:
            self._builds += 1
            self._built.notify_all()
        self._publish(self._situation)
        if self._synced and self.metrics.asked and self._first_read:
            self._settled()

    def _phase(self, sources: tuple[SourceState, ...]) -> Phase:
        pods = next((s for s in sources if s.name == "pods"), None)
        if pods is not None and pods.state in ("stale", "unreachable", "login needed"):
            return "lost"
        return "live" if self._synced else "loading"

    @staticmethod
    def _trouble(sources: tuple[SourceState, ...]) -> str:
        pods = next((s for s in sources if s.name == "pods"), None)
        return f"the cluster does not answer: {pods.detail}; what is shown is old" if pods else ""

    # who and where

    def _namespaces(self) -> tuple[str, ...]:
        chosen = self.plan.ref.namespace
        return (chosen,) if chosen else self.settings.namespaces

    def _cluster(self) -> Cluster:
        identity = self.connection.identity
        return Cluster(
            context=identity.context,
            server=identity.server,
            user=identity.user,
            namespace=identity.namespace,
            version=identity.version,
            production=self.settings.is_production(),
            mode=self.settings.mode,
            kind=self.plan.kind,
        )

    def _identity(self) -> dict[str, Any]:
        identity = self.connection.identity
        return {
            "context": identity.context,
            "server": identity.server,
            "ca": identity.ca_hash,
            "uid": identity.cluster_uid,
            "user": identity.user,
            "mode": self.settings.mode,
            "production": self.settings.is_production(),
            "kind": self.plan.kind,
        }

    def _app(self, key: str) -> SparkApp | None:
        return self._situation.board.app(key)

    async def times(self, key: str) -> Times:
        """Where the time of the application `key` went.

        Raises:
            UsageError: there is no such application.
        """
        app = self._app(key)
        if app is None:
            raise UsageError(f"there is no application {key!r}")
        pods = by_name(self.source.snapshot().pods)
        name = f"{app.driver.namespace or app.namespace}/{app.driver.pod}" if app.driver is not None else ""
        return await self.timing.read(app, pods.get(name))

    # the world of walks

    def board(self) -> Board:
        return self._situation.board

    async def refreshed(self, *, after: float | None = None) -> Board:
        """A board built from facts that were read after this call began; the latest one where sources are late."""
        if self.metrics.age() >= METRICS_AGE:
            await self.metrics.measure()
        await self._read_sick()
        began = self._builds
        self._dirty.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FRESH_WITHIN), self._built:
                await self._built.wait_for(
                    lambda: self._builds > began and (after is None or self._situation.board.at >= after)
                )
        return self._situation.board

    async def examined(self, app: str) -> Board:
        """The board once an application was read as one in focus is: its driver's log and REST API."""
        self.focus.turn_to(FocusOn(app=app))
        await self._read_sick()
        await self._build()
        return self._situation.board

    async def seen(self, versions: Mapping[str, int]) -> None:
        """Wait until the sources have read these resource versions. Kinds that are not watched are not waited for."""
        known = {state.name for state in self.source.snapshot().sources if state.state != "absent"}
        watched = {(k if k in known else k.partition(".")[0]): v for k, v in versions.items()}
        await asyncio.gather(*(self.source.seen(k, v) for k, v in watched.items() if k in known))

    async def query(self, expr: str) -> Queried:
        return await self.metrics.query(expr)

    def _walk_changed(self, walk: Walk, question: Question | None) -> None:
        if question is None:
            self._questions.pop(walk.id, None)
        else:
            self._questions[walk.id] = question
        self._situation = msgspec.structs.replace(
            self._situation, walks=self._walks(), questions=dict(self._questions), here=self._here()
        )
        self._publish(self._situation)
        self._dirty.set()

    def _walks(self) -> tuple[Walk, ...]:
        walks = self.desk.walks()
        open_ones = [w for w in walks if w.status != "ended"]
        ended = sorted((w for w in walks if w.status == "ended"), key=lambda w: -(w.ended or 0.0))
        return (*open_ones, *ended[:KEEP_ENDED])

    def _here(self) -> frozenset[str]:
        return frozenset(walk.id for walk in self.desk.walks() if self.desk.active(walk.id))

    # intents

    async def begin(
        self, runbook: str, *, app: str, alert: Alert | None, given: Mapping[str, str], person: Person | None
    ) -> str:
        """Start a walk.

        Raises:
            UsageError: no such runbook, or inputs are missing or wrong.
        """
        from console.live.engine import known

        chosen = known(runbook, self.library.runbooks, "runbook")
        board = await self.refreshed()
        resolved = resolve(chosen, board, app=app, alert=alert, given=given)
        if resolved.missing:
            lacking = resolved.missing[0]
            raise UsageError(
                f"runbook {runbook} needs the input {lacking.name!r} ({lacking.type}): {lacking.because}",
                hint=f"say --input {lacking.name}=…, or choose an application",
            )
        if isinstance(person, Scripted):
            person.check({step.id for step in chosen.steps})
        subject = str(resolved.inputs.get("app") or app or "cluster")
        someone = person or self._queue()
        walk = await self.desk.start(chosen, resolved.inputs, resolved.origins, subject, someone, alert=alert)
        if isinstance(someone, Queue):
            self._queues[walk] = someone
        return walk

    async def resume(self, walk: str, person: Person | None, *, bind: bool = False) -> str:
        """Go on with a walk (an id, its beginning, or `latest`); returns its id.

        Raises:
            UsageError, RefusedError, JournalError: as `Desk.resume` does.
        """
        walk = self.journal.find_open(walk)
        someone = person or self._queue()
        if isinstance(someone, Queue):
            self._queues[walk] = someone
        await self.desk.resume(walk, someone, bind=bind)
        return walk

    async def drift(self, walk: str) -> tuple[str, ...]:
        """How its runbook differs now from the copy that the walk has stored, as a unified diff."""
        return self.desk.drift(self.journal.find_open(walk))

    def _queue(self) -> Queue:
        return Queue(self.plan.actor, lambda _question: None)

    async def reply(self, walk: str, reply: Reply | None) -> None:
        queue = self._queues.get(walk)
        if queue is None:
            raise ConsoleError("this walk is not asked here", hint="resume it first")
        queue.reply(reply)

    async def note(self, walk: str, text: str) -> None:
        await self.desk.note(walk, text, self.plan.actor)

    async def hand_over(self, walk: str, because: str) -> None:
        await self.desk.hand_over(walk, self.plan.actor, because)

    async def stop_walk(self, walk: str, because: str) -> None:
        await self.desk.stop(walk, self.plan.actor, because)

    async def rollback(self, walk: str, effect: str) -> None:
        queue = self._queues.get(walk) or self._queue()
        self._queues[walk] = queue
        await self.desk.rollback(walk, effect, queue)

    async def finished(self, walk: str) -> Walk:
        return await self.desk.wait(walk)

    async def explain(self, app: str) -> tuple[Trial, ...]:
        """Every rule that was tried on `app`; none where it is not known."""
        found = self._app(app)
        return explain(self._facts, (found,)) if found is not None else ()

    async def advise(self, app: str) -> Report:
        """Advice on one application, or on everything; read anew each time it is asked for."""
        from console.live.advice import report

        return await report(
            self.connection.reader,
            self._facts,
            self.clock,
            app=app,
            version=self.connection.identity.version,
            wide=self.plan.all_namespaces or not self._namespaces(),
        )

    async def timeline(self, walk: str) -> str:
        from console.incident.timeline import markdown
        from console.runbook.walk import fold

        events = self.journal.read(walk)
        return markdown(fold(events), events, self.journal.verify(walk), self.journal.hashes(walk))
