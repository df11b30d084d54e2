"""The thirty incident classes, each on a world made up with the wording that Spark, Kubernetes and NVIDIA document.

Where the class is also in the corpus (test_corpus) it is proven by a recording; here the other causes, versions and
sources of it.
"""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from console.apps.model import Attempt, Death
from console.findings.model import Finding
from console.runbook.match import rank
from console.sources.files.runbooks import Library
from tests.apps.test_apps import OPERATED, connect_server
from tests.findings.worlds import (
    APP_ID,
    RUNNING,
    T0,
    at,
    cr,
    disruption,
    driver,
    ended,
    event,
    executor,
    judge,
    line,
    log,
    node,
    one,
    pending,
    pod,
    raw_pod,
    rest,
    sample,
    waiting,
    workload,
)
from tests.runbook.boards import board

MIB = 2**20
HEAP = "java.lang.OutOfMemoryError: Java heap space"


def by_class(found: tuple[Finding, ...], class_: str) -> Finding:
    assert class_ in [f.class_ for f in found], [(f.class_, f.code) for f in found]
    return next(f for f in found if f.class_ == class_)


# I01 ------------------------------------------------------------------------------------------------------------------


def peaks(heap: float, python: float) -> dict[str, Any]:
    metrics = {"JVMHeapMemory": heap, "ProcessTreePythonRSSMemory": python}
    return {"id": "1", "isActive": False, "totalCores": 1, "peakMemoryMetrics": metrics}


@pytest.mark.parametrize(
    ("heap_mib", "python_mib", "code", "decided"),
    [
        (300, 400, "executor-oom-python", "overhead"),
        (505, 40, "executor-oom-container", "heap"),
        (200, 40, "executor-oom-overhead", "overhead"),
        (505, 0, "executor-oom-container", "unknown"),
    ],
)
def test_i01_heap_or_overhead_is_decided_only_where_python_was_measured(
    heap_mib: int, python_mib: int, code: str, decided: str
) -> None:
    row = peaks(heap_mib * 2**20, python_mib * 2**20)
    found = one(driver(), executor(1, ended(137, "OOMKilled"), "Failed"), rest("allexecutors", [row]))
    assert (found.class_, found.code, found.data.decided) == ("I01", code, decided)
    assert bool(found.open_questions) == (decided == "unknown")


def test_i01_figures_for_the_runbook() -> None:
    tmpfs = [{"name": "spark-local-dir-1", "emptyDir": {"medium": "Memory"}}]
    found = one(
        cr(),
        driver(labels=OPERATED),
        executor(1, ended(137, "OOMKilled"), "Failed", labels=OPERATED, limits={"memory": "712Mi"}, volumes=tmpfs),
    )
    data = found.data
    assert found.subject == "SparkApplication/jobs/etl" and found.app == "jobs/etl"
    assert (data.heap, data.overhead, data.limit) == (512 * 2**20, 200 * 2**20, 712 * 2**20)
    assert data.tmpfs is True and data.likely == "overhead" and data.language == "Python"
    assert data.proposal.value % (128 * 2**20) == 0 and data.executors == ("1",) and data.pods == ("etl-exec-1",)


def test_i01_what_python_and_off_heap_memory_were_given_is_no_overhead() -> None:
    conf = {
        "spark.executor.pyspark.memory": "100m",
        "spark.memory.offHeap.enabled": "true",
        "spark.memory.offHeap.size": "50m",
    }
    killed = executor(1, ended(137, "OOMKilled"), "Failed", labels=OPERATED, limits={"memory": "1000Mi"})
    figures = one(cr(spec={"sparkConf": conf}), driver(labels=OPERATED), killed).data
    assert (figures.heap, figures.pyspark, figures.off_heap) == (512 * MIB, 100 * MIB, 50 * MIB)
    assert (figures.limit, figures.overhead) == (1_000 * MIB, 338 * MIB)


def test_i01_by_the_operators_events_when_the_pods_are_gone() -> None:
    said = event(
        "SparkApplication/jobs/etl",
        "SparkExecutorFailed",
        "(combined from similar events): Executor x-exec-4 failed with ExitCode: 137, Reason: OOMKilled, Pod Message: ",
    )
    found = one(cr(), driver(labels=OPERATED), said)
    assert (found.class_, found.code, found.confidence) == ("I01", "executor-oom-container", "high")


def test_i01_by_metrics_alone_is_less_sure() -> None:
    metric = sample(
        "kube_pod_container_status_terminated_reason",
        1,
        reason="OOMKilled",
        container="spark-kubernetes-executor",
        namespace="jobs",
        pod="etl-exec-1",
    )
    found = one(driver(), executor(1), metric)
    assert (found.class_, found.confidence) == ("I01", "medium")
    zero = sample(metric.name, 0, **metric.labels)
    assert judge(driver(), executor(1), zero) == ()


# I02, I03 -------------------------------------------------------------------------------------------------------------

SPARK_35 = (
    "The executor with id 1 exited with exit code 52(JVM OOM).\n\nThe API gave the following brief reason: N/A\n"
    "The API gave the following message: N/A\nThe API gave the following container statuses:\n\n\t exit code: 52"
)


@pytest.mark.parametrize(
    ("text", "code", "kind"),
    [
        (HEAP, "executor-oom-heap", "heap"),
        ("java.lang.OutOfMemoryError: GC overhead limit exceeded", "executor-gc-overhead", "gc-overhead"),
        ("java.lang.OutOfMemoryError: Metaspace", "executor-oom-heap", "metaspace"),
        ("java.lang.OutOfMemoryError: Direct buffer memory", "executor-oom-heap", "direct-memory"),
        (
            "org.apache.spark.memory.SparkOutOfMemoryError: [UNABLE_TO_ACQUIRE_MEMORY] Unable to acquire 65536 bytes",
            "executor-oom-heap",
            "spark-memory",
        ),
    ],
)
def test_i02_kinds_of_the_jvms_memory(text: str, code: str, kind: str) -> None:
    own = line(f"SparkUncaughtExceptionHandler: Uncaught exception in thread Thread[x,5,main]\n{text}", "ERROR", 299)
    found = one(driver(), executor(1, ended(52), "Failed"), log(own, "executor"))
    assert (found.class_, found.code, found.data.kind, found.confidence) == ("I02", code, kind, "high")


