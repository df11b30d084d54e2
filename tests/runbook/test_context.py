"""The data of templates: what a source did not have is absent; only what came after a change is its result."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from console.actions.effects import Effect, ObjectRef
from console.apps.model import Attempt, Death
from console.facts.model import Sample, SourceState
from console.runbook.context.after import youngest
from console.runbook.context.build import build as built
from console.runbook.context.plain import without_none
from console.runbook.context.query import with_query
from console.runbook.model import Runbook
from console.runbook.template import evaluate
from console.runbook.walk import Applied, Entered, Intent, Judged, Started, Walk, fold
from console.slo.model import Burn
from tests.runbook.boards import KEY, NOW, ORIGIN, alert, app, board, driver, executor, finding, node, oom_death, slo
from tests.runbook.longform import LONG

BOOK = LONG


def walk(changed: float | None = None, slos: dict[str, Any] | None = None) -> Walk:
    events: list[Any] = [Started(NOW - 100, "w", "b", "1", "", "", {}, {}, {}, KEY, "", "", slos or {})]
    if changed is not None:
        effect = Effect("w/1", "s", "t", "patch", ObjectRef("v1", "Node", "", "n"))
        events += [Entered(changed, "s"), Intent(changed, "s", effect), Applied(changed, "s", "w/1", True)]
    return fold(events)


def build(here: Any, **more: Any) -> dict[str, Any]:
    basis: dict[str, Any] = {"app": KEY, "walk": walk(), "inputs": {}, "now": NOW, "runbook": BOOK}
    return built(here, **{**basis, **more})


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


def test_the_finding_is_of_whoever_is_walked() -> None:
    """The application that was chosen, else the one that the alert names, else whatever stands first."""
    mine, other = finding(), finding(app="x/y", subject="SparkApplication/x/y")
    here = board(other, mine, apps=(app(), app(key="x/y", namespace="x", name="y")))
    for book in (BOOK, None):
        assert build(here, runbook=book)["finding"]["app"] == KEY
        assert build(here, app="x/y", runbook=book)["finding"]["app"] == "x/y"
    assert build(here, app="", runbook=None)["finding"]["app"] == "x/y"
    assert build(here, app="")["finding"]["app"] == "x/y"
    assert build(here, app="", alert=alert())["finding"]["app"] == KEY, "its pod is of that application"
    assert "finding" not in build(board(other), runbook=None)


def test_every_objective_that_a_runbook_answers_for_is_said() -> None:
    here = board(slos=(slo(9.0, 9.0), slo(0.5, 0.5, id="job-success-too")))
    burned = walk(NOW - 50, {id: {"state": "burning"} for id in ("job-success", "job-success-too")})
    said = build(here, walk=burned, runbook=Runbook("b", "1", "B", "f", "", ""))["recovery"]["words"]
    assert said.startswith("job-success: burn 9.00") and "; job-success-too: burn 0.5" in said


def test_outputs_and_objectives_are_read_with_underscores() -> None:
    ctx = build(board(slos=(slo(2.0, 0.5),)))
    assert evaluate("slos.job_success.burn_5m == 2.0 and slos.job_success.burn_1h == 0.5", ctx) is True


def test_named_values_see_those_above_them_and_unknown_ones_are_absent() -> None:
    book = Runbook("b", "1", "B", "f", "", "", values={"a": "2", "b": "values.a * 3", "c": "app.nothing + 1"})
    assert build(board(), runbook=book)["values"] == {"a": 2, "b": 6}


def test_a_query_without_an_answer_has_no_value() -> None:
    sample = Sample("x", {"pod": "p"}, 3.0, NOW, ORIGIN)
    assert with_query({}, (sample,))["query"]["value"] == 3.0
    for samples, state in (((), "empty"), (None, "error"), ((Sample("x", {}, float("nan"), NOW, ORIGIN),), "empty")):
        query = with_query({}, samples, "late")["query"]
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


def test_an_objective_with_pyrras_windows_recovers() -> None:
    """Pyrra records 321 and 3857 seconds at 30 days: no objective of its had ever recovered."""
    burns = (Burn(321.0, None, 0.4, awaited=True), Burn(3857.0, None, 0.9, awaited=True), Burn(7200.0, None, 5.0))
    pyrra = replace(slo(0.0, 0.0), burns=burns)
    recovery = build(board(slos=(pyrra,)), walk=walk(NOW - 50))["recovery"]
    assert recovery["state"] == "recovered"
    assert recovery["words"] == "job-success: burn 0.40 over 321s, 0.90 over 3857s (not waited for: 5.00 over 2h)"


def test_an_objective_that_recovered_says_until_when_after_the_change_it_is_called_burning() -> None:
    burns = (Burn(300.0, None, 0.4, awaited=True), Burn(7200.0, None, 5.0, factor=3.0))
    here = board(slos=(replace(slo(0.0, 0.0), state="burning", burns=burns),))
    unchanged, changed = (build(here, walk=walk(at))["recovery"]["words"] for at in (None, NOW - 50))
    assert unchanged.endswith("; still called burning: burning")
    assert changed.endswith(
        "; still called burning: burning, at the latest until 2026-11-18 15:05Z if nothing more fails"
    )


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


def test_executors_that_are_older_than_the_new_driver_are_not_of_its_attempt() -> None:
    """The write came first, then an executor of the old attempt, then the new driver."""
    begun = CHANGED + 200
    seen = after(driver=driver(begun), executors=(executor(1, created=CHANGED + 10), executor(2, created=begun + 20)))
    assert (seen["executors"], seen["new"]["running"]) == (1, 2)


def test_members_of_both_sides_and_every_kind_of_death_are_told() -> None:
    begun, evicted = CHANGED + 25, Death("evicted", "evicted", at=NOW)
    seen = after(
        driver=driver(begun, "Failed", death=Death("user-error", "an exception", at=NOW)),
        executors=(
            executor(1, created=CHANGED - 60),
            executor(2, created=CHANGED - 60, state="OOMKilled", death=oom_death(NOW)),
            executor(3, created=begun + 5),
            executor(4, created=begun + 5, state="Evicted", death=evicted),
            executor(5, created=begun + 5, state="Evicted", death=evicted),
            executor(6, created=begun + 5, state="Succeeded", death=Death("decommissioned", "asked to", at=NOW)),
        ),
    )
    assert seen["old"] == {"running": 1, "died": 1, "deaths": {"container-oom": 1}}
    assert seen["new"] == {"running": 1, "died": 2, "deaths": {"evicted": 2}}
    assert seen["driver_deaths"] == {"user-error": 1}
    assert (seen["deaths"], seen["oom_deaths"], seen["driver_oom_deaths"]) == (2, 0, 0)


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


def test_every_part_of_the_context_stands_under_its_name() -> None:
    here = board(finding(), sources=(SourceState("kubernetes", "fresh"),), nodes=(node("n-1", "MemoryPressure"),))
    outputs = [Entered(NOW, "is-it"), Judged(NOW, "is-it", "pass", "so", "", output={"size": 2})]
    ctx = build(here, walk=fold([Started(NOW - 100, "w", "b", "1", "", "", {}, {}, {}, KEY, "", ""), *outputs]),
                inputs={"size": "1g"}, alert=alert(), now=NOW + 5)  # fmt: skip
    assert (ctx["now"], ctx["inputs"], ctx["alert"]["name"]) == (NOW + 5, {"size": "1g"}, "SparkPodOOMKilled")
    assert ctx["steps"]["is-it"] == ctx["steps"]["is_it"] == {"size": 2, "status": "pass", "because": "so"}
    assert ctx["cluster"]["context"] == "spark-prod"
    assert [(n["name"], n["true"]) for n in ctx["nodes"]] == [("n-1", ["Ready", "MemoryPressure"])]
    assert ctx["sources"]["kubernetes"]["name"] == "kubernetes"
    assert (ctx["app"]["key"], ctx["app"]["live"]) == (KEY, True)
    assert ctx["slos"]["job_success"]["id"] == "job-success"


def test_what_a_walk_has_done_and_saved_stands_under_its_name() -> None:
    done = walk(NOW - 50)
    ctx = build(board(), walk=replace(done, outputs={"look": {"saved": {"size": 3}}}))
    assert (ctx["walk"]["wrote"], ctx["walk"]["changes"], ctx["saved"]) == (True, ["t"], {"size": 3})


def test_before_a_walk_begins_nothing_came_after_it() -> None:
    ctx = build(board(finding()), walk=None)
    assert (ctx["after"], ctx["steps"], ctx["walk"], ctx["saved"]) == ({}, {}, {}, {})


def test_the_finding_is_the_one_that_the_runbook_is_for_or_the_first_where_there_is_none() -> None:
    both = board(finding("executor-lost"), finding())
    assert build(both)["finding"]["code"] == "executor-oom-container"
    assert build(both, runbook=None)["finding"]["code"] == "executor-lost"
    assert build(both)["finding"]["key"] == finding().key
    assert [f["code"] for f in build(both)["findings"]] == ["executor-lost", "executor-oom-container"]


def test_without_an_application_the_findings_are_those_of_all() -> None:
    other = finding("executor-oom-heap", app="x/y", subject="SparkApplication/x/y")
    ctx = build(board(finding(), other), app="", runbook=None)
    assert [f["app"] for f in ctx["findings"]] == [KEY, "x/y"]
    assert ctx["values"] == {}


def test_elsewhere_are_the_findings_of_others_that_this_runbook_is_for() -> None:
    others = [finding("executor-oom-heap", app="x/y"), finding("executor-lost", app="x/z"), finding(app="")]
    ctx = build(board(*others))
    assert [(f["code"], f["app"]) for f in ctx["elsewhere"]] == [("executor-oom-heap", "x/y")]
    assert build(board(*others), runbook=None)["elsewhere"] == []


def test_of_two_findings_of_one_code_the_present_attempts_is_found() -> None:
    old, new = finding(data={"current": False, "deaths": 1}), finding(data={"current": True, "deaths": 2})
    newer = finding(data={"current": True, "deaths": 3})
    for found, deaths in (((old, new), 2), ((new, old), 2), ((new, newer), 2), ((old,), 1)):
        assert build(board(*found))["found"]["executor-oom-container"]["data"]["deaths"] == deaths


def test_what_is_not_known_is_left_out_however_deep_it_lies() -> None:
    assert without_none({"a": None, "b": {"c": None, "d": [None, 0, {"e": None}]}, 1: False}) == {
        "b": {"d": [0, {}]},
        "1": False,
    }


def test_an_answer_of_a_query_keeps_its_labels_and_what_was_there_before() -> None:
    there = Sample("x", {"pod": "p"}, 3.0, NOW, ORIGIN)
    none = Sample("x", {"pod": "q"}, float("nan"), NOW, ORIGIN)
    assert with_query({"now": 1}, (none, there)) == {
        "now": 1,
        "query": {"state": "ok", "error": "", "value": 3.0, "samples": [{"labels": {"pod": "p"}, "value": 3.0}]},
    }
    assert with_query({}, None, "refused") == {"query": {"state": "error", "error": "refused"}}
    assert with_query({}, ()) == {"query": {"state": "empty", "error": ""}}


@pytest.mark.parametrize(
    ("seconds", "name"),
    [(321.0, "321s"), (0.5, "0.5s"), (60.0, "1m"), (300.0, "5m"), (3600.0, "1h"), (5400.0, "90m"), (86400.0, "1d")],
)
def test_burn_rates_are_read_by_their_window(seconds: float, name: str) -> None:
    one = replace(slo(0.0, 0.0), burns=(Burn(seconds, None, 2.5),))
    assert build(board(slos=(one,)))["slos"]["job_success"][f"burn_{name}"] == 2.5


def test_an_objective_that_names_the_runbook_is_answered_for() -> None:
    named = replace(slo(9.0, 9.0, id="x"), runbooks=("spark-oom",))
    recovery = build(board(slos=(named, slo(9.0, 9.0, id="y"))))["recovery"]
    assert (recovery["ids"], recovery["state"]) == (["x"], "burning")
    assert build(board(slos=(named,)), runbook=None, walk=None)["recovery"]["ids"] == []


def test_without_an_objective_that_is_answered_for_that_is_said() -> None:
    recovery = build(board(slos=()))["recovery"]
    assert recovery == {"state": "none", "ids": [], "words": "no objective is measured for this"}


@pytest.mark.parametrize(
    ("was", "burned"),
    [
        ({"state": "burning"}, True),
        ({"state": "exhausted"}, True),
        ({"state": "good", "budget_left": -0.1}, False),
        ({"budget_left": -0.1}, True),
        ({"budget_left": 0}, False),
        ({"budget_left": "little"}, False),
        ({}, False),
        ("burning", False),
    ],
)
def test_what_burned_when_the_walk_began_is_answered_for(was: Any, burned: bool) -> None:
    recovery = build(board(slos=(slo(0.1, 0.1, id="x"),)), walk=walk(None, {"x": was}))["recovery"]
    assert (recovery["ids"] == ["x"]) is burned


def test_objectives_that_stand_differently_stand_as_the_worst() -> None:
    def stand(*fast: float | None) -> str:
        slos = tuple(replace(slo(rate, 0.2, id=f"x{n}"), runbooks=("spark-oom",)) for n, rate in enumerate(fast))
        return str(build(board(slos=slos))["recovery"]["state"])

    assert (stand(0.1, None), stand(9.0, None), stand(0.1, 9.0), stand(0.1)) == (
        "no data", "burning", "burning", "recovered",
    )  # fmt: skip


def changed_at(sent: float, *, there: float | None = None, youngest: Any = None) -> Walk:
    """A walk that changed the node: when by its own clock, when by the server's, and which pods were there last."""
    target, here = ObjectRef("v1", "Node", "", "n"), youngest or {}
    effect = Effect("w/1", "s", "t", "patch", target)
    began = Started(NOW - 100, "w", "b", "1", "", "", {}, {}, {}, KEY, "", "", {})
    done = Applied(sent + 0.1, "s", "w/1", True, there=there)
    return fold([began, Entered(sent, "s"), Intent(sent, "s", effect, youngest=here), done])


