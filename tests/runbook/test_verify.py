"""Verification: a verdict needs data that moves; silence is unknown, and nobody's absence counts as health."""

from __future__ import annotations

from typing import Any

from console.runbook.model import Step
from console.runbook.steps import hold
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

    def look(self, minutes: float = 1, **data: Any) -> list[AnyEvent]:
        self.now += minutes * 60
        new = hold(self.step, data, fold(self.events), self.now)
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
    assert isinstance(broke, HoldBroke) and "'running' is not known" in broke.because


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
