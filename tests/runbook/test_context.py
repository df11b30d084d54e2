"""The data of templates: what a source did not have is absent; only what came after a change is its result."""

from __future__ import annotations

from typing import Any

import pytest

from console.health.facts import Sample
from console.health.model import Attempt, Death
from console.runbook import context
from console.runbook.effects import Effect, ObjectRef
from console.runbook.model import Runbook
from console.runbook.template import evaluate
from console.runbook.walk import Applied, Entered, Intent, Started, Walk, fold
from tests.runbook.boards import KEY, NOW, ORIGIN, alert, app, board, driver, executor, finding, oom_death, slo
from tests.runbook.player import LIBRARY

BOOK = LIBRARY.runbooks["spark-oom"]


def walk(changed: float | None = None, slos: dict[str, Any] | None = None) -> Walk:
    events: list[Any] = [Started(NOW - 100, "w", "b", "1", "", "", {}, {}, {}, KEY, "", "", slos or {})]
    if changed is not None:
        effect = Effect("w/1", "s", "t", "patch", ObjectRef("v1", "Node", "", "n"))
        events += [Entered(changed, "s"), Intent(changed, "s", effect), Applied(changed, "s", "w/1", True)]
    return fold(events)


def build(here: Any, **more: Any) -> dict[str, Any]:
    basis: dict[str, Any] = {"app": KEY, "walk": walk(), "inputs": {}, "now": NOW, "runbook": BOOK}
    return context.build(here, **{**basis, **more})


def test_absent_data_is_absent_not_none_and_not_zero() -> None:
    ctx = build(board(finding()))
    assert "python_rss" not in ctx["finding"]["data"] and "memory_used" not in ctx["app"]
    assert evaluate("finding.data.python_rss is defined", ctx) is False
    assert ctx["alert"] == {} and build(board())["app"]["subject"] == f"SparkApplication/{KEY}"
    assert "finding" not in build(board())
    assert build(board(), app="", walk=None)["app"] == {}


def test_findings_stand_by_code_for_the_application_and_elsewhere() -> None:
    other = finding("executor-oom-heap", app="x/y")
    ctx = build(board(finding(), other))
    assert list(ctx["found"]) == ["executor-oom-container"] and [f["app"] for f in ctx["elsewhere"]] == ["x/y"]
    assert evaluate("'executor-oom-container' in found and found['executor-oom-container'].class == 'I01'", ctx) is True


def test_outputs_and_objectives_are_read_with_underscores() -> None:
    ctx = build(board(slos=(slo(2.0, 0.5),)))
    assert evaluate("slos.job_success.burn_5m == 2.0 and slos.job_success.burn_1h == 0.5", ctx) is True


def test_named_values_see_those_above_them_and_unknown_ones_are_absent() -> None:
    book = Runbook("b", "1", "B", "f", "", "", values={"a": "2", "b": "values.a * 3", "c": "app.nothing + 1"})
    assert build(board(), runbook=book)["values"] == {"a": 2, "b": 6}


def test_a_query_without_an_answer_has_no_value() -> None:
    sample = Sample("x", {"pod": "p"}, 3.0, NOW, ORIGIN)
    assert context.with_query({}, (sample,))["query"]["value"] == 3.0
    for samples, state in (((), "empty"), (None, "error"), ((Sample("x", {}, float("nan"), NOW, ORIGIN),), "empty")):
        query = context.with_query({}, samples, "late")["query"]
        assert query["state"] == state and "value" not in query


@pytest.mark.parametrize(
    ("slos", "before", "state", "ids"),
    [
        ((slo(0.5, 0.5),), {}, "recovered", ["job-success"]),
        ((slo(0.5, 1.0),), {}, "burning", ["job-success"]),
        ((slo(None, 3.0),), {}, "burning", ["job-success"]),
        ((slo(None, 0.3),), {}, "no data", ["job-success"]),
        ((slo(9.0, 9.0, id="x"),), {}, "none", []),
        (
            (slo(0.1, 0.1, id="x"), slo(9.0, 9.0, id="y")),
            {"x": {"state": "burning"}, "y": {"state": "good"}},
            "recovered",
            ["x"],
        ),
        ((slo(0.1, 0.1, id="x"),), {"x": {"budget_left": -0.2}}, "recovered", ["x"]),
        ((), {}, "none", []),
    ],
)
def test_recovery_is_of_the_objectives_that_the_runbook_answers_for(
    slos: Any, before: Any, state: str, ids: list[str]
) -> None:
    recovery = build(board(slos=slos), walk=walk(NOW - 50, before))["recovery"]
    assert (recovery["state"], recovery["ids"]) == (state, ids) and recovery["words"]


