"""What the gate asks a person, and what it takes for an answer."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from console.actions.effects import Consequence, Effect
from console.base.errors import ConsoleError, ReachError
from console.operate.ahead import preview
from console.operate.approvals.request import Approval
from console.operate.asking import Published
from console.operate.gate import pass_gate
from console.operate.gate_context import GateContext, ValueEdited
from console.operate.person import EDIT, Question, Reply
from console.operate.policy import ChangeRules
from console.operate.scripts import runs
from console.runbook.editing import Editable
from console.runbook.walk import AnswerRefused, Applied, ApprovalAsked, Approved, ChangeRefused
from console.timeline.prose import sentence
from tests.operate.conftest import NO, YES, Cluster, Passage, Says
from tests.operate.objects import OLD, create, raise_overhead, spark_path
from tests.operate.test_gate_record import NOON, SCRIPT, Held, Stopped
from tests.operate.test_gate_stages import Consents, waits
from tests.operate.test_second_person import Two, Waits, two

__all__ = ["two"]

VALUE = Editable("overhead", "Overhead", "quantity", "512m", maximum="2g")
TYPED = ChangeRules(mode="write", production=True)


@pytest.fixture
def effect(cluster: Cluster) -> Effect:
    return raise_overhead(create(cluster.kube, cluster.namespace))


async def refused(effect: Effect, gate: GateContext) -> tuple[str, str]:
    ended = await pass_gate(effect, gate)
    assert isinstance(ended, ChangeRefused), ended
    return ended.by, ended.because


async def test_the_first_question_has_no_reason_and_is_that_of_the_change(passage: Passage, effect: Effect) -> None:
    person = Says(NO)
    assert await refused(effect, passage.gate(person, clock=Stopped())) == ("person", "ada said no")
    (asked,) = person.asked
    assert asked.preview is not None and asked.preview.effect.patch == effect.patch
    assert (asked.reason, asked.walk, asked.asked, asked.editable, asked.terminal) == ("", "w-1", NOON, None, False)
    assert "second person" not in asked.text


async def test_why_it_is_asked_again_and_what_may_be_set_otherwise_stand_in_the_question(
    passage: Passage, effect: Effect
) -> None:
    person = Says(NO)
    await refused(effect, passage.gate(person, TYPED, reason="the value was set otherwise", editable=VALUE))
    (asked,) = person.asked
    assert (asked.reason, asked.editable, asked.terminal) == ("the value was set otherwise", VALUE, True)


async def test_another_value_ends_the_question_with_who_set_it(
    cluster: Cluster, passage: Passage, effect: Effect
) -> None:
    with pytest.raises(ValueEdited) as edited:
        await pass_gate(effect, passage.gate(Says(Reply(EDIT, "ada", "1g")), editable=VALUE))
    assert (edited.value.value, edited.value.by) == ("1g", "ada")
    assert overhead(cluster) == OLD
    by, _ = await refused(effect, passage.gate(Says(Reply(EDIT, "ada", "1g"))))
    assert by == "person", "there is no value to set"


def overhead(cluster: Cluster) -> str:
    return str(cluster.kube.get(spark_path(cluster.namespace, "etl-orders"))["spec"]["executor"]["memoryOverhead"])


async def test_a_text_is_typed_at_most_three_times_and_each_time_it_says_how_many_are_left(
    cluster: Cluster, passage: Passage, effect: Effect
) -> None:
    expect = f"{cluster.namespace}/etl-orders"
    person = Says(*(Reply("yes", "ada", text, terminal=True) for text in ("a", "b", "c", expect)))
    assert await refused(effect, passage.gate(person, TYPED)) == ("person", f"ada did not type {expect!r} in 3 tries")
    again = f"is not {expect!r}: nothing was changed"
    assert [q.reason for q in person.asked] == ["", f"'a' {again}, 2 more tries", f"'b' {again}, 1 more try"]
    assert overhead(cluster) == OLD
    wrong = [e for e in passage.events if isinstance(e, AnswerRefused)]
    assert {(e.what, e.by, e.step) for e in wrong} == {("confirmation", "ada", "raise")}
    assert all(isinstance(e.at, float) for e in wrong)
    assert [sentence(e) for e in wrong] == [
        "ada mistyped the confirmation: it was not what had to be typed; nothing was changed, 2 more tries",
        "ada mistyped the confirmation: it was not what had to be typed; nothing was changed, 1 more try",
    ], "the third is the No"
    assert "'a'" not in str(passage.events), "what was typed may have been a secret"
    person = Says(*(Reply("yes", "ada", text, terminal=True) for text in ("a", "b", expect)))
    assert isinstance(await pass_gate(effect, passage.gate(person, TYPED)), Applied)


async def test_no_after_a_text_that_was_mistyped_is_a_no(passage: Passage, effect: Effect) -> None:
    person = Says(Reply("yes", "ada", "a", terminal=True), NO)
    assert await refused(effect, passage.gate(person, TYPED)) == ("person", "ada said no")
    assert len(person.asked) == 2


async def test_nobody_is_asked_twice_who_does_not_answer(passage: Passage, effect: Effect) -> None:
    person = Says(None)
    assert await refused(effect, passage.gate(person, TYPED)) == ("person", "nobody answered, which counts as no")
    assert len(person.asked) == 1


class Rereads(Published):
    """Somebody at a screen, who answers once the question was read anew."""

    def __init__(self) -> None:
        super().__init__(Says(), lambda question: None)
        self.seen: list[Question] = []

    async def answer(self, question: Question, read: Callable[[], Awaitable[Question]] | None = None) -> Reply | None:
        assert read is not None
        self.seen += [question, await read()]
        return NO


async def test_an_open_question_is_read_anew_with_what_follows_by_now(
    cluster: Cluster, passage: Passage, effect: Effect
) -> None:
    person: Any = Rereads()
    await refused(effect, passage.gate(person, clock=Stopped()))
    first, anew = person.seen
    assert anew.preview is not None and anew.text == first.text
    assert anew.preview.fingerprint == first.preview.fingerprint


async def test_an_open_question_that_cannot_be_read_anew_stays_as_it_was(
    passage: Passage, effect: Effect, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[Any] = []

    async def gone(planned: Any, at: Any, context: Any) -> Any:
        looked.append(at)
        raise ReachError("no answer")

    monkeypatch.setattr(preview, "followed_by", gone)
    person: Any = Rereads()
    await refused(effect, passage.gate(person, clock=Stopped()))
    first, anew = person.seen
    assert anew == first
    assert effect.target is not None and [at.target.name for at in looked] == [effect.target.name]


# -- what stands in the way -----------------------------------------------------------------------------------------


def follows(monkeypatch: pytest.MonkeyPatch, *consequences: Consequence, from_look: int = 1) -> None:
    """Previews have these consequences, from this look on."""
    plan, looks = preview.plan, []

    async def planned(effect: Effect, at: Any, context: Any) -> Any:
        made = await plan(effect, at, context)
        looks.append(1)
        if len(looks) < from_look:
            return made
        return dataclasses.replace(made, preview=replace(made.preview, consequences=consequences))

    monkeypatch.setattr(preview, "plan", planned)


OBSTACLES = (
    Consequence("obstacle", "warn", "grace works on it"),
    Consequence("quota", "info", "there is room"),
    Consequence("obstacle", "warn", "an upgrade runs"),
)


async def test_every_obstacle_is_named_and_nobody_is_asked(
    passage: Passage, effect: Effect, monkeypatch: pytest.MonkeyPatch
) -> None:
    follows(monkeypatch, *OBSTACLES)
    person = Says(YES)
    assert await refused(effect, passage.gate(person)) == ("obstacle", "grace works on it; an upgrade runs")
    assert await refused(replace(effect, inverse_of="w-1/0"), passage.gate(person)) == (
        "obstacle", "grace works on it; an upgrade runs",
    ), "a way back does not pass them either"  # fmt: skip
    assert person.asked == []


async def test_what_follows_otherwise_stands_in_nobodys_way(
    passage: Passage, effect: Effect, monkeypatch: pytest.MonkeyPatch
) -> None:
    follows(monkeypatch, OBSTACLES[1])
    assert isinstance(await pass_gate(effect, passage.gate(Says(YES))), Applied)


async def test_an_obstacle_that_comes_while_somebody_thinks_ends_it(
    cluster: Cluster, passage: Passage, effect: Effect, monkeypatch: pytest.MonkeyPatch
) -> None:
    follows(monkeypatch, *OBSTACLES, from_look=2)
    person = Says(YES)
    assert (await refused(effect, passage.gate(person)))[0] == "obstacle"
    assert len(person.asked) == 1 and overhead(cluster) == OLD


async def test_a_script_whose_rights_are_not_known_is_not_asked_about(
    passage: Passage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def rights(reader: Any, effect: Effect) -> Any:
        assert reader is not None and effect == SCRIPT
        raise ReachError("no answer")

    monkeypatch.setattr(runs, "rights", rights)
    person = Says(YES)
    assert await refused(SCRIPT, passage.gate(person)) == ("server", "no answer")
    assert person.asked == []


# -- the second person ----------------------------------------------------------------------------------------------

ALWAYS = ChangeRules(mode="write", second_person="always", approvals="approvals")


class Asks:
    """A place where a second person is waited for, which does not let itself be asked."""

    wait = 60.0

    def __init__(self, lacking: str = "") -> None:
        self._lacking = lacking

    async def lacking(self) -> str:
        return self._lacking

    def request(self, shown: Any) -> Any:
        assert shown is not None
        return None

    async def ask(self, request: Any) -> Any:
        raise ConsoleError("no answer")


async def test_where_no_second_person_can_be_had_nobody_is_asked(passage: Passage, effect: Effect) -> None:
    person = Says(YES)
    for second in (None, Asks("there is no such namespace")):
        by, because = await refused(effect, passage.gate(person, ALWAYS, second=second))
        assert by == "policy" and (second is None or "there is no such namespace" in because)
    assert person.asked == []


async def test_a_second_person_who_cannot_be_asked_is_no_consent(
    cluster: Cluster, passage: Passage, effect: Effect
) -> None:
    found = await refused(effect, passage.gate(Says(YES), ALWAYS, second=Asks()))
    assert found == ("policy", "a second person cannot be asked: no answer")
    assert overhead(cluster) == OLD


async def test_somebody_else_is_waited_for_while_the_lock_is_held_and_then_it_is_made(
    cluster: Cluster, passage: Passage, effect: Effect, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock, place = Held(), Consents()
    waited = waits(monkeypatch, Approval("grace", 2e9))
    assert isinstance(await pass_gate(effect, passage.gate(Says(YES), ALWAYS, locks=lock, second=place)), Applied)
    assert [what[-1] for what in waited] == [lock]
    assert passage.kinds[:4] == ["Previewed", "Confirmed", "ApprovalAsked", "Approved"]
    assert overhead(cluster) != OLD and lock.released == 1


async def test_who_was_asked_for_what_and_who_agreed_stand_in_the_journal(two: Two, tmp_path: Path) -> None:
    made = await asyncio.to_thread(create, two.cluster.kube, two.cluster.namespace)
    passage, ada, effect = two.passage(tmp_path), Waits(), raise_overhead(made)
    gate = passage.gate(ada, two.rules(), second=two.second(), clock=Stopped())
    walk = asyncio.create_task(pass_gate(effect, gate))
    await asyncio.wait_for(ada.waiting.wait(), 60)
    walk.cancel()
    await asyncio.gather(walk, return_exceptions=True)
    asked = passage.events[-1]
    assert isinstance(asked, ApprovalAsked)
    assert (asked.at, asked.step, asked.effect, asked.place, asked.wait) == (NOON, "raise", effect.id, two.place, 60.0)
    assert asked.digest and not any(isinstance(event, Approved) for event in passage.events)
    question = ada.asked[-1]
    assert (question.kind, question.asked) == ("approval", NOON)
    assert any("test-cluster" in line for line in question.shows)
