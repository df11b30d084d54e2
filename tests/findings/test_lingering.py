"""The work is done, the driver's pod runs on: another container, a JVM that does not end, a context not stopped."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from console.apps.assemble import assemble
from console.findings.diagnose import diagnose
from console.findings.model import Finding
from tests.findings.worlds import RUNNING, cr, driver, ended, executor, facts, judge, line, log

PROXY = [{"name": "istio-proxy"}]
STOPPED = line("SparkContext: Successfully stopped SparkContext", "INFO", 300)
JOB = line("DAGScheduler: Submitting ResultStage 0", "INFO", 190) + line(
    "DAGScheduler: Job 0 finished: count at job.py:9, took 3.2 s", "INFO", 200
)


def others(state: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"name": "istio-proxy", "state": state, "ready": True, "restartCount": 0}]


def codes(found: tuple[Finding, ...]) -> set[str]:
    return {f.code for f in found}


def held(state: dict[str, Any], *, phase: str = "Running", now: float = 900) -> tuple[Finding, ...]:
    done = ended(0, "Completed", 300)
    return judge(cr("RUNNING"), driver(done, phase, others=PROXY, other_states=others(state)), now=now)


def test_a_proxy_that_outlives_the_driver_is_named_as_what_keeps_the_pod() -> None:
    first = held(RUNNING)[0]
    assert (first.code, first.severity, first.confidence) == ("driver-pod-held-open", "warning", "medium")
    assert "istio-proxy" in first.title and "10m ago" in first.title
    assert "spark-kubernetes-driver terminated (0); istio-proxy running" in first.evidence[0].excerpt


@pytest.mark.parametrize(
    "found",
    [
        held(RUNNING, now=350),  # it has a minute to end
        held(ended(0, "Completed", 310), phase="Succeeded"),
        judge(cr("RUNNING"), driver(RUNNING, others=PROXY, other_states=others(RUNNING)), now=900),
    ],
    ids=["just-ended", "proxy-ended-too", "both-run"],
)
def test_a_pod_whose_containers_end_together_or_run_together_is_not_held(found: tuple[Finding, ...]) -> None:
    assert "driver-pod-held-open" not in codes(found)


def test_a_driver_that_stopped_spark_and_still_runs_has_a_jvm_that_does_not_end() -> None:
    found = judge(cr("RUNNING"), driver(), log(STOPPED), now=900)
    assert codes(found) == {"driver-jvm-does-not-end"} and "10m ago" in found[0].title
    assert "no daemons" in found[0].detail


@pytest.mark.parametrize(
    ("text", "now"),
    [
        (STOPPED, 340),
        (STOPPED + line("ShutdownHookManager: Shutdown hook called", "INFO", 301), 900),
        (STOPPED + line("etl.Upload: part 7 of 90 sent", "INFO", 880), 900),
    ],
    ids=["just-stopped", "the-jvm-is-ending", "it-still-works"],
)
def test_a_driver_that_just_stopped_ends_or_still_works_is_left_alone(text: str, now: float) -> None:
    assert codes(judge(cr("RUNNING"), driver(), log(text), now=now)) == set()


def test_executors_held_for_long_after_the_last_job_are_told_without_being_sure() -> None:
    found = judge(cr("RUNNING"), driver(), executor(1), executor(2), log(JOB), now=1_400)
    assert codes(found) == {"driver-idle"}
    assert found[0].confidence == "low" and found[0].title == "no job for 20m while 2 executors are held"


@pytest.mark.parametrize(
    ("text", "arguments", "now"),
    [
        (JOB, (), 800),
        (JOB + line("DAGScheduler: Submitting ResultStage 1", "INFO", 210), (), 1_400),
        (JOB + line("MicroBatchExecution: Streaming query made no progress", "INFO", 205), (), 1_400),
        (JOB, ("--class", "org.apache.spark.sql.hive.thriftserver.HiveThriftServer2"), 1_400),
        (JOB + line("etl.Upload: part 7 of 90 sent", "INFO", 1_390), (), 1_400),
    ],
    ids=["not-yet-long", "another-stage-began", "a-stream-waits", "a-server-waits", "the-driver-works-alone"],
)
def test_whoever_waits_for_work_or_works_alone_is_not_idle(text: str, arguments: tuple[str, ...], now: float) -> None:
    found = judge(cr("RUNNING"), driver(args=["driver", *arguments]), executor(1), log(text), now=now)
    assert "driver-idle" not in codes(found)


def test_what_saved_evidence_shows_at_its_end_counts_at_once() -> None:
    done = ended(0, "Completed", 300)
    held_open = facts(cr("RUNNING"), driver(done, "Running", others=PROXY, other_states=others(RUNNING)), now=310)
    goes_on = facts(cr("RUNNING"), driver(), log(STOPPED), now=310)
    for seen, code in ((held_open, "driver-pod-held-open"), (goes_on, "driver-jvm-does-not-end")):
        apps = assemble(seen)
        assert code not in codes(diagnose(seen, apps))
        assert code in codes(diagnose(replace(seen, saved=True), apps))


def test_a_jvm_that_has_ended_is_not_said_to_go_on() -> None:
    found = judge(cr("RUNNING"), driver(ended(0, "Completed", 301), "Running"), log(STOPPED), now=900)
    assert "driver-jvm-does-not-end" not in codes(found)