def test_i02_wording_of_35_and_structured_43() -> None:
    old = line(f"TaskSchedulerImpl: Lost executor 1 on 10.0.0.1: \n{SPARK_35}", "ERROR")
    assert one(log(old)).code == "executor-oom-heap"
    new = (
        '{"ts":"2026-11-24T10:01:40.100Z","level":"WARN","msg":"Lost task 0.0 in stage 3.0 (TID 6) '
        "(10.0.0.1 executor 1): java.lang.OutOfMemoryError: Java heap space\\n\\tat java.base/x"
        '","context":{"STAGE_ID":"3"},"logger":"TaskSetManager"}\n'
        '{"ts":"2026-11-24T10:01:41.000Z","level":"ERROR","msg":"Lost executor 1 on 10.0.0.1: '
        "\\nThe executor with id 1 exited "
        'with exit code 52(JVM OOM).","context":{"EXECUTOR_ID":"1"},"logger":"TaskSchedulerImpl"}\n'
    )
    found = one(log(new))
    assert (found.code, found.confidence) == ("executor-oom-heap", "high") and found.since is not None


def test_i02_the_jvm_that_ends_itself_on_oom() -> None:
    found = one(
        driver(),
        executor(1, ended(3), "Failed"),
        log("Terminating due to java.lang.OutOfMemoryError: Java heap space\n", "executor"),
    )
    assert (found.class_, found.code) == ("I02", "executor-oom-heap")


def test_i02_one_task_everywhere_points_at_skew() -> None:
    text = "".join(
        line(f"TaskSetManager: Lost task 7.{i} in stage 3.0 (TID {i}) (h executor {i}): {HEAP}", "WARN", 100 + i)
        for i in range(1, 5)
    )
    found = one(driver(), *[executor(i, ended(52, when=100 + i), "Failed") for i in range(1, 5)], log(text))
    assert found.data.one_task is True and "one partition" in found.open_questions[0]


def test_i03_garbage_collection_before_anybody_dies() -> None:
    busy = {"id": "1", "isActive": True, "totalCores": 1, "totalDuration": 100_000, "totalGCTime": 30_000}
    found = one(driver(), executor(1), rest("allexecutors", [busy]))
    assert (found.class_, found.code) == ("I03", "executor-gc-pressure")
    calm = {**busy, "totalGCTime": 4_000}
    assert judge(driver(), executor(1), rest("allexecutors", [calm])) == ()
    short = {**busy, "totalDuration": 2_000, "totalGCTime": 900}
    assert judge(driver(), executor(1), rest("allexecutors", [short])) == ()


def gc_samples(executor_id: str, collecting: float, working: float) -> list[Any]:
    labels = {"executor_id": executor_id, "application_id": APP_ID}
    return [
        sample("metrics_executor_totalGCTime_seconds_total", collecting, **labels),
        sample("metrics_executor_totalDuration_seconds_total", working, **labels),
    ]


def test_i03_garbage_collection_by_metrics_where_rest_knows_nothing() -> None:
    found = one(driver(), executor(1), executor(2), *gc_samples("1", 30, 100), *gc_samples("2", 40, 100))
    assert (found.class_, found.code) == ("I03", "executor-gc-pressure")
    assert (found.data.share, found.data.executors) == (0.4, ("2", "1"))
    assert [e.source for e in found.evidence] == ["prometheus", "prometheus"]


@pytest.mark.parametrize(
    ("executor_id", "collecting", "working"),
    [("1", 15, 100), ("1", 15, 29), ("driver", 60, 100)],
    ids=["little of the time", "too short to say", "the driver"],
)
def test_i03_no_garbage_collection_to_speak_of(executor_id: str, collecting: float, working: float) -> None:
    assert judge(driver(), executor(1), *gc_samples(executor_id, collecting, working)) == ()


def test_i03_metrics_say_nothing_of_an_executor_that_rest_knows() -> None:
    calm = {"id": "1", "isActive": True, "totalCores": 1, "totalDuration": 100_000, "totalGCTime": 4_000}
    assert judge(driver(), executor(1), rest("allexecutors", [calm]), *gc_samples("1", 60, 100)) == ()


# I04 ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (f'Exception in thread "main" {HEAP}\n\tat x', "heap"),
        ("Terminating due to java.lang.OutOfMemoryError: Java heap space\n", "exit-on-oom"),
        (
            line(
                "BroadcastExchangeExec: Not enough memory to build and broadcast the table to all worker nodes.",
                "ERROR",
            ),
            "broadcast",
        ),
        (
            line(
                'Utils: Uncaught exception in thread "dispatcher"\n'
                "java.lang.OutOfMemoryError: GC overhead limit exceeded",
                "ERROR",
            ),
            "gc-overhead",
        ),
    ],
)
def test_i04_the_drivers_own_memory(text: str, kind: str) -> None:
    found = one(driver(ended(1), "Failed"), executor(1), log(text))
    assert (found.class_, found.code, found.data.kind, found.confidence) == ("I04", "driver-oom-heap", kind, "high")
    assert found.subject == "Pod/jobs/etl-driver"


def test_i04_an_oomkilled_driver_and_its_python_child() -> None:
    killed = one(driver(ended(137, "OOMKilled"), "Failed"))
    assert (killed.code, killed.class_, killed.severity) == ("driver-oom-container", "I04", "critical")
    child = one(driver(ended(1, "OOMKilled"), "Failed"))
    assert child.code == "driver-oom-container" and "child" in child.title


def test_i04_results_too_large() -> None:
    text = line(
        "TaskSetManager: Total size of serialized results of 4 tasks (81.3 MiB) is bigger than "
        "spark.driver.maxResultSize (64.0 MiB)",
        "ERROR",
    )
    found = one(driver(ended(1), "Failed"), log(text))
    assert found.code == "driver-result-size" and found.data.max_result_size == 64 * 2**20


# I05 … I08 ------------------------------------------------------------------------------------------------------------


def test_i05_without_a_lost_executor_asks_for_the_host() -> None:
    text = line(
        "TaskSetManager: Lost task 0.1 in stage 2.0 (TID 9) (h executor 1): FetchFailed(BlockManagerId(3, "
        "10.0.0.7, 7079, None), "
        "shuffleId=2, mapIndex=3, mapId=28, reduceId=0, message="
    ) + line(
        "DAGScheduler: Job aborted: ShuffleMapStage 2 has failed the maximum allowable number of times: 4.",
        "ERROR",
        200,
    )
    found = one(driver(ended(1), "Failed"), executor(1), log(text))
    assert (found.class_, found.severity, found.data.aborted) == ("I05", "critical", True)
    assert found.data.hosts == {"executor 3 on 10.0.0.7": 1} and found.open_questions


