"""What comes of an escalation: a person says who took it, or its time passes, whether or not anybody is on the walk."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from console.base.clock import Clock
from console.operate import asking
from console.operate.person import Question, Reply
from console.runbook import steps
from console.runbook.model import Runbook, Step
from console.runbook.walk import EscalationAnswered, HandedOver, Walk

AGAIN = "the answer is who took it, or `leave`"


async def came_of_it(
    person: asking.Published, runbook: Runbook, walk: Walk, step: Step, clock: Clock
) -> EscalationAnswered | HandedOver:
    """The answer, the end of its time, or that nobody answered where there is no time."""
    one = walk.escalated
    assert one is not None
    reason = ""
    for _ in range(asking.TRIES):
        if one.due is not None and clock.now() >= one.due:
            return steps.unanswered(runbook, step, clock.now())
        question = asking.of_escalation(walk, runbook, one, now=clock.now(), reason=reason)
        answered, reply = await _until(person, question, one.due, clock)
        if not answered or (reply is not None and one.due is not None and reply.value.strip().lower() == steps.LEAVE):
            await _sleep_until(one.due, clock)
            return steps.unanswered(runbook, step, clock.now())
        if reply is None:
            break
        if one.due is None or reply.value.strip():
            return steps.escalation_answered(runbook, step, walk, reply.value, reply.by, clock.now())
        reason = AGAIN
    return asking.nobody(question, step.id, clock.now())


async def _until(
    person: asking.Published, question: Question, due: float | None, clock: Clock
) -> tuple[bool, Reply | None]:
    """Whether somebody answered in time, and what. An answer that is there already counts whatever the clock does."""
    asks = asyncio.create_task(person.answer(question))
    tasks: set[asyncio.Task[Any]] = {asks}
    try:
        await asyncio.wait(tasks, timeout=0 if due is not None else None)
        if due is not None and not asks.done():
            late = asyncio.create_task(_sleep_until(due, clock))
            tasks.add(late)
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        return (True, asks.result()) if asks.done() else (False, None)
    finally:
        for task in tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await task


async def _sleep_until(due: float | None, clock: Clock) -> None:
    if due is not None:
        await clock.sleep(max(0.0, due - clock.now()))
