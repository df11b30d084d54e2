"""A timeline says what the trouble cost (since when, alerts, attempts, executors, budget), and what is not known."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import replace

from console.actions.effects import Effect
from console.apps.model import Death
from console.board.impact import AlertFired, Impact, impact_of
from console.components.model import Component
from console.facts.model import Alert
from console.operate.chain import Chain
from console.operate.world import impact_at_end, impact_snapshot
from console.runbook.walk import AnyEvent, Applied, HandedOver, Intent, Resumed, Started, WalkEnded, WalkLeft, fold
from console.timeline.impact import sentences
from console.timeline.timeline import document, markdown
from tests.runbook.boards import KEY, NOW, ORIGIN, app, board, executor, finding, oom_death, slo
from tests.timeline.story import BEGAN, BURNING, CALM, WALK
from tests.timeline.story import events as story

BEFORE = Impact(
    BEGAN, BEGAN - 840, (AlertFired("SparkExecutorOOMKilled", BEGAN - 600), AlertFired("Burns")), 13, True, 3,
    {"container-oom": 3}, 10, ("job-success",),
)  # fmt: skip
AFTER = Impact(BEGAN + 691, BEGAN - 300, (AlertFired("Burns"), AlertFired("Late", BEGAN + 60)), 14, False, 0,
               {"container-oom": 3, "sigterm": 1}, 4, ())  # fmt: skip


def told(before: Impact | None = BEFORE, after: Impact | None = AFTER, **slos: Any) -> list[AnyEvent]:
    out: list[AnyEvent] = []
    for event in story():
        if isinstance(event, Started) and before is not None:
            event = replace(event, impact=msgspec.to_builtins(before), slo=slos.get("slo_before", event.slo))
        if isinstance(event, WalkEnded) and after is not None:
            event = replace(event, impact=msgspec.to_builtins(after), slo=slos.get("slo_after", event.slo))
        out.append(event)
    return out


def said(**how: Any) -> tuple[str, ...]:
    return sentences(fold(told(**how)))


def test_every_timeline_says_since_when_with_which_alerts_attempts_losses_and_what_of_the_budget_is_left() -> None:
    counted = {"objective": 0.99, "period": 2_592_000.0}
    then = {"job-success": {**BURNING["job-success"], **counted, "bad": 159.0, "total": 51855.0}}
    now = {"job-success": {**CALM["job-success"], **counted, "bad": 160.0, "total": 51860.0}}
    assert said(slo_before=then, slo_after=now) == (
        "since 2026-11-24 10:28:07 UTC at the latest (the earliest proof of a finding; an alert may be older), 14m "
        "before the walk began",
        "alerts that fired: SparkExecutorOOMKilled since 2026-11-24 10:32:07 UTC, not any more at the end; "
        "Burns (since unknown); Late since 2026-11-24 10:43:07 UTC, only after the walk began",
        "attempts of the application: 13 (3 of them seen to have failed) when the walk began, at least 14 at the end",
        "executors lost: at least 10 (of those that are still seen: 3 OOMKilled at the container's limit) when the "
        "walk began, at least 10 (of those that are still seen: 3 OOMKilled at the container's limit, 1 by SIGTERM) at "
        "the end; attempts whose pods and logs are gone are not counted",
        "Jobs succeed (99% over 30d): 84% of the budget was left when the walk began, 82% at the end; "
        "bad events of all: 159/51855, then 160/51860",
        "who of the users noticed it is not known to Console",
    )


def test_what_is_not_known_of_the_impact_is_said_to_be_that() -> None:
    assert said(before=Impact(BEGAN), after=None) == (
        "since when it goes on is not known: no finding of it has a time",
        "alerts that fired: none was seen",
        "attempts of the application: not known",
        "executors lost: not known",
        "no objective that is measured here burned",
        "who of the users noticed it is not known to Console",
    )
    blind = said(before=Impact(BEGAN, objectives=("x",), lost={}), after=None, slo_before={})
    assert "x: how much of the budget is left is not known" in blind
    assert (
        "executors lost: none was seen when the walk began; attempts whose pods and logs are gone are not counted"
        in blind
    )


def test_a_walk_of_before_that_was_recorded_says_nothing_of_it() -> None:
    assert said(before=None, after=None) == ()
    events = story()
    page = markdown(fold(events), events, Chain(WALK, True, len(events), ""), ["0" * 64] * len(events))
    assert "## Impact" not in page
    odd = [replace(e, impact={"at": "yesterday"}) if isinstance(e, Started) else e for e in events]
    assert sentences(fold(odd)) == (), "a record that makes no sense does not stop the timeline"


def test_the_impact_stands_in_the_timeline_above_the_objectives_and_in_its_json() -> None:
    events = told()
    parts: Any = (fold(events), events, Chain(WALK, True, len(events), ""), ["0" * 64] * len(events))
    page = markdown(*parts)
    assert page.index("## Impact") < page.index("- alerts that fired: ") < page.index("## Objectives")
    impact = document(*parts)["impact"]
    assert impact["before"]["attempts"] == 13 and impact["after"]["attempts"] == 14
    assert impact["says"][0].startswith("since 2026-11-24 10:28:07 UTC")


def test_what_it_cost_is_told_at_each_change_that_was_made_and_where_somebody_left_as_what_differs() -> None:
    before = replace(BEFORE, budgets={"job-success": 0.84})
    then = replace(before, at=BEGAN + 67, attempts=20, told=31, budgets={"job-success": 0.82}, alerts=BEFORE.alerts[:1])
    late = replace(then, at=BEGAN + 400, alerts=(*then.alerts, AlertFired("Late")))
    kept = msgspec.to_builtins
    events = [
        replace(e, impact=kept(then)) if isinstance(e, Applied) else e
        for e in told(before=before)
        if e.at < BEGAN + 600
    ]
    events += [
        HandedOver(BEGAN + 300, "ada", "my shift ends", "recovers", kept(replace(then, at=BEGAN + 300))),
        Resumed(BEGAN + 310, "grace"),
        WalkLeft(BEGAN + 400, "grace", "recovers", kept(late)),
    ]
    assert sentences(fold(events))[-4:-1] == (
        "until the change “Raise memoryOverhead to 1200m” (as seen at 2026-11-24 10:43:14 UTC): attempts 13 (3 of them "
        "seen to have failed) → 20 (3 of them seen to have failed); executors lost at least 10 → 31; "
        "Jobs succeed: 84% → 82% of the budget left; Burns fires no more",
        "when ada handed it over (as seen at 2026-11-24 10:47:07 UTC): as before",
        "when grace closed Console (as seen at 2026-11-24 10:48:47 UTC): Late fires now",
    )


def test_an_objective_that_burned_only_in_between_or_whose_alert_fires_is_no_objective_that_did_not_burn() -> None:
    calm = replace(BEFORE, objectives=())
    events = [e for e in told(before=calm, after=None) if e.at < BEGAN + 600]
    assert "no objective that is measured here burned" in sentences(fold(events))
    burned = HandedOver(
        BEGAN + 300, "ada", "", "recovers", msgspec.to_builtins(replace(calm, objectives=("job-success",)))
    )
    assert any(one.startswith("Jobs succeed: 84% of the budget") for one in sentences(fold([*events, burned])))
    fires = Alert("BudgetBurn", {"slo": "job-success"}, ORIGIN, "firing", since=NOW - 60)
    seen = impact_of(board(slos=(slo(0.1, 0.1),), alerts=(fires,)), KEY)
    assert seen.objectives == ("job-success",) and [a.name for a in seen.alerts] == ["BudgetBurn"]


def test_the_impact_is_what_the_board_shows_of_the_application_and_nothing_of_others() -> None:
    ours = Alert(
        "SparkExecutorOOMKilled", {"app": "etl-orders", "namespace": "spark-jobs"}, ORIGIN, "firing", since=NOW - 600
    )
    budget = Alert("BudgetBurn", {"slo": "job-success"}, ORIGIN, "firing")
    led = Alert("Page", {"x": "y"}, ORIGIN, "firing", since=NOW - 30)
    other = Alert("Elsewhere", {"app": "else", "namespace": "spark-jobs"}, ORIGIN, "firing")
    over = replace(ours, name="Over", state="resolved")
    dead = executor(1, created=NOW - 500, death=oom_death(NOW - 60))
    fine = executor(2, created=NOW - 500, death=Death("normal", "done", at=NOW - 50))
    killed = executor(3, created=NOW - 500, death=Death("deleted", "restart", at=NOW - 10))
    one = app(executors=(dead, fine, killed), attempt=14, attempt_exact=False)
    here = board(
        finding(), finding(app="spark-jobs/else", since=NOW - 9000), apps=(one,), alerts=(ours, budget, other, over),
        slos=(slo(14.0, 6.0), slo(0.0, 0.0, id="calm")),
    )  # fmt: skip
    found = impact_of(here, KEY, led, changed=(NOW - 20,))
    assert found.since == NOW - 840 and found.objectives == ("job-success",)
    assert [(a.name, a.since) for a in found.alerts] == [
        ("Page", NOW - 30), ("SparkExecutorOOMKilled", NOW - 600), ("BudgetBurn", None),
    ]  # fmt: skip
    assert (found.attempts, found.exact, found.lost, found.told) == (14, False, {"container-oom": 1}, 6)
    assert impact_of(here, KEY).lost == {"container-oom": 1, "deleted": 1}
    nothing = impact_of(here, "spark-jobs/unknown")
    assert (nothing.since, nothing.attempts, nothing.lost, nothing.told) == (None, None, None, None)


def test_of_a_component_it_is_what_is_found_of_its_objects_and_fires_about_them_and_nothing_of_applications() -> None:
    hive = Component("hive-metastore", "Hive", "down", found=("Deployment/platform/hive",))
    labels = {"deployment": "hive", "namespace": "platform"}
    fires = Alert("SparkComponentDown", labels, ORIGIN, "firing", since=NOW - 700)
    elsewhere = replace(fires, name="Elsewhere", labels={**labels, "namespace": "other"})
    down = replace(finding(app="", since=NOW - 420), subject="Deployment/platform/hive")
    here = board(down, finding(since=NOW - 9000), components=(hive,), alerts=(fires, elsewhere), apps=(app(),))
    seen = impact_snapshot(here, "Component//hive-metastore")
    assert seen["since"] == NOW - 420 and [a["name"] for a in seen["alerts"]] == ["SparkComponentDown"]
    walk = fold(told(before=msgspec.convert(seen, Impact), after=None))
    lines = sentences(msgspec.structs.replace(walk, subject="Component//hive-metastore"))
    assert not any("attempts" in line or "executors" in line for line in lines)


def test_executors_that_any_change_of_the_walk_ended_are_no_losses_also_after_its_rollback() -> None:
    effect = Effect("w/1", "raise", "Raise it", "patch")
    back = replace(effect, id="w/1.undo", inverse_of="w/1")
    begun = Started(NOW - 900, "w", "r", "1.0.0", "h", "", {}, {}, {}, KEY, "ada", "console")
    changed = [begun, Intent(NOW - 800, "raise", effect), Applied(NOW - 770, "raise", "w/1", True)]
    ours = executor(1, created=NOW - 850, death=Death("deleted", "restart", at=NOW - 790))
    again = executor(2, created=NOW - 700, death=Death("deleted", "restart", at=NOW - 390))
    lost = executor(3, created=NOW - 700, death=oom_death(NOW - 500))
    here = board(apps=(app(executors=(ours, again, lost)),))
    asked = fold([*changed, Intent(NOW - 400, "raise", back)])
    for walk in (asked, fold([*changed, Intent(NOW - 400, "raise", back), Applied(NOW - 380, "raise", back.id, True)])):
        assert impact_at_end(here, walk)["lost"] == {"container-oom": 1}
    assert impact_at_end(here, fold(changed[:1]))["lost"] == {"container-oom": 1, "deleted": 2}


def test_executors_that_end_in_the_second_of_the_change_are_ended_by_it() -> None:
    effect = Effect("w/1", "raise", "Raise it", "patch")
    begun = Started(NOW - 900, "w", "r", "1.0.0", "h", "", {}, {}, {}, KEY, "ada", "console")
    changed = fold([begun, Intent(NOW - 799.4, "raise", effect), Applied(NOW - 799.3, "raise", "w/1", True)])
    ours = executor(1, created=NOW - 850, death=Death("deleted", "restart", at=NOW - 800))
    lost = executor(2, created=NOW - 850, death=oom_death(NOW - 801))
    assert impact_at_end(board(apps=(app(executors=(ours, lost)),)), changed)["lost"] == {"container-oom": 1}


def test_losses_that_are_found_count_also_when_they_are_over_and_only_information() -> None:
    one = finding(severity="info", data={"deaths": 103})
    assert impact_of(board(one, apps=(app(),)), KEY).told == 103


def test_what_was_lost_is_not_less_later_because_less_of_it_is_still_seen() -> None:
    changed = replace(BEFORE, at=BEGAN + 67, told=53)
    late = replace(AFTER, told=47)
    events = [
        replace(e, impact=msgspec.to_builtins(changed)) if isinstance(e, Applied) else e for e in told(after=late)
    ]
    lost = next(one for one in sentences(fold(events)) if one.startswith("executors lost: "))
    assert "at least 10 (" in lost and "at least 53 (" in lost and "47" not in lost