RESTARTED = event(
    "SparkApplication/jobs/etl",
    "ConsoleChange",
    "Changed by ada with Console: Raise memoryOverhead (w-1/1)",
    195,
    "Normal",
)
OPERATOR = "Executor {} failed with ExitCode: {}, Reason: Error"


def restarted(change: Any, *more: Any) -> tuple[Finding, ...]:
    """An application of which the operator ended the executors of the first attempt, at 200 and 205."""
    lost = [
        event("SparkApplication/jobs/etl", "SparkExecutorFailed", OPERATOR.format(f"etl-exec-{n}", code), 200 + n)
        for n, code in ((1, 143), (2, 137))
    ]
    again = {"created": 230, "app_id": "spark-2"}
    return judge(cr("RUNNING"), driver(**again), executor(1, name="etl-b-exec-1", **again), *lost, *change, *more)


def test_executors_that_the_restart_after_our_change_ended_are_no_losses_and_are_told_as_ours() -> None:
    assert {f.code for f in restarted(())} >= {"executor-sigterm", "executor-killed"}
    (found,) = restarted((RESTARTED,))
    assert (found.code, found.severity) == ("ended-by-console", "info")
    assert found.title == "2 executors ended by a change that Console made" and "Raise memoryOverhead" in found.detail


def written(manager: str, when: float, began: float = 230, **notes: str) -> tuple[Finding, ...]:
    """An application whose object somebody wrote to then, and whose next driver began later; no event tells of it."""
    lost = event("SparkApplication/jobs/etl", "SparkExecutorFailed", OPERATOR.format("etl-exec-1", 143), 201)
    fields = [
        {"manager": "spark-operator", "operation": "Update", "time": at(0)},
        {"manager": manager, "operation": "Update", "time": at(when)},
        {"manager": "spark-operator", "operation": "Update", "subresource": "status", "time": at(231)},
    ]
    return judge(
        cr("RUNNING", meta={"managedFields": fields, "annotations": notes}),
        driver(created=began, app_id="spark-2", labels=OPERATED),
        executor(1, name="etl-b-exec-1", created=began, app_id="spark-2", labels=OPERATED),
        lost,
    )


def test_whoever_looks_sees_on_the_object_that_a_change_by_console_ended_executors() -> None:
    (found,) = written("console-oncall", 195, **{"console.oncall/effect": "w-1/1"})
    assert found.code == "ended-by-console"
    assert "was changed by Console (w-1/1)" in found.detail and "console-oncall" in found.evidence[0].excerpt


def test_executors_that_ended_because_somebody_changed_the_application_are_no_losses_of_it() -> None:
    (found,) = written("kubectl-edit", 195)
    assert (found.code, found.severity) == ("ended-by-change", "info")
    assert found.title.endswith("ended by a change of the application") and "by kubectl-edit" in found.detail


def test_a_write_that_began_nothing_anew_and_one_of_its_operator_explain_no_loss() -> None:
    assert "executor-sigterm" in {f.code for f in written("kubectl-label", 195, began=0)}
    assert "executor-sigterm" in {f.code for f in written("spark-operator", 195, began=300)}


@pytest.mark.parametrize(
    ("reason", "when", "lost"),
    [
        ("SparkDriverFailed", 205, False),
        ("SparkApplicationPendingRerun", 215, False),
        ("SparkDriverFailed", 300, True),
        ("SparkDriverRunning", 205, True),
    ],
)
def test_an_executor_that_was_stopped_with_the_driver_of_a_former_attempt_is_no_loss(
    reason: str, when: float, lost: bool
) -> None:
    stopped = event("SparkApplication/jobs/etl", "SparkExecutorFailed", OPERATOR.format("etl-exec-1", 143), 201)
    failed = event("SparkApplication/jobs/etl", reason, "Driver etl-driver", when)
    again = driver(created=600, app_id="spark-2", labels=OPERATED)
    found = {f.code for f in judge(cr("RUNNING"), again, stopped, failed, now=700)}
    assert ("executor-sigterm" in found) is lost


@pytest.mark.parametrize("state", ["RUNNING", "FAILED"])
def test_an_executor_that_came_when_the_application_was_at_its_end_is_neither_cause_nor_loss(state: str) -> None:
    """As a real one did: the driver gave up for its lost executors while the next one asked it for its scheduler."""
    killed = executor(3, ended(137, "OOMKilled", when=200), "Failed")
    late = executor(7, ended(1, when=220, began=214), "Failed")
    said = log(
        line("CoarseGrainedExecutorBackend: Started daemon", "INFO", 215)
        + 'Exception in thread "main" org.apache.spark.SparkException: Exception thrown in awaitResult:\n'
        + "Caused by: org.apache.spark.rpc.RpcEndpointNotFoundException: Cannot find endpoint: "
        + "spark://CoarseGrainedScheduler@etl-1-driver-svc.jobs.svc:7078\n",
        "executor",
        late.key,
    )
    theirs = driver() if state == "RUNNING" else driver(ended(1, when=221), "Failed")
    found = {f.code: f for f in judge(cr(state), theirs, killed, late, said, now=300)}
    assert found["executor-oom-container"] and not {"driver-unreachable", "executor-start-failed"} & set(found)
    assert not any("executor 7" in f.title or "2 executors" in f.title for f in found.values())


def test_what_runs_out_of_memory_after_our_change_or_dies_long_after_it_is_not_ours() -> None:
    oom = executor(2, ended(137, "OOMKilled", when=240), "Failed", name="etl-b-exec-2", created=231, app_id="spark-2")
    assert "executor-oom-container" in {f.code for f in restarted((RESTARTED,), oom)}
    lost = event("SparkApplication/jobs/etl", "SparkExecutorFailed", OPERATOR.format("etl-exec-7", 143), 500)
    assert "executor-sigterm" in {f.code for f in restarted((RESTARTED,), lost)}, "long after the restart was over"
    late = executor(3, ended(143, when=500), "Failed", name="etl-b-exec-3", created=231, app_id="spark-2")
    assert "executor-sigterm" in {f.code for f in restarted((RESTARTED,), late)}


def test_attempts_that_were_begun_anew_by_deleting_their_driver_are_no_failures() -> None:
    gone = Attempt(1, "Failed", death=Death("deleted", "its deletion was asked for"))
    failed = Attempt(2, "Failed", death=Death("container-oom", "OOMKilled"))
    assert (gone.failed, failed.failed, Attempt(3, "Running").failed) == (False, True, False)


