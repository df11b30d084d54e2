"""What is said before the question: who owns the object, whether the change lasts, whether it fits, what it costs."""

from __future__ import annotations

import json
from typing import Any

import pytest

from console.actions import aftermath, fit, owners, verb_of
from console.actions.effects import Consequence, Effect
from console.actions.fit import PodAllocation, PodRequests
from console.base.clock import parse_time
from tests.operate.objects import NEW, OLD, raise_overhead, spark_application

TOUCHED = ("/spec/executor/memoryOverhead",)
BEFORE = {TOUCHED[0]: OLD}
GIB = 2.0**30


def told(found: tuple[Consequence, ...]) -> dict[str, tuple[str, str]]:
    return {c.topic: (c.level, c.text) for c in found}


def consequences(effect: Effect, obj: dict[str, Any], touched: tuple[str, ...], now: float) -> tuple[Consequence, ...]:
    found = verb_of(effect.action).consequences(effect, obj, touched, now)
    return aftermath.with_the_runbooks(effect, found)


def owned(schedule: dict[str, Any] | None = None, error: str = "", **meta: Any) -> dict[str, tuple[str, str]]:
    obj = spark_application("spark-jobs", **meta)
    return told(owners.consequences(obj, TOUCHED, BEFORE, schedule=schedule, schedule_error=error))


# -- owners -----------------------------------------------------------------------------------------------------------


def test_nobody_writes_it_again() -> None:
    assert owned() == {"next run": ("info", "nothing was found that would write these fields again: the change stays")}


SCHEDULE_LABEL = {"labels": {"sparkoperator.k8s.io/scheduled-app-name": "nightly"}}


def scheduled(overhead: str | None) -> dict[str, Any]:
    executor = {} if overhead is None else {"memoryOverhead": overhead}
    return {
        "spec": {"schedule": "0 2 * * *", "template": {"executor": executor}},
        "status": {"nextRun": "2026-11-25T02:00:00Z"},
    }


def test_the_next_scheduled_run_brings_the_old_value_back() -> None:
    found = owned(scheduled(OLD), **SCHEDULE_LABEL)
    assert found["owner"] == (
        "warning",
        "owned by ScheduledSparkApplication nightly, schedule 0 2 * * *, next run 2026-11-25T02:00:00Z",
    )
    assert found["next run"] == (
        "warning",
        f"the next run brings the old value back: its template says {OLD} for spec.executor.memoryOverhead; "
        "change it too",
    )


def test_a_template_without_the_field_has_the_same_effect() -> None:
    level, text = owned(scheduled(None), **SCHEDULE_LABEL)["next run"]
    assert level == "warning"
    assert "has no value there" in text


def test_a_template_that_was_mended_already_is_said_to_be() -> None:
    assert owned(scheduled(NEW), **SCHEDULE_LABEL)["next run"][0] == "info"


def test_of_a_schedule_itself_no_schedule_says_what_the_next_run_has() -> None:
    meta = {"name": "nightly", **SCHEDULE_LABEL}
    assert owners.schedule_of({"kind": "SparkApplication", "metadata": meta}) == "nightly"
    assert owners.schedule_of({"kind": "ScheduledSparkApplication", "metadata": meta}) == ""


def test_a_schedule_that_cannot_be_read_is_unknown() -> None:
    level, text = owned(None, "forbidden", **SCHEDULE_LABEL)["next run"]
    assert level == "unknown"
    assert text.endswith("ScheduledSparkApplication: forbidden")


@pytest.mark.parametrize(
    ("meta", "owner", "fate"),
    [
        ({"annotations": {"argocd.argoproj.io/tracking-id": "etl:sparkoperator.k8s.io/SparkApplication:n/x"}},
         "owned by Argo CD Application etl", "self-heal"),
        ({"labels": {"kustomize.toolkit.fluxcd.io/name": "jobs"}}, "owned by Flux Kustomization jobs",
         "reconciliation"),
        ({"labels": {"helm.toolkit.fluxcd.io/name": "jobs"}}, "owned by Flux HelmRelease jobs", "reconciliation"),
        ({"annotations": {"meta.helm.sh/release-name": "etl"}}, "owned by Helm release etl", "helm upgrade"),
        ({"labels": {"dag_id": "orders", "task_id": "load"}}, "owned by Airflow DAG orders", "each task run"),
    ],
)  # fmt: skip
def test_what_writes_it_again_is_named(meta: dict[str, Any], owner: str, fate: str) -> None:
    found = owned(**meta)
    assert found["owner"] == ("warning", owner)
    assert found["next run"][0] == "warning"
    assert fate in found["next run"][1]


