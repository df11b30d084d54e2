"""Stages of the gate by themselves: a lock that is lost, the second person, a question read anew. No server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from console.actions.beside import NoSuchChange
from console.base.errors import ConsoleError, ForbiddenError, ReachError
from console.operate import gate as gates
from console.operate.ahead import preview
from console.operate.approvals import waiting
from console.operate.approvals.request import Approval
from console.operate.asking import Published
from console.operate.gate_context import GateContext, GateRefusal
from console.operate.kubernetes import NotNow, ObjectChanged
from console.operate.person import Question, Reply
from console.runbook.walk import AnyEvent, ApprovalAsked, Approved
from tests.operate.conftest import NO, Says
from tests.operate.test_gate_record import Held
from tests.operate.test_guards import PATCH, way
from tests.operate.test_second_person import ASKED, PREVIEW

PLANNED: Any = SimpleNamespace(effect=PATCH, preview=PREVIEW)
LEASE = {"metadata": {"name": "request"}}


@pytest.mark.parametrize(
    ("error", "by"),
    [
        (NoSuchChange("there is no such key"), "obstacle"),
        (NotNow("a disruption budget"), "obstacle"),
        (ObjectChanged("another one"), "changed"),
        (ForbiddenError("you may not"), "permission"),
        (ReachError("no answer"), "server"),
        (ConsoleError("no answer"), "server"),
    ],
)
def test_what_kept_a_change_from_being_made_says_whose_no_it_was(error: ConsoleError, by: str) -> None:
    refusal = gates._refusal(error)
    assert (refusal.by, refusal.message) == (by, error.message)


def test_a_refusal_stays_the_one_that_it_is() -> None:
    refusal = GateRefusal("policy", "frozen")
    assert gates._refusal(refusal) is refusal


def test_policy_is_told_what_is_walked_and_about_whom() -> None:
    occasion = gates._occasion(replace(way(NO, []), runbook="spark-oom", subject="SparkApplication/spark-jobs/etl"))
    assert (occasion.walk, occasion.runbook, occasion.subject) == (
        "w-1",
        "spark-oom",
        "SparkApplication/spark-jobs/etl",
    )


async def test_who_thinks_is_interrupted_in_the_moment_in_which_the_lock_is_lost() -> None:
    lock = Held()

    async def thinks(question: Question) -> Reply:
        lock.take_over()
        await asyncio.Event().wait()
        raise AssertionError

    async with asyncio.timeout(60):
        with pytest.raises(GateRefusal) as refused:
            await gates._ask(cast(Any, "which?"), way(Says(thinks), [], patience=3600), cast(Any, lock))
    assert (refused.value.by, refused.value.message) == ("lock", "grace has taken it over")


class Rereads(Published):
    """Somebody at a screen, who answers once the question was read anew."""

    def __init__(self) -> None:
        super().__init__(Says(), lambda question: None)

    async def answer(self, question: Question, read: Callable[[], Awaitable[Question]] | None = None) -> Reply | None:
        assert read is not None
        await read()
        return NO


async def test_a_question_is_read_anew_at_its_object_and_nothing_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[tuple[Any, ...]] = []

    async def followed_by(*what: Any) -> Any:
        looked.append(what)
        return PREVIEW

    monkeypatch.setattr(preview, "followed_by", followed_by)
    gate, at = way(Rereads(), []), cast(Any, object())
    with pytest.raises(GateRefusal):
        await gates._confirm(PLANNED, gate, at, None, "")
    ((planned, where, context),) = looked
    assert (planned, where, context.writer, context.cluster) == (PLANNED, at, None, "test")
    assert context.rules == gate.rules


class Consents:
    """A place where somebody is asked, and from which the request is taken back."""

    wait = 60.0

    def __init__(self) -> None:
        self.taken_back: list[Any] = []
        self.shown: list[Any] = []

    async def lacking(self) -> str:
        return ""

    def request(self, shown: Any) -> Any:
        self.shown.append(shown)
        return ASKED

    async def ask(self, request: Any) -> Any:
        assert request is ASKED
        return LEASE

    async def take_back(self, lease: Any) -> None:
        self.taken_back.append(lease)


def waits(monkeypatch: pytest.MonkeyPatch, answer: Any) -> list[tuple[Any, ...]]:
    """What is waited for; the wait ends with this answer."""
    waited: list[tuple[Any, ...]] = []

    async def ends(*what: Any) -> Any:
        waited.append(what)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(waiting, "waited", ends)
    return waited


def second(events: list[AnyEvent], place: Consents | None, when: str = "always") -> GateContext:
    return replace(way(Says(), events, second_person=when, approvals="approvals"), second=cast(Any, place))


async def test_somebody_else_is_waited_for_as_long_as_the_lock_is_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    events: list[AnyEvent] = []
    place, lock = Consents(), cast(Any, Held())
    gate = second(events, place)
    waited = waits(monkeypatch, Approval("grace", 2e9))
    await gates._second(PLANNED, gate, lock)
    asked = waiting.question(ASKED, context="test", now=7.0)
    assert [(*what[:3], *what[4:]) for what in waited] == [(place, ASKED, LEASE, gate.person, lock)]
    assert (waited[0][3].asked, waited[0][3].title, waited[0][3].shows[:1]) == (7.0, asked.title, asked.shows[:1])
    assert events == [
        ApprovalAsked(7.0, "raise", PATCH.id, ASKED.digest, "approvals", 60.0),
        Approved(7.0, "raise", PATCH.id, ASKED.digest, "grace", "approvals"),
    ]
    assert place.taken_back == [LEASE], "the request is not left behind"
    assert place.shown == [PREVIEW]


async def test_who_does_not_agree_refuses_and_the_request_is_taken_back(monkeypatch: pytest.MonkeyPatch) -> None:
    events: list[AnyEvent] = []
    place = Consents()
    waits(monkeypatch, waiting.NobodyApproved("nobody approved it within 1m"))
    with pytest.raises(GateRefusal) as refused:
        await gates._second(PLANNED, second(events, place), None)
    assert (refused.value.by, refused.value.message) == ("person", "nobody approved it within 1m")
    assert [type(event) for event in events] == [ApprovalAsked] and place.taken_back == [LEASE]


async def test_where_nobody_else_has_to_agree_nobody_is_asked() -> None:
    events: list[AnyEvent] = []
    await gates._second(PLANNED, second(events, None, when="never"), None)
    assert events == []
