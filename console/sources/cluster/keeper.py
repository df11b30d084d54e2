"""Watches for dying drivers and executors and saves their evidence at once: their pods are deleted within seconds."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from console.base.clock import Clock
from console.base.errors import ConsoleError, UsageError
from console.base.jsontext import decode_tree
from console.base.shapes import mapping, mappings
from console.facts.leftout import LeftOut
from console.facts.model import Event, Log, Origin, Pod
from console.facts.notjudged import MOST, NotJudged, not_judged
from console.sources.cluster import decode
from console.sources.cluster.captured import EvidenceFolder, KeptEvidence
from console.sources.cluster.gone import weight
from console.sources.cluster.logs import LogGone, role_of, tail, why_not
from console.wire.errors import NotFoundError
from console.wire.paths import object_path
from console.wire.pool import Pool
from console.wire.reader import Reader

WORKERS = 4
PER_APP = 24
"""Logs that are read of one application. Of the dead beyond them only the object is kept, of the stopped nothing."""
OBJECTS = 200
"""Objects that are kept of one application."""
_QUEUE = 400
_AT_START = 60
"""Dead pods whose logs are read because they were there when Console started."""
_READ_SECONDS = 8.0
_ENDING, _ENDED, _GONE = 1, 2, 3
"""How far a pod's end had come when it was saved: its log is about to vanish; it ended; it was deleted."""
_MEMORY = 8 * 2**20
_LOG_MEMORY = 64 * 2**10


@dataclass(order=True)
class _Job:
    urgency: int
    order: int
    pod: Pod
    raw: bytes | None
    with_log: bool