def test_a_rule_names_no_runbook_so_a_drain_never_leads_to_the_one_for_memory() -> None:
    drained = one(
        driver(),
        executor(1, ended(143, when=200), "Failed", deleted=199),
        event("Pod/jobs/etl-exec-1", "TaintManagerEviction", "Marking for deletion Pod jobs/etl-exec-1", 198, "Normal"),
    )
    assert (drained.code, drained.runbooks) == ("executor-evicted", ())
    assert [one.runbook for one in rank(Library.read().runbooks.values(), board(drained, slos=()))] == [
        "executors-lost"
    ]


def test_i06_on_kubernetes_before_disruption_conditions() -> None:
    """1.20 has no DisruptionTarget: the event tells it."""
    found = one(
        driver(),
        executor(1, ended(143, when=200), "Failed", deleted=199),
        event("Pod/jobs/etl-exec-1", "TaintManagerEviction", "Marking for deletion Pod jobs/etl-exec-1", 198, "Normal"),
    )
    assert (found.class_, found.code) == ("I06", "executor-evicted")


def test_i06_a_driver_that_is_preempted_takes_the_application_with_it() -> None:
    found = one(
        driver(ended(143), "Failed", conditions=disruption("PreemptionByScheduler", "preempted by y")), executor(1)
    )
    assert (found.class_, found.code, found.severity) == ("I06", "driver-evicted", "critical")


def test_i06_a_node_that_is_not_ready_is_the_cause_of_its_losses() -> None:
    found = judge(
        node("node-1", conditions=[{"type": "Ready", "status": "Unknown", "reason": "NodeStatusUnknown"}]),
        driver(node="node-2"),
        node("node-2"),
        executor(1, RUNNING, reason="NodeLost", message="Node node-1 which was running pod etl-exec-1 is unresponsive"),
        executor(2, RUNNING),
    )
    assert [f.code for f in found][:2] == ["node-not-ready", "executor-evicted"]
    assert found[1].causes == (found[0].key,)


def test_i07_all_executors_at_once_points_at_the_driver() -> None:
    text = "".join(
        line(
            f"HeartbeatReceiver: Removing executor {i} with no recent heartbeats: 155{i}0 ms exceeds timeout 120000 ms",
            "WARN",
            100,
        )
        + line(
            f"TaskSchedulerImpl: Lost executor {i} on 10.0.0.{i}: Executor heartbeat timed out after 155{i}0 ms",
            "ERROR",
            100,
        )
        for i in (1, 2, 3)
    )
    found = one(driver(), *[executor(i) for i in (1, 2, 3)], log(text))
    assert (found.class_, found.data.together) == ("I07", True) and "driver" in found.open_questions[0]


def test_i08_disk_pressure_is_the_cause_of_evictions() -> None:
    full = [
        {"type": "Ready", "status": "True"},
        {"type": "DiskPressure", "status": "True", "reason": "KubeletHasDiskPressure"},
    ]
    found = judge(
        node(conditions=full),
        driver(node="node-2"),
        executor(
            1, ended(137), "Failed", reason="Evicted", message="The node node-1 was low on resource: ephemeral-storage."
        ),
        executor(2),
    )
    assert [(f.class_, f.code) for f in found] == [("I08", "node-disk-pressure"), ("I08", "executor-evicted")]
    assert found[1].causes


@pytest.mark.parametrize("role", ["driver", "executor"])
def test_i08_no_space_left(role: str) -> None:
    prefix = (
        "TaskSetManager: Lost task 2.0 in stage 0.0 (TID 2) (h executor 0): "
        if role == "driver"
        else "Executor: Exception\n"
    )
    found = one(driver(), executor(1), log(line(prefix + "java.io.IOException: No space left on device"), role))
    assert (found.class_, found.code, found.confidence) == ("I08", "local-disk-full", "high")


# I09 ------------------------------------------------------------------------------------------------------------------


def test_i09_a_claim_without_volume_holds_its_pods_back() -> None:
    claim = workload("PersistentVolumeClaim", "ckpt", spec={"storageClassName": "fast"}, status={"phase": "Pending"})
    words = "0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims."
    volume = [{"name": "v", "persistentVolumeClaim": {"claimName": "ckpt"}}]
    found = judge(
        claim,
        event("PersistentVolumeClaim/jobs/ckpt", "ProvisioningFailed", 'storageclass.storage.k8s.io "fast" not found'),
        driver(),
        pending(1, "Unschedulable", words, 100, volumes=volume),
    )
    assert (found[0].class_, found[0].subject) == ("I09", "PersistentVolumeClaim/jobs/ckpt")
    assert by_class(found, "I14").causes == (found[0].key,)


def test_i09_a_claim_that_fills_up() -> None:
    labels = {"namespace": "jobs", "persistentvolumeclaim": "events"}
    found = one(
        sample("kubelet_volume_stats_available_bytes", 5e9, **labels),
        sample("kubelet_volume_stats_capacity_bytes", 1e11, **labels),
    )
    assert (found.class_, found.code) == ("I09", "pvc-filling") and "5%" in found.title
    inodes = one(
        sample("kubelet_volume_stats_inodes_free", 1, **labels), sample("kubelet_volume_stats_inodes", 1000, **labels)
    )
    assert "inodes" in inodes.title and inodes.severity == "critical"


# I10, I11 -------------------------------------------------------------------------------------------------------------


def test_i10_a_deadlock_in_the_driver_is_seen_in_its_threads() -> None:
    threads = [
        {"threadId": 1, "threadName": "a", "threadState": "BLOCKED", "blockedByThreadId": 2},
        {"threadId": 2, "threadName": "b", "threadState": "BLOCKED", "blockedByThreadId": 1},
        {"threadId": 3, "threadName": "c", "threadState": "BLOCKED", "blockedByThreadId": 1},
    ]
    found = one(driver(), executor(1), rest("threads/driver", threads))
    assert (found.class_, found.confidence) == ("I10", "high") and "a → b" in found.title


