"""The verify step: has the change helped, and does it last? A verdict needs data; silence is `unknown`, not health."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from console.base.units import human_duration
from console.runbook import say
from console.runbook.model import Step
from console.runbook.say import number, safe, span, truth
from console.runbook.walk import AnyEvent, HoldBegan, HoldBroke, Verdict, Verified, Walk


def hold(step: Step, ctx: Mapping[str, Any], walk: Walk, now: float) -> tuple[AnyEvent, ...]:
    """What one look at the data adds to a verify step; nothing when nothing changed.

    In this order: `worse` and `fails` settle it at once, so does `completed`. Otherwise `until` must stay true for
    `hold`, and counts only while `progress` holds too; with `rises`, that number must have grown over the hold. When
    `deadline` passes without a hold, it is ineffective if there ever was data, else unknown.
    """
    state = walk.state(step.id)
    evidence = say.evidence(walk.runbook, step, ctx, now)

    def verdict(word: Verdict, because: str) -> Verified:
        goto = {
            "effective": step.on_effective,
            "ineffective": step.on_ineffective,
            "worse": step.on_worse,
            "unknown": step.on_unknown,
        }[word]
        return Verified(now, step.id, word, safe(because), goto, evidence)

    if truth(step.worse, ctx)[0]:
        return (verdict("worse", "it is worse than before"),)
    if truth(step.fails, ctx)[0]:
        return (verdict("ineffective", "it failed again"),)
    if truth(step.completed, ctx)[0]:
        return (verdict("effective", "it completed"),)
    wanted = span(step, "hold", step.hold, ctx)
    moves, why_not = truth(step.progress, ctx) if step.progress else (True, "")
    good, why = truth(step.until, ctx)
    mark, no_mark = number(step.rises, ctx)
    if no_mark and good and moves:
        good, why = None, no_mark
    events: list[AnyEvent] = []
    began = walk.hold_since
    if moves and good:
        if began is None:
            began = now
            events.append(HoldBegan(now, step.id, f"holds; {human_duration(wanted)} are needed", mark))
        risen = not step.rises or (walk.mark is not None and mark is not None and mark > walk.mark)
        if now - began >= wanted and risen:
            return (*events, verdict("effective", f"held for {human_duration(now - began)}"))
        if now - began < wanted:
            return tuple(events)
        broken = "nothing moved while it held"
    else:
        unknown = good is None or not moves
        broken = f"cannot be told: {why_not or why or 'no progress is seen'}" if unknown else "not yet"
        if began is not None or (not unknown and not (state is not None and state.measured)):
            events.append(HoldBroke(now, step.id, safe(broken)))
    seen = any(isinstance(e, HoldBroke) for e in events) or (state is not None and state.measured)
    since = state.watched if state is not None and state.watched is not None else walk.started
    limit = span(step, "deadline", step.deadline, ctx)
    if now - since < limit:
        return tuple(events)
    if seen:
        return (*events, verdict("ineffective", f"not reached within {human_duration(limit)}: {broken}"))
    return (*events, verdict("unknown", f"no answer within {human_duration(limit)}: {broken}"))
