"""Applications without Kubernetes objects: of a standalone master, of a History Server, or of nothing but logs."""

from __future__ import annotations

from dataclasses import dataclass

from console.apps import memory, standalone
from console.apps.attach import ANONYMOUS, Attached, Belongings, names
from console.apps.model import Death, Launcher, Member, SparkApp
from console.apps.standalone import Master, Slot
from console.apps.states import over
from console.base.clock import parse_time
from console.facts.lognames import app_ids
from console.facts.model import Facts, Owner
from console.facts.rest import RestView, Row, num, text


@dataclass(frozen=True)
class _Listed:
    """What masters and workers say of one application, or of a driver that no application is known of."""

    master: Master
    row: Row
    slots: tuple[Slot, ...] = ()
    driver: Row | None = None


def loose_apps(attached: Attached, facts: Facts) -> list[SparkApp]:
    """One `SparkApp` per application id that has REST answers or logs but no objects."""
    listed = _listed(attached)
    return [_loose(app_id, belongings, listed.get(app_id)) for app_id, belongings in attached.loose.items()]


def master_apps(attached: Attached, facts: Facts) -> list[SparkApp]:
    """Applications that a standalone master lists and that have nothing else, and drivers that lead none of them."""
    listed = _listed(attached)
    taken = {text(found.driver, "id") for found in listed.values() if found.driver is not None}
    out = [_loose(app_id, Belongings(), found) for app_id, found in listed.items() if app_id not in attached.loose]
    for master in standalone.masters(attached.shared_rest):
        out += [_lone_driver(master, row) for key, row in master.drivers.items() if key not in taken]
    return out


def _listed(attached: Attached) -> dict[str, _Listed]:
    of_workers = standalone.slots(attached.shared_rest)
    out: dict[str, _Listed] = {}
    for master in standalone.masters(attached.shared_rest):
        for app_id, row in master.apps.items():
            its = of_workers.get(app_id, ())
            out[app_id] = _Listed(master, row, its, standalone.driver_of(master, row, its))
    return out


def _launcher(app_id: str, listed: bool) -> Launcher:
    if listed or app_id.startswith("app-"):
        return "standalone"
    if app_id.startswith("spark-") and len(app_id) == 38:
        return "submit"
    return "unknown"


def _loose(app_id: str, belongings: Belongings, listed: _Listed | None) -> SparkApp:
    rest = RestView(belongings.rest)
    row: Row = listed.row if listed is not None else {}
    last = rest.attempts[-1] if rest.attempts else {}
    name = text(rest.application, "name") or text(row, "name") or names(belongings.logs)
    state, completed = _state(row, rest)
    ended = over(state)
    executors = _executors(rest, listed, over=completed or ended)
    running = sum(1 for m in executors if m.state == "Running")
    started, until = _times(row, last, ended)
    per_executor = standalone.per_executor(row)
    env = f"{per_executor / standalone.MIB:.0f}m" if per_executor else ""
    return SparkApp(
        key=_key(app_id, name, listed),
        namespace=listed.master.namespace if listed is not None else "",
        name=name or app_id or "application",
        launcher=_launcher(app_id, listed is not None),
        state=state,
        app_id=app_id or next((i for log in belongings.logs for i in app_ids(log.text)[:1]), ""),
        spark_version=text(last, "appSparkVersion"),
        driver=_driver(listed.master, listed.driver) if listed is not None and listed.driver is not None else None,
        executors=executors,
        running_executors=running,
        attempt=len(rest.attempts),
        started=started,
        ended=until,
        executor_memory=memory.plan("executor", conf=rest.conf, env_heap=env, complete=bool(rest.conf)),
        driver_memory=memory.plan("driver", conf=rest.conf, complete=bool(rest.conf)),
        cpu_requested=0.0 if ended else num(row, "cores"),
        memory_requested=per_executor * running,
        gpus_requested=standalone.gpus_per_executor(row) * running,
        conf=rest.conf,
        owners=_owners(listed.master) if listed is not None else (),
        why_not=_why_not(app_id, listed),
    )


