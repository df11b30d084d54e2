"""`after`: what happened to the application since the walk's last write, whatever the write was for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from msgspec import Struct

from console.apps.model import Death, Member, SparkApp
from console.apps.states import FAILED, SUCCEEDED
from console.runbook.state import ChangeMade, Walk

MEMORY_KINDS = frozenset({"container-oom", "heap-oom", "gc-overhead", "python-oom"})
DONE = SUCCEEDED | {"FINISHED", "RESOURCERELEASED"}
BROKEN = FAILED | {"SCHEDULINGFAILURE"}


class Members(Struct, frozen=True):
    """Executors of one side of the change.

    Attributes:
        running: how many run now.
        died: how many ended otherwise than they should; `deaths` says of what (`kind` of `console.apps.model.Death`).
    """

    running: int
    died: int
    deaths: dict[str, int]


class After(Struct, frozen=True, kw_only=True):
    """What is known since the last write (before one: since the walk began). None is not known.

    Only members that were created afterwards count as new: what dies of the old attempt says nothing about the change.

    Attributes:
        at: epoch seconds of the write; `written`: whether there was one.
        new_driver: the driver was created afterwards.
        old, new: executors that were created before it, and afterwards.
        driver_deaths: how drivers ended afterwards, by kind.
        wanted: how many executors the application wants.
        completed, failed: it ended well, or badly, afterwards.
        tasks, failed_tasks: of the new driver.
        executors: running executors that are younger than the new driver (than the write where there is none).
        deaths: `new.died`. `oom_deaths`, `driver_oom_deaths`: the part of them, and of the drivers, that is memory's.
    """

    at: float
    written: bool
    new_driver: bool | None = None
    old: Members | None = None
    new: Members | None = None
    driver_deaths: dict[str, int] | None = None
    wanted: int | None = None
    completed: bool | None = None
    failed: bool | None = None
    tasks: float | None = None
    failed_tasks: float | None = None
    executors: int | None = None
    deaths: int | None = None
    oom_deaths: int | None = None
    driver_oom_deaths: int | None = None


def since_the_change(app: SparkApp | None, walk: Walk) -> After:
    """What the application shows now."""
    since = walk.changed if walk.changed is not None else walk.started
    written = walk.changed is not None
    if app is None:
        return After(at=since, written=written)
    last = walk.last if walk.last is not None else ChangeMade(since)
    driver = app.driver if app.driver is not None and last.after(app.driver.created, app.driver.pod) else None
    begun = driver.created if driver is not None else None
    new = members(m for m in app.executors if last.after(m.created, m.pod))
    drivers = by_kind(_driver_deaths(app, driver, last))
    completed, failed = _ended(app, last, new_driver=driver is not None)
    return After(
        at=since,
        written=written,
        new_driver=driver is not None,
        old=members(m for m in app.executors if not last.after(m.created, m.pod)),
        new=new,
        driver_deaths=drivers,
        wanted=app.wanted_executors,
        completed=completed,
        failed=failed,
        tasks=app.tasks.get("completed") if driver is not None else None,
        failed_tasks=app.tasks.get("failed") if driver is not None else None,
        executors=members(m for m in app.executors if last.after(m.created, m.pod) and _not_older(m, begun)).running,
        deaths=new.died,
        oom_deaths=sum(n for kind, n in new.deaths.items() if kind in MEMORY_KINDS),
        driver_oom_deaths=1 if MEMORY_KINDS & drivers.keys() or "driver-result" in drivers else 0,
    )


def members(found: Iterable[Member]) -> Members:
    """How many of them run, and how the others ended."""
    those = list(found)
    deaths = by_kind(m.death for m in those if m.death is not None)
    running = sum(1 for m in those if m.state == "Running" and not m.gone)
    return Members(running, sum(deaths.values()), deaths)


def by_kind(deaths: Iterable[Death]) -> dict[str, int]:
    """Kind → how many, without the ordinary ends."""
    return dict(Counter(death.kind for death in deaths if not death.harmless))


def youngest(app: SparkApp) -> dict[str, float]:
    """The pods that were made last, and when, all in one second."""
    made = {m.pod: m.created for m in (app.driver, *app.executors) if m is not None and m.pod and m.created is not None}
    last = max(made.values(), default=None)
    return {pod: at for pod, at in made.items() if at == last}


def _not_older(executor: Member, driver: float | None) -> bool:
    return driver is None or (executor.created is not None and executor.created >= driver)


def _driver_deaths(app: SparkApp, driver: Member | None, last: ChangeMade) -> Iterable[Death]:
    """Of the new driver, and of the attempts that began since."""
    if driver is not None and driver.death is not None:
        yield driver.death
    for attempt in app.attempts:
        if attempt.death is not None and last.after(attempt.started):
            yield attempt.death


def _ended(app: SparkApp, last: ChangeMade, *, new_driver: bool) -> tuple[bool, bool]:
    """(well, badly). Only an end after the change is its end; a submission that failed never had a driver."""
    state = app.state.upper()
    afterwards = new_driver or last.after(app.ended)
    return state in DONE and afterwards, state in BROKEN and (afterwards or state == "SUBMISSION_FAILED")
