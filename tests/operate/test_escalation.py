"""Who was called answers, or the time passes: on the walk's clock, and whether or not anybody is on the walk."""

from __future__ import annotations

import asyncio
from pathlib import Path

from console.base.document import parse
from console.operate import asking
from console.operate.escalation import came_of_it
from console.operate.journal import Journal
from console.operate.person import Question, Queue, Scripted
from console.runbook import schema, steps
from console.runbook.walk import Entered, EscalationAnswered, HandedOver, Started, Walk, fold

BOOK = schema.load(
    """apiVersion: console/v1
kind: Runbook
id: volume
title: A volume is full
about: app
on_demand: true
steps:
- id: call
  escalate: the storage team
  paste: the claim is full
  within: 15m
  else: platform
- id: platform
  escalate: the platform team
""",
    "volume.yaml",
)
STEP = BOOK.step("call")
assert STEP is not None
BEGAN = Started(100.0, "w", "volume", "1.0.0", "", BOOK.text, {}, {}, {}, "jobs/etl", "ada", "test")
EVENTS = [BEGAN, Entered(200.0, "call"), steps.escalated(BOOK, STEP, {}, 200.0)]
DUE = 200.0 + 900.0


class HandClock:
    """Time that a test moves."""

    def __init__(self, now: float) -> None:
        self._now, self._moved = now, asyncio.Condition()

    def now(self) -> float:
        return self._now

    async def sleep(self, seconds: float) -> None:
        until = self._now + seconds
        async with self._moved:
            await self._moved.wait_for(lambda: self._now >= until)

    async def move(self, now: float) -> None:
        async with self._moved:
            self._now = now
            self._moved.notify_all()


def walk() -> Walk:
    return fold(EVENTS)


def published(person: Scripted | Queue, shown: list[Question | None] | None = None) -> asking.Published:
    return asking.Published(person, (shown if shown is not None else []).append)


def says(text: str) -> Scripted:
    return Scripted.parse(parse(text, "answers"))


async def came(person: Scripted | Queue, clock: HandClock) -> EscalationAnswered | HandedOver:
    assert STEP is not None
    return await asyncio.wait_for(came_of_it(published(person), BOOK, walk(), STEP, clock), 20)


async def test_a_question_that_nobody_answers_is_taken_back_when_its_time_passes() -> None:
    clock, person = HandClock(300.0), Queue("ada")
    open_one = asyncio.Event()
    person._on_question = lambda question: open_one.set() if question is not None else None
    coming = asyncio.create_task(came(person, clock))
    await asyncio.wait_for(open_one.wait(), 20)
    asked = person.question
    assert asked is not None and (asked.kind, asked.due, asked.paste) == ("escalate", DUE, "the claim is full")
    assert asked.late == "Call the platform team"
    await clock.move(DUE - 1)
    await asyncio.sleep(0)
    assert not coming.done()
    await clock.move(DUE)
    event = await coming
    assert event == EscalationAnswered(DUE, "call", "late", "platform") and person.question is None


async def test_an_answer_in_time_says_who_took_it() -> None:
    event = await came(says("by: ada\nanswers: {call: taken by Ben}\n"), HandClock(300.0))
    assert event == EscalationAnswered(300.0, "call", "taken", "handed-over", "Ben", "ada")


async def test_who_leaves_it_open_waits_for_the_deadline_and_no_longer() -> None:
    clock = HandClock(300.0)
    coming = asyncio.create_task(came(says("answers: {call: leave}\n"), clock))
    await asyncio.sleep(0)
    await clock.move(DUE)
    assert await coming == EscalationAnswered(DUE, "call", "late", "platform")


async def test_nobody_at_all_leaves_the_walk_where_it_stands() -> None:
    event = await came(says("notes: yes\n"), HandClock(300.0))
    assert isinstance(event, HandedOver) and event.text == "nobody answered: Call the storage team"


async def test_an_empty_answer_is_asked_again_and_says_what_an_answer_is() -> None:
    shown: list[Question | None] = []
    assert STEP is not None
    person = says("by: ada\nanswers: {call: ['', Ben]}\n")
    event = await came_of_it(published(person, shown), BOOK, walk(), STEP, HandClock(300.0))
    assert isinstance(event, EscalationAnswered) and event.who == "Ben"
    assert [one.reason for one in shown if one is not None] == ["", "the answer is who took it, or `leave`"]


async def test_after_a_kill_the_deadline_is_the_one_that_was_recorded(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.db")
    for number, event in enumerate(EVENTS):
        journal.append("w", event, expected=number)
    again = fold(Journal(tmp_path / "journal.db").read("w"))
    assert again.escalated is not None and again.escalated.due == DUE
    assert isinstance(steps.todo(BOOK, again), steps.AwaitAnswer), "nobody is called twice"
    late = await came(Queue("ada"), HandClock(DUE + 60))
    assert late == EscalationAnswered(DUE + 60, "call", "late", "platform")
    assert await came(says("answers: {call: taken by Ben}\n"), HandClock(DUE + 60)) == late, "an answer comes too late"
    told = fold([*EVENTS, late]).steps[-1].words
    assert told == "the deadline passed: no answer of the storage team was recorded by 00:18:20Z"
