"""Attempts of one application as one story."""

from __future__ import annotations

from typing import Any

from console.apps.assemble import assemble
from console.findings.diagnose import Engine
from console.findings.story import Story, story
from tests.findings import worlds as w

GAVE_UP = w.ended(11, "Error", 0)


def attempt(number: int, start: float, end: float, executors: list[dict[str, Any]], code: int = 11) -> list[Any]:
    app_id = f"spark-{number:032x}"
    led = {"sparkoperator.k8s.io/app-name": "etl"}
    driver = w.driver(
        w.ended(code, "Error" if code else "Completed", end, start),
        "Failed" if code else "Succeeded",
        created=start,
        app_id=app_id,
        uid=f"d{number}",
        labels=led,
    )
    pods = [
        w.executor(i, **{"app_id": app_id, "created": start + 5, "name": f"a{number}-exec-{i}", "labels": led, **spec})
        for i, spec in enumerate(executors, 1)
    ]
    return [driver, *pods]


def oom(when: float) -> dict[str, Any]:
    return {"state": w.ended(137, "OOMKilled", when), "phase": "Failed"}


def told(*things: Any) -> Story:
    facts = w.facts(*things, now=5_000)
    verdict = Engine().judge(facts)
    return story(verdict.apps[0], verdict.findings)


def test_the_same_cause_again_and_sooner() -> None:
    found = told(
        w.cr("RUNNING", status={"executionAttempts": 3}),
        *attempt(1, 0, 900, [oom(800), oom(850)]),
        *attempt(2, 1_000, 1_400, [oom(1_300), oom(1_350)]),
        *attempt(3, 1_500, 1_600, [oom(1_550), oom(1_580)]),
    )
    assert found.same is True and found.trend == "worse"
    assert found.words == "3 attempts, 3 failed: the same cause again, and sooner each time"
    assert [line.split(":")[0] for line in found.lines] == ["attempt 1", "attempt 2", "attempt 3"]
    assert all("OOMKilled" in line for line in found.lines)


def test_an_attempt_that_died_and_one_that_ended_well() -> None:
    found = told(
        w.cr("COMPLETED", status={"executionAttempts": 2}),
        *attempt(1, 0, 300, [oom(200)]),
        *attempt(2, 400, 900, [{}], code=0),
    )
    assert found.words == "2 attempts, 1 failed; the last one completed"
    assert found.same is None and found.trend == ""


def test_another_cause_than_before() -> None:
    killed = {
        "state": w.ended(137, "Error", 500),
        "phase": "Failed",
        "reason": "Evicted",
        "message": "The node was low on resource: memory.",
    }
    found = told(
        w.cr("FAILED", status={"executionAttempts": 2}),
        *attempt(1, 0, 300, [oom(200)]),
        *attempt(2, 400, 600, [killed]),
    )
    assert found.same is False and "another cause than before" in found.words


def test_one_attempt_is_no_story() -> None:
    facts = w.facts(w.driver(), w.executor(1))
    assert story(assemble(facts)[0], ()) == Story()


def test_a_driver_that_gave_up_does_not_say_what_of() -> None:
    found = told(
        w.cr("FAILED", status={"executionAttempts": 2}),
        *attempt(1, 0, 300, [oom(200)]),
        *attempt(2, 400, 700, []),
    )
    assert found.same is None and found.words == "2 attempts, 2 failed"