def test_i10_a_job_without_a_running_stage() -> None:
    stage = {
        "stageId": 0,
        "attemptId": 0,
        "status": "COMPLETE",
        "numTasks": 1,
        "completionTime": "2026-11-24T10:00:10.000GMT",
    }
    job = {
        "jobId": 1,
        "status": "RUNNING",
        "numTasks": 1,
        "submissionTime": "2026-11-24T10:00:11.000GMT",
        "stageIds": [1],
    }
    found = one(driver(), executor(1), rest("stages", [stage]), rest("jobs", [job]), now=700)
    assert (found.class_, found.confidence) == ("I10", "medium") and found.open_questions
    assert judge(driver(), executor(1), rest("stages", [stage]), rest("jobs", [job]), now=60) == ()


def test_i10_metrics_that_stand_still_for_a_quarter_of_an_hour() -> None:
    labels = {"application_id": APP_ID, "executor_id": "1"}
    series = [sample("metrics_executor_completedTasks_total", 40, t, **labels) for t in (0, 300, 600, 900)]
    active = [sample("metrics_executor_activeTasks", 2, t, **labels) for t in (0, 900)]
    assert one(driver(), executor(1), *series, *active, now=900).class_ == "I10"
    moving = [sample("metrics_executor_completedTasks_total", 40 + t, t, **labels) for t in (0, 300, 600, 900)]
    assert judge(driver(), executor(1), *moving, *active, now=900) == ()


def stage_of(durations: list[float], reads: list[int], executors: list[str]) -> tuple[Any, Any]:
    tasks = {
        str(i): {
            "taskId": i,
            "index": i,
            "attempt": 0,
            "status": "SUCCESS",
            "executorId": executors[i],
            "launchTime": "2026-11-24T10:00:00.000GMT",
            "duration": d * 1000,
            "taskMetrics": {
                "executorRunTime": d * 1000,
                "shuffleReadMetrics": {"remoteBytesRead": reads[i], "localBytesRead": 0},
            },
        }
        for i, d in enumerate(durations)
    }
    wall = max(durations)
    stage = {
        "stageId": 4,
        "attemptId": 0,
        "status": "COMPLETE",
        "name": "count at job.py:9",
        "numTasks": len(durations),
        "submissionTime": "2026-11-24T10:00:00.000GMT",
        "completionTime": f"2026-11-24T10:{int(wall // 60):02d}:{int(wall % 60):02d}.000GMT",
        "executorRunTime": sum(durations) * 1000,
        "tasks": tasks,
    }
    job = {
        "jobId": 0,
        "status": "SUCCEEDED",
        "numTasks": len(durations),
        "stageIds": [4],
        "submissionTime": stage["submissionTime"],
        "completionTime": stage["completionTime"],
    }
    return rest("stages", [stage]), rest("jobs", [job])


SLOTS = [{"id": str(i), "isActive": True, "totalCores": 4, "maxTasks": 4, "totalTasks": 4} for i in (1, 2)]


def test_i11_a_skewed_key_is_told_from_a_slow_node() -> None:
    warm = [1.0] * 8
    skewed = stage_of([*warm, 200.0], [10] * 8 + [9000], ["1", "2"] * 4 + ["1"])
    found = one(driver(), executor(1), executor(2), rest("allexecutors", SLOTS), *skewed)
    assert (found.class_, found.code, found.confidence) == ("I11", "slow-data-skew", "high")
    slow = stage_of([1.0] * 6 + [150.0, 160.0, 170.0], [10] * 9, ["2", "1"] * 3 + ["1"] * 3)
    assert one(driver(), executor(1), executor(2), rest("allexecutors", SLOTS), *slow).code == "slow-slow-node"


def test_i11_a_skewed_stage_of_two_seconds_is_nothing() -> None:
    short = stage_of([0.05] * 8 + [2.0], [10] * 8 + [9000], ["1", "2"] * 4 + ["1"])
    assert judge(driver(), executor(1), executor(2), rest("allexecutors", SLOTS), *short) == ()


# I12 ------------------------------------------------------------------------------------------------------------------


def test_i12_a_module_that_the_image_lacks() -> None:
    text = line(
        "TaskSetManager: Lost task 0.0 in stage 0.0 (TID 0) (h executor 1): "
        "org.apache.spark.api.python.PythonException: Traceback"
    )
    found = judge(
        driver(ended(1), "Failed"), executor(1), log(text + "ModuleNotFoundError: No module named 'pyarrow'\n")
    )
    assert by_class(found, "I12").title.endswith("pyarrow")


def test_i12_the_python_that_is_configured_does_not_exist() -> None:
    text = 'java.io.IOException: Cannot run program "/opt/venv/bin/python": error=2, No such file or directory\n'
    found = one(driver(ended(1), "Failed"), log(line("SparkContext: x", "INFO") + text))
    assert (found.code, found.class_) == ("python-not-found", None)


# I13 … I17 ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "cause"),
    [
        ("failed to resolve reference: unexpected status: 401 Unauthorized", "denied"),
        ('manifest unknown: tag "x" not found', "not-found"),
        ("toomanyrequests: You have reached your pull rate limit", "rate-limit"),
        ("dial tcp: lookup registry.local: no such host", "dns"),
        ("dial tcp 127.0.0.1:1: connect: connection refused", "network"),
        ("no match for platform in manifest", "platform"),
    ],
)
def test_i13_why_an_image_cannot_be_pulled(message: str, cause: str) -> None:
    found = one(driver(), executor(1, waiting("ErrImagePull", message), "Pending"))
    assert (found.class_, found.data.cause) == ("I13", cause)


@pytest.mark.parametrize("reason", ["ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"])
def test_i13_of_a_driver_is_critical(reason: str) -> None:
    found = one(driver(waiting(reason), "Pending"))
    assert (found.class_, found.severity, found.subject) == ("I13", "critical", "Pod/jobs/etl-driver")


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("0/1 nodes are available: 1 Insufficient memory.", "not enough memory"),
        (
            "0/5 nodes are available: 3 Insufficient cpu, 2 node(s) had untolerated taint {dedicated: x}. "
            "preemption: 0/5 nodes",
            "not enough CPU, a taint is not tolerated",
        ),
        ("0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector.", "node selector or affinity"),
        (
            "0/2 nodes are available: 2 node(s) had taint {node.kubernetes.io/unreachable: }, that the pod didn't "
            "tolerate.",
            "a taint",
        ),
    ],
)
def test_i14_in_the_schedulers_words_of_120_and_137(words: str, why: str) -> None:
    found = one(driver(), pending(1, "Unschedulable", words, 100))
    assert (found.class_, found.confidence) == ("I14", "high") and why in found.title


