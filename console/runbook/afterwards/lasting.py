"""What a change needs to last, what of it still stands, and what an undo takes back: parts of the fold of a walk."""

from __future__ import annotations

from msgspec.structs import replace as change

from console.actions.effects import Effect
from console.runbook.language.ends import FINALLY
from console.runbook.state import Walk

TEMPLATE = "/spec/template"
"""Where a schedule holds the spec of what it makes."""


def lasting(walk: Walk, effect: Effect) -> Walk:
    """With what a change that was just made needs to last: a rollback needs nothing, and nor does what it undoes."""
    told = walk.preview.consequences if walk.preview is not None else ()
    if effect.inverse_of:
        return change(walk, still_to_do=(), makers=())
    words = [c.text for c in told if c.topic == "next run" and c.level in ("warning", "unknown")]
    done = _kept_by(walk, effect)
    kept = [words for words in walk.still_to_do if words not in done]
    target = effect.target.name if done and effect.target is not None else ""
    makers = [name for name in (*walk.makers, *(c.maker for c in told if c.maker)) if name != target]
    return change(walk, still_to_do=tuple(dict.fromkeys((*kept, *words))), makers=tuple(dict.fromkeys(makers)))


def _kept_by(walk: Walk, effect: Effect) -> set[str]:
    """What was still to do of a change that the schedule which makes its object again now says as well."""
    out: set[str] = set()
    for step in walk.steps:
        preview = step.preview
        if preview is None or effect.target is None or effect.patch_type != "merge":
            continue
        same = {f"{TEMPLATE}{at.removeprefix('/spec')}" for at in preview.effect.touched if at.startswith("/spec/")}
        if same and same <= {*effect.touched} and effect.target.name in {c.maker for c in preview.consequences}:
            out |= {c.text for c in preview.consequences if c.topic == "next run"}
    return out


def not_cleaned(walk: Walk, step: str, because: str) -> Walk:
    """With a step of `finally` that was not done as what is still to do; no other step is."""
    if not step.rpartition(".")[2].startswith(FINALLY):
        return walk
    words = f"{step} was not done: {because}"
    return change(walk, still_to_do=tuple(dict.fromkeys((*walk.still_to_do, words))))


def still_stands(walk: Walk) -> Walk:
    """With the last change, which did not help, as what is still to be dealt with instead of how it could last."""
    last = walk.writes[-1] if walk.writes else None
    if last is None or last.inverse_of or walk.helped:
        return walk
    shown = [s.preview for s in walk.steps if s.preview is not None and s.preview.effect.id == last.id]
    lasting = {c.text for preview in shown for c in preview.consequences}
    kept = [words for words in walk.still_to_do if words not in lasting]
    stands = f"the change that did not help is still in place: {last.title or last.step}; undo it, or say why it stays"
    return change(walk, still_to_do=tuple(dict.fromkeys((*kept, stands))))


def taken_back(walk: Walk, effect: Effect, at: float) -> Walk:
    """A change that is undone after the walk had ended well takes its end with it."""
    if not effect.inverse_of or walk.outcome not in ("resolved", "mitigated"):
        return walk
    undone = next((e.title for e in walk.writes if e.id == effect.inverse_of), effect.inverse_of)
    return change(walk, recurred=f"undone afterwards: {undone}", recurred_at=at)
