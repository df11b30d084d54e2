"""Standalone masters, live: their pages, those of their workers, and the driver of an application that is looked at.

A master is a pod that the component `standalone-master` consists of, read through the service in front of it (through
the pod where there is none), or a server that the config names. Read rarely and within bounds: a few masters, the
workers that run something, drivers only of the applications that the caller names.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from console.apps.standalone import Master, Slot, Worker, masters, slots
from console.apps.states import over
from console.base.clock import Clock
from console.base.errors import ConsoleError, ForbiddenError
from console.base.jsontext import decode_elements
from console.base.units import parse_count
from console.facts.leftout import LeftOut, bounded
from console.facts.model import Log, Pod, RestDocument, SourceState, SourceStateWord
from console.sources.spark.rest import MASTER_PORT, UI_PORT, SparkRest
from console.wire.endpoint import Endpoint, PodEndpoint, ServiceEndpoint
from console.wire.paths import object_path, segment

if TYPE_CHECKING:
    from console.wire.reader import Reader

WORKER_PORT = 8081
MAX_MASTERS, MAX_WORKERS, MAX_DRIVERS = 20, 100, 8
LOG_LINES = 400
_AT_ONCE = 4
_MASTER_PORTS = ("http", "web", "webui", "http-webui", "http-web", "ui", MASTER_PORT)


_MasterAt = tuple[Endpoint, str, Pod | None]
"""The way to a master, `namespace/name` of its pod, and the pod; no place and no pod where the config names it."""


@dataclass
class Standalone:
    """What was read of standalone masters. Belongs to one event loop.

    Args:
        again: seconds of the clock after which pages are read again.
        given: masters that the config names.
    """

    reader: Reader
    clock: Clock
    again: float
    given: Sequence[Endpoint] = ()
    logs: tuple[Log, ...] = ()
    rest: tuple[RestDocument, ...] = ()
    unread: tuple[tuple[str, str], ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    _at: float | None = None
    _looked_at: frozenset[str] = frozenset()
    _services: dict[str, Endpoint] = field(default_factory=dict)
    _state: SourceState | None = None

    def state(self) -> tuple[SourceState, ...]:
        """How far the masters can be trusted; nothing where there is none."""
        return (self._state,) if self._state is not None else ()

    async def refresh(self, master_pods: Sequence[Pod], pods: Sequence[Pod], apps: Sequence[str]) -> bool:
        """Read what is due. True when something may have changed.

        Args:
            master_pods: pods of the component `standalone-master`.
            pods: all pods that are known, to find those of workers and drivers.
            apps: ids of applications whose drivers are wanted, the most wanted first. Those that run on a master which
                has lost a worker are read as well: their drivers know what they lost.
        """
        running, beyond = bounded(
            [p for p in master_pods if p.phase == "Running" and not p.gone],
            MAX_MASTERS,
            source="standalone",
            what="masters are read",
            name=lambda pod: pod.key,
            blinds=True,
        )
        if not running and not self.given:
            had, self.rest, self.logs, self.unread, self._state = bool(self.rest), (), (), (), None
            self.left_out = ()
            return had
        looked_at, now = frozenset(apps[:MAX_DRIVERS]), self.clock.now()
        if self._at is not None and now - self._at < self.again and looked_at <= self._looked_at:
            return False
        self._at, self._looked_at = now, looked_at
        work = _Round(self.reader, self.clock, {p.ip: p for p in pods if p.ip and not p.gone})
        work.left_out += beyond
        ways: list[_MasterAt] = [(await self._way(pod), f"{pod.namespace}/{pod.name}", pod) for pod in running]
        ways += [(endpoint, "", None) for endpoint in self.given]
        await work.masters(ways)
        known = masters(work.rest)
        await work.workers(known)
        await work.drivers([*apps, *_bereft(known)], known, [way for way, _, _ in ways])
        self.rest, self.logs, self.unread = tuple(work.rest), tuple(work.logs), tuple(work.unread)
        self.left_out = tuple(work.left_out)
        self._state = self._judged(known, work, len(ways), now)
        return True

    def _judged(self, known: Sequence[Master], work: _Round, asked: int, now: float) -> SourceState:
        word: SourceStateWord = "fresh" if len(known) >= asked else "partial" if known else "unreachable"
        if not known and isinstance(work.failure, ForbiddenError):
            word = "forbidden"
        last = now if known else self._state.last if self._state is not None else None
        detail = work.failure.message if work.failure is not None else "" if known else work.unread[0][1]
        return SourceState("standalone", word, detail=detail, last=last)

    async def _way(self, pod: Pod) -> Endpoint:
        """Through the service whose selector fits the pod, else to the pod itself."""
        held = self._services.get(pod.uid)
        if held is None:
            held = self._services[pod.uid] = await self._service(pod) or PodEndpoint(
                self.reader, pod.namespace, pod.name, _port(pod)
            )
        return held

    async def _service(self, pod: Pod) -> Endpoint | None:
        try:
            body = await self.reader.get(object_path("v1", "services", pod.namespace), {"limit": "250"}, timeout=5.0)
            items, _ = decode_elements(body, _MasterService, "items")
        except (ConsoleError, msgspec.DecodeError):
            return None
        for service in items:
            wanted = service.spec.selector or {}
            if not wanted or any(pod.labels.get(k) != v for k, v in wanted.items()):
                continue
            for usual in (*_MASTER_PORTS, _port(pod)):
                for port in service.spec.ports or ():
                    if usual in (port.name, port.port, port.targetPort):
                        return ServiceEndpoint(self.reader, pod.namespace, service.metadata.name, port.port)
        return None


@dataclass
class _Round:
    """One round of reading."""

    reader: Reader
    clock: Clock
    by_ip: dict[str, Pod]
    rest: list[RestDocument] = field(default_factory=list)
    logs: list[Log] = field(default_factory=list)
    unread: list[tuple[str, str]] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    failure: ConsoleError | None = None
    gate: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))

    async def masters(self, ways: Sequence[_MasterAt]) -> None:
        async def one(way: Endpoint, place: str, pod: Pod | None) -> None:
            await self._page(way, "master", place)
            mine = [m for m in masters(self.rest) if m.place == place]
            dead = any(w.state == "DEAD" for m in mine for w in m.workers)
            failed = any(row.get("state") == "FAILED" for m in mine for row in m.apps.values())
            if pod is not None and (dead or failed):
                await self._log(pod)

        await asyncio.gather(*(one(*way) for way in ways))

    async def workers(self, known: Sequence[Master]) -> None:
        busy = [(m, w) for m in known for w in m.workers if w.state == "ALIVE" and (w.cores_used or w.memory_used)]
        places, beyond = bounded(
            [(self.by_ip[w.host], w) for _, w in busy if w.host in self.by_ip],
            MAX_WORKERS,
            source="standalone",
            what="busy workers are read",
            name=lambda place: place[0].key,
        )
        self.left_out += beyond
        await asyncio.gather(
            *(
                self._page(PodEndpoint(self.reader, pod.namespace, pod.name, _ui_port(worker)), "worker", pod.key)
                for pod, worker in places
            )
        )

    async def drivers(self, apps: Sequence[str], known: Sequence[Master], ways: Sequence[Endpoint]) -> None:
        """The REST API of each driver: in the pod that its executors call, else through its master's own proxy."""
        of_app = slots(self.rest)
        wanted, beyond = bounded(
            list(dict.fromkeys(apps)),
            MAX_DRIVERS,
            source="standalone",
            what="drivers of applications that fail, stall or lost a worker are read",
            first="the worst first",
            name=str,
        )
        self.left_out += beyond
        jobs = []
        for master in known:
            way = next((w for w in ways if master.origin.locator.startswith(f"{w.label} ")), None)
            jobs += [self._driver(a, master, of_app.get(a, ()), way) for a in wanted if _runs(master, a)]
        await asyncio.gather(*jobs)

    async def _driver(self, app_id: str, master: Master, its: Sequence[Slot], way: Endpoint | None) -> None:
        host = next((s.driver_host for s in its if s.driver_host), "")
        pod = self.by_ip.get(host) or (await self._pod_at(master.namespace, host) if host and master.place else None)
        ends: list[Endpoint] = []
        if pod is not None:
            ends.append(PodEndpoint(self.reader, pod.namespace, pod.name, UI_PORT))
        if way is not None:
            ends.append(_Below(way, f"/proxy/{segment(app_id)}"))
        said = ""
        for end in ends:
            try:
                async with self.gate:
                    answer = await SparkRest(end, self.clock).application(app_id, deadline=8.0)
            except ConsoleError as error:
                said = said or error.message
                continue
            if answer.documents:
                self.rest.extend(answer.documents)
                return
            said = said or next((why for _, why in answer.unread), "")
        self.unread.append((f"REST of {app_id}", said or "where its driver runs is not known"))

    async def _pod_at(self, namespace: str, ip: str) -> Pod | None:
        """The pod with an address, which no watch has seen: a notebook or a batch job in client mode."""
        from console.sources.cluster.pods import PodDecoder

        try:
            query = {"fieldSelector": f"status.podIP={ip}", "limit": "2"}
            body = await self.reader.get(object_path("v1", "pods", namespace), query, timeout=5.0)
            _, found = PodDecoder().page(body, self.clock.now())
        except (ConsoleError, msgspec.DecodeError):
            return None
        return next((pod for pod in found if isinstance(pod, Pod)), None)

    async def _page(self, way: Endpoint, what: str, place: str) -> None:
        rest = SparkRest(way, self.clock)
        try:
            async with self.gate:
                answer = await (rest.master() if what == "master" else rest.worker())
        except ConsoleError as error:
            self.unread.append((f"{way.label} /json/", error.message))
            if what == "master":
                self.failure = error
            return
        place = place.removeprefix("Pod/")
        self.rest.extend(replace(document, pod=place) for document in answer.documents)
        self.unread.extend(answer.unread)

    async def _log(self, pod: Pod) -> None:
        from console.sources.cluster.logs import tail

        try:
            container = pod.main.name if pod.main is not None else ""
            log = await tail(
                self.reader,
                pod.namespace,
                pod.name,
                container=container,
                lines=LOG_LINES,
                role="master",
                at=self.clock.now(),
                timeout=5.0,
            )
        except ConsoleError as error:
            self.unread.append((f"log of {pod.namespace}/{pod.name}", error.message))
        else:
            self.logs.append(log)