def test_airflow_marks_the_driver() -> None:
    obj = spark_application("spark-jobs")
    obj["spec"]["driver"]["labels"] = {"dag_id": "orders"}
    assert "Airflow DAG orders" in told(owners.consequences(obj, TOUCHED, BEFORE, schedule=None))["owner"][1]


def test_a_file_for_kubectl_apply_brings_its_values_back() -> None:
    notes = {"kubectl.kubernetes.io/last-applied-configuration": json.dumps({"spec": {}})}
    assert "kubectl apply" in owned(annotations=notes)["next run"][1]


def managed(manager: str, operation: str = "Update", fields: dict[str, Any] | None = None) -> dict[str, Any]:
    tree = fields if fields is not None else {"f:spec": {"f:executor": {"f:memoryOverhead": {}}}}
    return {"managedFields": [{"manager": manager, "operation": operation, "fieldsV1": tree, "time": "t"}]}


def test_the_manager_of_a_touched_field_is_named() -> None:
    assert owned(**managed("argocd-controller", "Apply"))["fields"] == (
        "warning",
        "spec.executor.memoryOverhead was last set by Argo CD (argocd-controller), which may write its own value again",
    )
    assert owned(**managed("python-requests"))["fields"][0] == "info"
    assert "fields" not in owned(**managed("kubectl", fields={"f:spec": {"f:driver": {"f:memory": {}}}}))
    assert owned(**managed("kubectl", fields={"f:spec": {"f:executor": {}}}))["fields"][0] == "warning", "all of it"


def test_of_several_managers_the_last_one_is_named_with_its_time_and_the_others_stand_behind_it() -> None:
    operator, console = managed("spark-operator"), managed("console-oncall")
    operator["managedFields"][0]["time"], console["managedFields"][0]["time"] = (
        "2026-11-27T02:30:00Z",
        "2026-11-27T17:12:40Z",
    )
    both = {"managedFields": [*operator["managedFields"], *console["managedFields"]]}
    assert owned(**both)["fields"] == (
        "info",
        "spec.executor.memoryOverhead was last set by Console (console-oncall), which wrote last at 2026-11-27 17:12Z; "
        "before it by the Spark operator (spark-operator)",
    )
    console["managedFields"][0]["time"] = "2026-11-27T02:30:00Z"
    assert owned(**both)["fields"][1].endswith(
        "by the Spark operator (spark-operator) or Console (console-oncall) (their times do not say which)"
    )


def test_hostile_names_are_cleaned() -> None:
    found = owned(labels={"dag_id": "x\x1b[31m\u202ey"})
    assert found["owner"][1] == "owned by Airflow DAG xy"


# -- room -------------------------------------------------------------------------------------------------------------


def test_pods_have_the_size_that_spark_gives_them() -> None:
    driver, executor = fit.needs(spark_application("n"))
    assert (driver.role, driver.memory, driver.count) == ("driver", (512 + 384) * 2**20, 1)
    assert (executor.role, executor.memory, executor.cpu, executor.count) == ("executor", 712 * 2**20, 1.0, 2)
    raised = spark_application("n")
    raised["spec"]["executor"]["memoryOverhead"] = NEW
    change = fit.change_of(fit.needs(spark_application("n")), fit.needs(raised))
    assert change.text == (
        "each pod will ask for: executor pod 712Mi, 1 CPU → 1.7Gi, 1 CPU × 2; driver pod 896Mi, 1 CPU"
    )


def test_other_kinds_ask_for_nothing_that_is_known() -> None:
    assert fit.needs({"kind": "Deployment", "apiVersion": "apps/v1", "spec": {}}) == ()
    assert fit.needs({**spark_application("n"), "apiVersion": "spark.apache.org/v1"}) == ()


def two(memory: float = 2 * GIB, count: int = 2) -> tuple[PodRequests, ...]:
    return PodRequests("driver", 1, GIB, 1), PodRequests("executor", 1, memory, count)


