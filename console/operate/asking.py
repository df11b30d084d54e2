"""The questions of a walk that are not confirmations: of its steps, whether to roll back, whether a change arrived."""

from __future__ import annotations

from console.base.text import clean
from console.operate.person import LANDED_CHOICES, ROLLBACK_CHOICES, Question
from console.runbook.effects import STAMP, Effect
from console.runbook.steps import Asked
from console.runbook.walk import Intent, Walk


def of_step(walk: Walk, step: str, asked: Asked, *, now: float, reason: str = "") -> Question:
    """The question of an ask, note or manual step. `reason` says why it is asked again."""
    return Question(
        walk=walk.id,
        step=step,
        kind=asked.kind,
        title=asked.title,
        text=asked.text,
        choices=asked.choices,
        shows=asked.shows,
        reason=reason,
        asked=now,
    )


def of_rollback(walk: Walk, step: str, rollback: Effect, *, now: float) -> Question:
    """A change was verified not to help: should it be taken back?"""
    verdict = walk.outputs.get(step, {})
    said = f"{verdict.get('verdict', 'ineffective')}: {verdict.get('because', '')}".rstrip(": ")
    return Question(
        walk=walk.id,
        step=step,
        kind="rollback",
        title=clean(rollback.title),
        text=f"The change did not help ({clean(said)}). Roll it back?",
        choices=ROLLBACK_CHOICES,
        asked=now,
    )


def of_landing(walk: Walk, intent: Intent, *, now: float) -> Question:
    """Nobody but a person can say whether a change arrived."""
    effect = intent.effect
    what = f"{effect.target.kind} {effect.target.words}" if effect.target else "the script"
    return Question(
        walk=walk.id,
        step=intent.step,
        kind="landed",
        title=clean(effect.title),
        text=f"It is not known whether this change of {clean(what)} arrived. Did it?",
        choices=LANDED_CHOICES,
        shows=(f"stamp looked for: {STAMP}: {effect.id}",),
        asked=now,
    )
