"""Guards that only a reason gets past: a burn that grew, an object that somebody else holds. No server."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest
from msgspec.structs import replace

from console.actions.effects import Effect, ObjectRef
from console.base.errors import ConsoleError
from console.operate import gate as gates
from console.operate.gate_context import GateContext, GateRefusal
from console.operate.journal import JournalError
from console.operate.locks import Busy, held_by
from console.operate.person import Reply, Scripted, _Answers
from console.operate.policy import ChangeRules
from console.runbook.walk import AnyEvent, ChangeRefused, GuardOverruled, LockTaken
from console.timeline.prose import sentence
from tests.operate.conftest import Says

APP = ObjectRef("sparkoperator.k8s.io/v1beta2", "SparkApplication", "spark-jobs", "etl-orders")
PATCH = Effect("w-1/2", "raise", "Raise it", "patch", APP, "merge", {"spec": {}}, reversible=True)
UNDO = replace(PATCH, id="w-1/1.undo", inverse_of="w-1/1")
GREW = "Jobs burns 9.00 over 5m, 2.00 when this walk began"


class Still:
    def now(self) -> float:
        return 7.0


class Gone:
    """A reader of a cluster that cannot be reached."""

    def __getattr__(self, name: str) -> Any:
        async def fails(*args: object, **more: object) -> None:
            raise ConsoleError("not reachable")

        return fails


class HeldLocks:
    """The lock of one object, which may be held; `seized` why it was taken."""

    def __init__(self, busy: Busy | None, of: ObjectRef = APP) -> None:
        self.busy, self.seized, self.given_back, self.of = busy, "", False, of

    async def take(self, target: ObjectRef) -> HeldLocks:
        assert target == self.of
        if self.busy is not None:
            raise self.busy
        return self

    async def seize(self, target: ObjectRef, because: str) -> HeldLocks:
        assert target == self.of
        self.seized = because
        return self

    async def release(self) -> None:
        self.given_back = True


def way(person: Any, events: list[AnyEvent], *, worse: str = "", locks: Any = None, **rules: Any) -> GateContext:
    emit = rules.pop("emit", events.append)
    return GateContext(
        "w-1", "raise", ChangeRules(mode="write", **rules), cast(Any, Still()), cast(Any, Gone()), None, locks, person,
        "ada", "test", cast(Any, None), emit, str, cast(Any, None), worse=lambda: worse,
    )  # fmt: skip


async def test_a_walk_that_made_it_worse_goes_on_only_for_a_reason() -> None:
    events: list[AnyEvent] = []
    person = Says(Reply(" a bigger \x1b[31mheap is coming ", "ada"))
    await gates._not_worse(PATCH, way(person, events, worse=GREW))
    assert events == [GuardOverruled(7.0, "raise", "w-1/2", "burn", GREW, "a bigger heap is coming", "ada")]
    (asked,) = person.asked
    assert (asked.kind, asked.walk, asked.step, asked.asked) == ("reason", "w-1", "raise", 7.0)
    assert GREW in asked.text and "“Raise it”" in asked.text and asked.choices == ()
    assert sentence(events[0]) == f"ada went on against a guard (burn: {GREW}), because: a bigger heap is coming"


@pytest.mark.parametrize("reply", [None, Reply("", "ada"), Reply(" ", "ada"), Reply("no", "ada"), Reply("Y", "ada")])
async def test_no_answer_and_a_mere_yes_are_no_reason(reply: Reply | None) -> None:
    events: list[AnyEvent] = []
    with pytest.raises(GateRefusal) as refused:
        await gates._not_worse(PATCH, way(Says(reply), events, worse=GREW))
    assert refused.value.by == "policy" and GREW in refused.value.message and "nobody said why" in refused.value.message
    assert not any(isinstance(event, GuardOverruled) for event in events)


async def test_production_hears_a_reason_only_from_a_terminal() -> None:
    events: list[AnyEvent] = []
    with pytest.raises(GateRefusal):
        await gates._not_worse(PATCH, way(Says(Reply("trust me", "ada")), events, worse=GREW, production=True))
    person = Says(Reply("trust me", "ada", terminal=True))
    await gates._not_worse(PATCH, way(person, events, worse=GREW, production=True))
    assert person.asked[0].terminal and isinstance(events[-1], GuardOverruled)


async def test_a_way_back_nothing_worse_and_a_policy_without_it_ask_nobody() -> None:
    for effect, worse, rules in [(UNDO, GREW, {}), (PATCH, "", {}), (PATCH, GREW, {"stop_when_worse": False})]:
        person = Says()
        await gates._not_worse(effect, way(person, [], worse=worse, **rules))
        assert person.asked == []


async def test_a_change_of_a_walk_that_made_it_worse_is_refused_before_anything_is_read() -> None:
    events: list[AnyEvent] = []
    ended = await gates.pass_gate(PATCH, way(Says(None), events, worse=GREW))
    assert isinstance(ended, ChangeRefused) and events[-1] == ended
    assert (ended.by, ended.effect) == ("policy", PATCH.id)
    assert ended.because == f"it got worse since this walk began ({GREW}), and nobody said why to go on"


async def test_what_nobody_gave_a_reason_for_is_shown_with_what_stands_against_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shown: list[tuple[Any, ...]] = []

    async def show(*what: Any) -> None:
        shown.append(what)

    monkeypatch.setattr(gates, "_show", show)
    gate = way(Says(None), [], worse=GREW)
    with pytest.raises(GateRefusal):
        await gates._not_worse(PATCH, gate)
    assert shown == [(PATCH, gate, f"it got worse since this walk began: {GREW}")]


async def test_answers_of_a_file_are_no_reason() -> None:
    scripted = Scripted(_Answers(answers={"raise": "because"}, confirm=True))
    with pytest.raises(GateRefusal):
        await gates._not_worse(PATCH, way(scripted, [], worse=GREW))


HELD = held_by("spark-jobs/etl-orders is held by grace@there/w-9", "grace@there/w-9")


async def test_a_lock_that_somebody_holds_is_taken_for_a_reason_which_is_journalled() -> None:
    events: list[AnyEvent] = []
    person, locks = Says(Reply("her laptop died", "ada")), HeldLocks(HELD)
    assert await gates._lock(PATCH, way(person, events, locks=locks)) is cast(Any, locks)
    assert locks.seized == "her laptop died" and "held by grace@there/w-9" in person.asked[0].text
    about = "SparkApplication spark-jobs/etl-orders"
    assert events == [LockTaken(7.0, "raise", "w-1/2", about, "grace@there/w-9", "her laptop died", "ada")]
    assert sentence(events[0]).startswith(f"ada took the lock of {about} from grace@there/w-9")


async def test_without_a_reason_it_stays_with_who_holds_it() -> None:
    events: list[AnyEvent] = []
    locks = HeldLocks(HELD)
    with pytest.raises(GateRefusal) as refused:
        await gates._lock(PATCH, way(Says(None), events, locks=locks))
    assert (refused.value.by, refused.value.message) == ("lock", HELD.message)
    assert locks.seized == "" and events == []


async def test_a_lock_of_nobody_in_particular_is_not_offered() -> None:
    person = Says(Reply("now", "ada"))
    with pytest.raises(GateRefusal):
        await gates._lock(PATCH, way(person, [], locks=HeldLocks(Busy("others take it at the same moment"))))
    assert person.asked == []


async def test_a_lock_that_could_not_be_journalled_as_taken_is_given_back() -> None:
    def broken(event: AnyEvent) -> None:
        raise JournalError("the disk is full")

    locks = HeldLocks(HELD)
    with pytest.raises(JournalError):
        await gates._lock(PATCH, way(Says(Reply("why", "ada")), [], locks=locks, emit=broken))
    assert locks.given_back


async def test_a_free_lock_and_no_target_ask_nobody(tmp_path: Path) -> None:
    locks = HeldLocks(None)
    assert await gates._lock(PATCH, way(Says(), [], locks=locks)) is cast(Any, locks)
    assert await gates._lock(replace(PATCH, target=None), way(Says(), [], locks=locks)) is None
