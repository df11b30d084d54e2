"""What standalone masters and workers say in JSON: workers, applications, drivers, and the executors of each worker.

The master's page (`/json/`) lists workers, applications and drivers, but no executors; those stand on each worker's
page, without their state, cores or exit code. A lost worker stays on the master's page as DEAD for a while. Read from
Spark 3.5, 4.0, 4.1 and 4.3.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import Struct

from console.base.shapes import is_number, mappings
from console.facts.model import Origin, RestDocument
from console.facts.rest import Row, num, text

MIB = 2**20
DRIVER_URL = re.compile(r"--driver-url, spark://CoarseGrainedScheduler@(\[[^\]]+\]|[^:,\s]+):(\d+)")


class Worker(Struct, frozen=True):
    """One worker as its master lists it. Sizes in bytes; `heartbeat` is when the master last heard of it."""

    id: str
    host: str
    port: int
    state: str
    cores: int = 0
    cores_used: int = 0
    memory: float = 0.0
    memory_used: float = 0.0
    heartbeat: float | None = None
    ui: str = ""


class Master(Struct, frozen=True):
    """One master. `apps` and `drivers` are its rows by id, those that run first.

    Attributes:
        url: `spark://host:port`.
        place: `namespace/name` of the pod or service it was read from; `` for a file or a URL.
    """

    url: str
    place: str
    status: str
    workers: tuple[Worker, ...]
    apps: dict[str, Row]
    drivers: dict[str, Row]
    origin: Origin

    @property
    def namespace(self) -> str:
        return self.place.partition("/")[0] if self.place else ""

    def worker(self, worker_id: str) -> Worker | None:
        return next((w for w in self.workers if w.id == worker_id), None)


class Slot(Struct, frozen=True):
    """One executor on a worker's page. `memory` in bytes; `over`: it is among the finished ones."""

    app_id: str
    executor: str
    worker: str
    memory: float
    over: bool
    driver_host: str = ""
    gpus: float = 0.0


def masters(docs: Iterable[RestDocument]) -> tuple[Master, ...]:
    """One entry per master; of several answers of one master the newest counts, with the rows that only older have."""
    found: dict[str, list[RestDocument]] = {}
    for doc in docs:
        if doc.path == "master" and isinstance(doc.data, dict):
            found.setdefault(text(doc.data, "url") or doc.origin.locator, []).append(doc)
    return tuple(_master(url, sorted(answers, key=_age)) for url, answers in sorted(found.items()))


def slots(docs: Iterable[RestDocument]) -> dict[str, tuple[Slot, ...]]:
    """Application id → its executors, as the workers list them; of several answers of one worker the newest counts."""
    newest: dict[str, RestDocument] = {}
    for doc in docs:
        if doc.path == "worker" and isinstance(doc.data, dict):
            old = newest.get(text(doc.data, "id"))
            if old is None or _worker_age(doc) >= _worker_age(old):
                newest[text(doc.data, "id")] = doc
    out: dict[str, list[Slot]] = {}
    for worker, doc in sorted(newest.items()):
        for part, over in (("finishedexecutors", True), ("executors", False)):
            for row in mappings(doc.data.get(part)):
                slot = _slot(row, worker, over)
                if slot is not None:
                    out.setdefault(slot.app_id, []).append(slot)
    return {app: tuple(sorted(found, key=lambda s: (len(s.executor), s.executor))) for app, found in out.items()}


def driver_of(master: Master, row: Row, its: Sequence[Slot]) -> Row | None:
    """The driver in cluster mode that runs an application: the only one on the host that its executors call."""
    hosts = {slot.driver_host for slot in its if slot.driver_host}
    if len(hosts) != 1:
        return None
    host, start = next(iter(hosts)), num(row, "starttime")
    able = []
    for driver in master.drivers.values():
        worker = master.worker(text(driver, "worker"))
        began = started(driver)
        if worker is not None and worker.host == host and began is not None and began * 1000 <= start:
            able.append(driver)
    return able[0] if len(able) == 1 else None


def started(row: Row) -> float | None:
    """When an application or a driver began; a driver's time is a number in quotes."""
    value = row.get("starttime")
    if isinstance(value, str) and value.isdigit():
        value = int(value)
    return value / 1000 if is_number(value) and value > 0 else None


def per_executor(row: Row) -> float:
    """Memory of one executor in bytes; `memoryperslave` is the older name."""
    return (num(row, "memoryperexecutor") or num(row, "memoryperslave")) * MIB


def gpus_per_executor(row: Row) -> float:
    wanted = mappings(row.get("resourcesperexecutor")) or mappings(row.get("resourcesperslave"))
    return sum(num(r, "amount") for r in wanted if "gpu" in (text(r, "name") or text(r, "resourceName")))


def _master(url: str, answers: Sequence[RestDocument]) -> Master:
    last = answers[-1]
    apps: dict[str, Row] = {}
    drivers: dict[str, Row] = {}
    for answer in answers:
        for into, parts in ((apps, ("activeapps", "completedapps")), (drivers, ("activedrivers", "completeddrivers"))):
            for part in parts:
                into.update({text(row, "id"): row for row in mappings(answer.data.get(part)) if text(row, "id")})
    return Master(
        url=url,
        place=last.pod,
        status=text(last.data, "status"),
        workers=tuple(_worker(row) for row in mappings(last.data.get("workers")) if text(row, "id")),
        apps=apps,
        drivers=drivers,
        origin=last.origin,
    )


def _worker(row: Row) -> Worker:
    beat = num(row, "lastheartbeat")
    return Worker(
        id=text(row, "id"),
        host=text(row, "host"),
        port=int(num(row, "port")),
        state=text(row, "state").upper() or "UNKNOWN",
        cores=int(num(row, "cores")),
        cores_used=int(num(row, "coresused")),
        memory=num(row, "memory") * MIB,
        memory_used=num(row, "memoryused") * MIB,
        heartbeat=beat / 1000 if beat > 0 else None,
        ui=text(row, "webuiaddress"),
    )


def _slot(row: Row, worker: str, over: bool) -> Slot | None:
    app_id, number = text(row, "appid"), row.get("id")
    if not app_id or not isinstance(number, int | str):
        return None
    described: Any = row.get("appdesc")
    command = text(described, "command") if isinstance(described, dict) else ""
    caller = DRIVER_URL.search(command)
    resources: Any = row.get("resources")
    gpu = resources.get("gpu") if isinstance(resources, dict) else None
    addresses = gpu.get("addresses") if isinstance(gpu, dict) else None
    return Slot(
        app_id=app_id,
        executor=str(number),
        worker=worker,
        memory=num(row, "memory") * MIB,
        over=over,
        driver_host=caller.group(1).strip("[]") if caller else "",
        gpus=float(len(addresses)) if isinstance(addresses, list) else 0.0,
    )


def _age(doc: RestDocument) -> tuple[float, float, float, str]:
    """Larger for a newer answer of one master: time goes on in what it says, whatever its file is called."""
    data = doc.data
    beats = max((num(w, "lastheartbeat") for w in mappings(data.get("workers"))), default=0.0)
    apps = [row for part in ("activeapps", "completedapps") for row in mappings(data.get(part))]
    ran = max((num(a, "starttime") + num(a, "duration") for a in apps), default=0.0)
    return (max(beats, ran), float(len(mappings(data.get("completedapps")))), doc.origin.at or 0.0, doc.origin.locator)


def _worker_age(doc: RestDocument) -> tuple[float, int, int]:
    over, live = mappings(doc.data.get("finishedexecutors")), mappings(doc.data.get("executors"))
    return (doc.origin.at or 0.0, len(over), len(live))