def quota(hard: str, used: str, **spec: Any) -> list[dict[str, Any]]:
    key = "requests.memory"
    return [{"metadata": {"name": "team"}, "spec": {"hard": {key: hard}, **spec},
             "status": {"hard": {key: hard}, "used": {key: used}}}]  # fmt: skip


def test_a_quota_counts_what_the_restart_frees() -> None:
    mine = [PodAllocation("n1", 1, 3 * GIB, True)]
    assert fit.judge_quotas(quota("10Gi", "8Gi"), mine, two()) == Consequence(
        "quota", "info", "requests.memory fits: 5Gi needed, 5Gi left in team"
    )


def test_a_quota_that_is_short_says_how_much_fits() -> None:
    found = fit.judge_quotas(quota("10Gi", "6Gi"), [], two())
    assert (found.level, found.text) == (
        "warning",
        "team has only 4Gi of requests.memory, 5Gi needed: room for driver and 1 executor",
    )


@pytest.mark.parametrize(("used", "room"), [("9.5Gi", "not even the driver"), ("8Gi", "driver and 0 executors")])
def test_a_quota_without_room_for_one_executor_stops_the_change(used: str, room: str) -> None:
    found = fit.judge_quotas(quota("10Gi", used), [], two())
    assert found.level == "stop"
    assert found.text.endswith(f"room for {room}")


def test_a_quota_with_scopes_is_unknown() -> None:
    assert fit.judge_quotas(quota("1Gi", "1Gi", scopes=["BestEffort"]), [], two()).level == "unknown"


def test_a_limit_range_that_would_reject_the_pods_stops_the_change() -> None:
    ranges = [{"metadata": {"name": "lr"}, "spec": {"limits": [{"type": "Container", "max": {"memory": "1536Mi"}}]}}]
    found = fit.judge_limits(ranges, two())
    assert found is not None
    assert (found.level, found.text) == (
        "stop",
        "LimitRange lr allows at most 1536Mi memory per Container; executor pods of 2Gi would be rejected",
    )
    assert fit.judge_limits([], two()) is None
    assert fit.judge_limits(ranges, two(GIB)) == Consequence(
        "limit range", "info", "within every LimitRange of the namespace"
    )


def node(name: str, memory: str = "4Gi", ready: str = "True", **spec: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "labels": {"pool": name}},
        "spec": spec,
        "status": {
            "allocatable": {"memory": memory, "cpu": "4"},
            "conditions": [{"type": "Ready", "status": ready}],
        },
    }


def test_room_on_the_nodes_is_what_others_leave() -> None:
    pods = [PodAllocation("a", 1, 3 * GIB), PodAllocation("b", 1, 3 * GIB, mine=True)]
    found = fit.judge_nodes([node("a"), node("b"), node("c", "1Gi")], pods, two())
    assert (found.level, found.text) == ("info", "an executor of 2Gi fits on 1 of 3 nodes now")
    found = fit.judge_nodes([node("a"), node("b")], pods, two(count=4))
    assert (found.level, found.text) == (
        "warning",
        "an executor of 2Gi fits on 1 of 2 nodes now; room for 2 of 4 at present",
    )


def test_a_pod_that_fits_on_no_node_stops_the_change() -> None:
    found = fit.judge_nodes([node("a"), node("b", "3Gi")], [], two(5 * GIB))
    assert (found.level, found.text) == (
        "stop",
        "an executor of 5Gi fits on no node, even an empty one: the largest has 4Gi",
    )


def test_nodes_that_do_not_take_such_pods_do_not_count() -> None:
    taint = [{"key": "gpu", "value": "yes", "effect": "NoSchedule"}]
    nodes = [node("a", taints=taint), node("b", unschedulable=True), node("c", ready="False")]
    assert fit.judge_nodes(nodes, [], two()).level == "stop"
    tolerant = (two()[0], PodRequests("executor", 1, GIB, 1, tolerations=({"key": "gpu", "operator": "Exists"},)))
    assert fit.judge_nodes(nodes, [], tolerant).text == "an executor of 1Gi fits on 1 of 1 node now"
    chosen = (two()[0], PodRequests("executor", 1, GIB, 1, selector={"pool": "z"}))
    assert fit.judge_nodes([node("a")], [], chosen).level == "stop"


