"""Facts → one `SparkApp` per application, whatever started it: kubeflow or Apache operator, spark-submit in cluster
mode, a Spark Connect server, a standalone master, or nothing but saved REST answers and logs.

`Assembler` keeps what it made and makes an application anew only when one of its objects is another object.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from console.apps.attach import Attached, Belongings, attach
from console.apps.attempts import attempts_of, runs_of
from console.apps.census import Census
from console.apps.counting import object_of, said_attempts
from console.apps.executors import NO_SHARE, MemberCache, MemoryUse, Share, added, executors_of
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
from console.apps.members import member_of, members_of_rest, members_without_pod, running_by_rest, share_of
from console.apps.model import Member, SparkApp
from console.apps.owners import owners_of, why_not
from console.apps.states import over
from console.facts.counted import CountedAttempts
from console.facts.indexes import EventIndex, index_events, index_memory, own_events
from console.facts.model import Facts
from console.facts.notjudged import Isolation
from console.facts.rest import RestView


def assemble(facts: Facts) -> tuple[SparkApp, ...]:
    """Every application in the facts, sorted by key."""
    return Assembler().assemble(facts)


class Assembler:
    """`assemble` with a memory: an application whose objects are the same objects (`is`) is not made again."""

    def __init__(self) -> None:
        self._made: dict[GroupId, tuple[tuple[object, ...], SparkApp]] = {}
        self._members: MemberCache = {}
        self._census = Census()
        self.counted: dict[str, CountedAttempts] = {}
        """How often each application was tried, for `Facts.counted` of the next look."""

    def assemble(
        self,
        facts: Facts,
        *,
        found: dict[GroupId, Group] | None = None,
        attached: Attached | None = None,
        events: EventIndex | None = None,
        failed: Isolation | None = None,
    ) -> tuple[SparkApp, ...]:
        """Every application, sorted by key. `found`, `attached`, `events`: work that the caller has done already.

        Args:
            failed: takes applications that cannot be made of their objects; they are left out.
        """
        failed = Isolation() if failed is None else failed
        found = self._census.take(facts).groups if found is None else found
        attached = attach(facts, found) if attached is None else attached
        events = index_events(facts.events) if events is None else events
        used = index_memory(facts)
        made: dict[GroupId, tuple[tuple[object, ...], SparkApp]] = {}
        counted: dict[str, CountedAttempts] = {}
        keys: set[str] = set()
        out: list[SparkApp] = []
        for gid, group in found.items():
            belongings, object_id = attached.groups[gid], object_of(group)
            known = facts.counted.get(object_id)
            mine = own_events(events, *_object_of(group), group.pod_keys)
            sign = (
                group,
                *mine,
                *belongings.rest,
                known,
                *(used.get((p.namespace, p.name)) for p in (*group.drivers, *group.executors) if used),
            )
            old = self._made.get(gid)
            if old is not None and _same(old[0], sign):
                app = old[1]
                if (count := self.counted.get(object_id)) is not None:
                    counted[object_id] = count
            else:
                try:
                    app, counted[object_id] = _assembled(group, events, belongings, used, self._members, known)
                except Exception as error:
                    failed.note(f"SparkApp/{group.key}", "putting the application together", error, app=group.key)
                    continue
            made[gid] = (sign, app)
            if app.key in keys:
                app = _renamed(app, f"{app.key} ({group.launcher})")
            keys.add(app.key)
            out.append(app)
        self._made, self.counted = made, counted
        self._forget(facts)
        led = {app.app_id for app in out if app.app_id}  # a Connect server on a standalone master is listed there too
        for app in (*loose_apps(attached, facts), *master_apps(attached, facts)):
            if app.key not in keys and app.app_id not in led:
                keys.add(app.key)
                out.append(app)
        out.sort(key=lambda a: a.key)
        return tuple(out)

    def _forget(self, facts: Facts) -> None:
        """Members of pods that are no longer there, once they are many."""
        if len(self._members) > 2 * len(facts.pods) + 1_000:
            alive = {id(p) for p in facts.pods}
            self._members = {k: v for k, v in self._members.items() if k in alive}


def _same(old: tuple[object, ...], new: tuple[object, ...]) -> bool:
    """The same objects; figures by their value."""
    return len(old) == len(new) and all(
        a is b or (isinstance(a, tuple) and a == b) for a, b in zip(old, new, strict=True)
    )


def _renamed(app: SparkApp, key: str) -> SparkApp:
    return replace(app, key=key)


def _object_of(group: Group) -> tuple[str, str]:
    """Key and uid of the operator's object; empty where there is none."""
    return (group.cr.key, group.cr.uid) if group.cr is not None else ("", "")


def assemble_one(
    group: Group,
    events: EventIndex | None = None,
    belongings: Belongings | None = None,
    used: MemoryUse | None = None,
    cache: MemberCache | None = None,
) -> SparkApp:
    """One application from its objects. `cache` keeps what was made of living executors."""
    return _assembled(group, events, belongings, used, cache, None)[0]


def _assembled(
    group: Group,
    events: EventIndex | None,
    belongings: Belongings | None,
    used: MemoryUse | None,
    cache: MemberCache | None,
    known: CountedAttempts | None,
) -> tuple[SparkApp, CountedAttempts]:
    """One application, and how often it was tried by what is `known` of that."""
    events, used = events or {}, used or {}
    rest = RestView(belongings.rest if belongings is not None else ())
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
        cache=cache,
    )
    driver, requests = _driver(group, attempt, events, used)
    cpu, memory, gpus = added(executors.requests, requests)
    members = executors.members
    members.extend(members_without_pod(group, members, attempt))
    members.extend(members_of_rest(rest, members, attempt))
    memory_used, memory_at = _used((*members, driver))
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
        executors=tuple(members),
        wanted_executors=wanted_of(group, conf),
        running_executors=executors.running or running_by_rest(rest, members),
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
        cpu_requested=round(cpu, 3),
        memory_requested=memory,
        memory_used=memory_used,
        memory_at=memory_at,
        gpus_requested=gpus,
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
        tasks=tasks_of(rest),
        tasks_at=rest.origin("allexecutors", "executors").at,
    )
    return app, count


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