def seen_after(walk: Walk, **fields: Any) -> dict[str, Any]:
    found: dict[str, Any] = build(board(apps=(app(**fields),)), walk=walk)["after"]
    return found


def test_a_driver_of_the_second_of_the_change_is_the_new_one_unless_it_was_seen_before() -> None:
    pods = {"driver": driver(CHANGED), "executors": (executor(1, created=CHANGED),), "tasks": {"completed": 3}}
    new = seen_after(changed_at(CHANGED + 0.7), **pods)
    assert (new["new_driver"], new["executors"], new["tasks"], new["old"]["running"]) == (True, 1, 3, 0)
    known = {pods["driver"].pod: CHANGED, pods["executors"][0].pod: CHANGED}
    old = seen_after(changed_at(CHANGED + 0.7, youngest=known), **pods)
    assert (old["new_driver"], old["executors"], old["old"]["running"]) == (False, 0, 1)
    assert old["new"]["running"] == 0
    again = seen_after(changed_at(CHANGED + 0.7, youngest={pods["driver"].pod: CHANGED - 60}), **pods)
    assert again["new_driver"] is True, "a driver has the name of the one before it"


def test_the_pods_that_were_made_last_are_kept_with_a_change() -> None:
    first, last = executor(1, created=CHANGED - 9), executor(2, created=CHANGED)
    unnamed, unknown = replace(executor(3, created=CHANGED), pod=""), replace(last, pod="x", created=None)
    one = app(driver=driver(CHANGED), executors=(first, last, unnamed, unknown))
    assert youngest(one) == {"etl-orders-driver": CHANGED, "etl-orders-exec-2": CHANGED}
    assert youngest(app(driver=None, executors=(first, last))) == {"etl-orders-exec-2": CHANGED}
    assert youngest(app(driver=None, executors=())) == {}


