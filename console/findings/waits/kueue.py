"""What Kueue's objects say of an application that is not admitted."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from console.apps.evidence import of_workload
from console.base.clock import parse_time
from console.facts.evidence import Evidence
from console.facts.model import Workload
from console.findings.case import Case
from console.findings.waits.model import Wait

GROUP = "kueue.x-k8s.io"
NAME_LABEL = f"{GROUP}/queue-name"
_LACKS = re.compile(r"insufficient (?:unused )?quota for (\S+) in flavor (\S+?),? ?(?:(\S+) more needed)?(?:[.;,]|$)")
_NEVER = re.compile(r"> maximum capacity|insufficient quota for ")
_HOLDERS = 5
_NOT_TO_DO = "setting suspend to false (Kueue sets it back), deleting the Workload (it is made anew)"


def kueue_wait(case: Case) -> Wait | None:
    """Why Kueue holds an application back; None where it does not, or nothing says that it does."""
    cr = case.group.cr if case.group is not None else None
    if cr is None:
        return None
    own = next((w for w in _all(case, "Workload") if _is_of(w, cr) and not w.gone), None)
    if own is None:
        return _unread(case, cr)
    conditions = _conditions(own)
    if _true(conditions, "Admitted") or _true(conditions, "Finished"):
        return None
    return _waiting(case, own, conditions)


def _all(case: Case, kind: str) -> list[Workload]:
    return [w for w in case.world.workloads(kind) if w.api_version.startswith(f"{GROUP}/")]


def _is_of(workload: Workload, cr: Workload) -> bool:
    if workload.namespace != cr.namespace:
        return False
    if any(o.kind == cr.kind and o.name == cr.name for o in workload.owners):
        return True
    return bool(cr.uid) and workload.labels.get(f"{GROUP}/job-uid") == cr.uid


def _conditions(workload: Workload) -> dict[str, Mapping[str, Any]]:
    held = workload.status.get("conditions")
    rows = held if isinstance(held, list) else []
    return {str(row.get("type")): row for row in rows if isinstance(row, dict)}


def _true(conditions: Mapping[str, Mapping[str, Any]], kind: str) -> bool:
    return conditions.get(kind, {}).get("status") == "True"


def _unread(case: Case, cr: Workload) -> Wait | None:
    """A suspended application of which no Workload was read."""
    queue = cr.labels.get(NAME_LABEL, "")
    if not queue or case.app.state.upper() not in ("SUSPENDED", "SUSPENDING"):
        return None
    return Wait(
        keeper="kueue",
        queue=queue,
        says="its Workload was not read, so that the reason is not known",
        since=None,
        evidence=(of_workload(cr, f"state {case.app.state}, label {NAME_LABEL}={queue}"),),
        helps="its Workload says the reason: kubectl get workloads.kueue.x-k8s.io of its namespace",
        forbids=_NOT_TO_DO,
    )


def _waiting(case: Case, own: Workload, conditions: Mapping[str, Mapping[str, Any]]) -> Wait:
    reserved, evicted = conditions.get("QuotaReserved", {}), conditions.get("Evicted", {})
    told = reserved if not _true(conditions, "QuotaReserved") else conditions.get("Admitted", {})
    says = str(told.get("message") or evicted.get("message") or "it is in the queue, and no condition says why yet")
    queue = str(own.spec.get("queueName") or "")
    cluster = _cluster_queue(case, own.namespace, queue)
    found = _LACKS.search(says)
    resource, flavor, missing = (found[1], found[2], found[3] or "") if found is not None else ("", "", "")
    never = told.get("reason") == "ExceedsMaxQuota" or _NEVER.search(says) is not None
    place, among, ahead = _place(case, own, cluster)
    since = parse_time(str(told.get("lastTransitionTime") or "")) or own.created
    taken = f", after it lost its place ({evicted.get('reason')}: {evicted.get('message')})"
    lost = taken if _true(conditions, "Evicted") else ""
    return Wait(
        keeper="kueue",
        queue=f"{queue} ({cluster})" if cluster else queue,
        says=says,
        since=since,
        evidence=_proof(case, own, f"{told.get('reason') or 'no condition'}: {says}{lost}", cluster, ahead),
        resource=f"{resource} of flavor {flavor}" if resource else "",
        missing=missing,
        holders=tuple(_holders(case, cluster, resource)),
        position=place,
        of=among,
        guessed=True,
        never=never,
        helps=_helps(never, str(told.get("reason") or ""), own),
        forbids=_NOT_TO_DO,
    )


def _helps(never: bool, reason: str, own: Workload) -> str:
    if own.spec.get("active") is False:
        return "spec.active of its Workload is false: whoever parked it has to set it to true"
    if never:
        return "a smaller application, or a larger quota of the queue: it asks for more than the queue may ever have"
    if reason == "Suspended":
        return "whoever stopped the queue has to start it again (stopPolicy)"
    if reason == "Misconfigured":
        return "a queue that exists and takes its namespace"
    return "an end of one of those that hold it, a higher priority class, another queue, or more quota from its owner"


def _cluster_queue(case: Case, namespace: str, queue: str) -> str:
    found = next((q for q in _all(case, "LocalQueue") if q.namespace == namespace and q.name == queue), None)
    return str(found.spec.get("clusterQueue") or "") if found is not None else ""


def _holders(case: Case, cluster: str, resource: str) -> Iterable[str]:
    """Who was admitted to the cluster queue, those that hold most of the resource first."""
    if not cluster:
        return []
    held = []
    for one in _all(case, "Workload"):
        admission = one.status.get("admission")
        conditions = _conditions(one)
        if not isinstance(admission, dict) or admission.get("clusterQueue") != cluster:
            continue
        if _true(conditions, "Finished") or not _true(conditions, "Admitted"):
            continue
        used = [_usage(part, resource) for part in _rows(admission.get("podSetAssignments"))]
        amount = ", ".join(u for u in used if u)
        if amount or not resource:
            held.append(
                (_number(used), f"{one.namespace}/{_owner(one)}" + (f" ({amount} {resource})" if amount else ""))
            )
    held.sort(key=lambda pair: (-pair[0], pair[1]))
    return [name for _, name in held[:_HOLDERS]]


def _rows(value: Any) -> list[dict[str, Any]]:
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def _usage(part: Mapping[str, Any], resource: str) -> str:
    usage = part.get("resourceUsage")
    return str(usage.get(resource) or "") if isinstance(usage, dict) else ""


def _number(amounts: Sequence[str]) -> float:
    return sum(float(found[0]) for one in amounts if (found := re.match(r"\d{1,15}(?:\.\d{1,9})?", one)))


def _owner(workload: Workload) -> str:
    return next((o.name for o in workload.owners if o.controller), workload.name)


def _place(case: Case, own: Workload, cluster: str) -> tuple[int | None, int | None, Workload | None]:
    """(place from 1, how many wait, who is the head) by priority and age; None where the queue's workloads are not
    known to be all there."""
    if not cluster:
        return None, None, None
    queues = {(q.namespace, q.name) for q in _all(case, "LocalQueue") if q.spec.get("clusterQueue") == cluster}
    waiting = [
        w
        for w in _all(case, "Workload")
        if (w.namespace, str(w.spec.get("queueName") or "")) in queues
        and w.spec.get("active") is not False
        and not any(_true(_conditions(w), kind) for kind in ("QuotaReserved", "Finished"))
    ]
    waiting.sort(key=lambda w: (-_priority(w), w.created or 0.0, w.name))
    place = next((n for n, w in enumerate(waiting, 1) if w.namespace == own.namespace and w.name == own.name), None)
    if place is None:
        return None, None, None
    return place, len(waiting), waiting[0] if place > 1 else None


def _priority(workload: Workload) -> int:
    found = workload.spec.get("priority")
    return found if isinstance(found, int) and not isinstance(found, bool) else 0


def _proof(case: Case, own: Workload, words: str, cluster: str, head: Workload | None) -> tuple[Evidence, ...]:
    out = [of_workload(own, words)]
    queue = next((q for q in _all(case, "ClusterQueue") if q.name == cluster), None)
    if queue is not None:
        strategy = str(queue.spec.get("queueingStrategy") or "BestEffortFIFO")
        counts = {key: queue.status.get(key) for key in ("pendingWorkloads", "admittedWorkloads", "reservingWorkloads")}
        out.append(
            of_workload(queue, f"{strategy}, " + ", ".join(f"{k} {v}" for k, v in counts.items() if v is not None))
        )
        if strategy == "StrictFIFO" and head is not None:
            why = _conditions(head).get("QuotaReserved", {}).get("message") or "no condition"
            out.append(of_workload(head, f"the head of the queue blocks all behind it: {why}"))
    return tuple(out)
