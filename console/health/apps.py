"""Facts → one `SparkApp` per application, whatever started it: kubeflow or Apache operator, spark-submit in cluster
mode, a Spark Connect server, a standalone master, or nothing but saved REST answers and logs.

`Assembler` keeps what it made and makes an application anew only when one of its objects is another object.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from console.health.attach import Attached, Belongings, attach
from console.health.attempts import attempts_of, runs_of, said_attempts
from console.health.facts import Event, Facts, Pod
from console.health.groups import SELECTOR, Group, GroupId, groups
from console.health.groupview import (
    app_id_of,
    conf_of,
    ended_of,
    image_of,
    kind_of,
    language_of,
    over_by_word,
    plan_of,
    started_of,
    state_of,
    tasks_of,
    version_of,
    wanted_of,
)
from console.health.indexes import EventIndex, index_events, index_memory
from console.health.loose import loose_apps, master_apps
from console.health.members import heap_of, member_of, members_of_rest, members_without_pod, running_by_rest, share_of
from console.health.model import Member, SparkApp
from console.health.owners import owners_of, why_not
from console.health.restview import RestView

MemberCache = dict[int, tuple[Pod, Member, tuple[float, float, float], str]]
"""Identity of a living executor's pod → (the pod, what was made of it)."""


def assemble(facts: Facts) -> tuple[SparkApp, ...]:
    """Every application in the facts, sorted by key."""
    return Assembler().assemble(facts)


class Assembler:
    """`assemble` with a memory: an application whose objects are the same objects (`is`) is not made again."""

    def __init__(self) -> None:
        self._made: dict[GroupId, tuple[tuple[object, ...], SparkApp]] = {}
        self._members: MemberCache = {}

    def assemble(
        self, facts: Facts, *, found: dict[GroupId, Group] | None = None, attached: Attached | None = None
    ) -> tuple[SparkApp, ...]:
        """Every application, sorted by key. `found` and `attached` spare work where the caller has them already."""
        found = groups(facts) if found is None else found
        attached = attach(facts, found) if attached is None else attached
        events, used = index_events(facts.events), index_memory(facts)
        made: dict[GroupId, tuple[tuple[object, ...], SparkApp]] = {}
        keys: set[str] = set()
        out: list[SparkApp] = []
        for gid, group in found.items():
            belongings = attached.groups[gid]
            mine = _events_of(group, events)
            sign = (
                *group.objects(),
                *mine,
                *belongings.rest,
                *(used.get((p.namespace, p.name)) for p in group.drivers),
            )
            old = self._made.get(gid)
            if old is not None and len(old[0]) == len(sign) and all(a is b for a, b in zip(old[0], sign, strict=True)):
                app = old[1]
            else:
                app = assemble_one(group, events, belongings, used, self._members)
            made[gid] = (sign, app)
            if app.key in keys:
                app = _renamed(app, f"{app.key} ({group.launcher})")
            keys.add(app.key)
            out.append(app)
        self._made = made
        if len(self._members) > 2 * len(facts.pods) + 1_000:
            alive = {id(p) for p in facts.pods}
            self._members = {k: v for k, v in self._members.items() if k in alive}
        led = {app.app_id for app in out if app.app_id}  # a Connect server on a standalone master is listed there too
        for app in (*loose_apps(attached, facts), *master_apps(attached, facts)):
            if app.key not in keys and app.app_id not in led:
                keys.add(app.key)
                out.append(app)
        out.sort(key=lambda a: a.key)
        return tuple(out)


def _renamed(app: SparkApp, key: str) -> SparkApp:
    return replace(app, key=key)


def _events_of(group: Group, events: EventIndex) -> list[Event]:
    if not events:
        return []
    out: list[Event] = []
    if group.cr is not None:
        out.extend(events.get(group.cr.key, ()))
    for pod in (*group.drivers, *group.executors):
        out.extend(events.get(f"Pod/{pod.namespace}/{pod.name}", ()))
    return out