CHANGED = NOW - 300


def after(**fields: Any) -> dict[str, Any]:
    found: dict[str, Any] = build(board(apps=(app(**fields),)), walk=walk(CHANGED))["after"]
    return found


def test_what_is_older_than_the_change_says_nothing_about_it() -> None:
    dead = executor(1, created=CHANGED - 60, state="OOMKilled", death=oom_death(NOW))
    seen = after(executors=(dead, executor(2, created=CHANGED - 60)))
    assert (seen["new_driver"], seen["oom_deaths"], seen["executors"]) == (False, 0, 0)
    assert "tasks" not in seen and seen["written"] is True


def test_the_new_attempt_is_counted_with_its_dead_and_its_tasks() -> None:
    begun = CHANGED + 25
    evicted = executor(9, created=begun + 5, state="Evicted", death=Death("evicted", "evicted", at=NOW))
    seen = after(
        driver=driver(begun),
        executors=(
            executor(1, created=begun + 20),
            executor(2, created=begun + 20, state="OOMKilled", death=oom_death(NOW)),
            evicted,
        ),
        tasks={"completed": 7, "failed": 1},
    )  # fmt: skip
    assert (seen["new_driver"], seen["executors"], seen["oom_deaths"], seen["deaths"], seen["tasks"]) == (
        True,
        1,
        1,
        2,
        7,
    )


def test_a_restart_of_the_new_attempt_does_not_hide_its_first_deaths() -> None:
    lost = executor(1, created=CHANGED + 45, state="OOMKilled", death=oom_death(CHANGED + 100))
    seen = after(driver=driver(CHANGED + 200), executors=(lost, executor(2, created=CHANGED + 220)))
    assert (seen["oom_deaths"], seen["executors"]) == (1, 1)


@pytest.mark.parametrize(
    ("fields", "completed", "failed"),
    [
        ({"state": "COMPLETED", "driver": driver(CHANGED + 25)}, True, False),
        ({"state": "COMPLETED", "ended": CHANGED - 5}, False, False),
        ({"state": "COMPLETED", "ended": CHANGED + 5}, True, False),
        ({"state": "FAILED", "driver": driver(CHANGED + 25)}, False, True),
        ({"state": "FAILED", "ended": CHANGED - 5}, False, False),
        ({"state": "SUBMISSION_FAILED", "driver": None}, False, True),
        ({"state": "RUNNING", "driver": driver(CHANGED + 25)}, False, False),
    ],
)
def test_only_an_end_after_the_change_is_its_end(fields: Any, completed: bool, failed: bool) -> None:
    seen = after(**fields)
    assert (seen["completed"], seen["failed"]) == (completed, failed)


def test_a_driver_that_dies_of_memory_again_is_seen_on_the_pod_or_on_its_attempt() -> None:
    death = oom_death(NOW, "heap-oom")
    assert after(driver=driver(CHANGED + 25, "Failed", death=death))["driver_oom_deaths"] == 1
    attempt = Attempt(1, "FAILED", started=CHANGED + 25, death=death)
    assert after(driver=driver(CHANGED + 90), attempts=(attempt,))["driver_oom_deaths"] == 1
    old = Attempt(1, "FAILED", started=CHANGED - 25, death=death)
    assert after(driver=driver(CHANGED + 90), attempts=(old,))["driver_oom_deaths"] == 0


def test_an_application_that_vanished_leaves_everything_unknown() -> None:
    seen = build(board(apps=()), walk=walk(CHANGED))["after"]
    assert seen == {"at": CHANGED, "written": True}


def test_secrets_of_alerts_and_applications_are_redacted() -> None:
    ctx = build(board(finding()), alert=alert(token="eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abcdefghijk"))
    assert "hunter2" not in repr(ctx) and "eyJhbGci" not in repr(ctx["app"])
