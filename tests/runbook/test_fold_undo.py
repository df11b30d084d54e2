"""What is told of a script's calls and of rollbacks, beside the steps and after the end."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from console.actions.effects import Consequence
from console.runbook.walk import Applied, Called, ChangeRefused, Followed, Undone, apply
from tests.runbook.test_fold import EFFECT, ENDED, INTENT, SHOWN, UNDO, WALK, left, steps

BACK = replace(WALK, pending=replace(INTENT, effect=UNDO, rollback=None), undo="w/2")
OTHER = Undone("w/1.undo", "Less", 1, "refused", "not rolled back: frozen")


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({}, "sent"),
        ({"status": 200}, "200"),
        ({"status": 409, "message": "it changed"}, "it changed"),
        ({"refused": "its step does not declare it"}, "not passed on: its step does not declare it"),
    ],
)
def test_what_a_script_wants_to_write_stands_beside_its_step(said: dict[str, Any], words: str) -> None:
    called = Called(10.0, "now", "w/2", "patch", "Pod a/b", **said)
    assert left(called) == {"steps": steps(words=f"patch Pod a/b: {words}")}


@pytest.mark.parametrize(
    ("ok", "message", "state", "words"),
    [
        (True, "", "done", "rolled back"),
        (True, "sent", "done", "rolled back: sent"),
        (False, "it changed", "failed", "not rolled back: it changed"),
    ],
)
def test_how_a_rollback_went_is_said_where_it_was_shown_and_the_others_stay(
    ok: bool, message: str, state: Any, words: str
) -> None:
    shown = Undone("w/2.undo", "As it was shown", 1, "current", "", replace(SHOWN, effect=UNDO))
    after = apply(replace(BACK, undos=(OTHER, shown)), Applied(10.0, "now", "w/2.undo", ok, message))
    assert after.undos == (OTHER, replace(shown, state=state, words=words))
    after = apply(BACK, Applied(10.0, "now", "w/2.undo", ok, message))
    assert after.undos == (Undone("w/2.undo", "Raise it", 2, state, words),)


def test_a_rollback_that_was_never_shown_is_named_by_what_was_captured() -> None:
    walk = replace(WALK, undo="w/2", rollbacks={"w/2": replace(UNDO, title="Put it back")})
    after = apply(walk, ChangeRefused(10.0, "now", "w/2.undo", "policy", "frozen"))
    assert [(undone.title, undone.state) for undone in after.undos] == [("Put it back", "refused")]


def test_a_change_of_which_nobody_knows_whether_it_lasts_leaves_something_to_do() -> None:
    fate = tuple(
        Consequence("next run", level, f"{level}: what the next run has")  # type: ignore[arg-type]
        for level in ("info", "unknown", "warning")
    )
    walk = replace(WALK, preview=replace(SHOWN, consequences=fate))
    after = apply(walk, Applied(10.0, "now", "w/2", True))
    assert after.still_to_do == ("unknown: what the next run has", "warning: what the next run has")


@pytest.mark.parametrize(("outcome", "taken"), [("resolved", True), ("mitigated", True), ("unresolved", False)])
def test_who_undoes_a_change_after_the_end_takes_a_good_end_back(outcome: Any, taken: bool) -> None:
    done = Applied(10.0, "now", "w/2.undo", True)
    walk = replace(BACK, status="ended", outcome=outcome, ended=9.0, writes=(replace(EFFECT, title="More memory"),))
    after = apply(walk, done)
    assert (after.recurred, after.recurred_at) == (("undone afterwards: More memory", 10.0) if taken else ("", None))
    after = apply(replace(walk, writes=()), done)
    assert after.recurred == ("undone afterwards: w/2" if taken else ""), "by its id where nothing else is known of it"


def test_what_is_seen_after_the_end_says_when() -> None:
    back = Followed(12.0, "recurred", "executors die again")
    assert left(back, ENDED) == {"recurred": "executors die again", "recurred_at": 12.0}