class Keeper:
    """Saves what dies. `logs`, `events` and `pods` are what is known of the dead, for the picture."""

    def __init__(
        self,
        reader: Reader,
        evidence: EvidenceFolder,
        clock: Clock,
        pool: Pool,
        notify: Callable[[], None],
        *,
        log_bytes: int = 256 * 2**10,
        log_lines: int = 2_000,
        namespaces: tuple[str, ...] = (),
    ) -> None:
        self._reader, self._evidence, self._clock, self._pool, self._notify = reader, evidence, clock, pool, notify
        self._log_bytes, self._log_lines = log_bytes, log_lines
        self._namespaces = namespaces
        self._queue: asyncio.PriorityQueue[_Job] = asyncio.PriorityQueue()
        self._stage: dict[str, int] = {}
        self._restarts: dict[str, int] = {}
        self._of_app: Counter[str] = Counter()
        self._from_list = 0
        self._loaded: tuple[LeftOut, ...] = ()
        self._without_object: set[str] = set()
        self._without_log: set[str] = set()
        self._order = 0
        self._in_hand: dict[str, deque[_Job]] = {}
        """By pod, what is to be saved of it once more by whoever saves it now: its later end is the one that stays."""
        self._idle = asyncio.Event()
        self._idle.set()
        self.pods: dict[str, Pod] = {}
        self.logs: dict[tuple[str, str], Log] = {}
        self.events: dict[str, tuple[Event, ...]] = {}
        self.unread: dict[str, tuple[str, str]] = {}
        self.failed: dict[str, NotJudged] = {}
        self.generation = 0
        self.loaded = asyncio.Event()

    async def load(self) -> None:
        """Bring back what earlier sessions kept."""
        try:
            self._bring_back(await self._pool.run(self._evidence.load, self._clock.now()))
        finally:
            self.loaded.set()

    def _bring_back(self, kept: KeptEvidence) -> None:
        pods = [pod for pod in kept.pods if not self._namespaces or pod.namespace in self._namespaces]
        for pod in pods:
            self.pods[pod.uid or pod.key] = pod
            self._stage[pod.uid] = _ENDED
        by_subject = {pod.key: pod.uid for pod in pods}
        uids = set(by_subject.values())
        for log in kept.logs:
            if not self._namespaces or log.subject in by_subject:
                self.logs[by_subject.get(log.subject, ""), log.container] = log
        for event in kept.events:
            uid = event.uid or by_subject.get(event.about, "")
            if self._namespaces and uid not in uids:
                continue
            self.events[uid] = (*self.events.get(uid, ()), event)
        for place, why in kept.unread:
            self.unread[place] = (place, why)
        self.failed.update({failed.subject: failed for failed in kept.failed})
        self._loaded = kept.left_out
        self._touch()

    def notice(self, pod: Pod, raw: bytes | None) -> None:
        """Look at a pod that came or changed, and save it if it dies."""
        if role_of(pod) not in ("driver", "executor"):
            return
        main = pod.main
        if main is None:
            return
        if weight(pod) > 0 and (main.terminated is not None or pod.phase == "Failed"):
            stage = _ENDED
        elif pod.deleted is not None and main.state == "running":
            stage = _ENDING
        elif main.last_terminated is not None and main.restarts > self._restarts.get(pod.uid, 0):
            self._restarts[pod.uid], stage = main.restarts, _ENDING
            self._stage.pop(pod.uid, None)
        else:
            return
        if self._stage.get(pod.uid, 0) >= stage:
            return
        if raw is None and stage == _ENDED:
            self._from_list += 1
        if raw is None and self._from_list > _AT_START:
            self._without_log.add(pod.uid)
        self._put(pod, raw, stage, with_log=raw is not None or self._from_list <= _AT_START)

    def vanish(self, pod: Pod, raw: bytes | None) -> None:
        """A pod was deleted: keep its last object, also where its end was never seen."""
        stage = self._stage.get(pod.uid, 0)
        if role_of(pod) in ("driver", "executor") and weight(pod) > 0 and stage < _GONE:
            self._put(pod, raw, _GONE, with_log=stage == 0)

    def left_out(self) -> tuple[LeftOut, ...]:
        """What is not kept of the dead because they are too many."""
        out = list(self._loaded)
        for what, without in (("object", self._without_object), ("log", self._without_log)):
            if without:
                seen = len(self._stage)
                said = f"pods that ended have their {what} kept"
                out.append(LeftOut("pods", said, seen - len(without), seen, f"{PER_APP} of an application at most"))
        return tuple(out)

    def _put(self, pod: Pod, raw: bytes | None, stage: int, with_log: bool) -> None:
        self._stage[pod.uid] = stage
        wanted = with_log
        self._without_object.discard(pod.uid)
        if role_of(pod) == "executor":
            app = f"{pod.namespace}/{pod.labels.get('spark-app-selector', pod.name)}"
            self._of_app[app] += 1
            room = PER_APP if weight(pod) < 2 else OBJECTS
            if self._of_app[app] > room:
                self._without_object.add(pod.uid)
                return
            with_log = with_log and self._of_app[app] <= PER_APP
        if self._queue.qsize() >= _QUEUE:
            with_log = False
        if wanted and not with_log:
            self._without_log.add(pod.uid)
        self._order += 1
        urgency = 0 if role_of(pod) == "driver" or stage < _GONE else 1
        self._idle.clear()
        self._queue.put_nowait(_Job(urgency if raw is not None else urgency + 2, self._order, pod, raw, with_log))

    async def run(self) -> None:
        """Save until cancelled."""
        async with asyncio.TaskGroup() as group:
            for _ in range(WORKERS):
                group.create_task(self._work())

    async def idle(self) -> None:
        """Return when nothing waits to be saved."""
        await self._idle.wait()

    async def _work(self) -> None:
        while True:
            job = await self._queue.get()
            if (waiting := self._in_hand.get(job.pod.uid)) is not None:
                waiting.append(job)
                continue
            jobs = self._in_hand[job.pod.uid] = deque([job])
            try:
                while jobs:
                    await self._save_or_say(jobs.popleft())
            finally:
                del self._in_hand[job.pod.uid]
                if not self._in_hand and self._queue.empty():
                    self._idle.set()

    async def _save_or_say(self, job: _Job) -> None:
        try:
            await self._save(job)
            self.failed.pop(job.pod.uid, None)
        except Exception as error:
            if len(self.failed) >= MOST:
                self._without_object.add(job.pod.uid)
            else:
                self.failed[job.pod.uid] = not_judged(job.pod.key, "keeping its evidence", error)
            self._touch()

    async def _save(self, job: _Job) -> None:
        pod, now = job.pod, self._clock.now()
        logs = await self._read_logs(pod, now) if job.with_log else ()
        events = await self._read_events(pod) if job.with_log else []
        tree = await self._tree(pod, job.raw)
        if tree is not None:
            try:
                place = await self._pool.run(self._evidence.save, tree, events, logs, now)
            except (OSError, UsageError) as error:
                why = error.message if isinstance(error, UsageError) else error.strerror or str(error)
                self.unread[pod.uid] = (str(self._evidence.folder), f"evidence cannot be saved: {why}")
            else:
                self.unread.pop(pod.uid, None)
                origin = Origin("captured", str(place / "pod.json"), now)
                self.pods[pod.uid or pod.key] = msgspec.structs.replace(
                    decode.pod(tree, origin), gone=pod.gone, labels=pod.labels, annotations=pod.annotations
                )
        self._touch()

    async def _read_logs(self, pod: Pod, now: float) -> tuple[Log, ...]:
        main = pod.main
        if main is None:
            return ()
        previous = main.terminated is None and main.last_terminated is not None and pod.deleted is None
        try:
            log = await tail(
                self._reader,
                pod.namespace,
                pod.name,
                container=main.name,
                lines=self._log_lines,
                limit_bytes=self._log_bytes,
                previous=previous,
                role=role_of(pod),
                at=now,
                timeout=_READ_SECONDS,
            )
        except ConsoleError as error:
            known = (pod.uid, main.name) in self.logs
            if not known and not isinstance(error, NotFoundError | LogGone):
                self.unread[f"log {pod.uid}"] = (f"log of {pod.namespace}/{pod.name}", why_not(error))
            return ()
        if log.text.strip():
            held = self.logs.get((pod.uid, main.name))
            if held is None or len(held.text) <= len(log.text):
                self.logs[pod.uid, main.name] = msgspec.structs.replace(log, text=_end(log.text))
                self._trim()
        return (log,)

    async def _read_events(self, pod: Pod) -> list[dict[str, Any]]:
        path = object_path("v1", "events", pod.namespace)
        try:
            body = await self._reader.get(
                path, {"fieldSelector": f"involvedObject.uid={pod.uid}", "limit": "100"}, timeout=_READ_SECONDS
            )
            items = mappings(mapping(decode_tree(body)).get("items"))
        except (ConsoleError, msgspec.DecodeError, AttributeError):
            return []
        found = []
        for item in items:
            with contextlib.suppress(ValueError):
                found.append(decode.event(item, Origin("kubernetes", path, self._clock.now())))
        if found:
            self.events[pod.uid] = tuple(found)
        return items

    async def _tree(self, pod: Pod, raw: bytes | None) -> dict[str, Any] | None:
        try:
            if raw is None:
                return await self._reader.object(object_path("v1", "pods", pod.namespace, pod.name))
            tree = decode_tree(raw)
        except (ConsoleError, msgspec.DecodeError):
            return None
        return tree if isinstance(tree, dict) else None

    def _trim(self) -> None:
        """Logs of the dead hold at most `_MEMORY` characters here; the disk has the rest."""
        total = sum(len(log.text) for log in self.logs.values())
        for key in list(self.logs):
            if total <= _MEMORY:
                return
            total -= len(self.logs.pop(key).text)
            self._without_log.add(key[0])

    def _touch(self) -> None:
        self.generation += 1
        self._notify()


def _end(text: str) -> str:
    if len(text) <= _LOG_MEMORY:
        return text
    cut = text[-_LOG_MEMORY:]
    return cut[cut.find("\n") + 1 :]
