"""What Volcano's objects say of a PodGroup that is not taken up, and plain pod groups of other schedulers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from console.apps.evidence import of_event, of_workload
from console.base.shapes import mappings
from console.base.units import human_amount, parse_quantity
from console.facts.model import Event, Pod, Workload
from console.findings.case import Case
from console.findings.waits.ledger import owner_of
from console.findings.waits.model import HOLDERS, Wait

_VOLCANO, _PLUGINS = "scheduling.volcano.sh/", "scheduling.x-k8s.io/"
_INSUFFICIENT = re.compile(r"[Ii]nsufficient ((?:[a-z0-9.-]+/)?[a-z-]+)")
_LARGER = "a smaller application, or more capability of the queue"
_LETS_IN = "an end of one that holds it, a higher priority, or more capability of the queue"


def volcano_wait(case: Case) -> Wait | None:
    """Why Volcano does not take up the PodGroup of an application."""
    groups = [w for w in case.world.workloads("PodGroup") if w.api_version.startswith(_VOLCANO)]
    own = next((g for g in groups if _is_of(case, g, f"spark-{case.app.name}-pg") and not g.gone), None)
    if own is None or own.status.get("phase") not in ("Pending", "Inqueue", None):
        return None
    return _of_group(case, own, groups)


def _of_group(case: Case, own: Workload, groups: Sequence[Workload]) -> Wait | None:
    """The wait of its own PodGroup among those that were read."""
    name = _queue_of(own)
    queue = next((q for q in case.world.workloads("Queue") if _of_volcano(q, name)), None)
    events = [e for e in case.world.events(own.key) if e.reason in ("Unschedulable", "FailedScheduling")]
    says = _says(own, events)
    closed = _closed(queue)
    if not says and not closed:
        return None
    proof = [of_workload(own, f"phase {own.status.get('phase') or 'none yet'}: {says or 'no condition'}")]
    if queue is not None:
        proof.append(of_workload(queue, _queue_words(queue)))
    lacking = sorted(set(_INSUFFICIENT.findall(says)))
    missing = _missing(own, queue, lacking)
    return Wait(
        keeper="volcano",
        queue=name,
        says=f"queue {name} is {closed}" if closed else says,
        since=own.created,
        evidence=(*proof, *(of_event(e) for e in events[-1:])),
        resource=", ".join(lacking) if not missing else missing[1],
        missing=missing[0] if missing else "",
        holders=_holders(groups, own, lacking),
        position=_place(groups, own),
        of=len(_waiting(groups, own)),
        guessed=True,
        never=_never(own, queue),
        helps="an open queue" if closed else _LARGER if _never(own, queue) else _LETS_IN,
    )  # fmt: skip


def gang_wait(case: Case) -> Wait | None:
    """A pod group of the scheduler plugins that is not complete: none of it starts before enough of it can."""
    groups = [w for w in case.world.workloads("PodGroup") if w.api_version.startswith(_PLUGINS)]
    own = next((g for g in groups if _is_of(case, g, f"{case.app.name}-pg") and not g.gone), None)
    if own is None or own.status.get("phase") not in ("Pending", "PreScheduling", "Scheduling", None):
        return None
    waiting = [p for p in case.pods if not p.node and p.phase == "Pending" and not p.gone]
    return _of_gang(case, own, waiting) if waiting else None


def _of_gang(case: Case, own: Workload, waiting: Sequence[Pod]) -> Wait:
    """The wait of the pods of a group that is not complete."""
    wanted, placed = own.spec.get("minMember"), sum(1 for p in case.pods if p.node and not p.gone)
    events = [e for p in waiting for e in case.events_of(p.key) if e.reason == "FailedScheduling"]
    words = events[-1].message if events else ""
    lacking = sorted(set(_INSUFFICIENT.findall(words)))
    short = f" ({', '.join(lacking)} short)" if lacking else ""
    return Wait(
        keeper="gang",
        queue=own.name,
        says=words or f"{placed} of at least {wanted} pods have a node",
        since=own.created,
        evidence=(of_workload(own, f"phase {own.status.get('phase') or 'none yet'}, minMember {wanted}"),
                  *(of_event(e) for e in events[-1:])),
        resource=f"{placed} of at least {wanted} pods have a node{short}",
        holders=case.world.spark_holders(lacking[0], "", case.app.key) if lacking else (),
        helps="room for the whole group at once: an end of one that holds it, more nodes, or a smaller minMember",
    )  # fmt: skip


def _of_volcano(queue: Workload, name: str) -> bool:
    return queue.name == name and queue.api_version.startswith(_VOLCANO)


def _closed(queue: Workload | None) -> str:
    """Its state, where that lets nothing in."""
    state = queue.status.get("state") if queue is not None else ""
    return str(state) if state in ("Closed", "Closing") else ""


def _queue_of(group: Workload) -> str:
    return str(group.spec.get("queue") or "default")


def _holders(groups: Sequence[Workload], own: Workload, lacking: Sequence[str]) -> tuple[str, ...]:
    """Applications whose PodGroups run in the same queue, those that asked most of what lacks first."""
    held = [g for g in groups if g is not own and _queue_of(g) == _queue_of(own) and not g.gone]
    running = [g for g in held if g.status.get("phase") in ("Running", "Inqueue", "Unknown")]
    resource = lacking[0] if lacking else ""
    amounts = [(_amount(g.spec.get("minResources"), resource) or 0.0, owner_of(g)) for g in running]
    amounts.sort(key=lambda pair: (-pair[0], pair[1]))
    return tuple(name + (f" ({_counted(much, resource)})" if much else "") for much, name in amounts[:HOLDERS])


def _counted(much: float, resource: str) -> str:
    return f"{human_amount(much, resource)} {resource}"


def _waiting(groups: Iterable[Workload], own: Workload) -> list[Workload]:
    mine = [g for g in groups if _queue_of(g) == _queue_of(own) and g.status.get("phase") in ("Pending", None)]
    return sorted((g for g in mine if not g.gone), key=lambda g: (g.created or 0.0, g.name))


def _place(groups: Iterable[Workload], own: Workload) -> int | None:
    return next((n for n, g in enumerate(_waiting(groups, own), 1) if g is own), None)


def _amount(resources: Any, name: str) -> float | None:
    """How much of a resource a list of resources has; None where it is not in it."""
    found = resources.get(name) if isinstance(resources, dict) else None
    try:
        return parse_quantity(found) if isinstance(found, str | int | float) else None
    except (ValueError, ArithmeticError):
        return None


def _missing(own: Workload, queue: Workload | None, lacking: Sequence[str]) -> tuple[str, str] | None:
    """How much of the first resource that lacks is missing, and which; None where it can't be computed."""
    for name in lacking:
        asked, may = _amount(own.spec.get("minResources"), name), _capability(queue, name)
        if asked is not None and may is not None:
            taken = _amount(queue.status.get("allocated"), name) or 0.0 if queue is not None else 0.0
            if (short := asked - (may - taken)) > 0:
                return human_amount(short, name), name
    return None


