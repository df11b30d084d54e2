"""The live picture of one cluster: reflectors for everything in scope, and how far each kind can be trusted.

Scope: Spark pods, the pods of Deployments and StatefulSets that run Spark, named components, Spark's custom resources,
nodes, quotas, and the events of these. Where the cluster may not be read as a whole, the namespaces that may be are.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import random
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from console.base.clock import Clock
from console.base.errors import ConsoleError, ForbiddenError
from console.health.facts import Pod, Workload
from console.sources.captured import Evidence
from console.sources.gone import Gone, last_words
from console.sources.keeper import Keeper
from console.sources.kinds import ALL, EVENTS, LOCAL, NODES, PODS, SPARK, Decoder, Kind, decoder_of
from console.sources.picture import ClusterFacts, all_pods, runs_spark, selector_of, their_events
from console.sources.reflector import Reflector
from console.sources.scope import readable_namespaces
from console.sources.watched import Watched
from console.wire.connection import Connection
from console.wire.pool import Pool

MAX_EVENTS = 10_000
MAX_FOLLOWED = 40
_COALESCE = 0.05
_TICK = 5.0
_LOOK_AGAIN = 60.0
_PATIENCE = 3.0
"""Seconds for which later kinds wait for the first ones."""


@dataclass(frozen=True)
class Scope:
    """What of the cluster is watched.

    Attributes:
        namespaces: empty means all that may be read.
        selectors: label selectors of component pods, beside Spark's own pods and those of workloads that run Spark.
    """

    namespaces: tuple[str, ...] = ()
    selectors: tuple[str, ...] = ()


class ClusterSource:
    """Facts of one cluster, kept current. Belongs to the event loop of its connection.

    Attributes:
        changed: set when the picture may have changed, at most twenty times a second; whoever waits for it clears it.
    """

    def __init__(
        self,
        connection: Connection,
        scope: Scope,
        clock: Clock,
        *,
        evidence: Evidence | None = None,
        log_bytes: int = 256 * 2**10,
        log_lines: int = 2_000,
    ) -> None:
        self.changed = asyncio.Event()
        self._reader, self._scope, self._clock = connection.reader, scope, clock
        self._home = connection.target.namespace
        self._watched = {kind.name: Watched(kind) for kind in ALL}
        self._decoders: dict[str, Decoder] = {}
        self._gone = Gone()
        self._pool = Pool(2, "console-evidence")
        self._keeper = (
            Keeper(
                self._reader,
                evidence,
                clock,
                self._pool,
                self._touch,
                log_bytes=log_bytes,
                log_lines=log_lines,
            )
            if evidence is not None
            else None
        )
        self._tasks: set[asyncio.Task[None]] = set()
        self._generation = 0
        self._picture = ClusterFacts(0, clock.now())
        self._dirty = asyncio.Event()
        self._moved = asyncio.Condition()
        self._allowed: asyncio.Task[tuple[tuple[str, ...], str]] | None = None
        self._groups: asyncio.Task[dict[str, tuple[str, ...]]] | None = None
        self._unfollowed = False
        self._waiting: list[tuple[str, int, asyncio.Future[None]]] = []
        self._memo: dict[str, tuple[Any, Any]] = {}

    # Life

    async def start(self) -> None:
        """Begin to read. Returns at once; `synced` waits for the first lists."""
        self._spawn(self._supervise())
        self._spawn(self._notify())
        self._spawn(self._tick())
        if self._keeper is not None:
            self._spawn(self._keep(self._keeper))

    async def stop(self) -> None:
        """Stop reading; the last picture stays."""
        tasks: list[asyncio.Task[Any]] = [
            *self._tasks,
            *(task for w in self._watched.values() for _, task in w.parts.values()),
        ]
        if self._allowed is not None:
            tasks.append(self._allowed)
        if self._groups is not None:
            tasks.append(self._groups)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._tasks.clear()
        self._pool.close()

    def retry(self) -> None:
        """Try everything that failed again, now: after a login, or when permissions were granted."""
        self._allowed = self._groups = None
        for watched in self._watched.values():
            for reflector in watched.reflectors:
                reflector.retry()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _keep(self, keeper: Keeper) -> None:
        await keeper.load()
        await keeper.run()

    async def _supervise(self) -> None:
        """Begin the kinds phase by phase, so that applications stand on the screen before anything else is read."""
        for phase in sorted({kind.phase for kind in ALL}):
            kinds = [kind for kind in ALL if kind.phase == phase]
            for kind in kinds:
                self._spawn(self._begin(kind))
            watched = [self._watched[kind.name] for kind in kinds]
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_PATIENCE):
                    await self._until(functools.partial(_all_answered, watched))

    async def _begin(self, kind: Kind) -> None:
        watched = self._watched[kind.name]
        api_version = kind.api_version()
        while not kind.version:
            try:
                api_version = await self._api_version(kind)
            except ConsoleError as error:
                watched.trouble = error
                self._groups = None
                self._touch()
                await asyncio.sleep(random.uniform(2.0, 6.0))
                continue
            watched.trouble, watched.absent = None, not api_version
            self._touch()
            if api_version:
                break
            await asyncio.sleep(_LOOK_AGAIN * random.uniform(1.0, 1.1))
        namespaces = self._scope.namespaces if kind.namespaced and self._scope.namespaces else ("",)
        self._spread(watched, api_version, namespaces)

    async def _api_version(self, kind: Kind) -> str:
        """The newest version in which the cluster serves the kind; `` where it does not."""
        if self._groups is None or (self._groups.done() and self._groups.get_name() != self._minute()):
            self._groups = asyncio.create_task(self._reader.groups(), name=self._minute())
        fresh = self._watched[kind.name].absent
        try:
            for version in (await asyncio.shield(self._groups)).get(kind.group, ()):
                api_version = kind.api_version(version)
                found = await self._reader.resources(api_version, fresh=fresh)
                if any(resource.plural == kind.plural for resource in found):
                    return api_version
        except ForbiddenError:
            return kind.api_version(kind.usual)
        return ""

    def _minute(self) -> str:
        return f"groups {int(asyncio.get_running_loop().time() / (_LOOK_AGAIN / 2))}"

    def _spread(self, watched: Watched, api_version: str, namespaces: tuple[str, ...]) -> None:
        """One reflector per namespace and selector."""
        kind = watched.kind
        decoder = self._decoders.setdefault(kind.name, decoder_of(kind, api_version))
        selectors = (kind.selector, *self._scope.selectors) if kind is PODS else (kind.selector,)
        for namespace in namespaces:
            for selector in selectors:
                self._add(watched, api_version, decoder, namespace, selector)
        self._touch()

    def _add(self, watched: Watched, api_version: str, decoder: Decoder, namespace: str, selector: str) -> None:
        key = (namespace, selector)
        if key in watched.parts:
            return
        reflector = Reflector(
            self._reader,
            watched.kind,
            api_version,
            decoder,
            self,
            self._clock,
            namespace=namespace,
            selector=selector,
            limit=MAX_EVENTS if watched.kind is EVENTS else 0,
        )
        watched.parts[key] = (reflector, asyncio.create_task(reflector.run(), name=f"{watched.kind.name} {namespace}"))

    def _drop(self, watched: Watched, key: tuple[str, str]) -> None:
        _, task = watched.parts.pop(key)
        task.cancel()
        self._generation += 1

    # What reflectors say (Sink)

    def changed_by(self, reflector: Reflector) -> None:
        watched = self._watched[reflector.kind.name]
        whole = reflector.namespace == "" and reflector.kind.namespaced
        if whole and isinstance(reflector.problem, ForbiddenError) and not (watched.falling_back or watched.fell_back):
            watched.falling_back = True
            self._spawn(self._fall_back(watched))
        if reflector.kind.name in ("deployments", "statefulsets"):
            self._unfollowed = True
        if self._waiting:
            self._release(reflector)
        self._touch()

    def _release(self, reflector: Reflector) -> None:
        reached = int(reflector.version) if reflector.version.isdigit() else -1
        for name, version, future in self._waiting:
            if name == reflector.kind.name and reached >= version and not future.done():
                future.set_result(None)

    def noticed(self, reflector: Reflector, item: Any, raw: bytes | None) -> None:
        if isinstance(item, Pod):
            self._gone.discard(item.uid or item.key)
            if self._keeper is not None:
                self._keeper.notice(item, raw)

    def removed(self, reflector: Reflector, key: str, item: Any, before: Any, raw: bytes | None) -> None:
        if reflector.kind is not PODS or any(key in r.items for r in self._watched[PODS.name].reflectors):
            return
        pod = last_words(item, before)
        if pod is not None:
            self._gone.add(key, pod)
            if self._keeper is not None:
                self._keeper.vanish(pod, raw)

    async def _fall_back(self, watched: Watched) -> None:
        """Instead of the whole cluster, the namespaces that may be read."""
        try:
            if self._allowed is None:
                self._allowed = asyncio.create_task(readable_namespaces(self._reader, self._home))
            namespaces, note = await asyncio.shield(self._allowed)
        except ConsoleError:
            namespaces, note = (), ""
            self._allowed = None
        watched.falling_back, watched.fell_back, watched.note = False, True, note
        if namespaces:
            api_version = next(r.api_version for r in watched.reflectors)
            for key in [key for key in watched.parts if key[0] == ""]:
                self._drop(watched, key)
            self._spread(watched, api_version, namespaces)
        self._touch()

    def _follow(self) -> None:
        """Watch the pods of workloads that run Spark: a Connect server's pod has no label of Spark's own."""
        self._unfollowed = False
        wanted: set[tuple[str, str]] = set()
        for name in ("deployments", "statefulsets"):
            for workload in self._watched[name].items().values():
                if runs_spark(workload) and (selector := selector_of(workload)):
                    wanted.add((workload.namespace, selector))
        pods = self._watched[PODS.name]
        fixed = {PODS.selector, *self._scope.selectors}
        for key in [key for key in pods.parts if key[1] not in fixed and key not in wanted]:
            self._drop(pods, key)
        decoder = self._decoders.setdefault(PODS.name, decoder_of(PODS, "v1"))
        for namespace, selector in sorted(wanted)[:MAX_FOLLOWED]:
            self._add(pods, "v1", decoder, namespace, selector)

    # Change

    def _touch(self) -> None:
        self._generation += 1
        self._dirty.set()

    async def _notify(self) -> None:
        while True:
            await self._dirty.wait()
            self._dirty.clear()
            if self._unfollowed:
                self._follow()
            self.changed.set()
            async with self._moved:
                self._moved.notify_all()
            await asyncio.sleep(_COALESCE)

    async def _tick(self) -> None:
        """Words of freshness change with time alone."""
        shown: tuple[Any, ...] = ()
        while True:
            await asyncio.sleep(_TICK)
            words = tuple(watched.state(self._clock.now()).state for watched in self._watched.values())
            if words != shown or self._gone.expire():
                shown = words
                self._touch()

    async def synced(self, *kinds: str) -> None:
        """Return when the first answer of these kinds is there (all kinds, if none is named): data, a no, or none such.

        An unreachable cluster keeps the caller waiting: give it a limit.
        """
        names = kinds or tuple(self._watched)
        await self._until(lambda: all(self._watched[name].settled for name in names))

    async def seen(self, kind: str, resource_version: str | int) -> None:
        """Return when `resource_version` of `kind` has arrived, as an object or as a bookmark."""
        wanted = int(resource_version)
        if any(r.version.isdigit() and int(r.version) >= wanted for r in self._watched[kind].reflectors):
            return
        entry = (kind, wanted, asyncio.get_running_loop().create_future())
        self._waiting.append(entry)
        try:
            await entry[2]
        finally:
            self._waiting.remove(entry)

    async def kept(self) -> None:
        """Return when the evidence of everything that died so far is on disk."""
        if self._keeper is not None:
            await self._keeper.idle()

    async def _until(self, holds: Callable[[], bool]) -> None:
        async with self._moved:
            await self._moved.wait_for(holds)

    # The picture

    def snapshot(self) -> ClusterFacts:
        """What is known now. Cheap: parts that did not change are reused, and the same object is given again."""
        if self._picture.generation == self._generation:
            return self._picture
        generation, now = self._generation, self._clock.now()
        live = self._watched[PODS.name].items()
        keeper = self._keeper
        captured = keeper.pods if keeper is not None else {}
        pods = tuple(all_pods(live, self._gone.items(), captured, now))
        spark = self._all(*(kind.name for kind in SPARK))
        others = self._all("deployments", "statefulsets", "daemonsets")
        spaces = {pod.namespace for pod in pods} | {thing.namespace for thing in spark}
        local = tuple(thing for thing in self._all(*LOCAL) if thing.namespace in spaces)
        events = self._once(
            "events",
            (
                *(self._key(name, members=name != EVENTS.name) for name in self._watched),
                keeper.generation if keeper is not None else 0,
                len(pods),
            ),
            lambda: tuple(
                their_events(
                    self._watched[EVENTS.name].items().values(),
                    keeper.events if keeper is not None else {},
                    pods,
                    (*spark, *others, *local),
                )
            ),
        )
        self._picture = ClusterFacts(
            generation=generation,
            at=now,
            pods=pods,
            nodes=tuple(self._watched[NODES.name].items().values()),
            events=events,
            spark=spark,
            workloads=(*others, *local),
            logs=tuple(keeper.logs.values()) if keeper is not None else (),
            sources=tuple(watched.state(now) for watched in self._watched.values()),
            unread=tuple(keeper.unread.values()) if keeper is not None else (),
        )
        return self._picture

    def _all(self, *names: str) -> tuple[Workload, ...]:
        return tuple(item for name in sorted(names) for item in self._watched[name].items().values())

    def _key(self, name: str, *, members: bool = False) -> tuple[int, ...]:
        reflectors = self._watched[name].reflectors
        return tuple(r.members if members else r.generation for r in reflectors)

    def _once(self, name: str, key: Any, make: Callable[[], Any]) -> Any:
        held = self._memo.get(name)
        if held is None or held[0] != key:
            held = self._memo[name] = (key, make())
        return held[1]


def _all_answered(watched: list[Watched]) -> bool:
    return all(one.answered for one in watched)
