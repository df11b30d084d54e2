"""Records around the places that matter, in every layout that Spark and its runtimes write."""

from __future__ import annotations

import pytest

from console.base.clock import parse_time
from console.facts.lognames import app_ids, app_name, executor_id, process_host, role_of_text
from console.facts.logs import MAX_COUNTED, MAX_HITS, Text, cut_short, find
from console.facts.model import Log, Origin
from console.facts.wordings import WORDINGS

WHEN = parse_time("2026-11-23T09:34:22Z")


def text(body: str) -> Text:
    return Text(Log("driver", body, Origin("log", "driver.log"), role="driver"))


@pytest.mark.parametrize(
    "line",
    [
        "26/11/23 09:34:22 ERROR TaskSchedulerImpl: Lost executor 1 on 10.0.0.1: Command exited with code 52",
        "2026-11-23T09:34:22.5Z 26/11/23 09:34:22 ERROR TaskSchedulerImpl: Lost executor 1 on 10.0.0.1: x",
        "2026-11-23T09:34:22.123456789Z stderr F 26/11/23 09:34:22 ERROR TaskSchedulerImpl: Lost executor 1 on h: x",
        "2026-11-23 09:34:22,000 ERROR [main] org.apache.spark.scheduler.TaskSchedulerImpl - Lost executor 1 on h",
        "2026-11-23T09:34:22.000Z ERROR TaskSchedulerImpl:73 - Lost executor 1 on h: x",
        '{"ts":"2026-11-23T09:34:22Z","level":"ERROR","msg":"Lost executor 1 on","logger":"TaskSchedulerImpl"}',
        '{"@timestamp":"2026-11-23T09:34:22Z","level":"error","msg":"Lost executor 1 on","logger":"TaskSchedulerImpl"}',
    ],
)
def test_layouts(line: str) -> None:
    (hit,) = find([text(line + "\n")], "lost-executor", WORDINGS["lost-executor"])
    assert hit.record.level == "ERROR" and hit.record.logger.startswith("TaskSchedulerImpl")
    assert hit.at is not None and WHEN is not None and int(hit.at) == int(WHEN) and hit.locator == "driver.log:1"
    assert hit.record.message.startswith("Lost executor 1 on")


@pytest.mark.parametrize(
    ("text_", "dated"),
    [
        ("ERROR TaskSchedulerImpl: Lost executor 1 on h", False),
        ("09:34:22 ERROR TaskSchedulerImpl - Lost executor 1 on h", False),
        ("09:34:22.517 [dispatcher] ERROR o.a.spark.scheduler.TaskSchedulerImpl - Lost executor 1 on h", False),
        ("11-23 09:34:22 ERROR TaskSchedulerImpl: Lost executor 1 on h", False),
        ("ERROR [2026-11-23T09:34:22.399Z] org.apache.spark.scheduler.TaskSchedulerImpl: Lost executor 1 on h", True),
        ("2026/11/23 09:34:22 ERROR TaskSchedulerImpl: Lost executor 1 on h", True),
        ("23 Nov 2026 09:34:22,222 ERROR [main] org.apache.spark.TaskSchedulerImpl - Lost executor 1 on h", True),
        ("[2026-11-23 09:34:22,123] ERROR foo.TaskSchedulerImpl: Lost executor 1 on h", True),
        ("2026-11-23 09:34:22.123 +0000 ERROR TaskSchedulerImpl: Lost executor 1 on h", True),
        (
            '{"timeMillis":1795426462270,"level":"ERROR","loggerName":"a.TaskSchedulerImpl",'
            '"message":"Lost executor 1 on h"}',
            True,
        ),
        (
            '{"@timestamp":"2026-11-23T09:34:22.417Z","log.level":"ERROR","message":"Lost executor 1 on h",'
            '"log.logger":"a.TaskSchedulerImpl"}',
            True,
        ),
    ],
)
def test_layouts_of_other_patterns(text_: str, dated: bool) -> None:
    (hit,) = find([text(text_ + "\n")], "lost-executor", WORDINGS["lost-executor"])
    assert (hit.record.level, hit.record.logger) == ("ERROR", "TaskSchedulerImpl")
    assert hit.record.message == "Lost executor 1 on h"
    assert (hit.at is not None and WHEN is not None and int(hit.at) == int(WHEN)) if dated else hit.at is None


def test_a_structured_exception_is_found_by_its_class_and_message() -> None:
    line = (
        '{"ts":"2026-11-23T09:34:22Z","level":"ERROR","msg":"Uncaught","exception":{"class":"java.lang.OutOfMemoryError",'
        '"msg":"Java heap space","stacktrace":[]},"logger":"X"}'
    )
    (hit,) = find([text(line)], "heap", WORDINGS["heap"])
    assert hit.record.body == "Uncaught\njava.lang.OutOfMemoryError: Java heap space"