def _capability(queue: Workload | None, name: str) -> float | None:
    return _amount(queue.spec.get("capability"), name) if queue is not None else None


def _never(own: Workload, queue: Workload | None) -> bool:
    """Whether it asks for more of anything than its queue may ever have."""
    asked = own.spec.get("minResources")
    names = list(asked) if isinstance(asked, dict) else []
    return any((_amount(asked, n) or 0.0) > may for n in names if (may := _capability(queue, n)) is not None)


def _is_of(case: Case, group: Workload, usual: str) -> bool:
    if group.namespace != case.app.namespace:
        return False
    names = {p.annotations.get("scheduling.k8s.io/group-name", "") for p in case.pods}
    names |= {p.labels.get("scheduling.x-k8s.io/pod-group", "") for p in case.pods}
    owned = any(o.kind == "SparkApplication" and o.name == case.app.name for o in group.owners)
    return owned or group.name == usual or group.name in names


def _says(own: Workload, events: Sequence[Event]) -> str:
    normal = next((e.message for e in reversed(events) if "insufficient" in e.message or "overused" in e.message), "")
    conditions = mappings(own.status.get("conditions"))
    told = [str(r.get("message") or "") for r in conditions if r.get("type") == "Unschedulable"]
    return normal or (told[-1] if told else events[-1].message if events else "")


def _queue_words(queue: Workload) -> str:
    allocated, capability = queue.status.get("allocated"), queue.spec.get("capability")
    state = queue.status.get("state") or "no state"
    return f"{state}, allocated {allocated or 'nothing'}, capability {capability or 'unlimited'}"
