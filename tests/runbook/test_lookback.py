"""After a rollback: whether the field is as it was, whether the application runs, what is still to do and by whom."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from console.actions.effects import Effect, ObjectRef, Preview
from console.apps.model import SparkApp
from console.base.redact import MARK
from console.runbook import steps
from console.runbook.afterwards import lookback
from console.runbook.walk import (
    AnyEvent,
    Applied,
    Entered,
    Intent,
    Offered,
    Previewed,
    Resumed,
    Started,
    Verified,
    Walk,
    WalkEnded,
    fold,
)
from console.timeline.prose import because, outcome
from tests.runbook.boards import KEY, NOW, app, board, driver, executor, finding
from tests.runbook.longform import LONG

TARGET = ObjectRef("sparkoperator.k8s.io/v1beta2", "SparkApplication", "spark-jobs", "etl-orders")
MADE = Effect("w/1", "raise-executor-heap", "Raise executor memory to 4352m", "patch", TARGET, "merge",
              {"spec": {"executor": {"memory": "4352m"}}}, touched=("/spec/executor/memory",))  # fmt: skip
BACK = replace(
    MADE, id="w/1.undo", title="Undo: Raise executor memory to 4352m", inverse_of="w/1",
    patch={"spec": {"executor": {"memory": "2900m"}}},
)  # fmt: skip
BOOK = LONG
UNDONE = NOW - 100
AS_BEFORE = {"spec": {"executor": {"memory": "2900m"}}}


def story(before: Any = "2900m", finding: str = "", trouble: str = "") -> list[AnyEvent]:
    """A change that did not help and was rolled back, up to the rollback."""
    shown = Preview(MADE, (), True, before={"/spec/executor/memory": before})
    return [
        Started(
            NOW - 900, "w", BOOK.id, "1", "", "", {}, {}, {}, KEY, "ada", "console", finding=finding, trouble=trouble
        ),
        Entered(NOW - 700, MADE.step),
        Previewed(NOW - 650, MADE.step, shown),
        Intent(NOW - 600, MADE.step, MADE, rollback=BACK),
        Applied(NOW - 600, MADE.step, MADE.id, True, goto="executors-recover"),
        Entered(NOW - 590, "executors-recover"),
        Verified(NOW - 200, "executors-recover", "ineffective", "it failed again", "not-fixed"),
        Offered(NOW - 150, "executors-recover", MADE.id, "yes", "ada"),
        Intent(UNDONE, "executors-recover", BACK),
        Applied(UNDONE, "executors-recover", BACK.id, True),
    ]


def anew(**fields: Any) -> SparkApp:
    """The application, begun anew after the rollback."""
    new = {"driver": driver(UNDONE + 20), "executors": tuple(executor(n, created=UNDONE + 40) for n in (7, 8))}
    return app(**{**new, "labels": {"team": "data-platform"}, **fields})


def looked(one: SparkApp | None = None, obj: Any = AS_BEFORE, **story_of: Any) -> tuple[str, str, tuple[str, ...]]:
    walk = fold(story(**story_of))
    seen = lookback.looked(walk, BACK, obj, board(apps=(one,) if one is not None else ()), BOOK, NOW)
    return seen.restored, seen.words, seen.todo


def ended(one: SparkApp, **story_of: Any) -> Walk:
    events = story(**story_of)
    seen = lookback.looked(fold(events), BACK, AS_BEFORE, board(apps=(one,)), BOOK, NOW)
    end = WalkEnded(NOW + 1, "unresolved", "The change did not help: it failed again.", "not-fixed")
    return fold([*events, seen, Entered(NOW + 1, "not-fixed"), end])


def test_a_rollback_is_looked_at_before_anything_else_happens_also_after_the_end() -> None:
    walk = fold(story())
    assert steps.todo(BOOK, walk) == steps.LookBack(BACK)
    over = fold([*story()[:-2], WalkEnded(NOW - 140, "unresolved", "stopped"), *story()[-2:]])
    assert steps.todo(BOOK, over) == steps.LookBack(BACK)
    assert steps.todo(BOOK, fold([*story(), Resumed(NOW, "grace")])) == steps.LookBack(BACK)
    seen = lookback.looked(walk, BACK, AS_BEFORE, board(), BOOK, NOW)
    assert steps.todo(BOOK, fold([*story(), seen])) == steps.Enter("not-fixed")


def test_the_end_says_what_was_rolled_back_and_what_state_that_leaves() -> None:
    walk = ended(anew())
    assert outcome(walk) == "unresolved, rolled back"
    assert because(walk) == (
        "The change did not help: it failed again. Rolled back: Raise executor memory to 4352m: spec.executor.memory is"
        " 2900m again, as before the change; the application runs (RUNNING, new driver at 11:05:20Z, 2 of 2 executors)."
    )


def test_what_is_still_to_do_after_a_rollback_names_whose_it_is() -> None:
    said = f"executor-oom-container@SparkApplication/{KEY}"
    events = story(finding=said)
    here = board(finding(), apps=(anew(),))
    walk = fold([*events, lookback.looked(fold(events), BACK, AS_BEFORE, here, BOOK, NOW)])
    assert walk.still_to_do == (
        "platform on-call, with team data-platform: what the walk was for is not mended"
        " (executor-oom-container on 6 executors): diagnose it again",
    )
    assert looked(anew(), finding=said, trouble="9 executors OOMKilled")[2][0].endswith(
        "is not mended (when it began: 9 executors OOMKilled): diagnose it again"
    )
    began = story(finding=said, trouble="9 executors OOMKilled")
    seen = lookback.looked(fold(began), BACK, AS_BEFORE, here, BOOK, NOW)
    assert seen.todo == walk.still_to_do, "as it is seen now, not as it was"
    assert looked(anew(labels={}), finding="nodes-not-ready@Node/n")[2] == (
        "platform on-call: what the walk was for is not mended (nodes-not-ready): diagnose it again",
    )


@pytest.mark.parametrize(
    ("obj", "before", "restored", "words"),
    [
        (AS_BEFORE, "2900m", "yes", "spec.executor.memory is 2900m again, as before the change"),
        ({"spec": {}}, None, "yes", "spec.executor.memory is absent again, as before the change"),
        ({"spec": {"executor": {"memory": "8g"}}}, "2900m", "no",
         "spec.executor.memory is 8g, and was 2900m before the change"),
        (None, "2900m", "unknown", "whether SparkApplication spark-jobs/etl-orders is as it was could not be seen"),
        (AS_BEFORE, MARK, "unknown", "spec.executor.memory was a secret, which is not kept, so it is not compared"),
    ],
)  # fmt: skip
def test_whether_the_field_is_as_it_was_is_read_and_not_assumed(
    obj: Any, before: Any, restored: str, words: str
) -> None:
    found = looked(anew(), obj, before=before)
    assert found[0] == restored and found[1].split("; the application")[0] == words
    assert bool(found[2]) is (restored != "yes")


@pytest.mark.parametrize(
    ("one", "words", "todo"),
    [
        (anew(executors=()), "the application runs (RUNNING, new driver at 11:05:20Z, 0 of 2 executors)", 0),
        (anew(state="FAILED", message="driver exit 11", ended=NOW - 5),
         "the application does not run (FAILED at 11:06:35Z: driver exit 11)", 1),
        (anew(state="COMPLETED", ended=NOW - 5), "the application has completed (COMPLETED at 11:06:35Z)", 0),
        (app(state="PENDING_RERUN", driver=None),
         "the application has no new driver yet (PENDING_RERUN, 3m is waited for)", 0),
    ],
)  # fmt: skip
def test_how_the_application_stands_after_it_is_said(one: SparkApp, words: str, todo: int) -> None:
    _, said, left = looked(one)
    assert said.partition("; ")[2] == words
    assert len(left) == todo and all("see that it is run again" in text for text in left)


def test_an_application_that_is_not_seen_any_more_is_said_to_be_that() -> None:
    assert looked(None)[1].endswith(f"{KEY} is not seen any more")


def test_it_is_waited_for_until_the_application_has_acted_on_the_rollback() -> None:
    walk = fold(story())
    assert not lookback.settled(board(), walk), "the old driver still runs"
    assert not lookback.settled(board(apps=(anew(state="SUBMITTED"),)), walk)
    assert not lookback.settled(board(apps=(anew(executors=()),)), walk), "its executors are still to come"
    assert lookback.settled(board(apps=(anew(executors=(), wanted_executors=None),)), walk)
    assert lookback.settled(board(apps=(anew(),)), walk)
    assert lookback.settled(board(apps=(anew(state="FAILED"),)), walk)
    assert lookback.settled(board(apps=()), walk)
