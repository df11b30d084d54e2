"""How a change must be confirmed, and whether it was. Nothing is ever confirmed by silence."""

from __future__ import annotations

from pathlib import PurePath

from console.actions import verb_of
from console.actions.effects import Effect, Preview, Tier
from console.base.text import clean, plural, shorten
from console.operate.person import YES, Question, Reply
from console.operate.policy import ChangeRules, is_production
from console.runbook.editing import Editable

TRIES = 3
"""How often a text may be typed; the last one that is wrong is a No."""


def tier(effect: Effect, rules: ChangeRules, *, objects: int = 1) -> tuple[Tier, str]:
    """The tier and the text that has to be typed for it (`` for a diff and `y`).

    Args:
        objects: how many objects the step will have changed with this one.
    """
    irreversible = not effect.reversible and not effect.inverse_of
    if irreversible or effect.risk == "high" or is_production(effect, rules) or objects > 1:
        return "typed", expected(effect)
    return "diff", ""


def expected(effect: Effect) -> str:
    """What a person types: `namespace/name`, or the name of the script that has no target."""
    if effect.target is not None:
        return effect.target.words
    return PurePath(effect.argv[1]).stem if len(effect.argv) > 1 else effect.step


def question(
    preview: Preview,
    *,
    walk: str,
    now: float,
    reason: str = "",
    editable: Editable | None = None,
    terminal: bool = False,
    second: bool = False,
) -> Question:
    """The question of a preview.

    Args:
        editable: the value of it that may be set otherwise.
        terminal: only a person at a terminal may answer.
        second: somebody else has to approve it after a yes.
    """
    effect = preview.effect
    return Question(
        walk=walk,
        step=effect.step,
        kind="confirm",
        title=clean(effect.title),
        text=f"{verb_of(effect.action).asks} {clean(effect.about)}?"
        + (" After your yes a second person has to approve it." if second else ""),
        shows=tuple(c.text for c in preview.consequences),
        preview=preview,
        expect=preview.expect,
        cluster=preview.cluster,
        reason=reason,
        asked=now,
        read_at=now,
        editable=editable,
        terminal=terminal,
    )


def mistyped(reply: Reply | None, preview: Preview) -> bool:
    """Whether somebody said yes, and did not type what has to be typed: neither a yes nor a no."""
    return reply is not None and reply.value == YES and bool(preview.expect) and reply.typed != preview.expect


def once_more(reply: Reply | None, preview: Preview, left: int) -> str:
    """Why it is asked again after a text that was mistyped."""
    typed = shorten(clean(reply.typed), 60) if reply is not None else ""
    return f"{typed!r} is not {preview.expect!r}: nothing was changed, {plural(left, 'more try', 'more tries')}"


def agreed(reply: Reply | None, preview: Preview, *, terminal: bool = False) -> str:
    """`` where the reply confirms the preview, else why it does not. `terminal`: it has to come from one."""
    if reply is None:
        return "nobody answered, which counts as no"
    if reply.value != YES:
        return f"{clean(reply.by)} said no"
    if preview.expect and reply.typed != preview.expect:
        return f"{clean(reply.by)} did not type {preview.expect!r} in {TRIES} tries"
    if terminal and not reply.terminal:
        return "production is confirmed by a person at a terminal, and this answer was not typed at one"
    return ""
