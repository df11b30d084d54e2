"""Waits in Volcano, in YuniKorn, behind scheduling gates, in the operator's own queue, and by a person's hand."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from console.apps.evidence import of_event, of_pod, of_workload
from console.facts.model import Event, Pod, Workload
from console.findings.case import Case
from console.findings.waits.model import Wait

_VOLCANO = "scheduling.volcano.sh/"
_INSUFFICIENT = re.compile(r"insufficient ((?:[a-z0-9.-]+/)?[a-z-]+)")
_ASKED = r"(map\[[^\]]{0,400}\]|\{[^}]{0,400}\})"
_NOT_IN_QUEUE = re.compile(rf"does not fit in queue '([^']+)' \(requested {_ASKED}, available {_ASKED}\)")
_NOT_OF_USER = re.compile(r"exceeds the available user quota \(requested (\S+?), available (\S+?)\)")
_TOO_LARGE = re.compile(
    r"queue (\S+) cannot fit application \S+: task group request (.{1,300}?) larger than max queue allocation (.+)"
)
_ROOM = "an end of one in its queue, another queue (a new submission), or more quota"
_LETS_IN = "an end of one that holds it, a higher priority, or more capability of the queue"
_UNSEEN = "it has no status: nothing says that an operator has seen it"
PATIENCE = 60.0
"""Seconds after which an application that no operator took up waits for it."""


def volcano_wait(case: Case) -> Wait | None:
    """Why Volcano does not take up the PodGroup of an application."""
    groups = [w for w in case.world.workloads("PodGroup") if w.api_version.startswith(_VOLCANO)]
    own = next((g for g in groups if _is_of(case, g) and not g.gone), None)
    if own is None or own.status.get("phase") not in ("Pending", "Inqueue", None):
        return None
    name = _queue_of(own)
    queue = next((q for q in _queues(case) if q.name == name), None)
    events = [e for e in case.world.events(own.key) if e.reason in ("Unschedulable", "FailedScheduling")]
    says = _volcano_says(own, events)
    closed = _closed(queue)
    if not says and not closed:
        return None
    proof = [of_workload(own, f"phase {own.status.get('phase') or 'none yet'}: {says or 'no condition'}")]
    if queue is not None:
        proof.append(of_workload(queue, _queue_words(queue)))
    return Wait(
        keeper="volcano",
        queue=name,
        says=f"queue {name} is {closed}" if closed else says,
        since=own.created,
        evidence=(*proof, *(of_event(e) for e in events[-1:])),
        resource=", ".join(sorted(set(_INSUFFICIENT.findall(says)))),
        holders=_volcano_holders(groups, own),
        helps="an open queue" if closed else _LETS_IN,
    )


def _closed(queue: Workload | None) -> str:
    """Its state, where that lets nothing in."""
    state = queue.status.get("state") if queue is not None else ""
    return str(state) if state in ("Closed", "Closing") else ""


def _queues(case: Case) -> list[Workload]:
    return [q for q in case.world.workloads("Queue") if q.api_version.startswith(_VOLCANO)]


def _queue_of(group: Workload) -> str:
    return str(group.spec.get("queue") or "default")


def _volcano_holders(groups: Sequence[Workload], own: Workload) -> tuple[str, ...]:
    """Applications whose PodGroups run in the same queue, at most five."""
    held = [g for g in groups if g is not own and _queue_of(g) == _queue_of(own)]
    running = [g for g in held if g.status.get("phase") in ("Running", "Inqueue", "Unknown")]
    return tuple(sorted(f"{g.namespace}/{_owner(g)}" for g in running)[:5])


def _is_of(case: Case, group: Workload) -> bool:
    if group.namespace != case.app.namespace:
        return False
    names = {p.annotations.get("scheduling.k8s.io/group-name", "") for p in case.pods}
    owned = any(o.kind == "SparkApplication" and o.name == case.app.name for o in group.owners)
    return owned or group.name == f"spark-{case.app.name}-pg" or group.name in names


def _volcano_says(own: Workload, events: Sequence[Event]) -> str:
    normal = next((e.message for e in reversed(events) if "insufficient" in e.message or "overused" in e.message), "")
    rows = own.status.get("conditions")
    conditions: list[Any] = rows if isinstance(rows, list) else []
    told = [str(r.get("message") or "") for r in conditions if isinstance(r, dict) and r.get("type") == "Unschedulable"]
    return normal or (told[-1] if told else events[-1].message if events else "")


def _queue_words(queue: Workload) -> str:
    allocated, capability = queue.status.get("allocated"), queue.spec.get("capability")
    state = queue.status.get("state") or "no state"
    return f"{state}, allocated {allocated or 'nothing'}, capability {capability or 'unlimited'}"


def _owner(workload: Workload) -> str:
    return next((o.name for o in workload.owners if o.controller), workload.name)


def yunikorn_wait(case: Case) -> Wait | None:
    """Why YuniKorn does not place a pod: its own events say it; the pod shows nothing."""
    for pod in [p for p in case.pods if p.phase == "Pending" and not p.node and not p.gone]:
        events = [e for e in case.events_of(pod.key) if e.reporter == "yunikorn" or e.reason == "Informational"]
        for event in reversed(events):
            if "has become schedulable" in event.message or "fits in the available user quota" in event.message:
                break
            if (found := _yunikorn(pod, event)) is not None:
                return found
    return None


def _yunikorn(pod: Pod, event: Event) -> Wait | None:
    fits, user, large = (one.search(event.message) for one in (_NOT_IN_QUEUE, _NOT_OF_USER, _TOO_LARGE))
    queue = fits[1] if fits else large[1] if large else pod.labels.get("queue", "")
    if fits is not None:
        lacks = f"it asks for {fits[2]}, and {fits[3]} is free"
    elif user is not None:
        lacks = f"the quota of its user: it asks for {user[1]}, and {user[2]} is free"
    elif large is not None:
        lacks = f"it asks for {large[2]}, and the queue may have {large[3]}"
    else:
        return None
    return Wait(
        keeper="yunikorn",
        queue=queue,
        says=event.message,
        since=event.first or pod.created,
        evidence=(of_event(event), of_pod(pod, "Pending")),
        resource=lacks,
        never=large is not None,
        helps="a smaller ask or a larger maximum of the queue" if large else _ROOM,
        forbids="deleting placeholder pods (tg-…): they hold the place of a gang",
    )  # fmt: skip


def gated(case: Case) -> Wait | None:
    """A driver that is held back by scheduling gates."""
    for pod in case.drivers:
        held = pod.condition("PodScheduled")
        if held is None or held.reason != "SchedulingGated" or pod.gone:
            continue
        queue = pod.labels.get("kueue.x-k8s.io/queue-name", "")
        return Wait(
            keeper="kueue" if queue else "gates",
            queue=queue,
            says=held.message or "Scheduling is blocked due to non-empty scheduling gates",
            since=held.since or pod.created,
            evidence=(of_pod(pod, "Pending, PodScheduled=False, SchedulingGated"),),
            helps="whoever set its gates takes them away: spec.schedulingGates of the pod names them",
            forbids="deleting the pod: it is made again, and gated again",
        )
    return None


def not_taken_up(case: Case) -> Wait | None:
    """An application that no operator has taken up."""
    cr = case.group.cr if case.group is not None else None
    if cr is None or cr.kind != "SparkApplication" or case.drivers or not cr.created:
        return None
    states = cr.status.get("applicationState") or cr.status.get("currentState")
    if isinstance(states, dict) and (states.get("state") or states.get("currentStateSummary")):
        return None
    lasts = case.world.now - cr.created
    if lasts < PATIENCE and not case.world.saved:
        return None
    if any(e.reason == "SparkApplicationSubmitted" for e in case.events):
        return None
    added = next((e for e in case.events if e.reason == "SparkApplicationAdded"), None)
    says = (
        "the operator has seen it and not submitted it"
        if added
        else "it has no status: nothing says that an operator has seen it"
    )
    return Wait(
        keeper="operator",
        queue="",
        says=says,
        since=cr.created,
        evidence=(of_workload(cr, "no status"), *((of_event(added),) if added else ())),
        helps="an operator that works and watches its namespace: its pod, its log, its work queue, who is leader",
        forbids="deleting and making waiting applications again: each change is one more item of the queue",
    )  # fmt: skip


def suspended(case: Case) -> Wait | None:
    """An application that somebody suspended, and no queue that is known did it."""
    cr = case.group.cr if case.group is not None else None
    if cr is None or case.app.state.upper() not in ("SUSPENDED", "SUSPENDING"):
        return None
    return Wait(
        keeper="person",
        queue="",
        says="spec.suspend is true, and no queue is named on it",
        since=None,
        evidence=(of_workload(cr, f"state {case.app.state}, suspend {cr.spec.get('suspend')}"),),
        helps="who suspended it knows why; a queue that takes every application of a namespace would be another reason",
    )
