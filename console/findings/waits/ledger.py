"""What queues say together, looked up once: whose Workload it is, who holds what, who waits in which order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

from console.base.shapes import mappings
from console.base.units import human_amount, parse_quantity
from console.facts.model import Workload
from console.findings.waits.model import HOLDERS

KUEUE = "kueue.x-k8s.io"


def conditions_of(workload: Workload) -> dict[str, Mapping[str, Any]]:
    """Its conditions by type."""
    return {str(row.get("type")): row for row in mappings(workload.status.get("conditions"))}


def holds(conditions: Mapping[str, Mapping[str, Any]], kind: str) -> bool:
    """Whether a condition is True."""
    return conditions.get(kind, {}).get("status") == "True"


def owner_of(workload: Workload) -> str:
    """`namespace/name` of what it was made for."""
    name = next((o.name for o in workload.owners if o.controller), "")
    return f"{workload.namespace}/{name or workload.name}"


def stated(cr: Workload) -> bool:
    """Whether an operator has given an application any state."""
    held = cr.status.get("applicationState") or cr.status.get("currentState")
    return isinstance(held, dict) and bool(held.get("state") or held.get("currentStateSummary"))


class KueueLedger:
    """The Workloads and queues of one moment."""

    def __init__(self, objects: Iterable[Workload]) -> None:
        own = [one for one in objects if one.api_version.startswith(f"{KUEUE}/") and not one.gone]
        self._workloads = [one for one in own if one.kind == "Workload"]
        self._local = {(q.namespace, q.name): q for q in own if q.kind == "LocalQueue"}
        self.clusters = {q.name: q for q in own if q.kind == "ClusterQueue"}

    def of(self, namespace: str, kind: str, name: str, uid: str) -> Workload | None:
        """The Workload that was made for an object."""
        return self._by_owner.get((namespace, kind, name)) or (self._by_job.get((namespace, uid)) if uid else None)

    def local(self, namespace: str, name: str) -> Workload | None:
        return self._local.get((namespace, name))

    def cluster_of(self, namespace: str, queue: str) -> str:
        """Name of the ClusterQueue behind a LocalQueue; `` where that was not read."""
        found = self.local(namespace, queue)
        return str(found.spec.get("clusterQueue") or "") if found is not None else ""

    def named(self, uid: str) -> str:
        """Who the Workload with this uid was made for; `` where none is known."""
        return next((owner_of(w) for w in self._workloads if w.uid == uid), "")

    def holders(self, cluster: str, resource: str) -> tuple[str, ...]:
        """Who has quota of a cluster queue reserved, else of its cohort, those that hold most of the resource first."""
        own = self._holding([cluster], resource)
        if own or not (cohort := _cohort(self.clusters.get(cluster))):
            return own
        return self._holding([n for n, q in self.clusters.items() if n != cluster and _cohort(q) == cohort], resource)

    def _holding(self, clusters: Iterable[str], resource: str) -> tuple[str, ...]:
        held: list[tuple[float, str]] = []
        for cluster in clusters:
            for one in self._reserved.get(cluster, ()):
                admission: dict[str, Any] = one.status["admission"]
                used = [_usage(part, resource) for part in mappings(admission.get("podSetAssignments"))]
                total = sum(map(amount, used))
                much = f" ({human_amount(total, resource)} {resource})" if any(used) else ""
                if much or not resource:
                    held.append((total, owner_of(one) + much))
        held.sort(key=lambda pair: (-pair[0], pair[1]))
        return tuple(name for _, name in held[:HOLDERS])

    def place(self, namespace: str, name: str, cluster: str) -> tuple[int | None, int | None, Workload | None]:
        """(place from 1, how many wait, who is the head where that is another) by priority and age; Nones where it is
        not known to wait there."""
        order = self._waiting.get(cluster, [])
        head = next(iter(order), None)
        for number, one in enumerate(order, 1):
            if one.namespace == namespace and one.name == name:
                return number, len(order), head if number > 1 else None
        return None, None, None

    @cached_property
    def _by_owner(self) -> dict[tuple[str, str, str], Workload]:
        return {(w.namespace, o.kind, o.name): w for w in self._workloads for o in w.owners}

    @cached_property
    def _by_job(self) -> dict[tuple[str, str], Workload]:
        label = f"{KUEUE}/job-uid"
        return {(w.namespace, w.labels[label]): w for w in self._workloads if label in w.labels}

    @cached_property
    def _reserved(self) -> dict[str, list[Workload]]:
        out: dict[str, list[Workload]] = {}
        for one in self._workloads:
            admission, conditions = one.status.get("admission"), conditions_of(one)
            if isinstance(admission, dict) and holds(conditions, "QuotaReserved") and not holds(conditions, "Finished"):
                out.setdefault(str(admission.get("clusterQueue")), []).append(one)
        return out

    @cached_property
    def _waiting(self) -> dict[str, list[Workload]]:
        out: dict[str, list[Workload]] = {}
        for one in self._workloads:
            conditions = conditions_of(one)
            if one.spec.get("active") is False or holds(conditions, "QuotaReserved") or holds(conditions, "Finished"):
                continue
            if cluster := self.cluster_of(one.namespace, str(one.spec.get("queueName") or "")):
                out.setdefault(cluster, []).append(one)
        for waiting in out.values():
            waiting.sort(key=lambda w: (-_priority(w), w.created or 0.0, w.name))
        return out


def _cohort(queue: Workload | None) -> str:
    """The cohort of a cluster queue; its field was called `cohort` up to v1beta1."""
    return str(queue.spec.get("cohortName") or queue.spec.get("cohort") or "") if queue is not None else ""


def _usage(part: Mapping[str, Any], resource: str) -> str:
    usage = part.get("resourceUsage")
    return str(usage.get(resource) or "") if isinstance(usage, dict) else ""


def amount(written: str) -> float:
    """A quantity as a number; 0 where it is none."""
    try:
        return parse_quantity(written) if written else 0.0
    except (ValueError, ArithmeticError):
        return 0.0


def _priority(workload: Workload) -> int:
    found = workload.spec.get("priority")
    return found if isinstance(found, int) and not isinstance(found, bool) else 0
