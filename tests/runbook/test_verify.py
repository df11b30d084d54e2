"""Verification: a verdict needs data that moves; silence is unknown, and nobody's absence counts as health."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from console.base.errors import ConsoleError
from console.facts.evidence import Evidence
from console.facts.model import SourceState
from console.runbook.model import Step
from console.runbook.trust import Doubt, doubt
from console.runbook.verify import LATE, Look, hold
from console.runbook.walk import AnyEvent, Entered, HoldBegan, HoldBroke, Resumed, Started, Verified, fold

STEP = Step(
    id="v", kind="verify", title="Did it help?", until="ooms == 0", progress="running", rises="tasks",
    completed="done is defined and done", fails="ooms > 1", worse="gone is defined and gone", hold="10m",
    deadline="30m", on_effective="good", on_ineffective="bad", on_worse="worse", on_unknown="unclear",
)  # fmt: skip


class Watch:
    """Looks once a minute and keeps what hold() said."""

    def __init__(self, step: Step = STEP) -> None:
        self.step, self.now = step, 0.0
        self.events: list[AnyEvent] = [
            Started(0.0, "w", "b", "1", "", "", {}, {}, {}, "", "", ""), Entered(0.0, "v"),
        ]  # fmt: skip

    def look(self, minutes: float = 1, *, looked: float | None = None, **data: Any) -> list[AnyEvent]:
        self.now += minutes * 60
        new = hold(self.step, data, fold(self.events), self.now, looked if looked is None else Look(looked))
        self.events += new
        return list(new)

    def verdict(self) -> tuple[str, str] | None:
        last = self.events[-1]
        return (last.verdict, last.goto) if isinstance(last, Verified) else None


def test_it_is_effective_after_the_hold_when_the_number_has_risen() -> None:
    watch = Watch()
    (began,) = watch.look(running=True, ooms=0, tasks=5)
    assert isinstance(began, HoldBegan) and began.mark == 5
    for minute in range(9):
        assert watch.look(running=True, ooms=0, tasks=6 + minute) == []
    watch.look(running=True, ooms=0, tasks=20)
    assert watch.verdict() == ("effective", "good")


def test_a_hold_during_which_nothing_moves_does_not_count() -> None:
    watch = Watch()
    for _ in range(29):
        watch.look(running=True, ooms=0, tasks=5)
        assert watch.verdict() is None
    watch.look(2, running=True, ooms=0, tasks=5)
    assert watch.verdict() == ("ineffective", "bad")
    last = watch.events[-1]
    assert isinstance(last, Verified) and "nothing moved" in last.because


def test_a_hold_that_breaks_begins_again() -> None:
    watch = Watch()
    watch.look(running=True, ooms=0, tasks=5)
    watch.look(5, running=True, ooms=0, tasks=9)
    (broke,) = watch.look(running=True, ooms=1, tasks=9)
    assert isinstance(broke, HoldBroke) and broke.because == "not yet"
    (began,) = watch.look(running=True, ooms=0, tasks=10)
    assert isinstance(began, HoldBegan)
    watch.look(9, running=True, ooms=0, tasks=11)
    assert watch.verdict() is None
    watch.look(1, running=True, ooms=0, tasks=12)
    assert watch.verdict() == ("effective", "good")


def test_without_progress_until_says_nothing() -> None:
    watch = Watch()
    for _ in range(29):
        assert watch.look(running=False, ooms=0, tasks=5) == []
    watch.look(2, running=False, ooms=0, tasks=5)
    assert watch.verdict() == ("unknown", "unclear")


def test_progress_that_is_lost_breaks_the_hold() -> None:
    watch = Watch()
    watch.look(running=True, ooms=0, tasks=5)
    (broke,) = watch.look(ooms=0, tasks=5)
    assert isinstance(broke, HoldBroke) and "no data on 'running'" in broke.because


def test_missing_data_is_unknown_at_the_deadline_and_not_before() -> None:
    watch = Watch()
    for _ in range(29):
        assert watch.look() == []
    watch.look(1)
    assert watch.verdict() == ("unknown", "unclear")


def test_data_that_never_was_good_is_ineffective_at_the_deadline() -> None:
    watch = Watch()
    (said,) = watch.look(running=True, ooms=1, tasks=1)
    assert isinstance(said, HoldBroke)
    assert watch.look(running=True, ooms=1, tasks=2) == []
    watch.look(28, running=True, ooms=1, tasks=3)
    assert watch.verdict() == ("ineffective", "bad")


def test_worse_goes_before_everything_and_failure_and_completion_settle_it_at_once() -> None:
    for data, verdict in (
        ({"gone": True, "done": True, "ooms": 2}, ("worse", "worse")),
        ({"done": True, "ooms": 2}, ("ineffective", "bad")),
        ({"done": True}, ("effective", "good")),
    ):
        watch = Watch()
        watch.look(**data)
        assert watch.verdict() == verdict


def test_a_running_hold_may_end_after_the_deadline() -> None:
    watch = Watch()
    watch.look(25, running=True, ooms=0, tasks=1)
    watch.look(6, running=True, ooms=0, tasks=2)
    assert watch.verdict() is None
    watch.look(4, running=True, ooms=0, tasks=3)
    assert watch.verdict() == ("effective", "good")


def test_nobody_looked_during_a_crash_so_the_hold_and_the_deadline_begin_again() -> None:
    watch = Watch()
    watch.look(running=True, ooms=0, tasks=1)
    watch.now += 3600
    watch.events.append(Resumed(watch.now, "test"))
    assert fold(watch.events).hold_since is None
    (began,) = watch.look(running=True, ooms=0, tasks=50)
    assert isinstance(began, HoldBegan)
    watch.look(9, running=True, ooms=0, tasks=60)
    assert watch.verdict() is None
    watch.look(1, running=True, ooms=0, tasks=70)
    assert watch.verdict() == ("effective", "good")


def test_a_condition_that_is_not_true_or_false_is_unknown() -> None:
    step = Step(id="v", kind="verify", title="t", until="tasks", hold="0s", deadline="1m", on_unknown="unclear")
    watch = Watch(step)
    assert watch.look(0.5, tasks=5) == []
    watch.look(1, tasks=5)
    assert watch.verdict() == ("unknown", "unclear")
    last = watch.events[-1]
    assert isinstance(last, Verified) and "tasks is not true or false" in last.because


def test_no_hold_means_once_is_enough() -> None:
    step = Step(id="v", kind="verify", title="t", until="ok", hold="0s", on_effective="good")
    watch = Watch(step)
    began, verified = watch.look(ok=True)
    assert isinstance(began, HoldBegan) and isinstance(verified, Verified) and verified.verdict == "effective"


def test_what_need_not_hold_is_said_to_be_true_and_not_to_have_held_for_nothing() -> None:
    watch = Watch(replace(STEP, hold="0s", rises=""))
    watch.look(running=True, ooms=0, tasks=5)
    words = [event.because for event in watch.events if isinstance(event, HoldBegan | Verified)]
    assert words == ["true now", "true when it was looked at; how long it stays so was not asked"]
    watch = Watch(replace(STEP, hold="1s", rises=""))
    watch.look(running=True, ooms=0, tasks=5)
    watch.look(1 / 60, looked=watch.now, running=True, ooms=0, tasks=5)
    words = [event.because for event in watch.events if isinstance(event, HoldBegan | Verified)]
    assert words == ["true now; it has to stay true for 1s", "held for 1s"]


def test_the_deadline_counts_from_the_change_and_not_from_the_beginning_of_the_walk() -> None:
    """An hour went by before the change: thirty minutes are given to it all the same."""
    watch = Watch()
    watch.events[1:] = [Entered(3600.0, "v")]
    watch.now = 3600.0
    watch.look(29, running=True, ooms=1, tasks=5)
    assert watch.verdict() is None
    watch.look(2, running=True, ooms=1, tasks=5)
    assert watch.verdict() == ("ineffective", "bad")


SHOWN = replace(STEP, shows=("{{ tasks }} tasks",), hold="{{ needed }}m", deadline="{{ limit }}m")
SPANS = {"needed": 10, "limit": 30}
SEEN = Evidence("runbook", "b/v", "5 tasks", 60.0)


@pytest.mark.parametrize(
    ("data", "verdict"),
    [
        ({"gone": True}, ("worse", "it is worse than before", "worse")),
        ({"ooms": 2}, ("ineffective", "it failed again", "bad")),
        ({"done": True}, ("effective", "it completed", "good")),
    ],
)
def test_a_verdict_says_why_and_shows_what_was_seen(data: dict[str, Any], verdict: tuple[Any, str, str]) -> None:
    assert Watch(SHOWN).look(tasks=5, **SPANS, **data) == [Verified(60.0, "v", *verdict, (SEEN,))]


def test_hold_and_deadline_may_depend_on_what_is_known() -> None:
    watch = Watch(SHOWN)
    began = HoldBegan(60.0, "v", "true now; it has to stay true for 10m", 5.0)
    assert watch.look(running=True, ooms=0, tasks=5, **SPANS) == [began]
    assert watch.look(10, running=True, ooms=0, tasks=6, **SPANS) == [
        Verified(660.0, "v", "effective", "held for 10m", "good", (Evidence("runbook", "b/v", "6 tasks", 660.0),))
    ]


def test_what_is_no_duration_is_an_error_of_its_field() -> None:
    for key in ("hold", "deadline"):
        wrong = replace(SHOWN, **{key: "soon"})
        with pytest.raises(ConsoleError, match=rf"^step v, {key}: "):
            Watch(wrong).look(running=True, ooms=1, tasks=5, **SPANS)


def test_data_that_appears_only_at_the_deadline_was_data_all_the_same() -> None:
    assert Watch(SHOWN).look(31, running=True, ooms=1, tasks=5, **SPANS) == [
        HoldBroke(1860.0, "v", "not yet"),
        Verified(
            1860.0, "v", "ineffective", "not reached within 30m: not yet", "bad",
            (Evidence("runbook", "b/v", "5 tasks", 1860.0),),
        ),
    ]  # fmt: skip


def test_a_hold_without_movement_ends_at_the_deadline_with_what_was_missing() -> None:
    watch = Watch(SHOWN)
    watch.look(20, running=True, ooms=0, tasks=5, **SPANS)
    assert watch.look(11, running=True, ooms=0, tasks=5, **SPANS) == [
        Verified(
            1860.0, "v", "ineffective", "not reached within 30m: nothing moved while it held", "bad",
            (Evidence("runbook", "b/v", "5 tasks", 1860.0),),
        )
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ({"running": False, "ooms": 0, "tasks": 5}, "cannot be told: no progress is seen"),
        ({"running": True, "ooms": 0, "tasks": "many"}, "cannot be told: tasks is no number"),
    ],
)
def test_an_unknown_verdict_says_what_could_not_be_told(data: dict[str, Any], why: str) -> None:
    watch = Watch(replace(SHOWN, shows=("{{ ooms }} dead",)))
    seen = (Evidence("runbook", "b/v", "0 dead", 1860.0),)
    assert watch.look(31, **data, **SPANS) == [
        Verified(1860.0, "v", "unknown", f"no answer within 30m: {why}", "unclear", seen)
    ]


def test_a_step_that_nobody_entered_is_watched_from_the_beginning_of_the_walk() -> None:
    watch = Watch()
    del watch.events[1:]
    assert watch.look(29) == []
    watch.look(1)
    assert watch.verdict() == ("unknown", "unclear")


def test_one_look_at_the_deadline_cannot_tell_whether_anything_moved() -> None:
    watch = Watch(replace(STEP, hold="0s"))
    began, said = watch.look(31, running=True, ooms=0, tasks=5)
    assert isinstance(began, HoldBegan) and isinstance(said, Verified)
    assert (said.verdict, said.because) == ("unknown", "no answer within 30m: nothing moved while it held")


def test_time_in_which_the_console_was_suspended_does_not_count_as_holding() -> None:
    watch = Watch()
    watch.look(running=True, ooms=0, tasks=5)
    assert watch.look(30 / 60, looked=60.0, running=True, ooms=0, tasks=6) == [], "late by as much as a look may be"
    (goes_on,) = watch.look(45 / 60, looked=90.0, running=True, ooms=0, tasks=7)
    assert goes_on == HoldBegan(135.0, "v", "nobody watched for 45s: they do not count", 5.0, 105.0)
    walk = fold(watch.events)
    assert (walk.hold_since, walk.mark, walk.status) == (105.0, 5.0, "holding")
    (late,) = watch.look(31 / 60, looked=135.0, running=True, ooms=0, tasks=7)
    assert isinstance(late, HoldBegan) and late.since == 136.0
    watch.look((735 - watch.now) / 60, looked=watch.now, running=True, ooms=0, tasks=8)
    assert watch.verdict() is None, "a long sleep is not a hold"
    watch.look(0.5, looked=watch.now, running=False, ooms=0, tasks=9)
    assert isinstance(watch.events[-1], HoldBroke)
    (anew,) = watch.look(5, looked=watch.now, running=True, ooms=0, tasks=9)
    assert isinstance(anew, HoldBegan) and anew.since is None, "nothing was held that could go on"


STALE = Doubt("pods stale", 90.0)


def test_time_in_which_the_sources_are_stale_is_paused_said_once_and_does_not_count() -> None:
    watch, good = Watch(), {"running": True, "ooms": 0}
    watch.look(tasks=5, **good)
    assert Look.after(None, 7.0, STALE).at == 7.0 and Look.after(None, 7.0, None).at == 7.0
    before: Look | None = Look(watch.now)

    def looks(seconds: float, found: Doubt | None, **data: Any) -> list[AnyEvent]:
        nonlocal before
        watch.now += seconds
        new = list(hold(STEP, data, fold(watch.events), watch.now, before, found))
        before = Look.after(before, watch.now, found)
        watch.events += new
        return new

    assert looks(30, None, tasks=6, **good) == []
    assert looks(30, STALE, tasks=6, **good) == [HoldBegan(120.0, "v", "pods stale: time is paused", 5.0, 60.0)]
    assert looks(900, STALE, tasks=6, **good) == [], "however long it lasts, it neither holds nor breaks"
    assert looks(30, STALE, tasks=6, running=False, ooms=2) == [], "what is stale settles nothing"
    (goes_on,) = looks(30, None, tasks=7, **good)
    assert goes_on == HoldBegan(1080.0, "v", "pods stale for 16m: they do not count", 5.0, 1050.0)
    assert fold(watch.events).hold_since == 1050.0, "thirty seconds had been held before"
    looks(0, None, tasks=8, **good)
    assert watch.verdict() is None


def test_a_look_is_late_by_the_wall_however_fast_the_time_of_a_drill_goes() -> None:
    step, data = replace(STEP, poll=5.0), {"running": True, "ooms": 0, "tasks": 9}
    walk = fold([*Watch().events, HoldBegan(60.0, "v", "true now", 5.0)])
    late = 60.0 + 2 * step.poll + 20 * LATE
    assert hold(step, data, walk, late, Look(60.0), speed=20.0) == ()
    (missed,) = hold(step, data, walk, late + 1, Look(60.0), speed=20.0)
    assert isinstance(missed, HoldBegan) and missed.because.startswith("nobody watched for ")


def test_a_deadline_that_passes_while_the_sources_are_stale_is_unknown_and_no_failure() -> None:
    watch = Watch()
    watch.look(running=True, ooms=0, tasks=5)
    (said,) = hold(STEP, {}, fold(watch.events), 1800.0, Look(90.0, "pods stale"), STALE)
    assert isinstance(said, Verified)
    assert (said.verdict, said.because) == ("unknown", "no answer within 30m: pods stale")


def test_a_verdict_while_the_sources_are_stale_says_when_and_shows_what_was_seen() -> None:
    step = replace(STEP, deadline="{{ minutes }}m", shows=("{{ ooms }} ooms",))
    early, late = (
        hold(step, {"minutes": 5, "ooms": 3}, fold(Watch().events), at, None, STALE) for at in (299.0, 300.0)
    )
    assert early == ()
    because = "no answer within 5m: pods stale"
    assert late == (
        Verified(300.0, "v", "unknown", because, "unclear", (Evidence("runbook", "b/v", "3 ooms", 300.0),)),
    )


@pytest.mark.parametrize(
    ("before", "known_until", "at"),
    [
        pytest.param(Look(60.0), 40.0, 40.0, id="as the source says"),
        pytest.param(Look(60.0), None, 60.0, id="at the look before, where the source does not say it"),
        pytest.param(None, None, 90.0, id="now, where nobody has looked before"),
        pytest.param(Look(20.0, "nodes stale"), 40.0, 20.0, id="as when the doubt began"),
        pytest.param(Look(60.0), 200.0, 90.0, id="never later than now"),
    ],
)
def test_until_when_all_was_known_is_told_by_the_source_or_by_the_look_before(
    before: Look | None, known_until: float | None, at: float
) -> None:
    assert Look.after(before, 90.0, Doubt("pods stale", known_until)).at == at


def test_tasks_that_were_counted_before_a_doubt_are_kept_through_it() -> None:
    counted = Look.after(None, 60.0, None, {"after": {"tasks": 5.0}})
    assert counted.tasks == (5, None, 60.0)
    doubted = Look.after(counted, 90.0, STALE, {})
    assert doubted.tasks == (5, None, 60.0)
    assert Look.after(doubted, 120.0, STALE, {"after": {"tasks": 7.0}}).tasks == (7, None, 120.0)


def test_only_the_sources_that_a_verification_asks_can_make_it_doubtful() -> None:
    step = replace(STEP, until="after.deaths == 0", progress="", rises="", fails="", worse="", completed="")
    slow = replace(step, until="recovery.state == 'recovered'")
    sources = (
        SourceState("pods", "late", last=50.0),
        SourceState("prometheus", "stale", since=70.0),
        SourceState("nodes", "stale"),
    )
    assert doubt(step, sources) == Doubt("pods late", 50.0)
    assert doubt(slow, sources) == Doubt("prometheus stale", 70.0)
    assert doubt(step, (SourceState("pods", "fresh"), *sources[1:])) is None
    other = replace(step, until="operator.ready")
    assert doubt(other, sources) == Doubt("pods late and prometheus stale", 50.0), "it may come from any of them"


def completed(ctx: dict[str, Any], before: Look | None = None) -> tuple[Evidence, ...]:
    """What is seen where a verification ends because the application has completed."""
    step = replace(STEP, shows=("executors {{ after.executors }}",))
    (done,) = hold(step, {"done": True, **ctx}, fold(Watch().events), 600.0, before)
    assert isinstance(done, Verified) and done.verdict == "effective"
    return done.evidence


def test_a_job_that_completed_is_proved_by_its_state_when_and_its_tasks_and_not_by_executors_that_run() -> None:
    over = {"key": "jobs/etl", "subject": "SparkApplication/jobs/etl", "state": "COMPLETED", "ended": 590.0}
    watched = Look.after(None, 540.0, None, {"after": {"tasks": 512.0}, "app": {"tasks": {"total": 520}}})
    last = Look.after(watched, 570.0, None, {"after": {}, "app": over})
    proof, own = completed({"app": over, "after": {"executors": 0, "deaths": 1}}, last)
    assert proof.excerpt == (
        "jobs/etl is COMPLETED since 00:09:50Z: 512 of 520 tasks completed when they were counted last, at 00:09:00Z; "
        "1 executor lost since the change"
    )
    assert (proof.source, proof.locator, proof.at) == ("kubernetes", "SparkApplication/jobs/etl .status", 600.0)
    assert own.excerpt == "executors 0"
    (unknown, *_) = completed({"app": {"key": "jobs/etl", "state": "COMPLETED"}})
    assert unknown.excerpt == "jobs/etl is COMPLETED, since when is not known: its tasks were not counted"
    assert unknown.locator == ".status"


@pytest.mark.parametrize(
    ("app", "words"),
    [
        ({}, "512 tasks completed when they were counted last, at 00:10:00Z"),
        ({"tasks": {"total": 512}}, "512 of 512 tasks completed when they were counted last, at 00:10:00Z"),
        ({"tasks": {"total": 500}}, "512 tasks completed when they were counted last, at 00:10:00Z"),
        ({"tasks_at": 540.0}, "512 tasks completed when they were counted last, at 00:09:00Z"),
    ],
    ids=["of nobody knows how many", "of all", "more than there were", "at the time of the figure"],
)
def test_tasks_are_said_of_as_many_as_are_known_and_with_the_time(app: dict[str, Any], words: str) -> None:
    over = {"key": "jobs/etl", "state": "COMPLETED", **app}
    (proof, *_) = completed({"app": over, "after": {"executors": 0, "tasks": 512.0}})
    assert proof.excerpt == f"jobs/etl is COMPLETED, since when is not known: {words}"


def test_what_failed_is_not_proved_by_the_state_of_its_application() -> None:
    (failed,) = Watch().look(running=True, ooms=2, tasks=5, app={"key": "jobs/etl", "state": "FAILED"})
    assert isinstance(failed, Verified) and (failed.verdict, failed.evidence) == ("ineffective", ())


def test_a_verification_that_held_is_not_proved_by_a_completion() -> None:
    watch = Watch(replace(STEP, hold="0s", rises=""))
    (_, done) = watch.look(running=True, ooms=0, tasks=5, app={"key": "jobs/etl", "state": "RUNNING"})
    assert isinstance(done, Verified) and done.evidence == ()
