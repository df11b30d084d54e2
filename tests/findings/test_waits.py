# ruff: noqa: E501  (objects and messages are as wide as what prints them)
"""Why an application is not let in: which queue, what is missing, who holds it, what would let it in."""

from __future__ import annotations

from typing import Any

from console.apps.assemble import assemble
from console.facts.model import Workload
from console.findings import joined
from console.findings.joined import JoinedFacts
from console.findings.model import Finding
from console.findings.waits.model import HOLDERS
from console.findings.waits.shares import ranked
from tests.findings.worlds import at, cr, driver, event, facts, judge, pod, workload

KUEUE, VOLCANO = "kueue.x-k8s.io/v1beta2", "scheduling.volcano.sh/v1beta1"
LACKS = (
    "couldn't assign flavors to pod set executor: insufficient unused quota for nvidia.com/gpu in flavor a100, "
    "4 more needed"
)


def of_group(made: Workload, api: str) -> Workload:
    from msgspec.structs import replace

    return replace(made, api_version=api)


def kueue(kind: str, name: str, *, spec: Any = None, status: Any = None, **meta: Any) -> Workload:
    return of_group(workload(kind, name, spec=spec, status=status, **meta), KUEUE)


def of_app(name: str, *, admitted: str = "", gpus: str = "", reason: str = "WaitingForQuota", message: str = LACKS,
           priority: int = 0, created: float = 0, queue: str = "team") -> Workload:  # fmt: skip
    """The Workload of an application, admitted to a cluster queue or waiting."""
    reserved: dict[str, Any] = {"type": "QuotaReserved", "status": "False", "reason": reason, "message": message,
                                "lastTransitionTime": at(30)}  # fmt: skip
    status: dict[str, Any] = {"conditions": [reserved]}
    if admitted:
        conditions = [{"type": kind, "status": "True"} for kind in ("QuotaReserved", "Admitted")]
        used = [{"name": "executor", "resourceUsage": {"nvidia.com/gpu": gpus}}]
        status = {"conditions": conditions, "admission": {"clusterQueue": admitted, "podSetAssignments": used}}
    owner = {"apiVersion": "sparkoperator.k8s.io/v1beta2", "kind": "SparkApplication", "name": name, "controller": True}
    return kueue(
        "Workload", f"sparkapplication-{name}-1", spec={"queueName": queue, "priority": priority}, status=status,
        ownerReferences=[owner], creationTimestamp=at(created),
    )  # fmt: skip


SUSPENDED = cr("SUSPENDED", spec={"suspend": True}, meta={"labels": {"kueue.x-k8s.io/queue-name": "team"}})
LOCAL = kueue("LocalQueue", "team", spec={"clusterQueue": "gpus"})
CLUSTER = kueue("ClusterQueue", "gpus", status={"pendingWorkloads": 2}, spec={"queueingStrategy": "StrictFIFO"})


def wait(*things: Any, now: float = 7_200) -> Finding:
    found = [f for f in judge(*things, now=now) if f.code == "waits-in-queue"]
    assert len(found) == 1, found
    return found[0]


def test_a_suspended_application_behind_kueue_is_told_with_amount_place_and_holders() -> None:
    found = wait(
        SUSPENDED, of_app("etl", created=60), LOCAL, CLUSTER, of_app("big", admitted="gpus", gpus="8"),
        of_app("small", admitted="gpus", gpus="2"), of_app("elsewhere", admitted="cpus", gpus="9"),
        of_app("first", priority=100),
    )  # fmt: skip
    assert found.title == (
        "waits for Kueue in queue team (gpus): 4 nvidia.com/gpu of flavor a100 missing; place 2 of 2 (reckoned) "
        "behind jobs/first; held by jobs/big (8 nvidia.com/gpu), jobs/small (2 nvidia.com/gpu)"
    )
    assert found.since is not None and at(30) is not None and found.severity == "warning"
    assert "not: setting suspend to false" in found.detail
    assert any("the head of the queue blocks all behind it" in e.excerpt for e in found.evidence)


def test_what_can_never_fit_is_said_to_never_fit() -> None:
    words = (
        "couldn't assign flavors to pod set executor: insufficient quota for cpu in flavor x, previously considered "
        "podsets requests (1) + current podset request (80) > maximum capacity (40)"
    )
    found = wait(SUSPENDED, of_app("etl", reason="ExceedsMaxQuota", message=words), LOCAL)
    assert found.severity == "critical" and "it can never fit" in found.title and "smaller application" in found.detail


