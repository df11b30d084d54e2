"""The step that calls somebody: what it says when it is come to, what a person is asked then, what comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from console.runbook.graph import following
from console.runbook.model import Runbook, Step
from console.runbook.say import safe, span, words
from console.runbook.walk import Escalated, EscalationAnswered, Walk

LEAVE = "leave"
"""The answer of who leaves it open until its time has passed."""
_TAKEN = ("taken by ", "taken: ", "taken")


def escalated(runbook: Runbook, step: Step, ctx: Mapping[str, Any], now: float) -> Escalated:
    """Whom, why, what to paste and until when, as it is when the step is come to. Raises ConsoleError."""

    def said(key: str, text: str) -> str:
        return words(runbook.id, step, key, text, ctx, lines=True)

    due = now + span(step, "answer_within", step.answer_within, ctx) if step.answer_within else None
    whom = " ".join(said("whom", step.whom).split())
    return Escalated(now, step.id, whom, said("text", step.text), said("paste", step.paste), due)


def escalation_answered(
    runbook: Runbook, step: Step, walk: Walk, value: str, by: str, now: float
) -> EscalationAnswered:
    """What a person said: who took it, where there is a time; else that they told them."""
    open_one, by = walk.escalated, safe(by)
    timed = open_one is not None and open_one.due is not None
    who = _who(safe(value).strip())
    answer: Literal["taken", "told"] = "taken" if timed or who != safe(value).strip() else "told"
    if answer == "taken" and not who and open_one is not None:
        who = open_one.whom
    return EscalationAnswered(now, step.id, answer, following(runbook, step), who, by)


def unanswered(runbook: Runbook, step: Step, now: float) -> EscalationAnswered:
    """Its time has passed."""
    return EscalationAnswered(now, step.id, "late", step.on_unanswered or following(runbook, step))


def _who(said: str) -> str:
    """`Ben` of `taken by Ben`."""
    for word in _TAKEN:
        if said.lower().startswith(word) and (word[-1] == " " or said.lower() == word):
            return said[len(word) :].strip()
    return said
