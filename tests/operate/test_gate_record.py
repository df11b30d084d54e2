"""What the gate leaves in the journal, what it knows of other changes, and what it makes of errors on the way."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from console.actions.effects import Consequence, Effect
from console.actions.pins import Pin
from console.base.errors import ConsoleError, ForbiddenError, ReachError
from console.operate.ahead import preview
from console.operate.gate import pass_gate
from console.operate.gate_context import GateContext
from console.operate.journal import JournalledChange
from console.operate.person import Question, Reply
from console.operate.policy import ChangeRules
from console.operate.scripts.process import Finished
from console.runbook.walk import Applied, ChangeRefused, Confirmed, Previewed
from console.wire.calls import Leave
from tests.operate.conftest import YES, Cluster, Passage, Says
from tests.operate.objects import OLD, create, raise_overhead, spark_path

NOON = 1_795_521_600.0


class Stopped:
    """A clock that stands still."""

    def now(self) -> float:
        return NOON

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("nobody waits here")


@pytest.fixture
def effect(cluster: Cluster) -> Effect:
    return raise_overhead(create(cluster.kube, cluster.namespace))


def overhead(cluster: Cluster) -> str:
    return str(cluster.kube.get(spark_path(cluster.namespace, "etl-orders"))["spec"]["executor"]["memoryOverhead"])


async def refused(effect: Effect, gate: GateContext) -> tuple[str, str]:
    ended = await pass_gate(effect, gate)
    assert isinstance(ended, ChangeRefused), ended
    return ended.by, ended.because


async def test_every_event_names_its_step_its_time_and_who_agreed_to_what(
    cluster: Cluster, passage: Passage, effect: Effect
) -> None:
    rules = ChangeRules(mode="write", production=True)
    typed = f"{cluster.namespace}/etl-orders"
    gate = passage.gate(Says(Reply("yes", "ada", typed, terminal=True)), rules, clock=Stopped())
    ended = await pass_gate(effect, gate)
    assert isinstance(ended, Applied)
    shown, first, *_ = passage.events
    assert isinstance(shown, Previewed)
    assert (shown.at, shown.step, shown.preview.tier, shown.preview.cluster) == (NOON, "raise", "typed", "test-cluster")
    assert first == Confirmed(NOON, "raise", effect.id, typed, "ada")
    assert {event.at for event in passage.events} == {NOON}


async def test_a_question_is_asked_for_the_walk_at_its_time(passage: Passage, effect: Effect) -> None:
    person = Says(None)
    assert (await refused(effect, passage.gate(person, clock=Stopped())))[0] == "person"
    assert [(q.walk, q.kind, q.asked) for q in person.asked] == [("w-1", "confirm", NOON)]


async def test_what_changed_is_shown_anew_at_its_time(cluster: Cluster, passage: Passage, effect: Effect) -> None:
    async def somebody_else(question: Question) -> Reply:
        cluster.kube.merge(
            spark_path(cluster.namespace, "etl-orders"), {"spec": {"executor": {"memoryOverhead": "300m"}}}
        )
        return YES

    await pass_gate(effect, passage.gate(Says(somebody_else, YES), clock=Stopped()))
    shown = [event for event in passage.events if isinstance(event, Previewed)]
    assert [(event.at, event.step) for event in shown] == [(NOON, "raise")] * 2
    assert shown[0].preview.fingerprint != shown[1].preview.fingerprint


async def test_a_change_that_is_not_allowed_is_shown_with_why(passage: Passage, effect: Effect) -> None:
    await refused(effect, passage.gate(Says(), ChangeRules(), clock=Stopped()))
    shown = passage.events[0]
    assert isinstance(shown, Previewed)
    assert (shown.at, shown.step) == (NOON, "raise")
    assert shown.preview.read_only == "this context is read-only; contexts.<name>.mode in the config grants more"


async def test_a_change_that_cannot_even_be_shown_is_refused_all_the_same(
    cluster: Cluster, passage: Passage, effect: Effect
) -> None:
    cluster.kube.delete(spark_path(cluster.namespace, "etl-orders"))
    assert (await refused(effect, passage.gate(Says(), ChangeRules())))[0] == "mode"
    assert passage.kinds == ["ChangeRefused"]


# -- other changes --------------------------------------------------------------------------------------------------


async def test_what_other_walks_changed_counts_and_what_this_one_did_does_not(passage: Passage, effect: Effect) -> None:
    def recent(walk: str) -> Callable[[], tuple[JournalledChange, ...]]:
        return lambda: (JournalledChange(walk, NOON - 60, effect, "", ""),)

    by, because = await refused(effect, passage.gate(Says(YES), clock=Stopped(), recent=recent("w-9")))
    assert by == "policy" and "walk w-9 changed" in because and "1m ago" in because
    assert isinstance(await pass_gate(effect, passage.gate(Says(YES), clock=Stopped(), recent=recent("w-1"))), Applied)


async def test_a_change_by_somebody_else_while_the_person_thinks_is_seen(
    cluster: Cluster, passage: Passage, effect: Effect
) -> None:
    changes: list[JournalledChange] = []

    async def meanwhile(question: Question) -> Reply:
        changes.append(JournalledChange("w-9", NOON - 1, effect, "", ""))
        return YES

    gate = passage.gate(Says(meanwhile), clock=Stopped(), recent=lambda: tuple(changes))
    by, because = await refused(effect, gate)
    assert by == "policy" and "walk w-9 changed" in because
    assert overhead(cluster) == OLD


async def test_the_second_object_of_a_step_is_typed_and_too_many_are_refused(passage: Passage, effect: Effect) -> None:
    touched = frozenset({"Pod/spark-jobs/a"})
    person = Says(YES)
    assert (await refused(effect, passage.gate(person, touched=touched)))[0] == "person"
    assert effect.target is not None
    assert person.asked[0].expect == effect.target.words
    rules = ChangeRules(mode="write", max_targets=1)
    assert (await refused(effect, passage.gate(Says(), rules, touched=touched)))[0] == "policy"
    again = frozenset({f"SparkApplication/{effect.target.words}"})
    assert isinstance(await pass_gate(effect, passage.gate(Says(YES), rules, touched=again)), Applied), "it is one"


async def test_guarded_refuses_a_change_whose_way_back_cannot_be_captured(
    cluster: Cluster, passage: Passage, effect: Effect
) -> None:
    cluster.kube.merge(spark_path(cluster.namespace, "etl-orders"), {"spec": {"arguments": ["--day"]}})
    item = [{"op": "replace", "path": "/spec/arguments/0", "value": "--hour"}]
    one = replace(effect, patch_type="json", patch=item, touched=("/spec/arguments/0",))
    person = Says(YES)
    by, because = await refused(one, passage.gate(person, ChangeRules(mode="guarded")))
    assert by == "mode" and "cannot (there is no inverse of this change)" in because
    assert person.asked == []


# -- errors on the way ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("late", [False, True], ids=["at first", "after the answer"])
@pytest.mark.parametrize(
    ("error", "by"),
    [(ForbiddenError("no"), "permission"), (ReachError("no"), "server"), (ConsoleError("no"), "server")],
)
async def test_a_cluster_that_cannot_be_asked_who_it_is_gets_no_change(
    cluster: Cluster, passage: Passage, effect: Effect, error: ConsoleError, by: str, late: bool
) -> None:
    asked: list[int] = []

    async def who() -> str:
        asked.append(1)
        if len(asked) > late:
            raise error
        return ""

    assert await refused(effect, passage.gate(Says(YES), other_cluster=who)) == (by, "no")
    assert overhead(cluster) == OLD


async def test_another_cluster_after_the_answer_gets_no_change(
    cluster: Cluster, passage: Passage, effect: Effect
) -> None:
    answers = iter(["", "this is another cluster"])

    async def who() -> str:
        return next(answers)

    found = await refused(effect, passage.gate(Says(YES), other_cluster=who))
    assert found == ("changed", "this is another cluster")
    assert overhead(cluster) == OLD


class NoLocks:
    """Where no lock can be asked for."""

    async def take(self, target: Any) -> Any:
        raise ReachError("no answer")


async def test_without_a_lock_nothing_is_asked_or_changed(passage: Passage, effect: Effect) -> None:
    person = Says(YES)
    assert await refused(effect, passage.gate(person, locks=NoLocks())) == ("server", "no answer")
    assert person.asked == []


class Held:
    """A lock that somebody takes over when the test says so."""

    kind = "lease"

    def __init__(self, *checks: bool) -> None:
        self.lost, self.why, self.released = asyncio.Event(), "", 0
        self._checks = list(checks)

    async def take(self, target: Any) -> Held:
        return self

    def take_over(self) -> None:
        self.why = "grace has taken it over"
        self.lost.set()

    async def check(self) -> bool:
        if self._checks and not self._checks.pop(0):
            self.why = "grace has taken it over"
            return False
        return True

    async def release(self) -> None:
        self.released += 1


async def test_a_lock_that_is_taken_over_while_a_person_thinks_ends_the_question(
    cluster: Cluster, passage: Passage, effect: Effect
) -> None:
    lock, taken_back = Held(), []

    async def thinks(question: Question) -> Reply:
        lock.take_over()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            taken_back.append(question.kind)
            raise
        raise AssertionError

    rules = ChangeRules(mode="write", patience=60)
    ended = await refused(effect, passage.gate(Says(thinks), rules, locks=lock))
    assert ended == ("lock", "grace has taken it over")
    assert taken_back == ["confirm"] and lock.released == 1
    assert overhead(cluster) == OLD


async def test_the_lock_is_looked_at_once_more_before_anything_is_sent(
    cluster: Cluster, passage: Passage, effect: Effect
) -> None:
    lock = Held(False)
    assert await refused(effect, passage.gate(Says(YES), locks=lock)) == ("lock", "grace has taken it over")
    assert overhead(cluster) == OLD and lock.released == 1


async def test_every_thing_that_makes_it_worse_is_named(
    passage: Passage, effect: Effect, monkeypatch: pytest.MonkeyPatch
) -> None:
    worse = [Consequence("quota", "stop", "the quota is full"), Consequence("nodes", "stop", "no node is that large")]
    plan = preview.plan

    async def planned(effect: Effect, at: Any, context: Any) -> Any:
        made = await plan(effect, at, context)
        return dataclasses.replace(made, preview=replace(made.preview, consequences=tuple(worse)))

    monkeypatch.setattr(preview, "plan", planned)
    person = Says(YES)
    ended = await refused(effect, passage.gate(person))
    assert ended == ("policy", "the quota is full; no node is that large") and person.asked == []


async def test_consequences_are_worked_out_once(cluster: Cluster, passage: Passage, effect: Effect) -> None:
    """What was read before the question is what the person agreed to; quotas are not asked for again after it."""
    asked: list[str] = []

    class Noting:
        def __init__(self, reader: Any) -> None:
            self._reader = reader

        def __getattr__(self, name: str) -> Any:
            asked.append(name)
            return getattr(self._reader, name)

    before: list[int] = []

    async def agrees(question: Question) -> Reply:
        before.append(len(asked))
        return YES

    gate = passage.gate(Says(agrees))
    assert isinstance(await pass_gate(effect, passage.gate(Says(agrees), reader=Noting(gate.reader))), Applied)
    assert len(asked) - before[0] < before[0] / 2


async def test_a_script_that_is_not_allowed_is_shown_as_well(passage: Passage) -> None:
    async def ran(effect: Effect, dry_run: bool) -> Finished:
        raise AssertionError("nothing runs in a read-only context")

    by, because = await refused(SCRIPT, passage.gate(Says(), ChangeRules(), run_script=ran))
    assert by == "mode" and isinstance(passage.events[0], Previewed)
    assert passage.events[0].preview.read_only == because


async def test_a_change_that_is_allowed_says_nothing_of_read_only(passage: Passage, effect: Effect) -> None:
    person = Says(YES)
    await pass_gate(effect, passage.gate(person))
    assert person.asked[0].preview is not None and person.asked[0].preview.read_only == ""
    assert person.asked[0].reason == ""


class NoReviews:
    """A reader that cannot ask what we may."""

    def __init__(self, reader: Any) -> None:
        self._reader = reader

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reader, name)

    async def may(self, *args: Any, **more: Any) -> Any:
        raise ReachError("no answer")


async def test_rights_that_cannot_be_asked_for_stop_the_change(passage: Passage, effect: Effect) -> None:
    person, gate = Says(YES), passage.gate(Says())
    gate = passage.gate(person, reader=NoReviews(gate.reader))
    assert await refused(effect, gate) == ("server", "no answer")
    assert person.asked == []


async def test_a_question_that_nobody_answers_in_time_is_taken_back(passage: Passage, effect: Effect) -> None:
    taken_back: list[bool] = []

    async def never(question: Question) -> Reply:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            taken_back.append(True)
            raise
        raise AssertionError

    rules = ChangeRules(mode="write", patience=0.05)
    assert (await refused(effect, passage.gate(Says(never), rules)))[1] == "nobody answered, which counts as no"
    assert taken_back == [True]


# -- scripts --------------------------------------------------------------------------------------------------------

SCRIPT = Effect("w-1/1", "raise", "Clean up", "script", argv=("bash", "/lib/clean-up.sh"), reversible=False)


async def test_a_script_that_only_reads_is_not_asked_about(passage: Passage) -> None:
    async def ran(effect: Effect, leave: Leave, pin: Pin) -> Finished:
        assert leave == "read"
        return Finished(0, "said")

    ended = await pass_gate(replace(SCRIPT, writes=False), passage.gate(Says(), ChangeRules(), run_script=ran))
    assert isinstance(ended, Applied) and ended.ok
    assert passage.kinds == ["Applied"]


async def test_a_script_without_a_target_needs_no_lock_and_is_typed(passage: Passage) -> None:
    tries: list[Leave] = []

    async def ran(effect: Effect, leave: Leave, pin: Pin) -> Finished:
        tries.append(leave)
        return Finished(0, "said")

    person = Says(Reply("yes", "ada", "clean-up"))
    ended = await pass_gate(SCRIPT, passage.gate(person, run_script=ran, locks=NoLocks()))
    assert isinstance(ended, Applied), ended
    assert person.asked[0].expect == "clean-up"
    assert tries == ["dry run", "dry run", "confirmed"]
