"""What a walk keeps beside its steps: who had it when, what the trouble cost, and what is still to do."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from console.runbook.events import MissingRight
from console.runbook.walk import (
    Applied,
    ChangeRefused,
    GuardOverruled,
    HandedOver,
    LookedBack,
    Resumed,
    RightsAsked,
    Started,
    TakenOver,
    Undone,
    WalkEnded,
    WalkLeft,
    apply,
    fold,
)
from tests.runbook.test_fold import EFFECT, INTENT, WALK, left

AT = 1_795_521_727.0  # 12:02:07
COST: dict[str, Any] = {"executors": 3}
CALM = replace(WALK, pending=None, in_doubt=None)


def test_a_walk_begins_with_the_trouble_that_it_is_for_and_the_runbooks_that_it_runs() -> None:
    begun = Started(
        1.0, "w", "b", "2.0", "hash", "text", {}, {}, {}, "app", "ada", "console",
        finding="driver-oom@app", trouble="it was killed", parts={"inner": "text"}, impact=COST, uid="u-1",
    )  # fmt: skip
    walk = fold([begun])
    assert (walk.finding, walk.trouble, walk.parts) == (
        "driver-oom@app",
        "it was killed",
        {"inner": "text"},
    )
    assert (walk.impact_before, walk.uid) == (COST, "u-1")


# -- what it cost ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "occasion"),
    [
        (HandedOver(AT, "ada", "", "now", COST), "when ada handed it over"),
        (WalkLeft(AT, "ada", "now", COST), "when ada closed Console"),
        (Applied(AT, "now", "w/2", True, impact=COST), "until the change “Raise it”"),
    ],
    ids=["handed over", "left", "changed"],
)
def test_what_the_trouble_had_cost_stands_beside_the_occasion(event: Any, occasion: str) -> None:
    walk = replace(WALK, in_doubt=None, impacts=(("when it began", {}),))
    assert left(event, walk)["impacts"] == (("when it began", {}), (occasion, COST))
    assert "impacts" not in left(replace(event, impact={}), walk), "where nobody knew it, nothing is said"


def test_a_change_without_a_title_is_named_by_its_action() -> None:
    walk = replace(WALK, pending=replace(INTENT, effect=replace(EFFECT, title="")))
    assert left(Applied(AT, "now", "w/2", True, impact=COST), walk)["impacts"] == (("until the change “patch”", COST),)


def test_the_end_says_what_it_cost_altogether() -> None:
    assert left(WalkEnded(AT, "resolved", "it runs", impact=COST))["impact_after"] == COST


# -- what is still to do --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "event",
    [
        ChangeRefused(AT, "finally-free", "w/2", "policy", "frozen"),
        Applied(AT, "finally-free", "w/2", False, "frozen"),
    ],
    ids=["refused", "failed"],
)
def test_a_clean_up_that_was_not_done_is_still_to_do(event: Any) -> None:
    assert left(event)["still_to_do"] == ("finally-free was not done: frozen",)
    assert "still_to_do" not in left(replace(event, step="now")), "another step leaves nothing behind"


def test_a_clean_up_that_was_done_leaves_nothing_to_do() -> None:
    assert "still_to_do" not in left(Applied(AT, "finally-free", "w/2", True, "freed"))


def test_what_was_seen_after_a_rollback_stands_beside_that_rollback_alone() -> None:
    other, mine = (Undone(f"w/{n}.undo", "Raise it", 1, "done", "rolled back") for n in (1, 2))
    seen = LookedBack(AT, "now", "w/2.undo", "yes", "it is as it was", ("tell the owner",))
    assert left(seen, replace(WALK, undos=(other, mine))) == {
        "undos": (other, replace(mine, left="it is as it was")),
        "still_to_do": ("tell the owner",),
    }


# -- who had it -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("grace: the heap is flat", "ada handed it over at 12:02:07Z: grace: the heap is flat"),
        ("", "ada handed it over at 12:02:07Z, and said nothing of why"),
    ],
)
def test_who_takes_it_up_is_told_who_handed_it_over_and_why(text: str, told: str) -> None:
    walk = replace(CALM, handed=HandedOver(AT, "ada", text, "now"), remarks=("the alert is over",))
    assert apply(walk, Resumed(AT + 60, "grace")).remarks == ("the alert is over", told)


def test_who_closed_console_has_left_until_somebody_takes_it_up() -> None:
    gone = WalkLeft(AT, "ada", "now")
    assert left(gone, CALM) == {"left": gone}, "it waits where it stands"
    after = apply(apply(CALM, gone), Resumed(AT + 60, "grace"))
    assert (after.left, after.remarks) == (None, ()), "nobody handed it over"


def test_who_takes_it_from_another_says_why_and_that_is_remembered() -> None:
    event = TakenOver(AT, "ada", "her laptop died", "grace (process 7)")
    walk = replace(CALM, remarks=("the alert is over",))
    told = "ada took it over from grace (process 7) at 12:02:07Z: her laptop died"
    assert left(event, walk) == {"taken": event, "remarks": ("the alert is over", told)}


# -- what was asked beforehand, and what was overruled ----------------------------------------------------------------


def test_rights_that_are_missing_are_told_before_the_first_step() -> None:
    asked = RightsAsked(AT, 3, (MissingRight("patch Pod a/b", ("Restart it",)),), ("delete Job a/c",))
    walk = replace(CALM, remarks=("the alert is over",))
    assert left(asked, walk) == {
        "rights": asked,
        "remarks": (
            "the alert is over",
            "you may not patch Pod a/b: “Restart it” will be refused",
            "whether you may is not known: delete Job a/c",
        ),
    }


def test_every_guard_that_was_overruled_is_remembered() -> None:
    first, second = (GuardOverruled(AT, "now", "w/2", guard, "no", "it burns", "ada") for guard in ("peak", "freeze"))
    assert left(second, replace(WALK, overruled=(first,))) == {"overruled": (first, second)}