def starving(letter: str, words: str = "0/1 nodes are available: 1 Insufficient cpu.", **rest: Any) -> list[Any]:
    """A running driver whose only executor finds no node."""
    app_id = "spark-" + letter * 32
    scheduled = {
        "type": "PodScheduled",
        "status": "False",
        "reason": "Unschedulable",
        "message": words,
        "lastTransitionTime": at(60),
    }
    name = f"{letter}-{rest.pop('name', 'exec-1')}"
    waits = pod(name, app_id=app_id, phase="Pending", node="", conditions=[scheduled], **rest)
    return [driver(name=f"{letter}-driver", app_id=app_id), waits]


def test_i14_drivers_that_hold_what_their_executors_need() -> None:
    found = judge(*starving("a"), *starving("b"), *starving("c"))
    assert found[0].code == "driver-deadlock" and all(f.causes == (found[0].key,) for f in found[1:])
    assert found[0].data.apps == ("jobs/a", "jobs/b", "jobs/c") and found[0].subject == "Namespace//jobs"


def mute(letter: str) -> list[Any]:
    """A running driver whose only executor is Pending; nothing was read of why."""
    app_id = "spark-" + letter * 32
    return [
        driver(name=f"{letter}-driver", app_id=app_id),
        pod(f"{letter}-exec-1", app_id=app_id, phase="Pending", node=""),
    ]


def test_i14_executors_of_which_no_event_was_kept_wait_for_the_same_as_those_beside_them() -> None:
    found = judge(*starving("a"), *mute("b"), *mute("c"))
    assert (found[0].code, found[0].confidence) == ("driver-deadlock", "low")
    assert found[0].data.apps == ("jobs/a", "jobs/b", "jobs/c")
    for things in ([*mute("a"), *mute("b"), *mute("c")], [*starving("a"), *mute("b")]):
        assert "driver-deadlock" not in {f.code for f in judge(*things)}


DRIVERS: dict[str, list[Any]] = {
    "two may both wait for others": [*starving("a"), *starving("b")],
    "one of three has an executor": [
        *starving("a"),
        *starving("b"),
        *starving("c"),
        executor(2, RUNNING, ready=True, name="c-exec-2", app_id="spark-" + "c" * 32),
    ],
    "one of three waits itself": [
        *starving("a"),
        *starving("b"),
        *starving("c")[1:],
        driver(phase="Pending", node="", name="c-driver", app_id="spark-" + "c" * 32),
    ],
    "one of three is over": [
        *starving("a"),
        *starving("b"),
        cr("FAILED", name="c"),
        driver(name="c-driver", app_id="spark-" + "c" * 32, labels={"sparkoperator.k8s.io/app-name": "c"}),
        starving("c")[1],
    ],
    "one of three waits for a label": [
        *starving("a"),
        *starving("b"),
        *starving("c", "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector."),
    ],
    "one of three fits no node at all": [
        *starving("a"),
        *starving("b"),
        *starving("c", limits={"memory": "900Gi"}),
        node(allocatable={"memory": "32Gi"}),
    ],
}


@pytest.mark.parametrize("things", DRIVERS.values(), ids=DRIVERS)
def test_i14_drivers_that_do_not_hold_what_others_need(things: list[Any]) -> None:
    assert "driver-deadlock" not in {f.code for f in judge(*things)}


FULL: dict[str, list[Any]] = {
    "its nodes hold their maximum of pods": [
        one for letter in "abc" for one in starving(letter, "0/1 nodes are available: 1 Too many pods.")
    ],
    "a pod just fits the largest node": [
        *[one for letter in "abc" for one in starving(letter, limits={"memory": "32Gi"})],
        node(allocatable={"memory": "32Gi"}),
        node("small", allocatable={"memory": "4Gi"}),
    ],
    "a pod does not say how much memory it needs": [
        *[one for letter in "abc" for one in starving(letter, limits={})],
        node(allocatable={"memory": "32Gi"}),
    ],
    "some of the executors wait for a label": [
        *starving("a"),
        *starving("b"),
        *starving("c"),
        *[one for letter in "abc" for one in starving(letter, "didn't match Pod's node affinity", name="exec-2")[1:]],
    ],
}


@pytest.mark.parametrize("things", FULL.values(), ids=FULL)
def test_i14_drivers_that_hold_what_others_need(things: list[Any]) -> None:
    found = judge(*things)
    assert found[0].code == "driver-deadlock"
    assert [e.excerpt for e in found[0].evidence] == [f"driver of {name} Running, 0 executors" for name in "abc"]


@pytest.mark.parametrize(
    ("words", "nodes", "why"),
    [
        (
            "0/5 nodes are available: 1 Insufficient nvidia.com/gpu, 4 node(s) had untolerated taint "
            "{nvidia.com/gpu: }.",
            4.0,
            "taken",
        ),
        (
            "0/1 nodes are available: 1 Insufficient nvidia.com/mig-1g.10gb.",
            0.0,
            "no node offers nvidia.com/mig-1g.10gb",
        ),
        ("0/2 nodes are available: 2 node(s) had untolerated taint {nvidia.com/gpu: }.", 4.0, "not tolerated"),
    ],
)
def test_i15_gpu_busy_absent_or_tainted(words: str, nodes: float, why: str) -> None:
    wants = {"memory": "1Gi", "nvidia.com/gpu": "1"}
    gpu = node(capacity={"nvidia.com/gpu": "4"}, allocatable={"nvidia.com/gpu": str(int(nodes))} if nodes else {})
    found = by_class(judge(driver(), pending(1, "Unschedulable", words, 100, limits=wants), gpu), "I15")
    assert why in found.title


QUOTA = 'pods "etl-exec-8" is forbidden: exceeded quota: team-quota, requested: pods=1, used: pods=2, limited: pods=2'
RBAC = (
    'pods is forbidden: User "system:serviceaccount:jobs:default" cannot create resource "pods" '
    'in API group "" in the namespace "jobs"'
)


