"""The live picture of one cluster: reflectors for everything in scope, and how far each kind can be trusted.

Scope: Spark pods, the pods of Deployments and StatefulSets that run Spark, named components, Spark's custom resources,
nodes, quotas, and the events of these. Where the cluster may not be read as a whole, the namespaces that may be are.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import itertools
import random
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from console.base.clock import Clock
from console.base.errors import ConsoleError, ForbiddenError, LoginNeeded, ReachError
from console.facts.leftout import LeftOut, bounded
from console.facts.model import Pod, Workload
from console.sources.cluster.barrier import Barrier
from console.sources.cluster.captured import EvidenceFolder
from console.sources.cluster.composer import Composer
from console.sources.cluster.gone import VanishedPods, last_words, tells_less
from console.sources.cluster.keeper import Keeper
from console.sources.cluster.kinds import ALL, EVENTS, PODS, QUEUED, Decoder, Kind, decoder_of
from console.sources.cluster.picture import ClusterFacts, lacks_pods, runs_spark, selector_of
from console.sources.cluster.reflector import Reflector
from console.sources.cluster.scope import readable_namespaces
from console.sources.cluster.versions import Versions
from console.sources.cluster.watched import Watched
from console.wire.connection import Connection
from console.wire.pool import Pool

MAX_EVENTS = 10_000
MAX_QUEUED = 5_000
"""Objects of one kind of queue that are kept: Kueue keeps a Workload for every job, Spark's or not."""
MAX_FOLLOWED = 200
"""Workloads that run Spark whose pods are watched: each is a connection of its own."""
_COALESCE = 0.05
_TICK = 5.0
_TICKS_A_MINUTE = 12
_LOOK_AGAIN = 60.0
PULSE = 15.0
"""Seconds in which no watch heard anything, after which the server is asked whether it is there: one that was stopped
keeps its connections open."""
_PULSE_EVERY, _PULSE_WITHIN = 5.0, 5.0
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
        evidence: EvidenceFolder | None = None,
        log_bytes: int = 256 * 2**10,
        log_lines: int = 2_000,
    ) -> None:
        self.changed = asyncio.Event()
        self._connection, self._reader, self._scope, self._clock = connection, connection.reader, scope, clock
        self._home = connection.target.namespace
        self._watched = {kind.name: Watched(kind) for kind in ALL}
        self._decoders: dict[str, Decoder] = {}
        self._gone = VanishedPods()
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
                namespaces=scope.namespaces,
            )
            if evidence is not None
            else None
        )
        self._tasks: set[asyncio.Task[None]] = set()
        self._generation = 0
        self._picture = ClusterFacts(0, clock.now())
        self._dirty = asyncio.Event()
        self._moved = asyncio.Condition()
        self._allowed: asyncio.Task[tuple[tuple[str, ...], str, tuple[LeftOut, ...]]] | None = None
        self._left_out: dict[str, tuple[LeftOut, ...]] = {}
        self._versions = Versions(self._reader)
        self._unfollowed = False
        self._barrier = Barrier()
        self._composer = Composer(self._watched, self._gone, self._keeper)

    # Life

    async def start(self) -> None:
        """Begin to read. Returns at once; `synced` waits for the first lists."""
        self._spawn(self._supervise())
        self._spawn(self._notify())
        self._spawn(self._tick())
        self._spawn(self._feel_pulse())
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
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._versions.stop()
        self._tasks.clear()
        self._pool.close()

    def retry(self) -> None:
        """Try everything that failed again, now: after a login, or when permissions were granted."""
        self._allowed = None
        self._connection.login_again()
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
                api_version = await self._versions.of(kind, fresh=watched.absent)
            except ConsoleError as error:
                watched.trouble = error
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
            limit=MAX_EVENTS if watched.kind is EVENTS else MAX_QUEUED if watched.kind.name in QUEUED else 0,
        )
        watched.parts[key] = (reflector, asyncio.create_task(reflector.run(), name=f"{watched.kind.name} {namespace}"))

    def _drop(self, watched: Watched, key: tuple[str, str]) -> None:
        _, task = watched.parts.pop(key)
        task.cancel()
        self._generation += 1

    # What reflectors say (Sink)

    def changed_by(self, reflector: Reflector) -> None:
        watched = self._watched[reflector.kind.name]
        spreads = not reflector.kind.optional or reflector.kind.name in QUEUED
        whole = reflector.namespace == "" and reflector.kind.namespaced and spreads
        if whole and isinstance(reflector.problem, ForbiddenError) and not (watched.falling_back or watched.fell_back):
            watched.falling_back = True
            self._spawn(self._fall_back(watched))
        if reflector.kind.name in ("deployments", "statefulsets"):
            self._unfollowed = True
        self._barrier.reached(reflector.kind.name, reflector.version)
        self._touch()

    def heard(self, reflector: Reflector) -> None:
        self._barrier.reached(reflector.kind.name, reflector.version)

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
                self._keeper.vanish(pod, None if tells_less(item, before) else raw)

    async def _fall_back(self, watched: Watched) -> None:
        """Instead of the whole cluster, the namespaces that may be read."""
        try:
            if self._allowed is None:
                self._allowed = asyncio.create_task(readable_namespaces(self._reader, self._home))
            namespaces, note, self._left_out["namespaces"] = await asyncio.shield(self._allowed)
        except ConsoleError:  # it will be forbidden again, and then this is tried again
            self._allowed, watched.falling_back = None, False
            return
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
        found: dict[tuple[str, str], Workload] = {}
        for name in ("deployments", "statefulsets"):
            for workload in self._watched[name].items().values():
                if runs_spark(workload) and (selector := selector_of(workload)):
                    found[workload.namespace, selector] = workload
        pods = self._watched[PODS.name]
        wanted, self._left_out["workloads"] = bounded(
            sorted(found, key=lambda key: (not lacks_pods(found[key]), key not in pods.parts, key)),
            MAX_FOLLOWED,
            source="pods",
            what="workloads that run Spark have their pods followed",
            first="those that lack pods first",
            name=lambda key: f"{found[key].namespace}/{found[key].name}",
            blinds=True,
        )
        fixed = {PODS.selector, *self._scope.selectors}
        for key in [key for key in pods.parts if key[1] not in fixed and key not in wanted]:
            self._drop(pods, key)
        decoder = self._decoders.setdefault(PODS.name, decoder_of(PODS, "v1"))
        for namespace, selector in wanted:
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
        """Words of freshness change with time alone; the time of the last data moves on once a minute."""
        shown: tuple[Any, ...] = ()
        for turn in itertools.count(1):
            await asyncio.sleep(_TICK)
            words = tuple(watched.state(self._clock.now()).state for watched in self._watched.values())
            if words != shown or self._gone.expire() or turn % _TICKS_A_MINUTE == 0:
                shown = words
                self._touch()

    async def _feel_pulse(self) -> None:
        while True:
            await asyncio.sleep(_PULSE_EVERY)
            reflectors = [r for watched in self._watched.values() for r in watched.reflectors if r.listed]
            if not reflectors or time.monotonic() - max(r.contact for r in reflectors) <= PULSE:
                continue
            silence = await self._silence()
            changed = [r for r in reflectors if (r.silence is None) != (silence is None)]
            for reflector in reflectors:
                reflector.silence = silence
            if changed:
                self._touch()

    async def _silence(self) -> ConsoleError | None:
        """Why the server does not answer; None where it does, be it with a no."""
        try:
            await self._reader.get("/version", timeout=_PULSE_WITHIN)
        except LoginNeeded:
            return None
        except ReachError as error:
            return error.with_traceback(None)  # frames would keep sockets alive
        except ConsoleError:
            return None
        return None

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
        await self._barrier.wait(kind, wanted)

    async def loaded(self) -> None:
        """Return when what earlier sessions kept of the dead is in the picture."""
        if self._keeper is not None:
            await self._keeper.loaded.wait()

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
        left_out = (one for some in self._left_out.values() for one in some)
        self._picture = self._composer.compose(self._generation, self._clock.now(), left_out)
        return self._picture


def _all_answered(watched: list[Watched]) -> bool:
    return all(one.answered for one in watched)