def test_what_came_of_a_change_is_told_by_the_clock_of_the_cluster_where_that_of_the_bastion_is_wrong() -> None:
    for wrong in (-300.0, 300.0):
        walk = changed_at(CHANGED + wrong, there=CHANGED)
        assert seen_after(walk, driver=driver(CHANGED + 1))["new_driver"] is True
        assert seen_after(walk, driver=driver(CHANGED - 1))["new_driver"] is False
        assert seen_after(walk, state="FAILED", ended=CHANGED - 1)["failed"] is False
        assert seen_after(walk, state="FAILED", ended=CHANGED + 1)["failed"] is True


def test_what_ends_in_the_second_of_the_change_ended_after_it() -> None:
    assert seen_after(changed_at(CHANGED + 0.7), state="FAILED", ended=CHANGED)["failed"] is True
    attempt = Attempt(1, "FAILED", started=CHANGED, death=oom_death(NOW))
    assert after(attempts=(attempt,))["driver_deaths"] == {"container-oom": 1}
    assert after(attempts=(replace(attempt, started=None), replace(attempt, death=None)))["driver_deaths"] == {}


def test_before_a_change_everything_since_the_walk_began_counts() -> None:
    here = board(apps=(app(executors=(executor(1, created=NOW - 50), executor(2, created=NOW - 150))),))
    seen = build(here, walk=walk())["after"]
    assert (seen["at"], seen["written"], seen["executors"]) == (NOW - 100, False, 1)


