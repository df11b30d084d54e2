"""Known traps: what looks like one thing and is another, or nothing."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tests.apps.test_apps import OPERATED
from tests.findings.worlds import (
    APP_ID,
    RUNNING,
    cr,
    disruption,
    driver,
    ended,
    event,
    executor,
    facts,
    judge,
    line,
    log,
    node,
    one,
    rest,
    waiting,
)

LOST = "TaskSchedulerImpl: Lost executor 1 on 10.0.0.1: \n"


def lost(text: str, when: float = 200) -> str:
    return line(LOST + text, "ERROR", when)


def test_exit_0_with_reason_oomkilled_and_phase_succeeded_is_an_oom() -> None:
    found = one(driver(ended(1), "Failed"), executor(1, ended(0, "OOMKilled"), "Succeeded"))
    assert (found.code, found.class_, found.confidence) == ("executor-oom-python", "I01", "high")
    assert {"healthy", "I12"} <= {r.class_ for r in found.ruled_out}


def test_terminated_while_the_phase_is_running_counts() -> None:
    assert one(driver(), executor(1, ended(137, "OOMKilled"), "Running")).code == "executor-oom-container"


@pytest.mark.parametrize(
    ("victim", "class_", "code"),
    [
        ({"reason": "Evicted", "message": "The node was low on resource: memory."}, "I06", "executor-evicted"),
        (
            {"reason": "Evicted", "message": 'Usage of EmptyDir volume "d" exceeds the limit "10Mi".'},
            "I08",
            "executor-evicted",
        ),
        (
            {
                "reason": "Evicted",
                "message": "Pod ephemeral local storage usage exceeds the total limit of containers 1Gi.",
            },
            "I08",
            "executor-evicted",
        ),
        (
            {"reason": "Evicted", "message": "The node was low on resource: ephemeral-storage."},
            "I08",
            "executor-evicted",
        ),
        (
            {"reason": "DeadlineExceeded", "message": "Pod was active on the node longer than the deadline"},
            None,
            "pod-deadline",
        ),
        ({"conditions": disruption("EvictionByEvictionAPI", "Eviction API: evicting")}, "I06", "executor-evicted"),
        ({"conditions": disruption("PreemptionByScheduler")}, "I06", "executor-evicted"),
        ({"conditions": disruption("DeletionByTaintManager")}, "I06", "executor-evicted"),
        ({"reason": "NodeLost"}, "I06", "executor-evicted"),
        ({"deleted": 280}, None, "executor-deleted"),
    ],
)
def test_137_that_is_no_oom(victim: dict[str, object], class_: str | None, code: str) -> None:
    found = one(driver(), executor(1, ended(137, "Error", 300), "Failed", **victim))
    assert (found.class_, found.code) == (class_, code)
    assert "I01" in {r.class_ for r in found.ruled_out} and found.class_ != "I01"


def test_137_of_a_sidecar_at_the_end_of_a_pod_is_nothing() -> None:
    side = {"name": "proxy", "state": ended(137, "ContainerStatusUnknown")}
    pod = executor(1, ended(0, "Completed"), "Succeeded", others=[{"name": "proxy"}], other_states=[side])
    assert judge(driver(ended(0, "Completed"), "Succeeded"), pod) == ()


def test_a_sidecar_that_is_oomkilled_is_not_sparks_memory() -> None:
    side = {"name": "proxy", "state": ended(137, "OOMKilled")}
    found = one(driver(), executor(1, RUNNING, others=[{"name": "proxy"}], other_states=[side]))
    assert (found.code, found.class_) == ("sidecar-oom", None)


def test_137_alone_is_not_out_of_memory() -> None:
    found = one(driver(), executor(1, ended(137), "Failed"))
    assert (found.code, found.class_) == ("executor-killed", None) and found.open_questions
    said = one(log(lost("The executor with id 1 exited with exit code 137(SIGKILL, possible container OOM).")))
    assert (said.code, said.class_) == ("executor-killed", None)


def test_the_drivers_log_quotes_the_reason_of_a_pod_that_is_gone() -> None:
    text = (
        "The executor with id 1 exited with exit code 137(SIGKILL, possible container OOM).\n\n"
        "The API gave the following container statuses:\n\n\n\t container name: spark-kubernetes-executor\n"
        "\t container state: terminated\n\t exit code: 137\n\t termination reason: OOMKilled"
    )
    found = one(log(lost(text)))
    assert (found.code, found.class_, found.confidence) == ("executor-oom-container", "I01", "high")


def test_a_killed_node_out_of_memory_is_not_the_containers_limit() -> None:
    found = one(
        driver(),
        executor(1, ended(137, "Error", 300), "Failed"),
        event("Node//node-1", "SystemOOM", "System OOM encountered, victim process: java, pid: 4711", 298),
    )
    assert (found.code, found.class_, found.confidence) == ("executor-killed", None, "high")
    assert "node ran out of memory" in found.detail


def test_driver_oom_that_rest_calls_unread_block_data() -> None:
    reason = (
        "Job aborted due to stage failure: Exception while getting task result: "
        "java.lang.IllegalStateException: unread block data"
    )
    stage = {"stageId": 0, "attemptId": 0, "status": "FAILED", "numTasks": 4, "failureReason": reason}
    unsure = one(driver(), rest("stages", [stage]))
    assert (unsure.class_, unsure.code, unsure.confidence) == (
        "I04",
        "driver-oom-heap",
        "low",
    ) and unsure.open_questions
    text = line(
        "TaskResultGetter: Exception while getting task result\njava.lang.OutOfMemoryError: Java heap space", "ERROR"
    )
    assert one(driver(), rest("stages", [stage]), log(text)).confidence == "high"


def test_executors_out_of_memory_are_not_the_drivers() -> None:
    text = line(
        "TaskSetManager: Lost task 0.0 in stage 3.0 (TID 6) (10.0.0.1 executor 1): "
        "java.lang.OutOfMemoryError: Java heap space\n"
        "\tat java.base/java.util.Arrays.copyOf(Arrays.java:3537)"
    )
    found = judge(driver(), executor(1, ended(52), "Failed"), log(text))
    assert [f.class_ for f in found] == ["I02"]


def test_cancelled_jobs_are_failed_in_rest_and_no_failure() -> None:
    stage = {
        "stageId": 0,
        "attemptId": 0,
        "status": "FAILED",
        "numTasks": 8,
        "failureReason": "[SPARK_JOB_CANCELLED] Job 0 cancelled as part of cancellation of all jobs SQLSTATE: XXKDA",
    }
    job = {"jobId": 0, "status": "FAILED", "numTasks": 8, "stageIds": [0]}
    assert judge(driver(ended(0, "Completed"), "Succeeded"), rest("stages", [stage]), rest("jobs", [job])) == ()


def test_spark_submit_says_0_though_the_driver_failed() -> None:
    text = (
        line("LoggingPodStatusWatcherImpl: Application etl with application ID x finished", "INFO")
        + "\t exit code: 1\n\t termination reason: Error\n"
    )
    found = one(driver(ended(1), "Failed"), log(text, "submit"))
    assert found.code == "driver-failed" and found.class_ is None and found.open_questions


def test_driver_exit_11_is_a_consequence_of_what_the_executors_died_of() -> None:
    found = judge(
        driver(ended(11, when=400), "Failed"),
        *[executor(i, ended(137, "OOMKilled", 100 + i), "Failed") for i in range(1, 6)],
    )
    assert [f.code for f in found] == ["executor-oom-container", "max-executor-failures"]
    assert found[1].causes == (found[0].key,)
    assert found[0].data.deaths == 5 and found[0].severity == "critical"


def test_a_job_that_succeeded_after_fetch_failures_is_a_warning() -> None:
    text = (
        line("TaskSchedulerImpl: Lost executor 1 on 10.0.0.1: Command exited with code 137", "ERROR", 100)
        + line(
            "TaskSetManager: Lost task 2.1 in stage 1.0 (TID 28) (h executor 2): FetchFailed(null, shuffleId=0, "
            "mapIndex=-1, mapId=-1, reduceId=2, message=\norg.apache.spark.shuffle.MetadataFetchFailedException: "
            "Missing an output location for shuffle 0 partition 2\n)",
            "WARN",
            103,
        )
        + line("TaskSetManager: Starting task 0.0 in stage 0.1 (TID 30)", "INFO", 110)
    )
    found = judge(driver(ended(0, "Completed", 300), "Succeeded"), log(text))
    assert [(f.class_, f.severity) for f in found] == [(None, "warning"), ("I05", "warning")]
    assert found[1].causes == (found[0].key,)


def test_missing_resources_look_like_running() -> None:
    stage = {
        "stageId": 0,
        "attemptId": 0,
        "status": "ACTIVE",
        "numTasks": 50,
        "numActiveTasks": 0,
        "numCompleteTasks": 0,
    }
    job = {
        "jobId": 0,
        "status": "RUNNING",
        "numTasks": 50,
        "numActiveTasks": 0,
        "numCompletedTasks": 0,
        "stageIds": [0],
    }
    alone = [{"id": "driver", "isActive": True, "totalCores": 0}]
    found = one(driver(), rest("stages", [stage]), rest("jobs", [job]), rest("allexecutors", alone))
    assert found.class_ == "I14" and found.confidence != "high" and found.open_questions


def test_the_late_configmap_of_a_driver_is_benign() -> None:
    late = event(
        "Pod/jobs/etl-driver",
        "FailedMount",
        'MountVolume.SetUp failed for volume "spark-conf-volume-driver" : configmap "spark-drv-1-conf-map" not found',
    )
    assert judge(driver(), executor(1), late) == ()


def test_events_without_first_and_last_time_count() -> None:
    from console.sources.cluster import decode
    from tests.findings.worlds import HERE, pending

    plain = {
        "metadata": {"namespace": "jobs", "name": "x"},
        "involvedObject": {"kind": "Pod", "namespace": "jobs", "name": "etl-exec-1"},
        "reason": "FailedScheduling",
        "message": "0/3 nodes are available: 3 Insufficient memory.",
        "firstTimestamp": None,
        "lastTimestamp": None,
        "count": None,
        "eventTime": "2026-11-24T10:01:00.123456Z",
    }
    found = one(driver(), pending(1, "Unschedulable", "", 30), decode.event(plain, HERE))
    assert (found.class_, found.since is not None) == ("I14", True) and "memory" in found.title


def test_noise_of_scrapes_in_a_drivers_log_is_nothing() -> None:
    text = line(
        "ServerRuntime$Responder: Error while closing the output stream in order to commit response.\n"
        "org.sparkproject.jetty.io.EofException: Broken pipe\nCaused by: java.io.IOException: Broken pipe",
        "ERROR",
    )
    assert judge(driver(ended(0, "Completed"), "Succeeded"), log(text * 5)) == ()


def test_termination_time_of_the_first_attempt_does_not_end_the_second() -> None:
    status = {"terminationTime": "2026-11-24T10:02:00Z", "executionAttempts": 2}
    found = one(
        cr("RUNNING", status=status),
        driver(labels=OPERATED),
        executor(1, ended(137, "OOMKilled", 500), labels=OPERATED),
    )
    assert found.data.current is True and found.severity == "warning"


def test_an_attempt_that_is_past_and_survived_is_only_information() -> None:
    first = "spark-" + "1" * 32
    found = one(
        cr("COMPLETED", status={"executionAttempts": 2}),
        driver(ended(11, when=200), "Failed", app_id=first, labels=OPERATED, gone=True, uid="d1"),
        executor(1, ended(137, "OOMKilled", 150), "Failed", app_id=first, labels=OPERATED, gone=True),
        driver(ended(0, "Completed", 500), "Succeeded", created=230, labels=OPERATED, uid="d2"),
    )
    assert found.code == "executor-oom-container" and found.severity == "info"
    assert found.data.current is False and found.data.attempt == 1


def test_two_operators_with_one_plural_are_two_applications() -> None:
    apache = cr(api="spark.apache.org/v1", status={"currentState": {"currentStateSummary": "RunningHealthy"}})
    found = judge(cr("RUNNING"), apache, driver(labels=OPERATED), executor(1, ended(137, "OOMKilled"), labels=OPERATED))
    assert [f.app for f in found] == ["jobs/etl"]


def test_normal_143_at_the_stop_is_nothing() -> None:
    found = judge(
        driver(ended(0, "Completed", 305), "Succeeded"),
        executor(1, ended(143, when=304), "Failed", deleted=303),
        event(
            "SparkApplication/jobs/etl",
            "SparkExecutorFailed",
            "Executor etl-exec-1 failed with ExitCode: 143, Reason: Error",
        ),
    )
    assert found == ()


def test_scaling_down_is_no_deletion() -> None:
    conf = {"sparkConf": {"spark.dynamicAllocation.enabled": "true"}}
    gone = executor(1, ended(143, when=200), "Failed", deleted=199, labels=OPERATED, gone=True)
    assert judge(cr("RUNNING", spec=conf), driver(labels=OPERATED), gone, executor(2, labels=OPERATED)) == ()


def test_a_person_who_deletes_an_executor_is_no_class() -> None:
    text = lost("The executor with id 1 was deleted by a user or the framework.")
    gone = executor(1, ended(143, when=200), "Failed", deleted=199, gone=True)
    found = one(driver(), gone, executor(2), log(text))
    assert (found.code, found.class_, found.confidence) == ("executor-deleted", None, "high")


def test_a_deletion_on_a_cordoned_node_is_not_surely_a_person() -> None:
    gone = executor(1, ended(143, when=200), "Failed", deleted=199, gone=True)
    found = one(driver(), gone, node(cordoned=True))
    assert found.code == "executor-deleted" and found.confidence == "low" and found.open_questions


def test_a_first_warning_about_resources_is_only_the_start() -> None:
    text = line(
        "TaskSchedulerImpl: Initial job has not accepted any resources; check your cluster UI", "WARN", 30
    ) + line("TaskSetManager: Starting task 0.0 in stage 0.0 (TID 0) (10.0.0.1,executor 1, partition 0)", "INFO", 40)
    assert judge(driver(), executor(1), log(text)) == ()


def test_a_pod_that_waits_a_moment_is_normal() -> None:
    from tests.findings.worlds import pending

    assert judge(driver(), pending(1, "Unschedulable", "0/1 nodes are available", 590)) == ()
    assert judge(driver(), executor(1, waiting("ContainerCreating"), "Pending")) == ()


def test_wait_for_first_consumer_is_normal() -> None:
    from tests.findings.worlds import workload

    claim = workload("PersistentVolumeClaim", "ckpt", status={"phase": "Pending"})
    waits = event(
        "PersistentVolumeClaim/jobs/ckpt", "WaitForFirstConsumer", "waiting for first consumer", type="Normal"
    )
    assert judge(claim, waits) == ()


def test_facts_without_anything_have_no_findings() -> None:
    assert judge() == () and facts().pods == () and APP_ID


SILENT = "HeartbeatReceiver: Removing executor 1 with no recent heartbeats: 33101 ms exceeds timeout 30000 ms"


def test_an_executor_that_was_given_up_for_its_silence_is_killed_then_and_that_is_no_cause() -> None:
    exited = lost("The executor with id 1 exited with exit code 137(SIGKILL, possible container OOM).", 240)
    words = log(line(SILENT, when=200) + exited)
    found = judge(driver(), executor(1, ended(137, "Error", 240), "Failed"), words)
    assert [(f.class_, f.code, f.confidence) for f in found] == [("I07", "executor-heartbeat", "high")]


def test_silence_after_an_executor_was_killed_is_a_consequence() -> None:
    exited = lost("The executor with id 1 exited with exit code 137(SIGKILL, possible container OOM).", 180)
    found = one(driver(), executor(1, ended(137, "Error", 180), "Failed"), log(exited + line(SILENT, when=200)))
    assert found.code == "executor-killed"


@pytest.mark.parametrize(("uid", "codes"), [("uid-etl", ["executor-oom-container"]), ("uid-of-the-former", [])])
def test_events_of_a_former_application_of_the_same_name_are_not_its_own(uid: str, codes: list[str]) -> None:
    words = "Executor etl-9-exec-1 failed with ExitCode: 137, Reason: OOMKilled, Pod Message: "
    told = replace(event("SparkApplication/jobs/etl", "SparkExecutorFailed", words), uid=uid)
    assert [f.code for f in judge(cr(), driver(), told)] == codes


def test_executors_whose_jvm_does_not_start_say_why_in_their_own_log() -> None:
    words = (
        "Error opening zip file or JAR manifest missing : /opt/agent.jar\nError occurred during initialization of VM\n"
    )
    found = one(driver(), executor(1, ended(1, "Error", 30), "Failed"), log(words, "executor"))
    assert (found.class_, found.code, found.confidence) == (None, "jvm-options-invalid", "high")
    assert "/opt/agent.jar" in found.title
    unsaid = one(driver(), executor(1, ended(1, "Error", 30), "Failed"))
    assert (unsaid.code, unsaid.confidence) == ("executor-start-failed", "low")


def containers(*told: tuple[str, int]) -> str:
    """What Spark quotes of a lost executor's pod."""
    return "\n".join(
        f"\t container name: {name}\n\t container state: terminated\n\t exit code: {code}\n"
        "\t termination reason: Error\n"
        for name, code in told
    )


