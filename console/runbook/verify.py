"""The verify step: has the change helped, and does it last? A verdict needs data; silence is `unknown`, not health."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from console.base.clock import time_of_day
from console.base.text import plural
from console.base.units import human_duration
from console.facts.evidence import Evidence
from console.runbook import say
from console.runbook.model import Step
from console.runbook.say import number, safe, span, truth
from console.runbook.trust import Doubt
from console.runbook.walk import AnyEvent, ChangeVerdict, HoldBegan, HoldBroke, Verified, Walk


class VerifyResult(NamedTuple):
    """One look at a verify step: whether it holds; else whether that can be told, and why it does not."""

    holds: bool
    unknown: bool = False
    why: str = ""
    mark: float | None = None


COMPLETED: tuple[ChangeVerdict, str] = ("effective", "it completed")
AT_ONCE = "true when it was looked at; how long it stays so was not asked"
LATE = 20.0
"""Seconds of the wall by which a look may be late and still be one of a row."""


class Look(NamedTuple):
    """The look before: when all was seen and could be believed, and why it could not be since (`` where it could).

    `tasks`: how many tasks the new driver had completed, of how many, when that was counted last: it takes its figures
    with it when it ends.
    """

    at: float
    doubt: str = ""
    tasks: tuple[int, int | None, float] | None = None

    @classmethod
    def after(cls, before: Look | None, now: float, doubt: Doubt | None, ctx: Mapping[str, Any] | None = None) -> Look:
        """The look of now; a doubt that goes on began when it did."""
        tasks = _counted(ctx or {}, now) or (before.tasks if before is not None else None)
        if doubt is None:
            return cls(now, tasks=tasks)
        if before is not None and before.doubt:
            return before._replace(tasks=tasks)
        seen = now if before is None else before.at
        return cls(min(seen if doubt.known_until is None else doubt.known_until, now), doubt.because, tasks)


def _counted(ctx: Mapping[str, Any], now: float) -> tuple[int, int | None, float] | None:
    """Tasks of the new driver as they are counted now; None where they are not."""
    done, app = ctx.get("after", {}).get("tasks"), ctx.get("app", {})
    if done is None:
        return None
    total = app.get("tasks", {}).get("total")
    return int(done), total if total is None or total >= done else None, app.get("tasks_at") or now


def hold(
    step: Step,
    ctx: Mapping[str, Any],
    walk: Walk,
    now: float,
    before: Look | None = None,
    doubt: Doubt | None = None,
    speed: float = 1.0,
) -> tuple[AnyEvent, ...]:
    """What one look at the data adds to a verify step; nothing when nothing changed.

    In this order: `worse` and `fails` settle it at once, so does `completed`. Otherwise `until` must stay true for
    `hold`, and counts only while `progress` holds too; with `rises`, that number must have grown over the hold. When
    `deadline` passes without a hold, it is ineffective if there ever was data, else unknown.

    Args:
        before: the look before this one. While nobody looked (the process was suspended, the machine slept), or what
            was seen could not be believed, nothing was held.
        doubt: why what is seen now cannot be believed: it is unknown, and time is paused.
        speed: seconds of `now` in one of the wall's: looks are late by the wall.
    """
    if doubt is not None:
        return _paused(step, ctx, walk, now, before, doubt)
    if (settled := _settled(step, ctx)) is not None:
        proof = _completion(ctx, now, before) if settled == COMPLETED else ()
        return (_verified(step, ctx, walk, now, *settled, proof),)
    reading = _reading(step, ctx)
    wanted = span(step, "hold", step.hold, ctx)
    if not reading.holds:
        broke = _broke(step, walk, reading, now)
        return (*broke, *_late(step, ctx, walk, now, reading.why, measured=bool(broke)))
    events: tuple[AnyEvent, ...] = ()
    began = walk.hold_since
    if began is None:
        more = f"; it has to stay true for {human_duration(wanted)}" if wanted >= 1 else ""
        began, events = now, (HoldBegan(now, step.id, f"true now{more}", reading.mark),)
    elif before is not None and (missed := _missed(before, now, 2 * step.poll + LATE * speed)):
        began, unseen = min(now, began + missed), human_duration(missed)
        why = f"{before.doubt} for {unseen}" if before.doubt else f"nobody watched for {unseen}"
        events = (HoldBegan(now, step.id, f"{why}: they do not count", walk.mark, began),)
    if now - began < wanted:
        return events
    if _risen(step, walk, reading):
        held = now - began
        said = f"held for {human_duration(held)}" if held >= 1 else AT_ONCE
        return (*events, _verified(step, ctx, walk, now, "effective", said))
    return (*events, *_late(step, ctx, walk, now, "nothing moved while it held"))


def _missed(before: Look, now: float, in_a_row: float) -> float:
    """Seconds until now in which nothing was seen that could be believed."""
    missed = now - before.at
    return missed if before.doubt or missed > in_a_row else 0.0


def _paused(
    step: Step, ctx: Mapping[str, Any], walk: Walk, now: float, before: Look | None, doubt: Doubt
) -> tuple[AnyEvent, ...]:
    """A look that cannot be believed: it is said once, and settles nothing but that the deadline has passed."""
    if limit := _overdue(step, ctx, walk, now):
        because = f"no answer within {limit}: {doubt.because}"
        return (_verified(step, ctx, walk, now, "unknown", because),)
    if walk.hold_since is None or (before is not None and before.doubt):
        return ()
    return (HoldBegan(now, step.id, f"{doubt.because}: time is paused", walk.mark, walk.hold_since),)


def _overdue(step: Step, ctx: Mapping[str, Any], walk: Walk, now: float) -> str:
    """How long it may take, once that has passed since somebody began to watch; `` before."""
    limit = span(step, "deadline", step.deadline, ctx)
    return human_duration(limit) if now - walk.watched_since(step.id) >= limit else ""


def _settled(step: Step, ctx: Mapping[str, Any]) -> tuple[ChangeVerdict, str] | None:
    """The verdict that needs no more waiting, where there is one."""
    if truth(step.worse, ctx)[0]:
        return "worse", "it is worse than before"
    if truth(step.fails, ctx)[0]:
        return "ineffective", "it failed again"
    if truth(step.completed, ctx)[0]:
        return COMPLETED
    return None


def _completion(ctx: Mapping[str, Any], now: float, before: Look | None) -> tuple[Evidence, ...]:
    """What proves that it completed: its state and when, and its tasks; executors go with it and prove nothing."""
    app, after = ctx.get("app", {}), ctx.get("after", {})
    if not app.get("state"):
        return ()
    ended = app.get("ended")
    when = f" since {time_of_day(ended)}" if isinstance(ended, int | float) else ", since when is not known"
    counted = _counted(ctx, now) or (before.tasks if before is not None else None)
    tasks = "its tasks were not counted"
    if counted is not None:
        done, total, at = counted
        count = f"{done}{f' of {total}' if total else ''}"
        tasks = f"{count} tasks completed when they were counted last, at {time_of_day(at)}"
    deaths = after.get("deaths")
    lost = f"; {plural(deaths, 'executor')} lost since the change" if deaths is not None else ""
    words = safe(f"{app.get('key', 'the application')} is {app['state']}{when}: {tasks}{lost}")
    return (Evidence("kubernetes", f"{app.get('subject', '')} .status".strip(), words, now),)


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
    """The verdict of a deadline that has passed.

    Args:
        missing: what is still missing.
        measured: this look had data.
    """
    limit, state = _overdue(step, ctx, walk, now), walk.state(step.id)
    if not limit:
        return ()
    if measured or (state is not None and state.measured):
        return (_verified(step, ctx, walk, now, "ineffective", f"not reached within {limit}: {missing}"),)
    return (_verified(step, ctx, walk, now, "unknown", f"no answer within {limit}: {missing}"),)


def _verified(
    step: Step,
    ctx: Mapping[str, Any],
    walk: Walk,
    now: float,
    verdict: ChangeVerdict,
    because: str,
    proof: tuple[Evidence, ...] = (),
) -> Verified:
    goto = {
        "effective": step.on_effective,
        "ineffective": step.on_ineffective,
        "worse": step.on_worse,
        "unknown": step.on_unknown,
    }[verdict]
    return Verified(now, step.id, verdict, safe(because), goto, (*proof, *say.evidence(walk.runbook, step, ctx, now)))
