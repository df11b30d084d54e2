"""Facts → one `SparkApp` per application, whatever started it: kubeflow or Apache operator, spark-submit in cluster
mode, a Spark Connect server, a standalone master, or nothing but saved REST answers and logs.

`Assembler` keeps what it made and makes an application anew only when one of its objects is another object.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from console.apps import deaths
from console.apps.attach import Attached, Belongings, attach
from console.apps.attempts import attempts_of, of_present, runs_of
from console.apps.census import Census
from console.apps.counting import object_of, said_attempts
from console.apps.executors import NO_SHARE, Executors, MemoryUse, Share, added, executors_of, moved
from console.apps.groups import Group, GroupId
from console.apps.groupview import (
    app_id_of,
    conf_of,
    ended_of,
    image_of,
    kind_of,
    language_of,
    meta_of,
    plan_of,
    started_of,
    state_of,
    tasks_of,
    version_of,
    wanted_of,
)
from console.apps.loose import loose_apps, master_apps
from console.apps.members import member_of, members_of_rest, members_without_pod, running_without_pod, share_of
from console.apps.model import Member, SparkApp
from console.apps.owners import owners_of, why_not
from console.apps.states import over
from console.facts.counted import CountedAttempts
from console.facts.indexes import EventIndex, index_events, index_memory
from console.facts.model import Event, Facts
from console.facts.notjudged import Isolation
from console.facts.rest import RestView


def assemble(facts: Facts) -> tuple[SparkApp, ...]:
    """Every application in the facts, sorted by key."""
    return Assembler().assemble(facts)


@dataclass
class _Made:
    """An application, and all that it was made of besides its group: events, answers, figures (`sign`).

    Attributes:
        drivers: what its driver asks for while it lives.
        others: executors that have no pod.
    """

    group: Group
    sign: tuple[object, ...]
    app: SparkApp
    count: CountedAttempts
    drivers: Share
    executors: Executors
    others: list[Member]


class Assembler:
    """`assemble` with a memory: an application whose objects are the same objects (`is`) is not made again, and of one
    whose executors' pods alone are others only what these say."""

    def __init__(self) -> None:
        self._made: dict[GroupId, _Made] = {}
        self._census = Census()
        self.counted: dict[str, CountedAttempts] = {}
        """How often each application was tried, for `Facts.counted` of the next look."""

    def assemble(
        self,
        facts: Facts,
        *,
        found: dict[GroupId, Group] | None = None,
        attached: Attached | None = None,
        failed: Isolation | None = None,
    ) -> tuple[SparkApp, ...]:
        """Every application, sorted by key. `found`, `attached`: work that the caller has done already.

        Args:
            failed: takes applications that cannot be made of their objects; they are left out.
        """
        failed = Isolation() if failed is None else failed
        found = self._census.take(facts).groups if found is None else found
        attached = attach(facts, found) if attached is None else attached
        events = index_events(event for event in facts.events if deaths.tells(event))
        used = index_memory(facts)
        made: dict[GroupId, _Made] = {}
        counted: dict[str, CountedAttempts] = {}
        keys: set[str] = set()
        out: list[SparkApp] = []
        for gid, group in found.items():
            object_id = object_of(group)
            known = facts.counted.get(object_id)
            try:
                one = _remade(self._made.get(gid), group, events, attached.groups[gid], used, known)
            except Exception as error:
                failed.note(f"SparkApp/{group.key}", "putting the application together", error, app=group.key)
                continue
            made[gid], counted[object_id], app = one, one.count, one.app
            if app.key in keys:
                app = replace(app, key=f"{app.key} ({group.launcher})")
            keys.add(app.key)
            out.append(app)
        self._made, self.counted = made, counted
        led = {app.app_id for app in out if app.app_id}  # a Connect server on a standalone master is listed there too
        for app in (*loose_apps(attached, facts), *master_apps(attached, facts)):
            if app.key not in keys and app.app_id not in led:
                keys.add(app.key)
                out.append(app)
        out.sort(key=lambda a: a.key)
        return tuple(out)


def _remade(
    old: _Made | None,
    group: Group,
    events: EventIndex,
    belongings: Belongings,
    used: MemoryUse,
    known: CountedAttempts | None,
) -> _Made:
    """An application, of what was made of it before as far as that still holds."""
    sign = (*_told_of(group, events), *belongings.rest, known, *_measured(group, used))
    if old is not None and _same(old.sign, sign):
        if old.group is group:
            return old
        if old.group.led_like(group) and (executors := moved(old.executors, group.executors, events, used)) is not None:
            figures = _figures(executors, old.others, old.drivers, old.app.driver)
            return _Made(group, sign, replace(old.app, **figures), old.count, old.drivers, executors, old.others)
    return _assembled(group, sign, events, belongings, used, known, old.executors if old is not None else None)