def test_what_is_taken_may_be_unknown_and_so_may_nodes() -> None:
    found = fit.judge_nodes([node("a")], None, two())
    assert (found.level, found.text) == (
        "unknown",
        "an executor of 2Gi fits on 1 of 1 node if they are empty; what is taken is not known",
    )
    assert fit.judge_nodes([], [], two()).level == "unknown"


# -- what follows -----------------------------------------------------------------------------------------------------


def follows(touched: tuple[str, ...], state: str = "RUNNING", **effect: Any) -> dict[str, tuple[str, str]]:
    obj = spark_application("n", uid="u")
    begun = "2026-11-24T10:00:00Z"
    obj["status"] = {
        "applicationState": {"state": state},
        "lastSubmissionAttemptTime": begun,
        "executorState": {"a": "RUNNING", "b": "FAILED"},
    }
    now = (parse_time(begun) or 0) + 7500
    return told(consequences(raise_overhead(obj, **effect), obj, touched, now))


def test_an_edit_of_the_spec_restarts_the_job_and_loses_its_work() -> None:
    found = follows(TOUCHED)
    assert found["restart"] == ("warning", "the operator stops driver and executors and submits the job from the start")
    words = "the work since 10:00:00Z on 1 executor is lost: 2h05m at 12:05:00Z (state RUNNING)"
    assert found["loss"] == ("warning", words)
    assert found["sink"][0] == "unknown"


def test_an_application_that_has_ended_has_no_work_to_lose() -> None:
    assert follows(TOUCHED, state="FAILED")["loss"] == ("info", "it is FAILED now: no running work is lost")


def test_between_two_attempts_no_work_is_said_to_be_lost_by_the_change() -> None:
    obj = spark_application("n", uid="u")
    begun = "2026-11-24T10:00:00Z"
    obj["status"] = {"applicationState": {"state": "PENDING_RERUN"}, "lastSubmissionAttemptTime": begun}
    now = (parse_time(begun) or 0) + 60
    found = told(consequences(raise_overhead(obj), obj, TOUCHED, now))
    words = "no attempt runs now (state PENDING_RERUN): what the last one did since 10:00:00Z is lost already"
    assert found["loss"] == ("info", words)
    obj["status"]["executorState"] = {"a": "RUNNING"}
    assert told(consequences(raise_overhead(obj), obj, TOUCHED, now))["loss"][0] == "warning"


def test_the_time_to_live_restarts_nothing_and_suspending_kills_the_driver() -> None:
    assert follows(("/spec/timeToLiveSeconds",))["restart"] == ("info", "nothing restarts")
    suspended = follows(("/spec/suspend",), patch={"spec": {"suspend": True}})
    assert suspended["restart"] == ("warning", "the operator kills the driver; resuming submits the job from the start")
    assert follows(("/metadata/labels/team",)) == {}


def test_the_words_of_the_runbook_stand_where_nothing_better_is_known() -> None:
    words = {"restarts": "all of it", "loses": "everything"}
    assert "submits the job" in follows(TOUCHED, **words)["restart"][1]
    pod = {"kind": "ConfigMap", "apiVersion": "v1", "metadata": {}}
    found = told(consequences(raise_overhead(spark_application("n", uid="u"), **words), pod, (), 0.0))
    assert (found["restart"][1], found["loss"][1]) == ("all of it", "everything")


def test_what_cannot_be_undone_says_so_with_its_reason() -> None:
    assert follows(TOUCHED, reversible=False, reason="the old size is not known")["loss"] == (
        "warning",
        "cannot be undone: the old size is not known",
    )


@pytest.mark.parametrize(
    ("role", "topic", "words"), [("executor", "loss", "shuffle files"), ("driver", "restart", "ends")]
)
def test_a_deleted_pod_costs_what_its_role_is(role: str, topic: str, words: str) -> None:
    pod = {"kind": "Pod", "apiVersion": "v1", "metadata": {"labels": {"spark-role": role}}}
    effect = Effect("w/1", "s", "t", "delete", reversible=True)
    assert words in told(consequences(effect, pod, (), 0.0))[topic][1]