def test_i16_quota_is_the_cause_of_too_many_failed_executors() -> None:
    text = line(f"ExecutorPodsAllocator: Failed to create executor pod: Message: {QUOTA}.", "WARN", 100) + line(
        "ExecutorPodsLifecycleManager: Max number of executor failures (4) reached", "ERROR", 200
    )
    found = judge(driver(ended(11), "Failed"), executor(1, ended(1, when=90, began=80), "Failed"), log(text))
    assert found[0].class_ == "I16" and "team-quota" in found[0].title
    assert next(f for f in found if f.code == "max-executor-failures").causes


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (RBAC, "rbac-denied"),
        ("pods is forbidden: maximum memory usage per Pod is 4Gi, but limit is 8Gi", "limit-range"),
        ('pods "x" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true', "pod-security"),
        (QUOTA, "quota-exceeded"),
    ],
)
def test_i16_in_the_operators_message(message: str, code: str) -> None:
    found = one(cr("SUBMISSION_FAILED", message=f"failed to run spark-submit: {message}"))
    assert (found.class_, found.code) == ("I16", code)
    assert not any(f.class_ == "I17" for f in judge(cr("SUBMISSION_FAILED", message=message)))


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (
            'Internal error occurred: failed calling webhook "mutate--v1-pod.sparkoperator.k8s.io": '
            "x509: certificate has expired",
            "certificate",
        ),
        ('failed calling webhook "w": context deadline exceeded', "does not answer"),
        ('admission webhook "policy.example.com" denied the request: image not signed', "denied"),
        (
            "failed to run spark-submit: Exception in thread main java.lang.IllegalArgumentException: bad master",
            "bad master",
        ),
    ],
)
def test_i17_submissions_that_fail(message: str, words: str) -> None:
    found = one(cr("SUBMISSION_FAILED", message=message))
    assert (found.class_, found.severity) == ("I17", "critical") and words in found.title


# I18 … I21 ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["SUBMITTED", "PENDING_RERUN", "INVALIDATING"])
def test_i18_states_that_should_pass(state: str) -> None:
    status = {"lastSubmissionAttemptTime": at(0)}
    found = one(cr(state, status=status), now=1200)
    assert (found.class_, found.code) == ("I18", "state-stuck") and state in found.title
    assert judge(cr(state, status=status), now=100) == ()


def test_i18_a_driver_pod_that_does_not_go_away() -> None:
    stuck = driver(RUNNING, labels=OPERATED, deleted=100)
    found = one(cr("INVALIDATING", status={"lastSubmissionAttemptTime": at(0)}), stuck, now=1500)
    assert found.code == "state-stuck" and found.data.terminating is True


def test_i19_an_operator_without_replicas_is_why_states_stand_still() -> None:
    operator = workload("Deployment", "spark-operator-controller", namespace="ops", spec={"replicas": 1}, status={})
    found = judge(operator, cr("SUBMITTED", status={"lastSubmissionAttemptTime": at(0)}), now=1200)
    assert [f.class_ for f in found] == ["I19", "I18"] and found[1].causes == (found[0].key,)
    fine = workload("Deployment", "spark-operator-controller", spec={"replicas": 1}, status={"availableReplicas": 1})
    assert judge(fine) == ()
    off = replace(workload("Deployment", "spark-operator-controller", spec={"replicas": 0}), changed=T0 + 60)
    assert one(off).since == T0 + 60, "at the latest"


def test_i19_backlog_by_metrics() -> None:
    found = one(sample("workqueue_depth", 120, name="spark-application-controller"))
    assert (found.class_, found.code, found.severity) == ("I19", "operator-backlog", "warning")


def test_i20_a_run_that_is_overdue() -> None:
    due = {"nextRun": at(0), "scheduleState": "Scheduled", "lastRunName": "etl"}
    schedule = cr(name="nightly", kind="ScheduledSparkApplication", spec={"concurrencyPolicy": "Forbid"}, status=due)
    found = by_class(judge(schedule, cr("RUNNING"), driver(labels=OPERATED), now=1200), "I20")
    assert "still RUNNING" in found.title and found.subject == "ScheduledSparkApplication/jobs/nightly"
    suspended = cr(name="nightly", kind="ScheduledSparkApplication", spec={"suspend": True}, status=due)
    (held,) = judge(suspended, now=1200)
    assert (held.code, held.severity, held.class_) == ("schedule-suspended", "info", "I20")
    assert "is suspended" in held.title, "it is not overdue: somebody holds it"


def test_i21_start_latency_by_the_operators_histogram() -> None:
    name = "spark_application_start_latency_seconds_histogram"
    slow = (sample(f"{name}_bucket", 60, le="120"), sample(f"{name}_count", 100))
    assert one(*slow).class_ == "I21"
    few = (sample(f"{name}_bucket", 1, le="120"), sample(f"{name}_count", 3))
    assert judge(*few) == ()


# I22 … I26 ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "class_", "cause"),
    [
        (
            "java.nio.file.AccessDeniedException: s3a://lake/x: getFileStatus: "
            "com.amazonaws.services.s3.model.AmazonS3Exception: "
            "Forbidden (Service: Amazon S3; Status Code: 403; Error Code: 403 Forbidden)",
            "I22",
            "policy",
        ),
        (
            "software.amazon.awssdk.services.s3.model.S3Exception: Access Denied (Service: S3, Status Code: 403, "
            "Request ID: x)",
            "I22",
            "policy",
        ),
        ("org.apache.hadoop.fs.s3a.auth.NoAuthWithAWSException: No AWS Credentials provided by x", "I22", "none"),
        (
            "AmazonS3Exception: The provided token has expired. (Service: Amazon S3; Status Code: 400; Error Code: "
            "ExpiredToken",
            "I22",
            "expired",
        ),
        ("s3a://lake/x: S3Exception: Status Code: 403; Error Code: RequestTimeTooSkewed", "I22", "clock"),
    ],
)
def test_i22_refusals_of_both_sdks(text: str, class_: str, cause: str) -> None:
    found = by_class(
        judge(
            driver(ended(1), "Failed"),
            log(line(f"TaskSetManager: Lost task 0.0 in stage 0.0 (TID 0) (h executor 1): {text}")),
        ),
        class_,
    )
    assert found.data.cause == cause and found.confidence == "high"


@pytest.mark.parametrize(
    "text",
    [
        "403 Forbidden x@y.iam.gserviceaccount.com does not have storage.objects.get access",
        "Operation failed: not authorized, 403, PUT, https://a.dfs.core.windows.net/f, AuthorizationPermissionMismatch",
    ],
)
def test_i22_of_stores_that_no_recording_has_is_not_sure(text: str) -> None:
    found = one(driver(ended(1), "Failed"), log(line(f"FileFormatWriter: Aborting job: {text}", "ERROR")))
    assert (found.class_, found.confidence) == ("I22", "medium") and found.open_questions


