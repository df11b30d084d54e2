"""One drill: a world with its servers on loopback, stepped by a test or paced for people."""

from __future__ import annotations

import asyncio
import secrets
import shutil
import signal
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from aiohttp import web

from console.base.clock import WallClock
from console.drill.door import PREFIX, bearer_in_path, with_token
from console.drill.kube.access import DenyRule, User
from console.drill.kube.config import write_kubeconfig
from console.drill.kube.record import Write
from console.drill.kube.server import KubeServer
from console.drill.prometheus.alertmanager import AlertmanagerServer
from console.drill.prometheus.metrics.world_series import WorldStorage
from console.drill.prometheus.rules import AlertingRule, RuleManager
from console.drill.prometheus.server import PrometheusServer
from console.drill.scenario import genesis
from console.drill.scenario.files import load
from console.drill.scenario.model import Scenario, ScenarioCase
from console.drill.scenario.opening import PATIENCE, opening
from console.drill.scenario.recovery import recovered
from console.drill.spark.rest import SparkRestServer
from console.drill.state.backend import Backend
from console.drill.state.clock import PacedClock, StepClock
from console.drill.world import SimulatedWorld

Object = dict[str, Any]
STEP_START = datetime(2026, 1, 12, 10, 42, tzinfo=UTC).timestamp()
"""Where stepped time begins: always the same, so that the same seed gives the same bytes."""
PACED_REACH = 4 * 3600.0
"""How many wall seconds a paced drill can run before virtual time would catch up with the wall."""
SLACK = 20.0
"""Seconds by which a drill that begins now is opened early: two worlds of one seed are not exactly as old."""
ONCALL = User("drill-oncall", ("oncall", "system:authenticated"), "drill-1")
VIEWER = User("drill-viewer", ("viewers", "system:authenticated"), "drill-2")


@dataclass(frozen=True)
class StepResult:
    """What one step did.

    Attributes:
        at: virtual epoch seconds now.
        version: resourceVersion of the store now.
        versions: the newest resourceVersion of each resource that changed (`pods`, `sparkapplications.spark…`).
        woken: how many sleepers of the clock were woken.
        idle: nothing was left to happen.
    """

    at: float
    version: int
    versions: dict[str, int] = field(default_factory=dict)
    woken: int = 0
    idle: bool = False