def test_the_end_of_spark_own_container_counts_where_another_ended_well() -> None:
    text = lost(
        "The executor with id 1 exited with exit code 0(success).\n\nThe API gave the following container statuses:\n\n"
        + containers(("log-shipper", 0), ("spark-kubernetes-executor", 52))
    )
    assert one(driver(), log(text)).code == "executor-oom-heap"


def test_spark_own_container_that_ended_well_is_not_blamed_for_another() -> None:
    text = lost(
        "The executor with id 1 exited with exit code 137.\n\nThe API gave the following container statuses:\n\n"
        + containers(("spark-kubernetes-executor", 0), ("log-shipper", 137))
    )
    assert "executor-oom-container" not in {f.code for f in judge(driver(), log(text))}


@pytest.mark.parametrize("role", ["driver", "executor"])
def test_a_thread_that_cannot_be_started_is_no_full_heap(role: str) -> None:
    text = line("SparkUncaughtExceptionHandler: Uncaught exception in thread Thread[worker]", "ERROR", 200) + (
        "java.lang.OutOfMemoryError: unable to create native thread: possibly out of memory or at a limit\n"
    )
    died = ended(52)
    pods = (driver(died, "Failed"),) if role == "driver" else (driver(), executor(1, died, "Failed"))
    first = judge(*pods, log(text, role=role))[0]
    assert first.code == "threads-exhausted"