class _Below:
    """Another endpoint's server, below a path of it."""

    def __init__(self, way: Endpoint, path: str) -> None:
        self.label, self._way, self._path = f"{way.label} {path}", way, path

    async def get(self, path: str, query: Any = None, **options: Any) -> Any:
        return await self._way.get(f"{self._path}/{path.lstrip('/')}", query, **options)

    async def close(self) -> None:
        """Nothing: the way belongs to somebody else."""


def _runs(master: Master, app_id: str) -> bool:
    return not over(str(master.apps.get(app_id, {}).get("state", "FINISHED")))


def _bereft(known: Sequence[Master]) -> list[str]:
    """Ids of what runs on masters that have lost a worker, the latest first."""
    hit = [m for m in known if any(w.state == "DEAD" for w in m.workers)]
    return sorted((app for m in hit for app in m.apps if _runs(m, app)), reverse=True)


def _port(pod: Pod) -> int:
    """The port of a master's page, as its environment says it."""
    main = pod.main
    said = main.env.get("SPARK_MASTER_WEBUI_PORT", "") if main is not None else ""
    return _port_number(said) or MASTER_PORT


def _ui_port(worker: Worker) -> int:
    said = worker.ui.rpartition(":")[2].rstrip("/")
    return _port_number(said) or WORKER_PORT


def _port_number(text: str) -> int | None:
    number = parse_count(text)
    return number if number is not None and 0 < number < 65536 else None


class _ServiceMeta(msgspec.Struct):
    name: str = ""


class _ServicePort(msgspec.Struct):
    port: int = 0
    name: str | None = ""
    targetPort: int | str | None = None


class _SelectorAndPorts(msgspec.Struct):
    selector: dict[str, str] | None = None
    ports: list[_ServicePort] | None = None


class _MasterService(msgspec.Struct):
    metadata: _ServiceMeta = msgspec.field(default_factory=_ServiceMeta)
    spec: _SelectorAndPorts = msgspec.field(default_factory=_SelectorAndPorts)
