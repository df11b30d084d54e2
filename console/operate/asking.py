"""The questions of a walk that are not confirmations: of its steps, whether to roll back, whether a change arrived."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from msgspec.structs import replace

from console.actions import patches
from console.actions.effects import STAMP, Effect
from console.actions.owners import dotted
from console.apps.counted import counted
from console.base.clock import time_of_day
from console.base.errors import UsageError
from console.base.text import clean
from console.board.model import Board
from console.operate.person import (
    LANDED_CHOICES,
    ROLLBACK_CHOICES,
    RULES_CHOICES,
    YES,
    Person,
    Question,
    Queue,
    Reply,
)
from console.runbook import steps
from console.runbook.context.after import since_the_change
from console.runbook.model import Runbook, Step
from console.runbook.say import safe
from console.runbook.state import Escalation
from console.runbook.steps import Asked
from console.runbook.titles import plain_title
from console.runbook.walk import Answered, HandedOver, Intent, Offered, Walk

TRIES = 3
"""How often a question is put again after an answer that is none of its choices."""
REREAD, MINUTE = 10.0, 60.0
"""Seconds of the machine's time after which an open question is read anew, and of the walk's after which what says the
same is shown with its new time."""


class Published:
    """A person, their open question published with the walk.

    Args:
        show: called with each question, with what was read anew of it, and with None when it is settled.
    """

    def __init__(self, person: Person, show: Callable[[Question | None], None]) -> None:
        self._person, self._show = person, show
        self.name = person.name

    async def answer(self, question: Question, read: Callable[[], Awaitable[Question]] | None = None) -> Reply | None:
        """The answer. `read`: the same question from what is known now, which takes its place on a screen."""
        self._show(question)
        waits = asyncio.create_task(self._person.answer(question))
        try:
            while read is not None and isinstance(self._person, Queue):
                if (await asyncio.wait({waits}, timeout=REREAD))[0]:
                    break
                question = self._reread(self._person, question, await read())
            return await waits
        finally:
            waits.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await waits
            self._show(None)

    def _reread(self, person: Queue, before: Question, now: Question) -> Question:
        """The question that is open now: what was read anew, unless it says the same as a moment ago."""
        now = replace(now, asked=before.asked)
        alike = replace(now, read_at=before.read_at) == before or (now.preview and now.weighs == before.weighs)
        if alike and now.read_at - before.read_at < MINUTE:
            return before
        person.reread(now)
        self._show(now)
        return now


async def answer_of_step(
    person: Published,
    runbook: Runbook,
    walk: Walk,
    step: Step,
    context: Callable[[], Awaitable[dict[str, Any]]],
    now: Callable[[], float],
) -> Answered | HandedOver:
    """Ask until there is an answer. Where nobody gives one, the walk waits for the next person.

    Raises:
        UsageError: the answers were none of the choices.
    """
    reason, asked = "", Asked("ask", "", "")

    async def read() -> Question:
        nonlocal asked
        ctx = await context()
        asked = steps.question(step, ctx, runbook.id)
        return of_step(walk, step.id, asked, now=now(), reason=reason, also=beside(runbook, ctx))

    for left in range(TRIES - 1, -1, -1):
        question = await read()
        reply = await person.answer(question, read)
        if reply is None:
            return nobody(question, step.id, now())
        try:
            return steps.answer(runbook, step, reply.value, reply.by, now(), asked)
        except UsageError:
            if not left:
                raise
            reason = f"{clean(reply.value)!r} is none of the answers"
    raise AssertionError("unreachable")


def nobody(question: Question, step: str, now: float) -> HandedOver:
    """Nobody answers: the walk waits where it stands."""
    return HandedOver(now, "console", clean(f"nobody answered: {question.title}"), step)


def of_step(
    walk: Walk, step: str, asked: Asked, *, now: float, reason: str = "", also: tuple[str, ...] = ()
) -> Question:
    """The question of an ask, note or manual step. `reason` says why it is asked again, `also` what else is seen."""
    return Question(
        walk=walk.id,
        step=step,
        kind=asked.kind,
        title=asked.title,
        text=asked.text,
        choices=asked.choices,
        shows=(*also, *asked.shows) if asked.choices else asked.shows,
        reason=reason,
        asked=now,
        read_at=now,
    )


def of_escalation(walk: Walk, runbook: Runbook, one: Escalation, *, now: float, reason: str = "") -> Question:
    """Who was called, why, what to paste, and by when somebody must have said who took it."""
    step = runbook.step(one.step)
    after = runbook.step(step.on_unanswered) if step is not None else None
    return Question(
        walk=walk.id,
        step=one.step,
        kind="escalate",
        title=f"Call {one.whom}",
        text=one.because,
        reason=reason,
        asked=now,
        paste=one.paste,
        due=one.due or 0.0,
        late=plain_title(after) if after is not None and one.due is not None else "",
    )


def beside(runbook: Runbook, ctx: Mapping[str, Any]) -> tuple[str, ...]:
    """What else is seen now that the runbook is about, beside the finding that it began with."""
    mine = ctx.get("finding", {}).get("key")
    fits = set(runbook.match.findings)
    others = [f for f in ctx.get("findings", ()) if f.get("code") in fits and f.get("key") != mine]
    return tuple(f"also seen now: {safe(str(f.get('title', '')))}" for f in others[:2])


def of_rollback(
    walk: Walk, step: str, effect: Effect, rollback: Effect, board: Board, *, now: float, seen: tuple[str, ...] = ()
) -> Question:
    """A change was verified not to help: should it be taken back?

    Beside it stands what that is decided by: what is seen now, what died since, what is wrong now, what changes back,
    what restarts.

    Args:
        seen: the lines of the verification, read anew.
    """
    verdict, state = walk.outputs.get(step, {}), walk.state(step)
    said = f"{verdict.get('verdict', 'ineffective')}: {verdict.get('because', '')}".rstrip(": ")
    when = f" at {time_of_day(state.left)}" if state is not None and state.left is not None else ""
    return Question(
        walk=walk.id,
        step=step,
        kind="rollback",
        title=clean(rollback.title),
        text=f"The change did not help ({clean(said)}{when}). Roll it back?",
        choices=ROLLBACK_CHOICES,
        shows=(*_tried(walk, board, seen), *_back(effect, rollback)),
        asked=now,
        read_at=now,
    )


def _tried(walk: Walk, board: Board, seen: tuple[str, ...]) -> tuple[str, ...]:
    """What the verification would see now, and how the application is."""
    after = since_the_change(board.app(walk.subject), walk)
    deaths = {**(after.new.deaths if after.new is not None else {}), **(after.driver_deaths or {})}
    died = "not known" if after.new is None else counted(deaths) or "none seen"
    titles = [f.title for f in board.findings_of(walk.subject) if f.severity != "info"] if walk.subject else []
    wrong = [f"now: {clean(title)}" for title in titles[:2]]
    return (*(clean(text) for text in seen), f"deaths since the change: {died}", *wrong)


def offered(asked: Question, effect: str, *, yes: bool, by: str, now: float) -> Offered:
    """What came of that question, with what stood beside it when it was answered."""
    said = {choice.value == YES: choice.label for choice in asked.choices}
    return Offered(
        at=now,
        step=asked.step,
        effect=effect,
        answer="yes" if yes else "no",
        by=by,
        asked=asked.text.partition("\n")[0],
        label=said.get(yes, ""),
        others=tuple(label for value, label in said.items() if value != yes),
        shown=asked.shows,
    )


def _back(effect: Effect, rollback: Effect) -> tuple[str, ...]:
    """Field by field what a rollback puts back, and what that restarts."""
    out = []
    for pointer in rollback.touched:
        made, old = patches.get(effect.patch, pointer), patches.get(rollback.patch, pointer)
        now = "" if made is patches.MISSING else f" {made} →"
        what = "absent" if old in (None, patches.MISSING) else old
        out.append(safe(f"changes back {dotted(pointer)}:{now} {what}"))
    return (*out, *((f"restarts {clean(rollback.restarts)}",) if rollback.restarts else ()))


def of_rules(walk: Walk, wider: tuple[str, ...], *, now: float, terminal: bool) -> Question:
    """More is allowed now than when the walk began."""
    return Question(
        walk=walk.id,
        step=walk.current,
        kind="rules",
        title="The rules are wider than when this walk began",
        text=f"{clean('; '.join(wider))}. Go on under the wider rules?",
        choices=RULES_CHOICES,
        asked=now,
        terminal=terminal,
    )


def of_reason(
    walk: str, step: str, effect: Effect, title: str, against: str, *, now: float, terminal: bool
) -> Question:
    """Something stands against a change; only a reason lets it on."""
    text = f"{against}. Why is “{clean(effect.title)}” done all the same? The reason is journalled; an empty one is No."
    return Question(
        walk=walk, step=step, kind="reason", title=clean(title), text=clean(text), asked=now, terminal=terminal
    )


def of_landing(walk: Walk, intent: Intent, *, now: float) -> Question:
    """Nobody but a person can say whether a change arrived."""
    effect = intent.effect
    return Question(
        walk=walk.id,
        step=intent.step,
        kind="landed",
        title=clean(effect.title),
        text=f"It is not known whether this change of {clean(effect.about)} arrived. Did it?",
        choices=LANDED_CHOICES,
        shows=(f"stamp looked for: {STAMP}: {effect.id}",),
        asked=now,
    )
