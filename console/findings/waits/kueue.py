"""What Kueue's objects say of an application that is not admitted."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from console.apps.evidence import of_workload
from console.base.clock import parse_time
from console.base.shapes import mappings
from console.facts.evidence import Evidence
from console.facts.model import Workload
from console.findings.case import Case
from console.findings.waits.ledger import KUEUE, amount, conditions_of, holds, owner_of
from console.findings.waits.model import Wait

NAME_LABEL = f"{KUEUE}/queue-name"
_LACKS = re.compile(r"insufficient (?:unused )?quota for (\S+) in flavor ([^\s,;]+)(?:, (\S+) more needed)?")
_ABSENT = re.compile(r"resource (\S+) unavailable in ClusterQueue")
_NEVER = re.compile(r"> maximum capacity|insufficient quota for ")
_PREEMPTOR = re.compile(r"\(UID: ([0-9a-fA-F-]{4,64})")
_NOT_TO_DO = "setting suspend to false (Kueue sets it back), deleting the Workload (it is made anew)"
_STOPPED = ("Hold", "HoldAndDrain")


def kueue_wait(case: Case) -> Wait | None:
    """Why Kueue holds an application back; None where it does not, or nothing says that it does."""
    cr = case.group.cr if case.group is not None else None
    if cr is None:
        return None
    own = case.world.kueue_workload(cr.namespace, cr.kind, cr.name, cr.uid)
    if own is None:
        return _unread(case, cr)
    conditions = conditions_of(own)
    if holds(conditions, "Admitted") or holds(conditions, "Finished"):
        return None
    return _waiting(case, own, conditions)


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
    told = reserved if not holds(conditions, "QuotaReserved") else conditions.get("Admitted", {})
    lost = holds(conditions, "Evicted")
    says = str(told.get("message") or evicted.get("message") or "it is in the queue, and no condition says why yet")
    queue = str(own.spec.get("queueName") or "")
    seen = case.world.kueue_queue(own, queue)
    found, absent = _largest(says), _ABSENT.search(says)
    resource = f"{found[1]} of flavor {found[2]}" if found else absent[1] if absent else ""
    reason = str(told.get("reason") or "")
    words = f"{reason or 'no condition'}: {says}"
    if lost:
        words += f", after it lost its place ({evicted.get('reason')}: {evicted.get('message')})"
    return Wait(
        keeper="kueue",
        queue=f"{queue} ({seen.cluster})" if seen.cluster else queue,
        says=says,
        since=parse_time(str(told.get("lastTransitionTime") or "")) or own.created,
        evidence=(of_workload(own, words), *_queue_proof(seen.local, seen.object, seen.head)),
        resource=resource,
        missing=(found[3] or "") if found else "",
        holders=_holders(case, own, conditions, seen.cluster, found[1] if found else "", says),
        position=seen.place,
        of=seen.among,
        guessed=True,
        behind=_blocker(seen.object, seen.head),
        never=reason == "ExceedsMaxQuota" or absent is not None or _NEVER.search(says) is not None,
        helps=_helps(own, reason, says, seen.local, seen.object),
        forbids=_NOT_TO_DO,
    )


def _largest(says: str) -> re.Match[str] | None:
    """What lacks most: a message has a sentence for each pod set, and each counts those before it as well."""
    found = list(_LACKS.finditer(says))
    first = found[0] if found else None
    same = (one for one in found if first is not None and (one[1], one[2]) == (first[1], first[2]))
    return max(same, key=lambda one: amount(one[3] or ""), default=None)


def _holders(
    case: Case, own: Workload, conditions: Mapping[str, Mapping[str, Any]], cluster: str, resource: str, says: str
) -> tuple[str, ...]:
    """Who holds what it waits for: checks that have not agreed, who preempted it, or who has the quota."""
    if holds(conditions, "QuotaReserved"):
        checks = mappings(own.status.get("admissionChecks"))
        open_ = [row for row in checks if row.get("state") != "Ready"]
        return tuple(f"admission check {row.get('name')} ({row.get('state')})" for row in open_)
    preempted = conditions.get("Preempted", {})
    found = _PREEMPTOR.search(str(preempted.get("message") or "")) if preempted.get("status") == "True" else None
    if found is not None and (who := case.world.kueue_named(found[1])):
        return (f"{who} (preempted it)",)
    if not cluster or "is inactive" in says or "doesn't exist" in says:
        return ()
    return case.world.kueue_holders(cluster, resource)


def _stopped(queue: Workload | None) -> bool:
    return queue is not None and queue.spec.get("stopPolicy") in _STOPPED


def _helps(own: Workload, reason: str, says: str, local: Workload | None, cluster: Workload | None) -> str:
    if own.spec.get("active") is False:
        return "spec.active of its Workload is false: whoever parked it has to set it to true"
    if reason == "Suspended" or _stopped(local) or _stopped(cluster):
        stopped = local if _stopped(local) else cluster
        named = f"{stopped.kind} {stopped.name}" if stopped is not None else "the queue"
        return f"whoever stopped {named} has to start it again (stopPolicy)"
    if reason == "ExceedsMaxQuota" or _NEVER.search(says):
        return "a smaller application, or a larger quota of the queue: it asks for more than the queue may ever have"
    if _ABSENT.search(says):
        return "a queue with quota for that resource"
    if reason == "Misconfigured" or "doesn't exist" in says or "is inactive" in says:
        return "a queue that exists, is active and takes its namespace"
    state = own.status.get("requeueState")
    if isinstance(state, dict) and state.get("requeueAt"):
        return f"it is put back into the queue at {state['requeueAt']}"
    if reason in ("UnsatisfiedAdmissionChecks", "UnsatisfiedChecks"):
        return "the admission checks that have not agreed yet"
    return "an end of one of those that hold it, a higher priority class, another queue, or more quota from its owner"


def _blocker(cluster: Workload | None, head: Workload | None) -> str:
    strict = cluster is not None and cluster.spec.get("queueingStrategy") == "StrictFIFO"
    return owner_of(head) if strict and head is not None else ""


def _queue_proof(local: Workload | None, cluster: Workload | None, head: Workload | None) -> tuple[Evidence, ...]:
    out = (
        [of_workload(local, f"stopPolicy {local.spec['stopPolicy']}")] if local is not None and _stopped(local) else []
    )
    if cluster is not None:
        said = [str(cluster.spec.get("queueingStrategy") or "BestEffortFIFO")]
        said += [f"stopPolicy {cluster.spec['stopPolicy']}"] if _stopped(cluster) else []
        counts = {
            key: cluster.status.get(key) for key in ("pendingWorkloads", "admittedWorkloads", "reservingWorkloads")
        }
        said += [f"{key} {value}" for key, value in counts.items() if value is not None]
        out.append(of_workload(cluster, ", ".join(said)))
        if _blocker(cluster, head) and head is not None:
            why = conditions_of(head).get("QuotaReserved", {}).get("message") or "no condition"
            out.append(of_workload(head, f"the head of the queue blocks all behind it: {why}"))
    return tuple(out)