def _told_of(group: Group, events: EventIndex) -> Iterator[Event]:
    """Events about its objects, in the order in which they are looked at."""
    if events:
        for key in (*((group.cr.key,) if group.cr is not None else ()), *group.pod_keys):
            yield from events.get(key, ())


def _measured(group: Group, used: MemoryUse) -> Iterator[tuple[float, float | None] | None]:
    return (used.get((p.namespace, p.name)) for p in (*group.drivers, *group.executors)) if used else iter(())


def _same(old: tuple[object, ...], new: tuple[object, ...]) -> bool:
    """The same objects; figures by their value."""
    return len(old) == len(new) and all(
        a is b or (isinstance(a, (tuple, CountedAttempts)) and a == b) for a, b in zip(old, new, strict=True)
    )


def _assembled(
    group: Group,
    sign: tuple[object, ...],
    events: EventIndex,
    belongings: Belongings,
    used: MemoryUse,
    known: CountedAttempts | None,
    before: Executors | None,
) -> _Made:
    """One application, and how often it was tried by what is `known` of that."""
    rest = RestView(belongings.rest)
    conf, language = conf_of(group, rest), language_of(group)
    state, message = state_of(group)
    ended = over(state)
    runs, count = runs_of(group, known)
    attempt = count.number
    app_id = app_id_of(group)
    executors = executors_of(
        group.executors,
        runs,
        attempt,
        app_id,
        over=ended and not group.drivers,
        events=events,
        used=used,
        known=before,
    )
    driver, requests = _driver(group, attempt, events, used)
    members = executors.members
    others = members_without_pod(group, members, attempt)
    now = RestView(of_present(belongings.rest, runs, count))
    others.extend(members_of_rest(now, [*members, *others], attempt))
    spec = group.cr.spec if group.cr is not None else {}
    complete = group.launcher == "kubeflow" and bool(spec)
    meta = meta_of(group)
    app = SparkApp(
        key=group.key,
        namespace=group.namespace,
        name=group.name,
        launcher=group.launcher,
        state=state,
        message=message,
        app_id=app_id,
        spark_version=version_of(group, rest),
        language=language,
        image=image_of(group),
        driver=driver,
        wanted_executors=wanted_of(group, conf),
        attempts=attempts_of(runs, events),
        attempt=attempt,
        attempt_exact=count.exact,
        operator_attempts=said_attempts(group),
        started=started_of(group),
        ended=ended_of(group, driver, ended),
        driver_memory=plan_of(
            "driver", group, conf, spec, "", driver.memory_limit if driver is not None else None, language, complete
        ),
        executor_memory=plan_of("executor", group, conf, spec, executors.heap, executors.limit, language, complete),
        conf=conf,
        labels=meta.labels,
        annotations=meta.annotations,
        uid=meta.uid,
        generation=meta.generation,
        api_version=meta.api_version,
        kind=kind_of(group),
        owners=owners_of(group),
        managers=meta.managers,
        writable=group.launcher == "kubeflow" and group.cr is not None and group.cr.kind == "SparkApplication",
        why_not=why_not(group),
        tasks=tasks_of(now),
        tasks_at=now.origin("allexecutors", "executors").at,
        **_figures(executors, others, requests, driver),
    )
    return _Made(group, sign, app, count, requests, executors, others)


def _figures(executors: Executors, others: list[Member], requests: Share, driver: Member | None) -> dict[str, Any]:
    """What an application's executors say of it, by the fields of `SparkApp`: all that follows from their states."""
    members = (*executors.members, *others)
    cpu, memory, gpus = added(executors.requests, requests)
    memory_used, memory_at = _used((*members, driver))
    return {
        "executors": members,
        "running_executors": executors.running or running_without_pod(others),
        "cpu_requested": round(cpu, 3),
        "memory_requested": memory,
        "memory_used": memory_used,
        "memory_at": memory_at,
        "gpus_requested": gpus,
    }


def _driver(group: Group, attempt: int, events: EventIndex, used: MemoryUse) -> tuple[Member | None, Share]:
    """The newest driver, and what it asks for while it lives."""
    if not group.drivers:
        return None, NO_SHARE
    pod = group.drivers[-1]
    member = member_of(
        pod,
        "driver",
        attempt=attempt,
        events=events.get(f"Pod/{pod.namespace}/{pod.name}", ()),
        used=used.get((pod.namespace, pod.name)),
    )
    return member, share_of(pod, member) if member.death is None and not pod.gone else NO_SHARE


def _used(members: Iterable[Member | None]) -> tuple[float | None, float | None]:
    """Bytes that the living members use, as far as they are measured, and when the first of them was."""
    alive = [m for m in members if m is not None and m.death is None]
    known = [(m.memory_used, m.memory_at) for m in alive if m.memory_used is not None]
    return sum(size for size, _ in known) if known else None, min(
        (at for _, at in known if at is not None), default=None
    )