def test_who_evicts_through_the_api_is_not_called_the_kubelet() -> None:
    told = event("Pod/jobs/etl-driver", "Evicted", "Evicted pod: Underutilized", type="Normal")
    found = one(driver(ended(143), "Failed"), told)
    assert found.code == "driver-evicted" and "kubelet" not in found.title and "drain" in found.title


def test_an_executor_that_was_taken_from_an_application_that_ended_well_is_an_information() -> None:
    gone = executor(1, None, "Failed", reason="Evicted", message="The node was low on resource: memory.")
    (found,) = judge(cr("COMPLETED"), driver(ended(0, "Completed"), "Succeeded", labels=OPERATED), gone)
    assert (found.code, found.severity) == ("executor-evicted", "info")


def test_an_executor_that_registered_after_all_was_only_late() -> None:
    none_yet = line("TaskSchedulerImpl: Initial job has not accepted any resources; check your cluster UI", when=100)
    late = line("KubernetesDriverEndpoint: Registered executor NettyRpcEndpointRef(spark://x) ID 1", "INFO", 107)
    assert "unschedulable" in {f.code for f in judge(driver(), log(none_yet))}
    assert judge(driver(), log(none_yet + late)) == ()


def test_a_store_whose_certificate_is_not_trusted_is_reached() -> None:
    text = line("FileSystem: cannot be read", "ERROR", 200) + (
        "org.apache.hadoop.fs.s3a.AWSClientIOException: getFileStatus on s3a://w/x: "
        "software.amazon.awssdk.core.exception.SdkClientException: Unable to execute HTTP request: "
        "PKIX path building failed\n"
        "Caused by: javax.net.ssl.SSLHandshakeException: PKIX path building failed: unable to find valid certification "
        "path to requested target\n"
    )
    first = judge(driver(ended(1), "Failed"), log(text))[0]
    assert first.code == "tls-refused"


