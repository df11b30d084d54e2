"""Live objects as expressions see them: what their kind is known to have, and the words of its states."""

from __future__ import annotations

from collections.abc import Iterable

from console.apps.states import STATES
from console.runbook.catalogue import Catalogue
from console.runbook.language.targets import KINDS
from console.runbook.lint.words import ANY, LEAF, Partial, Shape, Words
from console.runbook.model import NamedObject, Probe

SEEN = ("found", "absent", "forbidden", "unreachable")
"""What came of reading an object."""
WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet")
_COUNTS = dict.fromkeys(
    ("replicas", "readyReplicas", "updatedReplicas", "observedGeneration", "availableReplicas"), LEAF
)
_JOB = dict.fromkeys(("active", "succeeded", "failed", "startTime", "completionTime", "ready", "terminating"), LEAF)
_CONDITION = dict.fromkeys(("status", "reason", "message", "lastTransitionTime"), LEAF)
STATUS: dict[str, dict[str, Shape]] = {
    "Deployment": {**_COUNTS, "unavailableReplicas": LEAF, "collisionCount": LEAF},
    "StatefulSet": {**_COUNTS, "currentReplicas": LEAF, "currentRevision": LEAF, "updateRevision": LEAF},
    "DaemonSet": dict.fromkeys(
        ("currentNumberScheduled", "desiredNumberScheduled", "numberAvailable", "numberMisscheduled", "numberReady",
         "numberUnavailable", "observedGeneration", "updatedNumberScheduled"), LEAF),
    "Pod": {"phase": Words("Pending", "Running", "Succeeded", "Failed", "Unknown"), "hostIP": LEAF, "podIP": LEAF,
            "qosClass": LEAF, "reason": LEAF, "message": LEAF, "startTime": LEAF, "containerStatuses": ANY,
            "initContainerStatuses": ANY, "nominatedNodeName": LEAF},
    "PersistentVolumeClaim": {"phase": Words("Pending", "Bound", "Lost"), "capacity": ANY, "accessModes": ANY},
    "Namespace": {"phase": Words("Active", "Terminating")},
    "Job": _JOB,
    "CronJob": {"active": ANY, "lastScheduleTime": LEAF, "lastSuccessfulTime": LEAF},
    "ResourceQuota": {"hard": ANY, "used": ANY},
    "Node": {"capacity": ANY, "allocatable": ANY, "addresses": ANY, "nodeInfo": ANY, "images": ANY},
    "HorizontalPodAutoscaler": dict.fromkeys(("currentReplicas", "desiredReplicas", "lastScaleTime"), LEAF),
    "PodDisruptionBudget": dict.fromkeys(
        ("currentHealthy", "desiredHealthy", "disruptionsAllowed", "expectedPods", "observedGeneration"), LEAF),
    "SparkApplication": {
        "applicationState": Partial(state=Words(*STATES), errorMessage=LEAF), "driverInfo": ANY, "executorState": ANY,
        "executionAttempts": LEAF, "submissionAttempts": LEAF, "lastSubmissionAttemptTime": LEAF,
        "sparkApplicationId": LEAF,
        "terminationTime": LEAF, "currentState": ANY, "stateTransitionHistory": ANY},
    "ScheduledSparkApplication": dict.fromkeys(
        ("lastRun", "lastRunName", "nextRun", "pastFailedRunNames", "pastSuccessfulRunNames", "reason",
         "scheduleState"), LEAF),
}  # fmt: skip
"""Kind → the fields of its status that are known."""
CONDITIONS: dict[str, tuple[str, ...]] = {
    "Deployment": ("Available", "Progressing", "ReplicaFailure"),
    "Pod": ("PodScheduled", "Initialized", "ContainersReady", "Ready", "DisruptionTarget", "PodReadyToStartContainers"),
    "Node": ("Ready", "MemoryPressure", "DiskPressure", "PIDPressure", "NetworkUnavailable"),
    "Job": ("Complete", "Failed", "Suspended", "FailureTarget", "SuccessCriteriaMet"),
}
_META = ("name", "namespace", "uid", "labels", "annotations", "creationTimestamp", "deletionTimestamp", "generation",
         "resourceVersion", "ownerReferences", "finalizers", "generateName", "deletionGracePeriodSeconds")  # fmt: skip


def of(one: NamedObject, catalogue: Catalogue) -> Shape:
    """What an object that the runbook names may have; a list of them where it names several."""
    kinds = WORKLOADS if one.workload else (one.kind,)
    found = tree(kinds, catalogue, one.api_version)
    return [found] if one.listed else found


PROBE: Shape = {"open": LEAF, "status": LEAF, "seconds": LEAF, "text": LEAF, "because": LEAF, "json": ANY}
"""What a probe may have; that of one which asks no GET has no answer to it."""


def answer(probe: Probe) -> Shape:
    """What the answer of a port may have."""
    asked = ("open", "because") if not probe.get else tuple(PROBE)
    return {key: PROBE[key] for key in asked}


def tree(kinds: Iterable[str], catalogue: Catalogue, api_version: str = "") -> Shape:
    """The fields of an object of one of these kinds; ANY where nothing is known of them."""
    spec, status, known = Partial(), Partial(), False
    conditions: list[str] = []
    for kind in kinds:
        fields = catalogue.kind(api_version or KINDS.get(kind, ""), kind)
        known = known or fields is not None or kind in STATUS
        spec.update(_fields(catalogue.below(fields.get("spec", {})), catalogue) if isinstance(fields, dict) else {})
        status.update(STATUS.get(kind, {}))
        conditions += CONDITIONS.get(kind, ())
    if not known:
        return ANY
    status["conditions"] = [Partial(type=Words(*conditions, "*") if conditions else LEAF, **_CONDITION)]
    meta = Partial({**dict.fromkeys(_META, LEAF), "labels": ANY, "annotations": ANY, "ownerReferences": ANY})
    return Partial(apiVersion=LEAF, kind=LEAF, metadata=meta, spec=spec, status=status, data=ANY, keys=ANY, type=LEAF)


def _fields(fields: object, catalogue: Catalogue) -> Partial:
    out = Partial()
    for key, inner in fields.items() if isinstance(fields, dict) else ():
        out[key] = _fields(catalogue.below(inner), catalogue) if isinstance(catalogue.below(inner), dict) else ANY
    return out
