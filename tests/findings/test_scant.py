"""Evidence of one kind only: a status, a metric, an answer of REST, a log. Less is known, what is said stays right."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.apps.assemble import assemble
from console.findings.diagnose import diagnose
from console.findings.model import Finding
from console.sources.folder.read import read_folder
from tests.apps.test_apps import OPERATED
from tests.findings.worlds import APP_ID, cr, driver, ended, executor, judge, line, log, one, rest


def folder(path: Path, **files: str) -> tuple[Finding, ...]:
    for name, text in files.items():
        (path / name).write_text(text)
    found = read_folder(path)
    return diagnose(found, assemble(found))


def kubeflow(message: str, state: str = "FAILED") -> Finding:
    return one(cr(state, status={"applicationState": {"state": state, "errorMessage": message}}))


def test_the_operators_message_tells_how_a_driver_ended_that_is_gone() -> None:
    found = kubeflow("driver container failed with ExitCode: 137, Reason: OOMKilled")
    assert (found.class_, found.confidence, found.severity) == ("I04", "high", "critical")
    assert kubeflow("driver container failed with ExitCode: 143, Reason: Error").class_ == "I06"
    plain = kubeflow("driver container failed with ExitCode: 1, Reason: Error")
    assert (plain.class_, plain.code, plain.confidence) == (None, "driver-failed", "low") and plain.open_questions
    missing = kubeflow("driver pod not found")
    assert (missing.class_, missing.code, missing.confidence) == (None, "driver-failed", "low")


def test_the_apache_operator_quotes_the_drivers_last_status() -> None:
    last = {
        "phase": "Failed",
        "containerStatuses": [{"name": "main", "state": ended(137, "OOMKilled")}],
    }
    history = {
        "3": {"currentStateSummary": "Failed", "lastObservedDriverStatus": last},
        "4": {"currentStateSummary": "ResourceReleased"},
    }
    status = {"currentState": {"currentStateSummary": "ResourceReleased"}, "stateTransitionHistory": history}
    found = one(cr("", api="spark.apache.org/v1", status=status))
    assert (found.class_, found.code) == ("I04", "driver-oom-container")


def test_answers_of_rest_need_no_list_of_applications(tmp_path: Path) -> None:
    row = '{"id":"2","isActive":false,"totalCores":2,"removeReason":"Executor heartbeat timed out after 155219 ms"}'
    (found,) = folder(tmp_path, allexecutors=f"[{row}]")
    assert (found.class_, found.code) == ("I07", "executor-heartbeat")


def test_metrics_alone_name_applications_and_pods(tmp_path: Path) -> None:
    text = (
        'kube_pod_container_status_terminated_reason{namespace="etl",pod="orders-exec-3",'
        'container="spark-kubernetes-executor",reason="OOMKilled"} 1\n'
        f"metrics_{APP_ID.replace('-', '_')}_driver_LiveListenerBus_queue_appStatus_numDroppedEvents_Count 55\n"
    )
    found = folder(tmp_path, metrics=text)
    assert {(f.class_, f.confidence) for f in found} == {("I01", "medium"), ("I25", "high")}


def test_an_operators_log_tells_of_submissions_that_failed(tmp_path: Path) -> None:
    text = (
        "2026-11-20T09:00:15.000Z\tERROR\tsparkapplication/controller.go:251\tFailed to submit SparkApplication\t"
        '{"name": "wh3", "namespace": "t", "error": "failed to run spark-submit: Exception in thread"}\n'
    )
    (found,) = folder(tmp_path, log=text)
    assert (found.class_, found.subject, found.confidence) == ("I17", "SparkApplication/t/wh3", "medium")


@pytest.mark.parametrize(
    ("text", "class_", "code"),
    [
        (
            "Lost executor 1 on h: The executor with id 1 exited with exit code 137.\n"
            "state=ContainerState(terminated=ContainerStateTerminated(containerID=x, exitCode=137, "
            "finishedAt=Time(time=t), message=null, reason=OOMKilled, signal=null))",
            "I01",
            "executor-oom-container",
        ),
        ('pods "x" is forbidden: failed quota: q: must specify limits.cpu.', "I16", "quota-exceeded"),
        ("x: com.nvidia.spark.rapids.jni.SplitAndRetryOOM: Attempted to handle a split", "I27", "gpu-oom"),
    ],
)
def test_older_spellings(text: str, class_: str, code: str) -> None:
    found = one(log(line(f"TaskSchedulerImpl: {text}", "ERROR")))
    assert (found.class_, found.code) == (class_, code)


@pytest.mark.parametrize(
    ("text", "class_", "code"),
    [
        (
            "[PYTHON_VERSION_MISMATCH] Python in worker has different version: 3.10",
            "I12",
            "python-environment",
        ),
        (
            "java.io.IOException: No space left on device\n\tat HDFSMetadataLog.write(M.scala:1)",
            "I09",
            "checkpoint-full",
        ),
        ("org.postgresql.util.PSQLException: Connection to db:5432 refused.", None, "jdbc-source-failed"),
        (
            "SdkClientException: Unable to execute HTTP request: Timeout waiting for connection from pool",
            None,
            "store-pool-exhausted",
        ),
    ],
)
def test_tasks_that_fail_of_what_has_a_cause_of_its_own(text: str, class_: str | None, code: str) -> None:
    lost = line(f"TaskSetManager: Lost task 2.0 in stage 1.0 (TID 10) (h executor 1): {text}")
    found = judge(log(lost + line("TaskSetManager: Task 2 in stage 1.0 failed 4 times; aborting job", "ERROR")))
    assert [(f.class_, f.code) for f in found] == [(class_, code)]
    assert found[0].confidence != "high" and found[0].open_questions


def test_a_claim_that_does_not_exist_is_no_lack_of_room() -> None:
    from tests.findings.worlds import pending

    found = one(
        driver(), pending(1, "Unschedulable", '0/3 nodes are available: persistentvolumeclaim "ckpt" not found.')
    )
    assert (found.class_, found.code, found.data.claim) == ("I09", "claim-not-ready", "ckpt")


def test_a_container_that_cannot_be_created_waits_for_no_image() -> None:
    from tests.findings.worlds import waiting

    found = one(driver(waiting("CreateContainerConfigError", 'secret "db-creds" not found'), "Pending"))
    assert (found.class_, found.code) == (None, "container-not-created") and "db-creds" in found.title


def test_an_eviction_without_a_message_may_be_memory_or_disk() -> None:
    found = one(driver(), executor(1, ended(137, "Error"), "Failed", reason="Evicted"))
    assert (found.class_, found.confidence) == ("I06", "medium") and "I08" in found.open_questions[0]


def test_records_of_level_info_are_no_trouble() -> None:
    assert judge(log(line("S3AFileSystem: retrying after AccessDeniedException on s3a://lake", "INFO"))) == ()
    lost = line("TaskSchedulerImpl: Lost executor 1 on h: Executor heartbeat timed out after 155219 ms", "INFO")
    assert one(log(lost)).class_ == "I07"


def test_the_trace_of_the_main_program_is_no_part_of_the_record_before_it() -> None:
    denied = (
        line("SparkContext: fine", "INFO")
        + "Traceback (most recent call last):\n  File 'a.py', line 1\n"
        + "py4j.protocol.Py4JJavaError: An error occurred while calling o49.parquet.\n"
        + ": java.nio.file.AccessDeniedException: s3a://lake/x: S3Exception: null (Service: S3, Status Code: 403)\n"
    )
    assert one(log(denied)).class_ == "I22"
    full = line("DAGScheduler: Job 0 finished", "INFO") + (
        "py4j.protocol.Py4JJavaError: An error occurred while calling o88.collectToPython.\n"
        ": java.lang.OutOfMemoryError: Java heap space\n"
    )
    assert one(log(full)).code == "driver-oom-heap"


def test_a_missing_module_is_the_images_and_no_error_of_the_code() -> None:
    text = line(
        "TaskSetManager: Lost task 2.0 in stage 1.0 (TID 10) (h executor 1): "
        "org.apache.spark.api.python.PythonException: Traceback (most recent call last):\n"
        "ModuleNotFoundError: No module named 'lightgbm'"
    ) + line("TaskSetManager: Task 2 in stage 1.0 failed 4 times; aborting job", "ERROR")
    found = one(log(text))
    assert (found.class_, found.code) == ("I12", "python-module-missing")


def test_noise_of_slf4j_is_no_missing_class() -> None:
    assert judge(log('SLF4J: Failed to load class "org.slf4j.impl.StaticLoggerBinder".\n')) == ()


def test_an_event_log_that_cannot_be_written_is_no_full_local_disk() -> None:
    text = line(
        "AsyncEventQueue: Listener EventLoggingListener threw an exception\n"
        "java.io.IOException: No space left on device",
        "ERROR",
    )
    assert one(log(text)).class_ == "I25"


def test_an_application_that_dies_again_and_again_is_critical() -> None:
    """The third attempt runs, and nobody knows yet that it will die like the two before it."""
    first, second = "spark-" + "1" * 32, "spark-" + "2" * 32
    things = [
        driver(ended(11, when=100), "Failed", app_id=first, labels=OPERATED, gone=True, uid="d1"),
        executor(1, ended(137, "OOMKilled", 90), "Failed", app_id=first, labels=OPERATED, gone=True),
        driver(ended(11, when=200), "Failed", app_id=second, created=120, labels=OPERATED, gone=True, uid="d2"),
        executor(2, ended(137, "OOMKilled", 190), "Failed", app_id=second, created=130, labels=OPERATED, gone=True),
    ]
    now = driver(created=230, labels=OPERATED, uid="d3")
    found = judge(cr("RUNNING", status={"executionAttempts": 3}), *things, now)
    assert found[0].code == "executor-oom-container" and found[0].severity == "critical"
    done = judge(cr("COMPLETED", status={"executionAttempts": 3}), *things, now)
    assert done[0].severity == "info"


def test_cancelled_jobs_do_not_make_an_application_fail() -> None:
    job = {"jobId": 0, "status": "FAILED", "numTasks": 8, "stageIds": [0]}
    assert judge(driver(ended(0, "Completed"), "Succeeded"), rest("jobs", [job])) == ()


def test_an_operators_log_may_be_two_lines_of_klog(tmp_path: Path) -> None:
    found = folder(
        tmp_path,
        **{
            "operator.log": "I0511 06:14:29.486895      11 submission.go:64] spark-submit arguments: [--files s3a://a/b]\n"
            "E0511 06:14:33.101011     11 controller.go:56] failed to run spark-submit for SparkApplication etl/orders:"
            " ClassNotFoundException: Class org.apache.hadoop.fs.s3a.S3AFileSystem not found\n"
        },
    )
    assert [f.code for f in found] == ["submission-refused"]
    assert found[0].subject == "SparkApplication/etl/orders" and "S3AFileSystem" in found[0].title


def test_what_a_notebook_shows_of_an_error_in_the_jvm_is_a_log(tmp_path: Path) -> None:
    said = "An error was encountered:\nAn error occurred while calling o9.sql.\n: java.lang.RuntimeException: a: b\n"
    found = folder(tmp_path, **{"cell.txt": said + "\tat org.apache.iceberg.X.y(X.java:7)\n"})
    assert "a: b" in found[0].title


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        (
            'Operation failed: "This request is not authorized to perform this operation using this permission.", 403, '
            "HEAD, https://a.dfs.core.windows.net/in?upn=false",
            "policy",
        ),
        (
            "org.apache.hadoop.fs.azure.AzureException: No credentials found for account a.blob.core.windows.net in "
            "the configuration, and its container c is not accessible using anonymous credentials.",
            "none",
        ),
    ],
)
def test_azure_refuses_without_a_code(text: str, cause: str) -> None:
    found = judge(
        driver(ended(1), "Failed"), log(line("Main: reads", "INFO", 1) + f"py4j.protocol.Py4JJavaError: x\n: {text}\n")
    )
    assert (found[0].code, found[0].class_) == ("object-store-denied", "I22")
    assert getattr(found[0].data, "cause", "") == cause