def test_a_warning_of_a_known_kind_explains_an_end_that_says_nothing() -> None:
    warned = line(
        "FileSystem: Failed to initialize s3a://w/x: SdkClientException: PKIX path building failed: unable to find "
        "valid certification path to requested target",
        "WARN",
        100,
    )
    broke = "py4j.protocol.Py4JJavaError: An error occurred while calling o47.parquet.\n"
    assert judge(driver(), log(warned)) == (), "an application that goes on is well"
    assert judge(driver(ended(1), "Failed"), log(warned + broke))[0].code == "tls-refused"
    assert judge(log(warned + broke))[0].code == "tls-refused"


@pytest.mark.parametrize(
    ("message", "class_"),
    [("The node was low on resource: ephemeral-storage.", "I08"), ("The node was low on resource: memory.", "I06")],
)
def test_what_spark_quotes_of_the_pods_status_says_what_it_was_evicted_for(message: str, class_: str) -> None:
    text = lost(
        "The executor with id 1 exited with exit code -1(unexpected).\n"
        "The API gave the following brief reason: Evicted\n"
        f"The API gave the following message: {message}\nThe API gave the following container statuses:\n"
    )
    for pods in ((), (executor(1, None, "Failed", reason="Evicted"),)):
        found = one(driver(), *pods, log(text))
        assert (found.code, found.class_) == ("executor-evicted", class_)
        assert message in found.detail
