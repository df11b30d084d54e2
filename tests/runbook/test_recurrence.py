"""Resolved is said as long as it is true: an undo, the old values or the same trouble make it `recurred`."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from console.actions.effects import Consequence, Effect, ObjectRef, Preview
from console.board.model import Board
from console.cli.board.status import status_document, status_text
from console.cli.runbook import exit_of, walk_document
from console.facts.model import Owner, Workload
from console.live.situation import Situation
from console.operate.chain import Chain
from console.runbook.afterwards.recurrence import WhatFollowed, followed
from console.runbook.walk import (
    AnyEvent,
    Applied,
    Entered,
    Followed,
    Intent,
    Offered,
    Previewed,
    Started,
    Walk,
    WalkEnded,
    fold,
)
from console.timeline.prose import outcome
from console.timeline.timeline import document, markdown
from console.tui.views import now
from console.tui.views import walk as walk_view
from tests.runbook.boards import KEY, NOW, ORIGIN, board, finding

AT = "/spec/executor/memoryOverhead"
APP = ObjectRef("sparkoperator.k8s.io/v1beta2", "SparkApplication", "spark-jobs", "etl-orders", "uid-1")
FIX = Effect(
    "w/1", "raise", "Raise memoryOverhead to 1200m", "patch", APP, "merge",
    {"spec": {"executor": {"memoryOverhead": "1200m"}}}, touched=(AT,), reversible=True,
)  # fmt: skip
BACK = replace(FIX, id="w/1.undo", inverse_of="w/1", patch={"spec": {"executor": {"memoryOverhead": "200m"}}})
TOLD = "the next run brings the old value back: its template says 200m for spec.executor.memoryOverhead; change it too"
FATE = (
    Consequence("owner", "warning", "owned by ScheduledSparkApplication nightly-etl", maker="nightly-etl"),
    Consequence("next run", "warning", TOLD),
    Consequence("restart", "warning", "the operator submits the job from the start"),
)
ENDED = NOW - 600


def events(fate: tuple[Consequence, ...] = FATE, outcome: Any = "resolved") -> list[AnyEvent]:
    at = NOW - 1800
    return [
        Started(at, "w", "spark-oom", "1.0.0", "h", "", {}, {}, {}, KEY, "me", "t", finding=finding().key),
        Entered(at, "raise"),
        Previewed(at, "raise", Preview(FIX, (), True, consequences=fate, before={AT: "200m"})),
        Intent(at, "raise", FIX, {AT: "200m"}, 1, BACK),
        Applied(at + 1, "raise", "w/1", True, "applied"),
        Entered(ENDED, "end"),
        WalkEnded(ENDED, outcome, "it runs again", "end"),
    ]


UNDONE = (
    Offered(NOW, "", "w/1", "yes", "me"), Intent(NOW, "raise", BACK, {}, 2), Applied(NOW + 1, "raise", "w/1.undo", True)
)  # fmt: skip


def spark_app(overhead: str, name: str = "etl-orders", *, created: float = NOW - 9000, maker: str = "") -> Workload:
    owners = (Owner("sparkoperator.k8s.io/v1beta2", "ScheduledSparkApplication", maker),) if maker else ()
    spec = {"executor": {"memoryOverhead": overhead}}
    return Workload(APP.api_version, "SparkApplication", "spark-jobs", name, ORIGIN, created=created, spec=spec,
                    owners=owners)  # fmt: skip


CALM = board()


def again(*objects: Workload, board: Board = CALM, walk: Walk | None = None) -> WhatFollowed | None:
    return followed(walk or fold(events()), board, objects)


def test_a_walk_that_worked_stays_resolved_while_its_values_stand() -> None:
    assert again(spark_app("1200m")) is None
    old = finding(since=ENDED - 60)
    assert again(spark_app("1200m"), board=board(old)) is None, "what is still told of the time before is no recurrence"


def test_the_next_run_with_the_old_value_makes_it_recurred() -> None:
    run = spark_app("200m", "nightly-etl-17950", created=NOW, maker="nightly-etl")
    assert again(spark_app("1200m"), run) == WhatFollowed(
        "recurred",
        "the next run spark-jobs/nightly-etl-17950 has the old value: spec.executor.memoryOverhead is 200m again",
        replace(APP, name="nightly-etl-17950", uid=""),
        AT,
    )
    assert again(replace(run, created=NOW - 9000)) is None, "a run of before"
    assert again(spark_app("200m", "other", created=NOW, maker="other-schedule")) is None
    assert again(spark_app("200m", "mine", created=NOW)) is None, "nobody's run"


def test_the_next_run_with_the_new_value_settles_what_was_still_to_do() -> None:
    found = again(spark_app("1200m", "nightly-etl-17950", created=NOW, maker="nightly-etl"))
    assert found == WhatFollowed("lasts", "the next run spark-jobs/nightly-etl-17950 has the new values")
    walk = fold([*events(), Followed(NOW, "lasts", found.because)])
    assert (walk.still_to_do, walk.recurred, outcome(walk)) == ((), "", "resolved")


def test_the_old_value_on_the_same_object_makes_it_recurred_whoever_wrote_it() -> None:
    assert again(spark_app("200m")) == WhatFollowed(
        "recurred", "spec.executor.memoryOverhead is 200m again on spark-jobs/etl-orders", replace(APP, uid=""), AT
    )
    assert again(replace(spark_app("200m"), gone=True)) is None


def test_the_same_trouble_with_a_younger_proof_makes_it_recurred() -> None:
    for found in (finding(since=NOW), finding(since=NOW, subject="Pod/spark-jobs/etl-orders-exec-9")):
        said = again(board=board(found))
        assert said == WhatFollowed("recurred", f"executor-oom-container on 6 executors on {KEY} again")
    assert again(board=board(finding("executor-evicted", since=NOW))) is None
    assert again(board=board(finding(since=NOW, data={"current": False}))) is None, "of an attempt that is over"
    assert again(board=board(finding(since=NOW, severity="info"))) is None


@pytest.mark.parametrize("ending", ["handed_over", "unresolved", "not_applicable"])
def test_what_never_was_resolved_cannot_recur(ending: str) -> None:
    assert again(spark_app("200m"), walk=fold(events(outcome=ending))) is None
    assert fold([*events(outcome=ending), *UNDONE]).recurred == ""


def test_a_walk_recurs_once() -> None:
    walk = fold([*events(), Followed(NOW, "recurred", "x")])
    assert again(spark_app("200m"), walk=walk) is None


def test_an_undo_after_the_end_is_no_resolution_any_more() -> None:
    walk = fold([*events(), *UNDONE])
    assert (outcome(walk), walk.outcome, walk.recurred_at) == ("recurred", "resolved", NOW + 1)
    assert walk.recurred == "undone afterwards: Raise memoryOverhead to 1200m" and walk.still_to_do == ()
    assert fold(events()).makers == ("nightly-etl",) and walk.makers == ()
    assert exit_of(fold(events())) == 0 and exit_of(walk) == 1


def told(*more: AnyEvent) -> tuple[str, ...]:
    """What every face says of the walk."""
    happened = [*events(), *more]
    walk = fold(happened)
    chain, hashes = Chain("w", True, len(happened), ""), [""] * len(happened)
    shown = Situation(board(), phase="live", walks=(walk,))
    return (
        "\n".join(line.text for line in walk_view.pinned(board(), walk, 80, left=False)),
        markdown(walk, happened, chain, hashes),
        "\n".join(line.text for line in now.lines(shown, 160)),
        status_text(shown),
        str(status_document(shown)["walks"]),
        str(walk_document(walk)),
        str(document(walk, happened, chain, hashes)["recurred"]) + str(document(walk, happened, chain, hashes)),
    )


def test_recurred_stands_on_every_face_and_in_the_timeline() -> None:
    for text in told(Followed(NOW, "recurred", "the next run has the old value")):
        assert "the next run has the old value" in " ".join(text.split())
        assert "recurred" in text.lower()


def test_what_is_still_to_do_stands_on_every_face_and_in_the_timeline() -> None:
    for text in told():
        assert "the next run brings the old value back" in " ".join(text.split())
    for text in told(Followed(NOW, "lasts", "the next run has the new values"))[:4]:
        assert "still to do" not in text.lower()


def test_a_change_that_lasts_leaves_nothing_to_do() -> None:
    stays = (Consequence("next run", "info", "nothing was found that would write these fields again"),)
    assert fold(events(stays)).still_to_do == ()