def test_i22_a_local_file_that_is_denied_is_no_object_store() -> None:
    text = line(
        "TaskSetManager: Lost task 0.0 in stage 0.0 (TID 0) (h executor 1): java.nio.file.AccessDeniedException: "
        "/data/x"
    )
    assert not any(f.class_ == "I22" for f in judge(driver(ended(1), "Failed"), log(text)))


@pytest.mark.parametrize(
    "text",
    [
        "AmazonS3Exception: Please reduce your request rate. (Service: Amazon S3; Status Code: 503; Error Code: "
        "SlowDown;",
        "software.amazon.awssdk.services.s3.model.S3Exception: Please reduce your request rate. (Service: S3, "
        "Status Code: 503",
        "org.apache.hadoop.fs.s3a.AWSServiceThrottledException: put on x",
    ],
)
def test_i23_throttling_of_both_sdks(text: str) -> None:
    found = judge(
        driver(),
        executor(1),
        log(line(f"TaskSetManager: Lost task 0.0 in stage 0.0 (TID 0) (h executor 1): {text}") * 2),
    )
    assert by_class(found, "I23").code == "object-store-throttled"


def test_i24_a_metastore_that_came_back_is_a_warning() -> None:
    text = line("metastore: Failed to connect to the MetaStore Server...", "WARN", 20)
    found = one(driver(ended(0, "Completed"), "Succeeded"), log(text))
    assert (found.class_, found.severity) == ("I24", "warning")


def test_i25_dropped_listener_events() -> None:
    text = line(
        "AsyncEventQueue: Dropping event from queue appStatus. This likely means one of the listeners is too slow",
        "ERROR",
    )
    found = one(driver(), executor(1), log(text))
    assert (found.class_, found.severity) == ("I25", "warning")
    metric = sample(
        f"metrics_{APP_ID.replace('-', '_')}_driver_LiveListenerBus_queue_eventLog_numDroppedEvents_Count", 12
    )
    assert one(driver(), executor(1), metric).class_ == "I25"


def test_i26_a_connect_server_that_restarts_again_and_again() -> None:
    raw = raw_pod(
        "bi-connect-7d9f-x",
        "connect",
        labels={"spark-role": "", "app": "spark-connect", "spark-app-selector": ""},
        container="spark-connect",
        state=waiting("CrashLoopBackOff"),
        restarts=5,
        last=ended(1),
    )
    from console.sources.cluster import decode
    from tests.findings.worlds import HERE

    found = one(decode.pod(raw, HERE))
    assert (found.class_, found.code) == ("I26", "connect-not-ready")
    assert judge(connect_server()) == ()


def test_i26_an_oomkilled_connect_server_is_the_drivers_memory() -> None:
    raw = raw_pod(
        "bi-connect-7d9f-x",
        "connect",
        labels={"spark-role": "", "app": "spark-connect", "spark-app-selector": ""},
        container="spark-connect",
        state=waiting("CrashLoopBackOff"),
        restarts=5,
        last=ended(137, "OOMKilled"),
    )
    from console.sources.cluster import decode
    from tests.findings.worlds import HERE

    found = judge(decode.pod(raw, HERE))
    assert [f.class_ for f in found] == ["I04", "I26"] and found[1].causes == (found[0].key,)


# I27 … I30 ------------------------------------------------------------------------------------------------------------


def test_i27_gpu_memory_and_fatal_cuda() -> None:
    oom = line(
        "Executor: Exception in task 0.0\ncom.nvidia.spark.rapids.jni.GpuSplitAndRetryOOM: GPU OutOfMemory: could "
        "not split",
        "ERROR",
    )
    assert one(driver(), executor(1), log(oom, "executor")).code == "gpu-oom"
    fatal = line(
        "RapidsExecutorPlugin: Stopping the Executor based on exception being a fatal CUDA error: CudaFatalException",
        "ERROR",
    )
    found = one(driver(), executor(1, ended(20), "Failed"), log(fatal, "executor"))
    assert (found.class_, found.code, found.confidence) == ("I27", "gpu-fatal", "medium")


def test_i28_hardware_by_kernel_log_and_by_latched_gauge() -> None:
    kernel = log("NVRM: Xid (PCI:0000:3b:00): 79, pid=4711, GPU has fallen off the bus.\n", "other", "node-1/kernel")
    found = one(kernel)
    assert (found.class_, found.data.xid, found.confidence) == ("I28", 79, "medium")
    gauge = sample("DCGM_FI_DEV_XID_ERRORS", 79, UUID="GPU-1", hostname="node-1", gpu="0")
    latched = one(gauge)
    assert latched.confidence == "medium" and latched.open_questions
    absent = sample("DCGM_FI_DEV_XID_ERRORS", 9223372036854775794, UUID="GPU-1")
    assert judge(absent) == ()


def test_i27_an_application_xid_is_no_hardware() -> None:
    found = one(log("NVRM: Xid (PCI:0000:3b:00): 31, pid=4711, MMU Fault\n", "other", "node-1/kernel"))
    assert (found.class_, found.confidence) == ("I27", "medium")


def test_i29_hot_and_idle() -> None:
    hot = [sample("DCGM_FI_DEV_GPU_TEMP", 92, UUID=f"GPU-{i}", gpu=str(i)) for i in (0, 1)]
    assert (one(*hot).class_, one(*hot).severity) == ("I29", "critical")
    held = {"UUID": "GPU-1", "exported_pod": "etl-exec-1"}
    idle = [sample("DCGM_FI_PROF_GR_ENGINE_ACTIVE", 0.01, t, **held) for t in range(0, 2101, 300)]
    assert one(*idle, now=2100).code == "gpu-idle"
    busy = [sample("DCGM_FI_PROF_GR_ENGINE_ACTIVE", 0.5, t, **held) for t in range(0, 2101, 300)]
    assert judge(*busy, now=2100) == ()


def test_i30_gpus_that_the_node_no_longer_offers() -> None:
    lost = node(capacity={"nvidia.com/gpu": "4"}, allocatable={"nvidia.com/gpu": "3"})
    found = one(lost)
    assert (found.class_, found.subject) == ("I30", "Node//node-1")
    refused = executor(
        1,
        None,
        "Failed",
        reason="UnexpectedAdmissionError",
        message="Allocate failed due to no healthy devices present; cannot allocate unhealthy devices nvidia.com/gpu",
    )
    assert by_class(judge(driver(), refused), "I30").code == "gpu-gone"
    mismatch = log("NVML: Driver/library version mismatch\n", "executor")
    assert by_class(judge(driver(), executor(1), mismatch), "I30").code == "gpu-not-usable"