def assemble_one(
    group: Group,
    events: EventIndex | None = None,
    belongings: Belongings | None = None,
    used: dict[tuple[str, str], float] | None = None,
    members_of: MemberCache | None = None,
) -> SparkApp:
    """One application from its objects."""
    events, used = events or {}, used or {}
    rest = RestView(belongings.rest if belongings is not None else ())
    conf, language = conf_of(group, rest), language_of(group)
    state, message = state_of(group)
    drivers = group.drivers
    last = drivers[-1] if drivers else None
    runs = runs_of(group)
    by_id = {run.app_id: run for run in runs}
    attempt = runs[-1].number if runs else said_attempts(group)
    current_id = app_id_of(group, last)
    cr_over = over_by_word(state)
    members: list[Member] = []
    limit_executor: float | None = None
    env_heap = ""
    cpu = memory = gpu = 0.0
    running = 0
    for pod in group.executors:
        selector = pod.labels.get(SELECTOR, "")
        run = by_id.get(selector)
        mine = not selector or not current_id or selector == current_id
        number = run.number if run is not None else attempt
        told = events.get(f"Pod/{pod.namespace}/{pod.name}", ()) if events else ()
        over = (run is not None and run.over) or (mine and cr_over and last is None)
        measured = used.get((pod.namespace, pod.name)) if used else None
        plain = members_of is not None and not told and not over and measured is None
        kept = members_of.get(id(pod)) if plain and members_of is not None else None
        if kept is not None and kept[0] is pod and kept[1].attempt == number:
            _, member, share, heap = kept
        else:
            stop = run.stop if run is not None else None
            member = member_of(pod, "executor", attempt=number, events=told, stop=stop, app_over=over, used=measured)
            share, heap = share_of(pod, member), heap_of(pod)
            if plain and stop is None and members_of is not None:
                members_of[id(pod)] = (pod, member, share, heap)
        members.append(member)
        if limit_executor is None and member.memory_limit is not None:
            limit_executor = member.memory_limit
        env_heap = env_heap or heap
        if member.ended is None and member.death is None and not pod.gone:
            cpu, memory, gpu = cpu + share[0], memory + share[1], gpu + share[2]
            running += member.state == "Running" and mine
    driver = None
    if last is not None:
        driver = member_of(
            last,
            "driver",
            attempt=attempt,
            events=events.get(f"Pod/{last.namespace}/{last.name}", ()),
            stop=None,
            app_over=False,
            used=used.get((last.namespace, last.name)),
        )
        if driver.death is None and not last.gone:
            share = share_of(last, driver)
            cpu, memory, gpu = cpu + share[0], memory + share[1], gpu + share[2]
    members.extend(members_without_pod(group, members, attempt))
    members.extend(members_of_rest(rest, members, attempt))
    spec = group.cr.spec if group.cr is not None else {}
    complete = group.launcher == "kubeflow" and group.cr is not None and bool(group.cr.spec)
    root = group.cr or group.deployment
    limit_driver = driver.memory_limit if driver is not None else None
    version = version_of(group, rest)
    return SparkApp(
        key=group.key,
        namespace=group.namespace,
        name=group.name,
        launcher=group.launcher,
        state=state,
        message=message,
        app_id=current_id,
        spark_version=version,
        language=language,
        image=image_of(group),
        driver=driver,
        executors=tuple(members),
        wanted_executors=wanted_of(group, conf),
        running_executors=running or running_by_rest(rest, members),
        attempts=attempts_of(runs, events),
        attempt=attempt,
        started=started_of(group),
        ended=ended_of(group, driver, cr_over),
        driver_memory=plan_of("driver", group, conf, spec, "", limit_driver, language, complete),
        executor_memory=plan_of("executor", group, conf, spec, env_heap, limit_executor, language, complete),
        cpu_requested=round(cpu, 3),
        memory_requested=memory,
        memory_used=_sum(m.memory_used for m in (*members, *([driver] if driver else [])) if m.death is None),
        gpus_requested=gpu,
        conf=conf,
        labels=root.labels if root is not None else (last.labels if last is not None else {}),
        annotations=root.annotations if root is not None else (last.annotations if last is not None else {}),
        uid=root.uid if root is not None else (last.uid if last is not None else ""),
        generation=root.generation if root is not None else 0,
        api_version=root.api_version if root is not None else ("v1" if last is not None else ""),
        kind=kind_of(group),
        owners=owners_of(group),
        managers=root.managers if root is not None else (),
        writable=group.launcher == "kubeflow" and group.cr is not None and group.cr.kind == "SparkApplication",
        why_not=why_not(group),
        tasks=tasks_of(rest),
    )


def _sum(values: Iterable[float | None]) -> float | None:
    known = [v for v in values if v is not None]
    return sum(known) if known else None