class DrillSession:
    """A running drill. Open it with `async with DrillSession.open(...) as session`.

    Attributes:
        token: what its servers ask for; a new one for each session.
        kubeconfig: for programs that send a token over plain HTTP; `tools_kubeconfig` is for kubectl and others made of
            client-go, which do not, and has it in the server's path.
        prometheus_url, alertmanager_url: with the token as the password of Basic.
    """

    def __init__(
        self,
        scenario: Scenario,
        case: ScenarioCase,
        *,
        step: bool,
        speed: float,
        seed: int,
        start: float | None,
        denied: tuple[DenyRule, ...],
    ) -> None:
        self.scenario, self.case, self.seed, self.stepped = scenario, case, seed, step
        if start is None:
            past = (speed - 1) * PACED_REACH + PATIENCE + 60
            start = STEP_START if step else WallClock().now() - past
        self.begin = float(int(start))
        self.world: SimulatedWorld = genesis.create(scenario, case, seed=seed, begin=self.begin, deny=self._deny)
        genesis.make_distinct(self.world)
        cluster = self.world.cluster
        self.storage = WorldStorage(
            cluster,
            self.world.spark,
            self.world.gpus,
            interval=scenario.world.scrape,
            since=self.world.start - 3600.0,
            operator_since=self.begin - scenario.world.history_days * genesis.DAY,
            operator=self.world.operator.process,
        )
        rules = tuple(AlertingRule(r.alert, r.expr, r.hold, r.labels, r.annotations) for r in scenario.world.rules)
        self.rules = RuleManager(self.storage, rules, self.world.start)
        self.rest = SparkRestServer(cluster, self.world.spark)
        self.kube = KubeServer(cluster, self.sync, self._backend)
        self.token, self.viewer_token = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
        self.kube.access.tokens = {self.token: ONCALL, self.viewer_token: VIEWER}
        self.kube.access.denied = list(denied)
        self.prometheus = PrometheusServer(self.storage, self.rules, self.sync)
        self.alertmanager = AlertmanagerServer(self.rules, cluster.ids.uid, self.sync)
        self._speed, self._until_now = speed, False
        self._paced: PacedClock | None = None
        self._stepping: StepClock | None = None
        self._changed: dict[str, int] = {}
        self._runners: list[web.AppRunner] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._folder: Path | None = None
        self.kube_url = self.prometheus_url = self.alertmanager_url = ""
        self.kubeconfig = self.tools_kubeconfig = self.viewer_kubeconfig = Path()

    @classmethod
    def open(
        cls,
        scenario: str | Path | Scenario,
        case: str = "default",
        *,
        step: bool = False,
        speed: float | None = None,
        seed: int | None = None,
        start: float | None = None,
        now: bool = False,
        denied: tuple[DenyRule, ...] = (),
    ) -> DrillSession:
        """A session that starts when it is entered.

        Args:
            scenario: name in the library, path of a file, or a loaded scenario.
            case: its variant.
            step: time moves only by `step` and `run_until`; else it runs `speed` times as fast as the wall.
            speed: virtual seconds per wall second; default: the scenario's.
            seed: of everything random; default: the scenario's.
            start: virtual epoch seconds at which the session begins; default: a fixed time when stepped, else so
                far in the past that time cannot catch up with the wall for hours.
            now: it begins so that what there is to see is there at the wall's time, and goes on at its pace.
            denied: what the API server refuses to everybody.

        Raises:
            UsageError: no such scenario or case.
            DocumentError: the scenario file is wrong.
        """
        loaded = scenario if isinstance(scenario, Scenario) else load(scenario)
        chosen, seed = loaded.case(case), loaded.seed if seed is None else seed
        loaded = loaded.world_of(chosen)
        if now:
            speed, start = 1.0, WallClock().now() - lead(loaded, chosen, seed) - SLACK
        session = cls(
            loaded, chosen, step=step, speed=speed or loaded.speed, seed=seed, start=start, denied=denied
        )  # fmt: skip
        session._until_now = now
        return session

    # -- life -----------------------------------------------------------------------------------------------------

    async def __aenter__(self) -> DrillSession:
        self.world.heap.advance(self.begin)
        self.begin = opening(self.world, self.scenario.world.namespace, self.case.opens)
        if self._until_now:
            self.begin = max(self.begin, WallClock().now())
            self.world.heap.advance(self.begin)
        if self.stepped:
            self._stepping = StepClock(self.world.heap)
        else:
            self._paced = PacedClock(self.begin, self._speed)
        self.world.store.watch(self._note)
        self.kube_url = await self._serve(bearer_in_path(self.kube.app()))
        self.prometheus_url = self._with_token(await self._serve(with_token(self.prometheus.app(), self.token)))
        self.alertmanager_url = self._with_token(await self._serve(with_token(self.alertmanager.app(), self.token)))
        self._folder = Path(tempfile.mkdtemp(prefix="console-drill-"))
        self._folder.chmod(0o700)
        named = (self.scenario.world.cluster, self.scenario.world.namespace)
        self.kubeconfig = write_kubeconfig(self._folder / "kubeconfig", self.kube_url, self.token, *named)
        for_tools, viewers = (f"{self.kube_url}{PREFIX}{token}" for token in (self.token, self.viewer_token))
        self.tools_kubeconfig = write_kubeconfig(self._folder / "tools", for_tools, self.token, *named)
        self.viewer_kubeconfig = write_kubeconfig(self._folder / "viewer", viewers, self.viewer_token, *named)
        if self._paced is not None:
            self._tasks.append(asyncio.create_task(self._pace()))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """End watches, servers and files."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        self.kube.watches.close()
        for runner in self._runners:
            await runner.cleanup()
        self._runners.clear()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    async def _serve(self, app: web.Application) -> str:
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2, handler_cancellation=True)
        await runner.setup()
        self._runners.append(runner)
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        return f"http://{host}:{port}"

    def _with_token(self, url: str) -> str:
        return url.replace("http://", f"http://drill:{self.token}@", 1)

    # -- time -----------------------------------------------------------------------------------------------------

    @property
    def clock(self) -> StepClock | PacedClock:
        """The drill's clock: what walks, holds and queries go by."""
        clock = self._stepping or self._paced
        if clock is None:
            raise RuntimeError("the drill has not been entered")
        return clock

    @property
    def now(self) -> float:
        """Virtual epoch seconds."""
        return self.clock.now()

    def sync(self) -> None:
        """Let everything happen that is due: servers call it before they answer."""
        if self._paced is not None:
            self.world.heap.advance(max(self.world.heap.now, self._paced.now()))

    async def step(self) -> StepResult:
        """Let the next thing happen, or wake who sleeps until before it; then let other tasks run once."""
        if self._stepping is None:
            raise RuntimeError("this drill is paced, not stepped")
        heap, clock = self.world.heap, self._stepping
        self._changed = {}
        wake, happens = clock.next_wake(), heap.next_time()
        if wake is None and happens is None:
            return StepResult(heap.now, self.world.store.version, idle=True)
        if happens is None or (wake is not None and wake < happens):
            heap.advance(wake if wake is not None else heap.now)
        else:
            heap.pop()
        woken = clock.wake(heap.now)
        for _ in range(1 + 3 * bool(woken)):  # a sleeper of this loop needs three turns to go on
            await asyncio.sleep(0)
        return StepResult(heap.now, self.world.store.version, dict(self._changed), woken)

    async def run_until(self, when: float) -> StepResult:
        """Let everything up to `when` (virtual epoch seconds) happen; sleepers are woken in their order."""
        if self._stepping is None:
            while self.now < when:
                await self.clock.sleep(min(1.0, when - self.now))
            self.sync()
            return StepResult(self.now, self.world.store.version)
        changed: dict[str, int] = {}
        woken, count = 0, 0
        while True:
            wake, happens = self._stepping.next_wake(), self.world.heap.next_time()
            upcoming = min((t for t in (wake, happens) if t is not None), default=None)
            if upcoming is None or upcoming > when:
                break
            if wake is None and count % 64:
                self._changed = {}
                self.world.heap.pop()
                changed |= self._changed
            else:
                done = await self.step()
                changed |= done.versions
                woken += done.woken
            count += 1
        self.world.heap.advance(when)
        return StepResult(self.world.heap.now, self.world.store.version, changed, woken)

    async def run_for(self, seconds: float) -> StepResult:
        """`run_until` so many virtual seconds from now."""
        return await self.run_until(self.now + seconds)

    async def pump(
        self, settled: Callable[[StepResult], Awaitable[None]] | None = None, *, patience: float = 5.0
    ) -> None:
        """Step for as long as somebody sleeps on the clock: run it as a task beside the one that walks.

        Args:
            settled: awaited after each step that changed objects; returns when readers have seen them.
            patience: wall seconds that a woken sleeper may take before time moves on without it.
        """
        clock = self._stepping
        if clock is None:
            raise RuntimeError("this drill is paced, not stepped")
        while True:
            while not clock.sleepers:
                await asyncio.sleep(0.001)
            before = clock.sleepers
            done = await self.step()
            if settled is not None and done.versions:
                await settled(done)
            if done.woken:
                loop = asyncio.get_running_loop()
                until = loop.time() + patience
                while clock.sleepers < before and loop.time() < until:
                    await asyncio.sleep(0.0005)

    async def _pace(self) -> None:
        assert self._paced is not None
        while True:
            self.sync()
            self.rules.catch_up()  # little by little, not all at once when somebody asks
            upcoming = self.world.heap.next_time()
            left = 0.2 if upcoming is None else (upcoming - self._paced.now()) / self._paced.speed
            await asyncio.sleep(min(0.2, max(0.005, left)))

    def _note(self, change: Any) -> None:
        self._changed[change.resource.id] = change.version

    # -- what tests and people look at ----------------------------------------------------------------------------

    @property
    def writes(self) -> list[Write]:
        """Every mutating request that the API server received, in order."""
        return self.kube.writes

    @property
    def changes(self) -> list[Write]:
        """The writes that were real and accepted; Leases (locks) and Events are left out."""
        quiet = ("leases.coordination.k8s.io", "events", "events.events.k8s.io")
        return [w for w in self.writes if w.changed and w.resource not in quiet]

    @property
    def alert(self) -> Object | None:
        """The page as Alertmanager's webhook sends it, or None while nothing fires (or the case has no page)."""
        self.sync()
        if self.case.page is None:
            return None
        return self.alertmanager.page(self.case.page.alert, self.case.page.labels)

    def recovered(self) -> bool:
        """Whether the case's conditions of recovery hold now."""
        self.sync()
        return recovered(self.case.recovery, self.scenario.world.namespace, self.storage)

    def deny(self, *rules: DenyRule) -> None:
        """Refuse more from now on."""
        self.kube.access.denied.extend(rules)

    def _deny(self, options: Object) -> None:
        self.kube.access.denied.append(DenyRule(**{key: tuple(value) for key, value in options.items()}))

    def _backend(self, plural: str, namespace: str, name: str, port: int) -> Backend | None:
        if plural == "services" and (namespace, name, port) == ("monitoring", "prometheus", 9090):
            return self.prometheus.handle
        if plural == "services" and (namespace, name, port) == ("monitoring", "alertmanager", 9093):
            return self.alertmanager.handle
        return self.rest.backend(plural, namespace, name, port)


def lead(scenario: Scenario, case: ScenarioCase, seed: int) -> float:
    """Seconds from the beginning of a world to the moment at which its drill opens."""
    begin = float(int(WallClock().now())) - PATIENCE
    world = genesis.create(scenario, case, seed=seed, begin=begin, deny=lambda _: None)
    world.heap.advance(begin)
    return opening(world, scenario.world.namespace, case.opens) - begin


async def serve(
    scenario: str | Path, case: str = "default", *, speed: float | None = None, seed: int | None = None
) -> None:
    """Run a drill for people with their own tools: print where it is, and stay until SIGINT or SIGTERM."""
    leave, loop = asyncio.Event(), asyncio.get_running_loop()
    for sign in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(sign, leave.set)
    async with DrillSession.open(scenario, case, speed=speed, seed=seed) as session:
        lines = (
            f"export KUBECONFIG={session.tools_kubeconfig}",
            f"export PROMETHEUS_URL={session.prometheus_url}",
            f"export ALERTMANAGER_URL={session.alertmanager_url}",
        )
        print("\n".join(lines), flush=True)  # noqa: T201
        await leave.wait()
