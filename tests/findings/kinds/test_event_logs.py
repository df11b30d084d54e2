"""Failure reasons of tasks, stages, jobs and queries are read by the rules that read logs."""

from __future__ import annotations

from typing import Any

from console.findings.model import Finding
from console.sources.spark.eventrows import task_error
from tests.findings.worlds import T0, at, judge, rest

GPU = "com.nvidia.spark.rapids.jni.GpuSplitAndRetryOOM: GPU OutOfMemory: could not split inputs and "
"retry\n\tat x.Y.z(Y.java:1)"
ABORTED = (
    "Job aborted due to stage failure: Task 0 in stage 1.0 failed 4 times, most recent failure: Lost task "
    "0.3 in stage 1.0 "
    "(TID 7) (10.0.0.1 executor 2): {error}\nDriver stacktrace:"
)


def task(number: int, error: str) -> dict[str, Any]:
    return {
        "taskId": number, "index": number, "attempt": 0, "launchTime": at(100), "duration": 1000, "executorId": "2",
        "host": "10.0.0.1", "status": "FAILED", "errorMessage": error,
    }  # fmt: skip


def stage(error: str) -> dict[str, Any]:
    return {
        "stageId": 1,
        "attemptId": 0,
        "numTasks": 4,
        "status": "FAILED",
        "failureReason": ABORTED.format(error=error),
    }


def application() -> Any:
    return rest("", {"id": "x", "name": "etl", "attempts": [{"completed": True, "endTimeEpoch": int(T0 + 300) * 1000}]})


def found(*documents: Any) -> tuple[Finding, ...]:
    return judge(application(), *documents)


def test_gpu_out_of_memory_in_tasks_is_told() -> None:
    said = found(
        rest("stages/1/0/taskList", [task(n, GPU) for n in range(113)]),
        rest("stages", [stage(GPU)]),
        rest("jobs", [{"jobId": n, "status": "FAILED"} for n in range(5)]),
    )
    assert (said[0].code, said[0].class_) == ("gpu-oom", "I27")
    assert "failure reasons" in said[0].evidence[0].locator


def test_a_failed_stage_is_told_by_its_innermost_line() -> None:
    inner = "Caused by: com.vendor.OddException: queue is shut"
    error = f"java.lang.RuntimeException: outer\n\tat org.apache.spark.X.y(X.scala:1)\n{inner}"
    said = found(rest("stages", [stage(error)]))
    assert (said[0].code, said[0].confidence, said[0].severity) == ("unknown-failure", "low", "critical")
    assert "OddException: queue is shut" in said[0].title


def test_a_kind_is_told_from_an_event_log() -> None:
    error = (
        "org.apache.kafka.clients.consumer.OffsetOutOfRangeException: Fetch position is out of range for partition o-1"
    )
    said = found(rest("stages", [stage(error)]))
    assert said[0].code == "stream-source-data-lost"


def test_a_query_that_failed_in_the_driver_is_told() -> None:
    row = {
        "id": 3, "status": "FAILED", "submissionTime": at(50),
        "errorMessage": "org.apache.spark.sql.AnalysisException: [TABLE_OR_VIEW_NOT_FOUND] The table or "
        "view `a` is not found.",
    }  # fmt: skip
    said = found(rest("sql", [row]))
    assert said and "TABLE_OR_VIEW_NOT_FOUND" in said[0].title


def test_a_part_of_a_query_that_failed_is_not_told_twice() -> None:
    rows = [
        {
            "id": 3,
            "status": "FAILED",
            "submissionTime": at(50),
            "errorMessage": "com.vendor.OddException: no",
            "rootExecutionId": 3,
        },
        {
            "id": 4,
            "status": "FAILED",
            "submissionTime": at(51),
            "errorMessage": "com.vendor.OddException: no",
            "rootExecutionId": 3,
        },
    ]
    said = found(rest("sql", rows))
    assert len(said) == 1 and len([e for e in said[0].evidence if "OddException" in e.excerpt]) == 1


def test_a_job_that_was_cancelled_is_no_failure() -> None:
    said = found(
        rest("stages", [{**stage("x"), "failureReason": "Job 1 cancelled because SparkContext was shut down"}])
    )
    assert said == ()


def test_tasks_that_were_tried_again_are_no_failure() -> None:
    done = {"stageId": 1, "attemptId": 0, "numTasks": 4, "status": "COMPLETE"}
    assert (
        found(rest("stages/1/0/taskList", [task(1, "java.lang.IllegalStateException: odd")]), rest("stages", [done]))
        == ()
    )


def test_a_failed_task_of_an_event_log_keeps_its_chain() -> None:
    frames = "".join(f"\tat org.apache.spark.X.y{n}(X.scala:1)\n" for n in range(40))
    trace = f"java.lang.RuntimeException: outer\n{frames}Caused by: java.io.IOException: inner\n{frames}"
    said = task_error(
        {"Reason": "ExceptionFailure", "Class Name": "java.lang.RuntimeException", "Full Stack Trace": trace}
    )
    assert "Caused by: java.io.IOException: inner" in said and said.count("\tat ") == 6
