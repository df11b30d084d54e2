# ruff: noqa: E501  (objects and messages are as wide as what prints them)
"""Twenty-six waits, one for each way in which a queue, a scheduler, a quota or a person holds an application back: whose
it is, how much is missing, and who holds it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from console.apps.assemble import assemble
from console.board.compose import board
from console.board.model import Cluster
from console.board.waits import AppWait, waits_of
from console.facts.model import Workload
from console.findings.diagnose import diagnose
from tests.findings.test_waits import LACKS, LOCAL, SUSPENDED, VOLCANO, kueue, of_app, of_group
from tests.findings.worlds import at, cr, driver, event, executor, facts, node, pending, pod, workload

OF_ETL = {"sparkoperator.k8s.io/app-name": "etl"}
PLUGINS = "scheduling.x-k8s.io/v1alpha1"
CLUSTER = kueue("ClusterQueue", "gpus", namespace="", spec={"cohortName": "all"})
BIG = of_app("big", admitted="gpus", gpus="8")
TOO_MUCH = "insufficient quota for cpu in flavor x, previously considered podsets requests (1) + current podset request (80) > maximum capacity (40)"
GATED = [
    {
        "type": "PodScheduled",
        "status": "False",
        "reason": "SchedulingGated",
        "message": "Scheduling is blocked due to non-empty scheduling gates",
    }
]


def of_kueue(*things: Any, **own: Any) -> tuple[Any, ...]:
    return (SUSPENDED, LOCAL, of_app("etl", **own), *things)


def conditioned(*conditions: dict[str, Any], **status: Any) -> Workload:
    owner = {
        "apiVersion": "sparkoperator.k8s.io/v1beta2",
        "kind": "SparkApplication",
        "name": "etl",
        "controller": True,
    }
    return kueue(
        "Workload", "sparkapplication-etl-1", spec={"queueName": "team"}, status={"conditions": list(conditions), **status},
        ownerReferences=[owner], creationTimestamp=at(0),
    )  # fmt: skip


def is_(kind: str, status: str, reason: str, message: str) -> dict[str, Any]:
    return {"type": kind, "status": status, "reason": reason, "message": message, "lastTransitionTime": at(30)}


def group(api: str, name: str, app: str, phase: str, gpus: str = "4", **spec: Any) -> Workload:
    made = workload(
        "PodGroup", name, spec={"queue": "team", "minResources": {"nvidia.com/gpu": gpus}, **spec}, status={"phase": phase},
        ownerReferences=[{"kind": "SparkApplication", "name": app, "controller": True}],
    )  # fmt: skip
    return of_group(made, api)


def of_volcano(
    capability: str, state: str = "Open", gpus: str = "4", words: str = "insufficient nvidia.com/gpu"
) -> tuple[Any, ...]:
    queue = workload(
        "Queue",
        "team",
        namespace="",
        spec={"capability": {"nvidia.com/gpu": capability}},
        status={"state": state, "allocated": {"nvidia.com/gpu": "6"}},
    )
    told = event(
        "PodGroup/jobs/spark-etl-pg", "Unschedulable", f"queue resource quota insufficient: {words}", type="Normal"
    )
    return (
        cr("SUBMITTED"), of_group(queue, VOLCANO), told, group(VOLCANO, "spark-etl-pg", "etl", "Pending", gpus),
        group(VOLCANO, "spark-big-pg", "big", "Running", "6"),
    )  # fmt: skip


def of_yunikorn(words: str, queue: str = "root.team") -> tuple[Any, ...]:
    silent = pod("etl-driver", "driver", phase="Pending", node="", labels={"queue": queue})
    busy = pod(
        "big-driver",
        "driver",
        app_id="spark-" + "b" * 32,
        labels={"queue": queue, "sparkoperator.k8s.io/app-name": "big"},
        limits={"memory": "12Gi"},
    )
    return silent, busy, event("Pod/jobs/etl-driver", "Informational", words, type="Normal")


def unplaced(words: str, *more: Any, **rest: Any) -> tuple[Any, ...]:
    blocked = [
        {
            "type": "PodScheduled",
            "status": "False",
            "reason": "Unschedulable",
            "message": words,
            "lastTransitionTime": at(0),
        }
    ]
    other = pod(
        "big-driver",
        "driver",
        app_id="spark-" + "b" * 32,
        labels={"sparkoperator.k8s.io/app-name": "big"},
        limits={"memory": "40Gi", "nvidia.com/gpu": "4"},
    )
    return (driver(state={}, phase="Pending", node="", conditions=blocked, **rest), other, *more)


def refused(used: str, hard: str, name: str = "requests.memory") -> tuple[Any, ...]:
    quota = workload("ResourceQuota", "team", status={"hard": {name: hard}, "used": {name: used}})
    big = pod(
        "big-driver",
        "driver",
        app_id="spark-" + "b" * 32,
        labels={"sparkoperator.k8s.io/app-name": "big"},
        limits={"memory": "9Gi"},
    )
    return cr("RUNNING"), driver(labels=OF_ETL), quota, big


FITS_NOT = "Request 'b3f1' does not fit in queue 'root.team' (requested map[memory:17179869184 pods:1 vcore:4000], available map[memory:4294967296 vcore:1000])"
NO_NODE = "0/3 nodes are available: 3 Insufficient memory. preemption: 0/3 nodes are available: 3 No preemption victims found for incoming pod."
NODES = (node("node-1", allocatable={"memory": "64Gi", "cpu": "16", "nvidia.com/gpu": "4"}),)
TAINTED = node("node-1", taints=[{"key": "dedicated", "value": "ml", "effect": "NoSchedule"}])
PREEMPTED = "Preempted to accommodate a workload (UID: 0aa1-22, JobUID: 77) due to prioritization in the ClusterQueue"

Case = tuple[Callable[[], tuple[Any, ...]], str, tuple[str, ...]]
WAITS: dict[str, Case] = {
    "kueue: quota in use": (lambda: of_kueue(CLUSTER, BIG), "kueue", ("4 nvidia.com/gpu of flavor a100 missing", "held by jobs/big (8 nvidia.com/gpu)", "place 1 of 1", "for 1h59m", "let in by")),
    "kueue: quota of the cohort lent to a neighbour": (
        lambda: of_kueue(CLUSTER, kueue("ClusterQueue", "other", namespace="", spec={"cohortName": "all"}), of_app("neighbour", admitted="other", gpus="6")),
        "kueue", ("held by jobs/neighbour (6 nvidia.com/gpu)",)),
    "kueue: each pod set lacks, and each counts those before it": (
        lambda: of_kueue(CLUSTER, message=f"{LACKS}; couldn't assign flavors to pod set more: insufficient unused quota for nvidia.com/gpu in flavor a100, 12 more needed"),
        "kueue", ("12 nvidia.com/gpu of flavor a100 missing",)),
    "kueue: more than the queue may have": (lambda: of_kueue(CLUSTER, reason="ExceedsMaxQuota", message=TOO_MUCH), "kueue", ("it can never fit", "cpu of flavor x")),
    "kueue: a resource that the queue does not have": (lambda: of_kueue(CLUSTER, message="resource amd.com/gpu unavailable in ClusterQueue"), "kueue", ("it can never fit", "amd.com/gpu", "a queue with quota")),
    "kueue: behind the head of a strict queue": (
        lambda: of_kueue(kueue("ClusterQueue", "gpus", namespace="", spec={"queueingStrategy": "StrictFIFO"}), of_app("first", priority=9), BIG, created=60),
        "kueue", ("place 2 of 2 (reckoned) behind jobs/first", "held by jobs/big")),
    "kueue: the cluster queue is stopped": (
        lambda: of_kueue(kueue("ClusterQueue", "gpus", namespace="", spec={"stopPolicy": "Hold"}), reason="Suspended", message="ClusterQueue gpus is inactive"),
        "kueue", ("whoever stopped ClusterQueue gpus",)),
    "kueue: the local queue is stopped": (
        lambda: (SUSPENDED, kueue("LocalQueue", "team", spec={"clusterQueue": "gpus", "stopPolicy": "HoldAndDrain"}), of_app("etl", reason="Suspended", message="LocalQueue team is inactive")),
        "kueue", ("whoever stopped LocalQueue team",)),
    "kueue: a queue that does not exist": (lambda: (SUSPENDED, of_app("etl", reason="Misconfigured", message="LocalQueue team doesn't exist")), "kueue", ("a queue that exists",)),
    "kueue: an admission check has not agreed": (
        lambda: (SUSPENDED, LOCAL, conditioned(is_("QuotaReserved", "True", "QuotaReserved", "reserved"), is_("Admitted", "False", "UnsatisfiedAdmissionChecks", "checks"), admissionChecks=[{"name": "budget", "state": "Pending"}])),
        "kueue", ("held by admission check budget (Pending)",)),
    "kueue: preempted by a more urgent one": (
        lambda: (SUSPENDED, LOCAL, conditioned(is_("QuotaReserved", "False", "Pending", "Preempted"), is_("Evicted", "True", "Preempted", PREEMPTED), is_("Preempted", "True", "InClusterQueue", PREEMPTED)),
                 kueue("Workload", "sparkapplication-urgent-1", uid="0aa1-22", ownerReferences=[{"kind": "SparkApplication", "name": "urgent", "controller": True}])),
        "kueue", ("held by jobs/urgent (preempted it)",)),
    "kueue: put back after its pods were late": (
        lambda: (SUSPENDED, LOCAL, conditioned(is_("QuotaReserved", "False", "Pending", "late"), is_("Evicted", "True", "PodsReadyTimeout", "not ready"), requeueState={"count": 2, "requeueAt": "2026-11-24T12:30:00Z"})),
        "kueue", ("put back into the queue at 2026-11-24T12:30:00Z",)),
    "kueue: a fresh workload without a condition": (lambda: (SUSPENDED, LOCAL, CLUSTER, BIG, conditioned()), "kueue", ("in queue team (gpus)", "held by jobs/big")),
    "kueue: a gated driver of spark-submit": (lambda: (driver(state={}, phase="Pending", node="", conditions=GATED, labels={"kueue.x-k8s.io/queue-name": "team"}),), "kueue", ("in queue team",)),
    "volcano: the queue's capability is used": (lambda: of_volcano("8"), "volcano", ("2 nvidia.com/gpu missing", "held by jobs/big (6 nvidia.com/gpu)")),
    "volcano: more than the queue may have": (lambda: of_volcano("8", gpus="9"), "volcano", ("it can never fit", "held by jobs/big")),
    "volcano: a closed queue": (lambda: of_volcano("8", "Closed"), "volcano", ("let in by an open queue",)),
    "gang: too few places for the whole group": (
        lambda: (cr("SUBMITTED"), group(PLUGINS, "etl-pg", "etl", "Pending", minMember=3), pod("etl-driver", "driver", phase="Pending", node="", labels=OF_ETL),
                 pod("big-driver", "driver", app_id="spark-" + "b" * 32, labels={"sparkoperator.k8s.io/app-name": "big"}),
                 event("Pod/jobs/etl-driver", "FailedScheduling", "0/3 nodes are available: 3 Insufficient memory.")),
        "gang", ("the rest of its pod group etl-pg", "0 of at least 3 pods have a node (memory short)", "held by jobs/big")),
    "yunikorn: the quota of the queue": (lambda: of_yunikorn(FITS_NOT), "yunikorn", ("12Gi memory and 3 cpu missing", "held by jobs/big (12Gi memory)")),
    "yunikorn: the quota of the user": (
        lambda: of_yunikorn("Request 'b3f1' exceeds the available user quota (requested map[memory:4294967296 vcore:1000], available map[memory:1073741824])"),
        "yunikorn", ("3Gi memory and 1 cpu of its user's quota missing", "held by jobs/big")),
    "yunikorn: a task group larger than the queue": (lambda: of_yunikorn("queue root.team cannot fit application etl: task group request map[memory:9] larger than max queue allocation map[memory:8]"), "yunikorn", ("it can never fit",)),
    "yunikorn: no node has room": (lambda: unplaced("request is waiting for cluster resources become available", *NODES), "yunikorn", ("held by jobs/big",)),
    "gates: somebody else's": (
        lambda: (driver(state={}, phase="Pending", node="", conditions=GATED, gates=["example.com/licence"]),), "gates", ("held by gate example.com/licence",)),
    "scheduler: no node has the memory": (lambda: unplaced(NO_NODE, *NODES), "scheduler", ("memory (1 pod of 896Mi)", "held by jobs/big (40Gi memory)")),
    "scheduler: no node is large enough": (lambda: unplaced(NO_NODE, *NODES, limits={"memory": "100Gi"}), "scheduler", ("it can never fit", "a node that is larger")),
    "scheduler: the node pools do not grow": (
        lambda: unplaced(NO_NODE, *NODES, event("Pod/jobs/etl-driver", "NotTriggerScaleUp", "pod didn't trigger scale-up: 1 max node group size reached")),
        "scheduler", ("the node pools do not grow", "max node group size reached", "held by jobs/big")),
    "scheduler: a taint, which new schedulers do not name": (lambda: unplaced("0/1 nodes are available: 1 node(s) had untolerated taint(s).", TAINTED), "scheduler", ("taint dedicated=ml (1 of 1 nodes) not tolerated",)),
    "scheduler: every GPU is taken": (
        lambda: unplaced("0/3 nodes are available: 3 Insufficient nvidia.com/gpu.", *NODES, limits={"nvidia.com/gpu": "1"}), "scheduler", ("nvidia.com/gpu", "held by jobs/big (4 nvidia.com/gpu)")),
    "quota: executors of which nothing is seen": (lambda: refused("9Gi", "9500Mi"), "quota", ("memory missing", "held by jobs/big (9Gi memory)")),
    "quota: no more pods": (lambda: refused("4", "4", "pods"), "quota", ("1 pods missing", "held by jobs/big (1 pods)")),
    "operator: nobody took it up": (
        lambda: (cr("", status={"applicationState": {}}), pod("spark-operator-0", "", labels={"spark-role": "", "spark-app-selector": "", "app.kubernetes.io/name": "spark-operator"}, phase="Running")),
        "operator", ("waits for the operator", "held by jobs/spark-operator-0 (Running)")),
    "person: suspended by hand": (lambda: (cr("SUSPENDED", spec={"suspend": True}, meta={"managedFields": [{"manager": "kubectl-edit"}]}),), "person", ("held by last written by kubectl-edit",)),
}  # fmt: skip


def waiting(*things: Any, now: float = 7_200) -> list[AppWait]:
    world = facts(*things, now=now)
    apps = assemble(world)
    return [w for w in waits_of(board(world, Cluster(), apps, diagnose(world, apps))) if w.app == "jobs/etl"]


@pytest.mark.parametrize("name", WAITS)
def test_a_wait_says_whose_it_is_what_is_missing_and_who_holds_it(name: str) -> None:
    made, keeper, words = WAITS[name]
    (found,) = waiting(*made())
    assert found.told.keeper == keeper, found.line
    assert all(word in found.line for word in words), found.line


def test_an_application_that_runs_waits_for_nothing() -> None:
    assert (
        waiting(cr("RUNNING"), of_app("etl", admitted="gpus", gpus="2"), LOCAL, driver(), executor(1), executor(2))
        == []
    )


def test_executors_that_are_pending_or_have_only_begun_to_be_asked_for_were_not_refused() -> None:
    late = refused("9Gi", "9500Mi")
    assert waiting(*late, now=12) == [], "Spark needs a moment to ask"
    assert waiting(*late, pending(1, "Unschedulable", NO_NODE, labels=OF_ETL))[0].told.keeper == "scheduler"
    assert waiting(*refused("2Gi", "9500Mi")) == [], "the quota has room"