def test_what_is_wanted_and_what_the_tasks_of_the_new_driver_say() -> None:
    seen = after(driver=driver(CHANGED + 1), wanted_executors=7, tasks={"completed": 5, "failed": 2})
    assert (seen["wanted"], seen["tasks"], seen["failed_tasks"]) == (7, 5, 2)
    old = after(tasks={"completed": 5, "failed": 2})
    assert "tasks" not in old and "failed_tasks" not in old


def test_only_pods_that_run_and_are_there_count_as_running() -> None:
    begun = CHANGED + 5
    pods = (executor(1, created=begun), executor(2, created=begun, state="Pending"),
            executor(3, created=begun, gone=True), executor(4, created=None))  # fmt: skip
    seen = after(executors=pods)
    assert (seen["new"]["running"], seen["executors"]) == (1, 1)


@pytest.mark.parametrize("kind", ["container-oom", "heap-oom", "gc-overhead", "python-oom", "evicted", "driver-result"])
def test_deaths_of_memory_are_told_from_others(kind: str) -> None:
    begun, death = CHANGED + 5, oom_death(NOW, kind)
    seen = after(driver=driver(begun, "Failed", death=death), executors=(executor(1, created=begun, death=death),))
    memory = int(kind not in ("evicted", "driver-result"))
    assert (seen["oom_deaths"], seen["deaths"], seen["new"]["deaths"]) == (memory, 1, {kind: 1})
    assert seen["driver_oom_deaths"] == (1 if kind == "driver-result" else memory)


@pytest.mark.parametrize("kind", ["normal", "decommissioned"])
def test_an_ordinary_end_is_no_death(kind: str) -> None:
    seen = after(executors=(executor(1, created=CHANGED + 5, state="Succeeded", death=oom_death(NOW, kind)),))
    assert (seen["deaths"], seen["new"]) == (0, {"running": 0, "died": 0, "deaths": {}})


@pytest.mark.parametrize(
    ("state", "ended"),
    [(state, (True, False)) for state in ("COMPLETED", "Succeeded", "FINISHED", "ResourceReleased")]
    + [(state, (False, True)) for state in ("FAILED", "SUBMISSION_FAILED", "FAILING", "SchedulingFailure")]
    + [("RUNNING", (False, False)), ("PENDING_RERUN", (False, False))],
)  # fmt: skip
def test_each_operators_words_for_an_end(state: str, ended: tuple[bool, bool]) -> None:
    seen = after(state=state, ended=CHANGED + 5)
    assert (seen["completed"], seen["failed"]) == ended
