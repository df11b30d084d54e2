"""How a change must be confirmed, and whether it was. Nothing is ever confirmed by silence."""

from __future__ import annotations

from pathlib import PurePath

from console.base.text import clean
from console.operate.person import YES, Question, Reply
from console.operate.policy import Rules
from console.runbook.effects import Effect, Preview, Tier


def tier(effect: Effect, rules: Rules, *, objects: int = 1) -> tuple[Tier, str]:
    """The tier and the text that has to be typed for it (`` for a diff and `y`).

    Args:
        objects: how many objects the step will have changed with this one.
    """
    namespace = effect.target.namespace if effect.target else ""
    production = rules.is_production(namespace)
    irreversible = not effect.reversible and not effect.inverse_of
    typed = irreversible or effect.risk == "high" or production or objects > 1
    second = {
        "never": False,
        "irreversible": irreversible,
        "production": production,
        "always": True,
    }[rules.second_person]
    if not typed and not second:
        return "diff", ""
    return ("second" if second else "typed"), expected(effect)


def expected(effect: Effect) -> str:
    """What a person types: `namespace/name`, or the name of the script that has no target."""
    if effect.target is not None:
        return effect.target.words
    return PurePath(effect.argv[1]).stem if len(effect.argv) > 1 else effect.step


def question(preview: Preview, *, walk: str, now: float, reason: str = "") -> Question:
    """The question of a preview."""
    effect = preview.effect
    what = f"{effect.target.kind} {effect.target.words}" if effect.target else "the script"
    verb = {"patch": "Change", "delete": "Delete", "script": "Run this on"}[effect.action]
    return Question(
        walk=walk,
        step=effect.step,
        kind="confirm",
        title=clean(effect.title),
        text=f"{verb} {clean(what)}?",
        shows=tuple(c.text for c in preview.consequences),
        preview=preview,
        expect=preview.expect,
        cluster=preview.cluster,
        reason=reason,
        asked=now,
    )


def agreed(reply: Reply | None, preview: Preview) -> str:
    """`` where the reply confirms the preview, else why it does not."""
    if reply is None:
        return "nobody answered, which counts as no"
    if reply.value != YES:
        return f"{clean(reply.by)} said no"
    if preview.expect and reply.typed != preview.expect:
        return f"{clean(reply.by)} did not type {preview.expect!r}"
    return ""


def second_question(preview: Preview, first: str, *, walk: str, now: float) -> Question:
    """What a second person is asked."""
    return Question(
        walk=walk,
        step=preview.effect.step,
        kind="second",
        title=clean(preview.effect.title),
        text=f"Policy asks for a second person here: who agrees, beside {clean(first)}?",
        preview=preview,
        cluster=preview.cluster,
        asked=now,
    )


def seconded(reply: Reply | None, first: str) -> str:
    """`` where a second person agreed (`yes`, by their name), else why it does not count."""
    if reply is None or reply.value != YES or not reply.by.strip():
        return "no second person agreed"
    if reply.by.strip().casefold() == first.strip().casefold():
        return f"{clean(first)} cannot be the second person as well"
    return ""