def _state(row: Row, rest: RestView) -> tuple[str, bool]:
    """(state as the master says it, else as the driver does; whether the driver says that it completed)."""
    completed = any(a.get("completed") is True for a in rest.attempts)
    state = text(row, "state") or ("FINISHED" if completed else "RUNNING" if rest.attempts else "UNKNOWN")
    return "FINISHED" if completed and state == "RUNNING" else state, completed


def _times(row: Row, last: Row, ended: bool) -> tuple[float | None, float | None]:
    """(start, end) in epoch seconds: as the driver says, else as the master does."""
    start, end = num(last, "startTimeEpoch") / 1000, num(last, "endTimeEpoch") / 1000
    if row:
        start = start or standalone.started(row) or 0.0
        end = end or (start + num(row, "duration") / 1000 if ended else 0.0)
    return start or None, end or None


def _key(app_id: str, name: str, listed: _Listed | None) -> str:
    if listed is not None and listed.master.namespace:
        return f"{listed.master.namespace}/{app_id}"
    return f"/{name or app_id or 'application'}" + (f" {app_id}" if app_id and name else "")


def _why_not(app_id: str, listed: _Listed | None) -> str:
    if listed is not None:
        return "applications of a standalone master are read only"
    return "no object of it is among the facts" if app_id != ANONYMOUS else "nothing names this application"


def _owners(master: Master) -> tuple[Owner, ...]:
    return (Owner("", "standalone master", master.place or master.url),)


def _executors(rest: RestView, listed: _Listed | None, *, over: bool) -> tuple[Member, ...]:
    """Executors as the driver lists them, with what the workers add; those that only workers list besides."""
    its = {slot.executor: slot for slot in listed.slots} if listed is not None else {}
    out = [_of_rest(key, row, its.pop(key, None), over) for key, row in rest.executors.items() if key != "driver"]
    for slot in its.values():
        worker = listed.master.worker(slot.worker) if listed is not None else None
        lost = worker is not None and worker.state == "DEAD"
        out.append(
            Member(
                id=slot.executor,
                role="executor",
                state="Exited" if slot.over else "Finished" if over else "Lost" if lost else "Running",
                node=worker.host if worker is not None else "",
                memory_limit=slot.memory or None,
                gpus=slot.gpus,
                gone=slot.over or over or lost,
            )
        )
    return tuple(out)


def _of_rest(key: str, row: Row, slot: Slot | None, over: bool) -> Member:
    active, removed = row.get("isActive") is True, text(row, "removeReason")
    lost = "worker lost" in removed.lower()
    return Member(
        id=key,
        role="executor",
        state="Running" if active and not over else "Lost" if lost else "Failed" if removed else "Succeeded",
        node=text(row, "hostPort").rpartition(":")[0],
        created=parse_time(text(row, "addTime")),
        ended=parse_time(text(row, "removeTime")),
        memory_limit=(slot.memory or None) if slot is not None else None,
        cpu_request=num(row, "totalCores") or None,
        gpus=slot.gpus if slot is not None else 0,
        gone=not active,
    )


def _driver(master: Master, row: Row) -> Member:
    worker = master.worker(text(row, "worker"))
    state = text(row, "state").upper() or "UNKNOWN"
    return Member(
        id="driver",
        role="driver",
        state=state.capitalize(),
        node=worker.host if worker is not None else "",
        created=standalone.started(row),
        memory_limit=num(row, "memory") * standalone.MIB or None,
        cpu_request=num(row, "cores") or None,
        gone=over(state),
        death=Death("unknown", f"the worker says {state}") if over(state) and state != "FINISHED" else None,
    )


def _lone_driver(master: Master, row: Row) -> SparkApp:
    """A driver in cluster mode whose application is not known: it waits, has not registered, or failed before."""
    key, space = text(row, "id"), master.namespace
    return SparkApp(
        key=f"{space}/{key}",
        namespace=space,
        name=text(row, "mainclass").rpartition(".")[2] or key,
        launcher="standalone",
        state=text(row, "state").upper() or "UNKNOWN",
        language="Java" if text(row, "mainclass") else "",
        driver=_driver(master, row),
        started=standalone.started(row),
        cpu_requested=num(row, "cores") if not over(text(row, "state")) else 0.0,
        owners=_owners(master),
        why_not="applications of a standalone master are read only",
    )