def test_a_record_of_several_lines_is_one_record() -> None:
    body = (
        "26/11/23 09:34:21 INFO DAGScheduler: before\n"
        "26/11/23 09:34:22 ERROR TaskSchedulerImpl: Lost executor 1 on 10.0.0.1: \n"
        "The executor with id 1 exited with exit code 137(SIGKILL, possible container OOM).\n"
        "\t termination reason: OOMKilled\n"
        "26/11/23 09:34:23 INFO DAGScheduler: after\n"
    )
    (hit,) = find([text(body)], "x", ["exit code 137"])
    assert hit.line == 3 and hit.record.line == 2
    assert "OOMKilled" in hit.record.body and "after" not in hit.record.body and "before" not in hit.record.body


def test_a_structured_record_holds_its_exception() -> None:
    line = (
        '{"ts":"2026-11-23T09:34:22Z","level":"ERROR","msg":"Uncaught","exception":{"class":"java.lang.OutOfMemoryError",'
        '"msg":"Java heap space","stacktrace":[{"class":"a.B","method":"c","file":"B.java","line":7}]},"logger":"X"}'
    )
    (hit,) = find([text(line)], "x", ["java.lang.OutOfMemoryError"])
    assert "java.lang.OutOfMemoryError: Java heap space" in hit.record.body and "a.B.c(B.java:7)" in hit.record.body


def test_a_line_without_any_record_is_its_own() -> None:
    (hit,) = find(
        [text("Terminating due to java.lang.OutOfMemoryError: Java heap space\r\n")], "x", ["Terminating due"]
    )
    assert hit.at is None and hit.text.endswith("space")


def test_wordings_hold_no_quotes_that_structured_logs_would_escape() -> None:
    assert all('"' not in needle for needles in WORDINGS.values() for needle in needles)


@pytest.mark.parametrize(
    ("body", "role"),
    [
        ("26/11/23 09:34:22 INFO SparkContext: Running Spark version 4.3.0\n", "driver"),
        ('{"ts":"x","level":"INFO","msg":"Running","logger":"SparkContext"}\n', "driver"),
        ('Spark Executor Command: "java" "--executor-id" "7"\n', "executor"),
        (
            "26/11/23 09:34:22 INFO KubernetesExecutorBackend: Started daemon with process name: 11@etl-exec-1\n",
            "executor",
        ),
        ("26/11/23 09:34:22 INFO LoggingPodStatusWatcherImpl: State changed\n", "submit"),
        ("26/11/23 09:34:22 INFO Master: Registering worker\n", "master"),
        ("26/11/23 09:34:22 INFO Worker: Asked to launch executor\n", "worker"),
        ("I1123 sparkapplication/controller.go:171 Sync\n", "operator"),
        ("hello\n", "other"),
    ],
)
def test_whose_log_it_is(body: str, role: str) -> None:
    assert role_of_text(body) == role


def test_names_in_a_log() -> None:
    body = (
        "26/11/23 09:34:22 INFO KubernetesExecutorBackend: Started daemon with process name: 11@etl-exec-1\n"
        "26/11/23 09:34:22 INFO Executor: Starting executor ID 12 on host 10.0.0.1\n"
        "app spark-" + "a" * 32 + " spark-" + "a" * 32 + " app-20261123093447-0001\n"
        "26/11/23 09:34:22 INFO SparkContext: Submitted application: nightly load\n"
    )
    assert executor_id(body) == "12" and process_host(body) == "etl-exec-1" and app_name(body) == "nightly load"
    assert app_ids(body) == ["spark-" + "a" * 32, "app-20261123093447-0001"]


def test_the_one_line_is_found_in_ten_megabytes() -> None:
    line = "26/11/23 09:55:02 INFO TaskSetManager: Finished task 0.0 in stage 50.0 (TID 92) in 120 ms on 10.0.0.1\n"
    body = line * (10_000_000 // len(line)) + "26/11/23 09:56:02 ERROR X: java.lang.OutOfMemoryError: Java heap space\n"
    held = text(body)
    found = [
        h for word, needles in WORDINGS.items() for h in find([held], word, needles) if word not in ("task-finished",)
    ]
    assert [h.wording for h in found] == ["heap"]


def test_what_is_counted_is_counted_whole_and_what_is_only_quoted_says_that_there_may_be_more() -> None:
    lost = "".join(
        f"26/11/23 09:55:02 ERROR TaskSchedulerImpl: Lost executor {n} on 10.0.0.1: gone\n" for n in range(300)
    )
    found = find([text(lost)], "lost-executor", WORDINGS["lost-executor"])
    assert len(found) == 300 > MAX_HITS and not cut_short(found)
    heap = "26/11/23 09:55:02 ERROR X: java.lang.OutOfMemoryError: Java heap space\n" * 300
    quoted = find([text(heap)], "heap", WORDINGS["heap"])
    assert len(quoted) == MAX_HITS and cut_short(quoted) and not cut_short(quoted[1:])
    assert MAX_COUNTED > 10 * MAX_HITS
