"""Waits behind scheduling gates, in the operator's own queue, and by a person's hand."""

from __future__ import annotations

from console.apps.evidence import of_event, of_pod, of_workload
from console.findings.case import Case
from console.findings.waits.ledger import stated
from console.findings.waits.model import Wait

PATIENCE = 60.0
"""Seconds after which an application that no operator took up waits for it."""
_GATES = {
    "kueue.x-k8s.io/admission": "kueue",
    "kueue.x-k8s.io/elastic-job": "kueue",
    "kueue.x-k8s.io/topology": "kueue",
    "scheduling.volcano.sh/queue-allocation-gate": "volcano",
}
"""Gates whose owners are known."""


def gated(case: Case) -> Wait | None:
    """A driver that is held back by scheduling gates."""
    for pod in case.drivers:
        held = pod.condition("PodScheduled")
        if held is None or held.reason != "SchedulingGated" or pod.gone:
            continue
        queue = pod.labels.get("kueue.x-k8s.io/queue-name", "")
        owner = next((_GATES[g] for g in pod.gates if g in _GATES), "kueue" if queue else "gates")
        named = ", ".join(pod.gates)
        return Wait(
            keeper="kueue" if owner == "kueue" else "volcano" if owner == "volcano" else "gates",
            queue=queue,
            says=held.message or "Scheduling is blocked due to non-empty scheduling gates",
            since=held.since or pod.created,
            evidence=(of_pod(pod, f"Pending, PodScheduled=False, SchedulingGated{f': {named}' if named else ''}"),),
            holders=tuple(f"gate {gate}" for gate in pod.gates),
            helps="whoever set its gates takes them away"
            + (f": {named}" if named else ": spec.schedulingGates of the pod names them"),
            forbids="deleting the pod: it is made again, and gated again",
        )
    return None


def not_taken_up(case: Case) -> Wait | None:
    """An application that no operator has taken up."""
    cr = case.group.cr if case.group is not None else None
    if cr is None or cr.kind != "SparkApplication" or case.drivers or not cr.created:
        return None
    if stated(cr):
        return None
    if not case.world.past(cr.created + PATIENCE) and not case.world.saved:
        return None
    if any(e.reason == "SparkApplicationSubmitted" for e in case.events):
        return None
    added = next((e for e in case.events if e.reason == "SparkApplicationAdded"), None)
    says = (
        "the operator has seen it and not submitted it"
        if added
        else "it has no status: nothing says that an operator has seen it"
    )
    order = case.world.unsubmitted
    place = order.index(cr.key) + 1 if len(order) > 1 and cr.key in order else None
    return Wait(
        keeper="operator",
        queue="",
        says=says,
        since=cr.created,
        evidence=(of_workload(cr, "no status"), *((of_event(added),) if added else ())),
        resource=says,
        holders=case.world.operator_pods,
        position=place,
        of=len(order) if place else None,
        guessed=True,
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
        holders=tuple(f"last written by {manager}" for manager in cr.managers if manager != "spark-operator")[:2],
        helps="who suspended it knows why; a queue that takes every application of a namespace would be another reason",
    )
