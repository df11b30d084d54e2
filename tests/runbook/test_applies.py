"""What a walk is about, whether it shows what the runbook is for, and what has happened so far, in words."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from console.actions.effects import Effect
from console.components.model import Component
from console.findings.model import Finding
from console.runbook import schema
from console.runbook.context.happened import happened, saved
from console.runbook.context.subject import applies, general, subject_part
from console.runbook.state import StepState
from tests.runbook.boards import KEY, alert, app, board, finding, slo
from tests.runbook.longform import LONG
from tests.runbook.test_fold import EFFECT, UNDO, WALK
from tests.runbook.test_subjects import METASTORE, fault

HIVE = "Component//hive-metastore"
NODES = schema.load(
    METASTORE.text.replace("about: component hive-metastore", "about: node").replace(
        "metastore-down]", "gpu-hardware], alerts: [NodeDown]"
    ),
    "n.yaml",
)


@pytest.mark.parametrize(
    ("key", "kind", "namespace", "name"),
    [
        (KEY, "SparkApplication", "spark-jobs", "etl-orders"),
        ("Node//n-1", "Node", "", "n-1"),
        ("Deployment/ops/web", "Deployment", "ops", "web"),
        ("spark-jobs/unseen", "", "spark-jobs", "unseen"),
        ("cluster", "", "", "cluster"),
        ("a/b/c/d", "", "a/b/c", "d"),
    ],
)
def test_what_a_walk_is_about_is_told_in_parts(key: str, kind: str, namespace: str, name: str) -> None:
    part = subject_part(key, board())
    assert (part["key"], part["kind"], part["namespace"], part["name"]) == (key, kind, namespace, name)
    assert name in part["words"]
    assert general(board(), key, METASTORE, None)["subject"] == part


@pytest.mark.parametrize("verdict", ["UNKNOWN", "LOADING"])
def test_of_a_cluster_that_cannot_be_seen_nothing_is_said_to_apply_or_not(verdict: Any) -> None:
    here = board(finding("metastore-down", data={"nodes": ()}), verdict=verdict, because="no \x1b[31manswer")
    assert applies(METASTORE, here, HIVE, None) == {"because": "the cluster cannot be seen: no answer"}


def test_it_applies_where_a_finding_that_it_is_for_is_about_the_subject() -> None:
    mine, other = fault("n-1"), replace(fault("n-1"), code="gpu-idle", title="idle")
    here = board(other, mine, finding(data={"nodes": ()}))
    assert applies(NODES, here, "Node//n-1", None) == {"now": True, "because": "fault of GPU-1"}
    elsewhere = applies(NODES, here, "Node//n-2", None)
    assert (elsewhere["now"], elsewhere["because"]) == (False, "Node n-2 shows none of gpu-hardware, NodeDown")


def test_a_runbook_that_is_for_nothing_says_so() -> None:
    book = schema.load(METASTORE.text.replace("match: {findings: [metastore-down]}", "on_demand: true"), "m.yaml")
    here = board(components=(Component("hive-metastore", "Hive", "down"),))
    said = applies(book, here, HIVE, None)
    assert said == {
        "now": False,
        "because": f"{subject_part(HIVE, here)['words']} shows nothing that this runbook is for",
    }


def test_a_component_that_is_not_there_is_said_with_the_nearest_one() -> None:
    there = board(components=(Component("hive-metastore", "Hive", "healthy"),))
    assert "there is no component" not in applies(METASTORE, there, HIVE, None)["because"]
    gone = applies(METASTORE, board(components=(Component("hive-metastor", "Hive", "down"),)), HIVE, None)
    assert gone["now"] is False
    assert (
        gone["because"].startswith("there is no component 'hive-metastore' here; ")
        and "hive-metastor" in gone["because"]
    )


OTHER = "x/y"


@pytest.mark.parametrize(
    ("paged", "key", "now"),
    [
        pytest.param(alert(pod="etl-orders-exec-1", namespace="spark-jobs"), KEY, True, id="of this application"),
        pytest.param(alert(pod="etl-orders-exec-1", namespace="spark-jobs"), OTHER, False, id="of another one"),
        pytest.param(None, KEY, False, id="none"),
    ],
)
def test_an_alert_makes_a_runbook_apply_to_the_application_that_it_names(paged: Any, key: str, now: bool) -> None:
    here = board(apps=(app(), app(key=OTHER, namespace="x", name="y")), slos=())
    said = applies(LONG, here, key, paged)
    assert said["now"] is now
    assert said["because"].endswith(" fires") is now


def test_an_alert_that_names_no_application_counts_only_where_it_paged() -> None:
    here, nobody = board(slos=()), replace(alert(), labels={})
    assert applies(LONG, here, KEY, nobody)["now"] is True
    assert applies(LONG, board(slos=(), alerts=(nobody,)), KEY, None)["now"] is False


@pytest.mark.parametrize(
    ("state", "because"),
    [("burning", "the objective job-success is burning"), ("exhausted", "the objective job-success is exhausted")],
)
def test_an_objective_that_the_runbook_answers_for_and_that_burns_is_enough(state: Any, because: str) -> None:
    here = board(slos=(slo(0.1, 0.1, "good"), replace(slo(9.0, 9.0, state), runbooks=(LONG.id,))))
    assert applies(LONG, here, KEY, None) == {"now": True, "because": because}
    assert applies(LONG, board(slos=(slo(0.1, 0.1, "good"),)), KEY, None)["now"] is False


# -- what has happened ------------------------------------------------------------------------------------------------


def made(number: int, title: str, undoes: str = "") -> Effect:
    return replace(EFFECT, id=f"w/{number}", title=title, inverse_of=undoes)


def test_changes_that_stand_are_told_from_those_that_were_taken_back() -> None:
    writes = (made(1, "More memory"), made(2, "Fewer cores"), made(3, "Back to few", "w/2"), made(4, "A label"))
    told = happened(replace(WALK, writes=writes))
    assert told["happened"] == "Changed: More memory; A label. Taken back: Fewer cores."
    assert (told["changes"], told["undone"], told["wrote"]) == (["More memory", "A label"], ["Fewer cores"], True)
    both = happened(replace(WALK, writes=(*writes[:3], replace(UNDO, id="w/5", inverse_of="w/1"))))
    assert both["happened"] == "Taken back: More memory; Fewer cores."


def test_a_change_that_was_proved_says_how_and_one_that_was_taken_back_proves_nothing() -> None:
    proved = {
        "early": {"verdict": "effective", "because": "it began to hold"},
        "verify": {"verdict": "effective", "because": "it held"},
        "other": {"verdict": "unknown", "because": "no data"},
    }
    steps = (StepState("verify", "done", "it held", left=9.0),)
    walk = replace(WALK, writes=(made(1, "More memory"),), outputs=proved, steps=steps, changed=4.0)
    assert happened(walk)["happened"] == "Changed: More memory. Verified: it held."
    back = replace(walk, writes=(*walk.writes, made(2, "Less", "w/1")))
    assert happened(back)["happened"] == "Taken back: More memory."
    for unproved in (replace(walk, changed=10.0), replace(walk, outputs={})):
        assert happened(unproved)["happened"] == "Changed: More memory.", "nothing proves the latest change"


@pytest.mark.parametrize(
    ("states", "last"),
    [
        ((("done", "fine"), ("refused", "frozen")), "frozen"),
        ((("done", "fine"), ("failed", "no answer")), "no answer"),
        ((("done", "fine"), ("done", "")), "fine"),
        ((("done", "fine"), ("skipped", "not needed"), ("current", "looking")), "fine"),
        ((("current", "looking"),), ""),
    ],
)
def test_the_latest_reason_is_that_of_a_step_that_came_to_something(states: Any, last: str) -> None:
    steps = tuple(StepState(f"s{n}", state, words) for n, (state, words) in enumerate(states))
    assert happened(replace(WALK, steps=steps))["last"] == last


def test_of_what_was_saved_twice_under_a_name_the_latest_counts() -> None:
    outputs = {"a": {"saved": {"x": 1, "y": 1}}, "b": {"status": "pass"}, "c": {"saved": {"x": 2}}}
    assert saved(outputs) == {"x": 2, "y": 1}


def test_a_finding_elsewhere_does_not_make_it_apply() -> None:
    def of(key: str) -> Finding:
        return finding(app=key, subject=f"SparkApplication/{key}")

    here = board(of(OTHER), apps=(app(), app(key=OTHER, namespace="x", name="y")), slos=())
    assert [applies(LONG, here, key, None)["now"] for key in (KEY, OTHER)] == [False, True]