def test_an_admitted_application_does_not_wait_for_its_queue() -> None:
    said = judge(cr("RUNNING"), of_app("etl", admitted="gpus", gpus="8"), driver())
    assert "waits-in-queue" not in {f.code for f in said}


def test_a_workload_of_another_group_is_none_of_kueues() -> None:
    other = of_group(of_app("etl"), "scheduling.k8s.io/v1beta1")
    assert "its Workload was not read" in wait(SUSPENDED, other).title


def test_a_suspension_that_no_queue_explains_is_a_persons() -> None:
    found = wait(cr("SUSPENDED", spec={"suspend": True}))
    assert "a person" in found.title and found.confidence == "medium"


def test_a_queue_of_volcano_names_what_lacks_and_who_holds_it() -> None:
    def group(name: str, phase: str) -> Workload:
        made = workload(
            "PodGroup", f"spark-{name}-pg", spec={"queue": "team"}, status={"phase": phase},
            ownerReferences=[{"kind": "SparkApplication", "name": name, "controller": True}],
        )  # fmt: skip
        return of_group(made, VOLCANO)

    queue = of_group(workload("Queue", "team", namespace="", spec={"capability": {"cpu": "8"}}, status={"state": "Open"}), VOLCANO)  # fmt: skip
    refused = event("PodGroup/jobs/spark-etl-pg", "Unschedulable", "queue resource quota insufficient: insufficient nvidia.com/gpu")  # fmt: skip
    found = wait(cr("SUBMITTED"), group("etl", "Pending"), group("big", "Running"), queue, refused, now=200)
    assert found.title == "waits for Volcano in queue team: nvidia.com/gpu; place 1 of 1 (reckoned); held by jobs/big"


def test_yunikorns_silent_pod_is_explained_by_its_events() -> None:
    words = (
        "Request 'b3f1' does not fit in queue 'root.team' (requested map[memory:17179869184 vcore:4000], "
        "available map[memory:4294967296 vcore:1000])"
    )
    silent = pod("etl-driver", "driver", phase="Pending", node="")
    found = wait(silent, event("Pod/jobs/etl-driver", "Informational", words, type="Normal"))
    assert found.title == "waits for YuniKorn in queue root.team: 12Gi memory and 3 cpu missing"
    fits = event(
        "Pod/jobs/etl-driver", "Informational", "Request 'b3f1' has become schedulable in queue 'root.team'", 200
    )
    said = judge(silent, event("Pod/jobs/etl-driver", "Informational", words), fits)
    assert "waits-in-queue" not in {f.code for f in said}, "the last word counts"


def test_a_gated_driver_says_who_may_let_it_in() -> None:
    gate = [{"type": "PodScheduled", "status": "False", "reason": "SchedulingGated", "message": "gates"}]
    found = wait(pod("etl-driver", "driver", phase="Pending", node="", conditions=gate))
    assert "scheduling gates" in found.title and found.since is not None


def test_an_application_that_nobody_picked_up_waits_for_the_operator() -> None:
    fresh = cr("", status={"applicationState": {}})
    assert "waits for the operator" in wait(fresh, now=120).title
    assert "waits-in-queue" not in {f.code for f in judge(fresh, now=20)}, "an operator needs a moment"


def test_a_suspended_application_does_not_fail_for_want_of_nodes() -> None:
    assert {f.code for f in judge(SUSPENDED, of_app("etl"), LOCAL, now=7_200)} == {"waits-in-queue"}


def test_who_holds_what_many_wait_for_is_reckoned_once_and_never_names_who_asks(monkeypatch: Any) -> None:
    things = facts(
        *(
            driver(name=f"app-{number}-driver", app_id=f"spark-{number:032x}", node="n1", limits={"cpu": str(number)})
            for number in range(1, HOLDERS + 3)
        )
    )
    view = JoinedFacts(things, assemble(things))
    reckoned = []
    monkeypatch.setattr(joined, "ranked", lambda *asked: reckoned.append(asked[1]) or ranked(*asked))
    keys = [group.key for group in view.groups.values()]
    said = {key: view.shares_of("cpu", "", key) for key in keys}
    assert reckoned == ["cpu"]
    for key, holders in said.items():
        assert len(holders) == HOLDERS and not any(one.startswith(f"{key} ") for one in holders)
    assert said[keys[0]][0].endswith(f"({HOLDERS + 2} cpu)")
