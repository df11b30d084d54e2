"""The verify step: has the change helped, and does it last? A verdict needs data; silence is `unknown`, not health."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from console.base.units import human_duration
from console.runbook import say
from console.runbook.model import Step
from console.runbook.say import number, safe, span, truth
from console.runbook.walk import AnyEvent, HoldBegan, HoldBroke, Verdict, Verified, Walk


class VerifyResult(NamedTuple):
    """One look at a verify step: whether it holds; else whether that can be told, and why it does not."""

    holds: bool
    unknown: bool = False
    why: str = ""
    mark: float | None = None


LATE = 20.0
"""Seconds by which a look may be late and still be one of a row."""


def hold(
    step: Step, ctx: Mapping[str, Any], walk: Walk, now: float, looked: float | None = None
) -> tuple[AnyEvent, ...]:
    """What one look at the data adds to a verify step; nothing when nothing changed.

    In this order: `worse` and `fails` settle it at once, so does `completed`. Otherwise `until` must stay true for
    `hold`, and counts only while `progress` holds too; with `rises`, that number must have grown over the hold. When
    `deadline` passes without a hold, it is ineffective if there ever was data, else unknown.

    Args:
        looked: time of the look before this one. While nobody looked (the process was suspended, the machine slept),
            nothing was held.
    """
    if (settled := _settled(step, ctx)) is not None:
        return (_verified(step, ctx, walk, now, *settled),)
    reading = _reading(step, ctx)
    wanted = span(step, "hold", step.hold, ctx)
    if not reading.holds:
        broke = _broke(step, walk, reading, now)
        return (*broke, *_late(step, ctx, walk, now, reading.why, measured=bool(broke)))
    events: tuple[AnyEvent, ...] = ()
    began = walk.hold_since
    if began is None:
        began, events = now, (HoldBegan(now, step.id, f"holds; {human_duration(wanted)} are needed", reading.mark),)
    elif looked is not None and now - looked > 2 * step.poll + LATE:
        began, unseen = began + now - looked, human_duration(now - looked)
        events = (HoldBegan(now, step.id, f"nobody watched for {unseen}: they do not count", walk.mark, began),)
    if now - began < wanted:
        return events
    if _risen(step, walk, reading):
        return (*events, _verified(step, ctx, walk, now, "effective", f"held for {human_duration(now - began)}"))
    return (*events, *_late(step, ctx, walk, now, "nothing moved while it held"))


def _settled(step: Step, ctx: Mapping[str, Any]) -> tuple[Verdict, str] | None:
    """The verdict that needs no more waiting, where there is one."""
    if truth(step.worse, ctx)[0]:
        return "worse", "it is worse than before"
    if truth(step.fails, ctx)[0]:
        return "ineffective", "it failed again"
    if truth(step.completed, ctx)[0]:
        return "effective", "it completed"
    return None


def _reading(step: Step, ctx: Mapping[str, Any]) -> VerifyResult:
    """What `until`, `progress` and `rises` say now."""
    moves, why_not = truth(step.progress, ctx) if step.progress else (True, "")
    good, why = truth(step.until, ctx)
    mark, no_mark = number(step.rises, ctx)
    if no_mark and good and moves:
        good, why = None, no_mark
    if moves and good:
        return VerifyResult(True, mark=mark)
    if good is None or not moves:
        return VerifyResult(False, True, f"cannot be told: {why_not or why or 'no progress is seen'}")
    return VerifyResult(False, False, "not yet")


def _risen(step: Step, walk: Walk, reading: VerifyResult) -> bool:
    """Whether `rises` grew over the hold; without one there is nothing to ask."""
    return not step.rises or (walk.mark is not None and reading.mark is not None and reading.mark > walk.mark)


def _broke(step: Step, walk: Walk, reading: VerifyResult, now: float) -> tuple[HoldBroke, ...]:
    """A hold that ended, or the first look that had data."""
    state = walk.state(step.id)
    first = not reading.unknown and not (state is not None and state.measured)
    return (HoldBroke(now, step.id, safe(reading.why)),) if walk.hold_since is not None or first else ()


def _late(
    step: Step, ctx: Mapping[str, Any], walk: Walk, now: float, missing: str, *, measured: bool = False
) -> tuple[Verified, ...]:
    """The verdict of a deadline that has passed. It counts from when somebody began to watch.

    Args:
        missing: what is still missing.
        measured: this look had data.
    """
    state = walk.state(step.id)
    since = state.watched if state is not None and state.watched is not None else walk.started
    limit = span(step, "deadline", step.deadline, ctx)
    if now - since < limit:
        return ()
    if measured or (state is not None and state.measured):
        because = f"not reached within {human_duration(limit)}: {missing}"
        return (_verified(step, ctx, walk, now, "ineffective", because),)
    return (_verified(step, ctx, walk, now, "unknown", f"no answer within {human_duration(limit)}: {missing}"),)


def _verified(step: Step, ctx: Mapping[str, Any], walk: Walk, now: float, verdict: Verdict, because: str) -> Verified:
    goto = {
        "effective": step.on_effective,
        "ineffective": step.on_ineffective,
        "worse": step.on_worse,
        "unknown": step.on_unknown,
    }[verdict]
    return Verified(now, step.id, verdict, safe(because), goto, say.evidence(walk.runbook, step, ctx, now))
