"""Figures of the engine: what a team asks of its runbooks after a month."""

from __future__ import annotations

from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from console.actions.effects import Effect, ObjectRef
from console.cli.engine.stats import exposition
from console.runbook.walk import (
    AnyEvent,
    Applied,
    Entered,
    Intent,
    Judged,
    Started,
    Verified,
    Walk,
    WalkEnded,
    fold,
)
from console.timeline.stats import RunbookFigures, figures

TARGET = ObjectRef("apps/v1", "Deployment", "spark-operator", "controller")
Told = tuple[Walk, list[AnyEvent]]


def effect(id: str, *, undo: str = "") -> Effect:
    return Effect(id=id, step="change", title="t", action="patch", target=TARGET, writes=True, inverse_of=undo)


def told(id: str, at: float, *more: AnyEvent, runbook: str = "operator-down") -> Told:
    begun = Started(at, id, runbook, "1.0.0", "", "", {}, {}, {}, "Component//spark-operator", "t", "t")
    events: list[AnyEvent] = [begun, Entered(at, "change"), *more]
    return fold(events), events


def changed(at: float, seconds: float, proof: float, *, verdict: Any = "effective") -> list[AnyEvent]:
    return [
        Intent(at + seconds, "change", effect("w/1")),
        Applied(at + seconds + 1, "change", "w/1", True),
        Entered(at + seconds + 1, "verify"),
        Verified(at + seconds + 1 + proof, "verify", verdict, "", "end"),
    ]


def of(*walks: Told) -> RunbookFigures:
    (one,) = figures(walks)
    return one


def ended(at: float, outcome: Any = "resolved") -> WalkEnded:
    return WalkEnded(at, outcome, "")


def test_times_are_those_of_the_middle_walk_and_only_of_walks_that_have_them() -> None:
    one = of(
        told("a", 100.0, *changed(100.0, 30.0, 120.0), ended(400.0)),
        told("b", 1000.0, *changed(1000.0, 50.0, 240.0), ended(1500.0)),
        told("c", 2000.0, ended(2010.0, "not_applicable")),
    )
    assert (one.runs, one.unfinished, one.changed) == (3, 0, 2)
    assert (one.first_action, one.verified, one.took) == (40.0, 180.0, 300.0)
    assert one.outcomes == {"resolved": 2, "not_applicable": 1}
    assert (one.last, one.last_good) == (2000.0, 1000.0)


def test_what_was_never_measured_is_no_figure() -> None:
    one = of(told("a", 100.0))
    assert (one.first_action, one.verified, one.took, one.last_good, one.rollback_rate) == (None,) * 5
    assert (one.unfinished, one.unknown_rate) == (1, 0.0)


def test_a_change_that_did_not_help_has_no_proof_and_may_be_taken_back() -> None:
    undo = [
        Intent(500.0, "change", effect("w/2", undo="w/1")),
        Applied(501.0, "change", "w/2", True),
        ended(510.0, "unresolved"),
    ]
    one = of(
        told("a", 100.0, *changed(100.0, 30.0, 60.0, verdict="ineffective"), *undo),
        told("b", 600.0, *changed(600.0, 30.0, 60.0), ended(900.0)),
    )
    assert (one.rolled_back, one.rollback_rate, one.verified) == (1, 0.5, 60.0)


def test_what_could_not_be_told_is_counted_once_a_walk() -> None:
    judged = [Judged(101.0, "change", "unknown", "", "x"), Judged(102.0, "change", "unknown", "", "x")]
    doubtful = [Verified(700.0, "verify", "unknown", "", "x")]
    one = of(told("a", 100.0, *judged), told("b", 600.0, *doubtful), told("c", 900.0))
    assert (one.unknown, round(one.unknown_rate, 2)) == (2, 0.67)


def test_each_runbook_has_its_own_and_prometheus_reads_them() -> None:
    odd = 'odd"name'
    found = figures([told("a", 100.0, *changed(100.0, 30.0, 120.0), ended(400.0)), told("b", 200.0, runbook=odd)])
    assert [one.runbook for one in found] == [odd, "operator-down"]
    samples = {
        (s.name, s.labels["runbook"], s.labels.get("outcome", "")): s.value
        for family in text_string_to_metric_families(exposition(found))
        for s in family.samples
    }
    assert samples[("console_runbook_walks", "operator-down", "resolved")] == 1
    assert samples[("console_runbook_walks", odd, "none")] == 1
    assert samples[("console_runbook_seconds_to_proof", "operator-down", "")] == 120
    assert ("console_runbook_seconds_to_proof", odd, "") not in samples
