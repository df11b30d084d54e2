"""One run of a runbook: its events folded to a state."""

from __future__ import annotations

from collections.abc import Iterable
from functools import singledispatch
from typing import Literal

from msgspec.structs import replace as change

from console.base.clock import time_of_day
from console.runbook.afterwards.lasting import lasting, not_cleaned, still_stands, taken_back
from console.runbook.events import (
    Answered,
    AnswerRefused,
    AnyEvent,
    Applied,
    ApprovalAsked,
    Approved,
    Called,
    ChangeRefused,
    ChangeVerdict,
    Confirmed,
    Edited,
    Entered,
    Escalated,
    EscalationAnswered,
    EvidenceKept,
    Followed,
    GuardOverruled,
    HandedOver,
    HoldBegan,
    HoldBroke,
    Intent,
    Judged,
    Landed,
    LockTaken,
    LookedBack,
    Noted,
    Offered,
    Previewed,
    Resumed,
    RightsAsked,
    RulesWidened,
    Skipped,
    Started,
    TakenOver,
    Verified,
    WalkEnded,
    WalkEvent,
    WalkLeft,
    decode,
    encode,
)
from console.runbook.model import CheckState
from console.runbook.state import ChangeMade, Escalation, Status, StepState, Undone, Walk, cost_on, leave, told, update

__all__ = [
    "AnswerRefused", "Answered", "AnyEvent", "Applied", "ApprovalAsked", "Approved", "Called", "ChangeRefused",
    "ChangeVerdict", "Confirmed", "Edited", "Entered", "Escalated", "EscalationAnswered", "EvidenceKept", "Followed",
    "GuardOverruled", "HandedOver", "HoldBegan", "HoldBroke", "Intent", "Judged", "Landed", "LockTaken", "LookedBack",
    "Noted", "Offered", "Previewed", "Resumed", "RightsAsked", "RulesWidened", "Skipped", "Started", "Status",
    "StepState", "TakenOver", "Undone", "Verified", "Walk", "WalkEnded", "WalkEvent", "WalkLeft", "apply", "decode",
    "encode", "fold",
]  # fmt: skip

STOPPED = "stopped by "
"""How the reason of a walk begins that a person ended; older records say it in no other way."""


def fold(events: Iterable[AnyEvent]) -> Walk:
    """The state after `events`.

    Raises:
        ValueError: the first event is not Started.
    """
    walk: Walk | None = None
    for event in events:
        walk = _begin(event) if walk is None else apply(walk, event)
    if walk is None:
        raise ValueError("a walk has at least the event 'started'")
    return walk


def _begin(event: AnyEvent) -> Walk:
    if not isinstance(event, Started):
        raise ValueError("the first event of a walk must be 'started'")
    return Walk(
        id=event.walk,
        runbook=event.runbook,
        version=event.version,
        hash=event.hash,
        text=event.text,
        subject=event.subject,
        status="running",
        started=event.at,
        inputs=event.inputs,
        origins=event.origins,
        cluster=event.cluster,
        actor=event.actor,
        slo_before=event.slo,
        alert=event.alert,
        remarks=event.remarks,
        finding=event.finding,
        trouble=event.trouble,
        parts=event.parts,
        impact_before=event.impact,
        uid=event.uid,
        events=1,
    )


def apply(walk: Walk, event: AnyEvent) -> Walk:
    """The state after one more event."""
    return change(_after(event, walk), events=walk.events + 1)


@singledispatch
def _after(event: WalkEvent, walk: Walk) -> Walk:
    """The state after an event of one kind; a second Started says nothing new."""
    return walk


@_after.register
def _entered(event: Entered, walk: Walk) -> Walk:
    state = StepState(step=event.step, state="current", entered=event.at, watched=event.at, title=event.title)
    return change(
        walk, current=event.step, status="running", steps=(*walk.steps, state), path=(*walk.path, event.step),
        preview=None, confirmed="", hold_since=None, mark=None,
    )  # fmt: skip


@_after.register
def _judged(event: Judged, walk: Walk) -> Walk:
    output = {**event.output, "status": event.status, "because": event.because}
    walk = leave(walk, event.at, "done", event.because, event.goto, status=event.status, evidence=event.evidence)
    return change(walk, outputs={**walk.outputs, event.step: output}, status="running")


@_after.register
def _answered(event: Answered, walk: Walk) -> Walk:
    words = f"{event.by}: {event.label or event.value}" if event.value else ""
    walk = leave(walk, event.at, "done", words, event.goto, answer=event.value)
    output = {"answer": event.value, "by": event.by}
    return change(walk, outputs={**walk.outputs, event.step: output}, status="running")


@_after.register
def _escalated(event: Escalated, walk: Walk) -> Walk:
    one = Escalation(event.step, event.whom, event.because, event.paste, event.at, event.due)
    return change(told(walk, one.waits), escalations=(*walk.escalations, one))


@_after.register
def _escalation_answered(event: EscalationAnswered, walk: Walk) -> Walk:
    if not walk.escalations:
        return walk
    one = change(walk.escalations[-1], answer=event.answer, who=event.who, by=event.by, answered=event.at)
    walk = leave(walk, event.at, "done", one.came_of_it, event.goto, answer=event.who)
    output = {"answer": event.answer, "by": event.who or event.by, "because": one.came_of_it}
    outputs = {**walk.outputs, event.step: output}
    return change(walk, escalations=(*walk.escalations[:-1], one), outputs=outputs, status="running")


@_after.register
def _skipped(event: Skipped, walk: Walk) -> Walk:
    return leave(walk, event.at, "skipped", event.because, event.goto)


@_after.register
def _previewed(event: Previewed, walk: Walk) -> Walk:
    walk = change(walk, preview=event.preview, status="waiting", confirmed="")
    effect = event.preview.effect
    if effect.inverse_of:
        undone = Undone(effect.id, effect.title, len(walk.steps), "current", preview=event.preview)
        return change(walk, undos=(*(u for u in walk.undos if u.effect != effect.id), undone))
    return update(walk, preview=event.preview)


@_after.register
def _confirmed(event: Confirmed, walk: Walk) -> Walk:
    return change(walk, confirmed=event.effect, status="running")


@_after.register
def _approval_asked(event: ApprovalAsked, walk: Walk) -> Walk:
    words = f"waits for a second person: console approve {event.digest[:12]}"
    return told(change(walk, confirmed="", status="waiting"), words)


@_after.register
def _approved(event: Approved, walk: Walk) -> Walk:
    return told(change(walk, confirmed=event.effect, status=_alive(walk)), f"{event.by} approved it")


@_after.register
def _intended(event: Intent, walk: Walk) -> Walk:
    return change(walk, pending=event, status=_alive(walk), intents=walk.intents + 1, landed="")


@_after.register
def _called(event: Called, walk: Walk) -> Walk:
    """The call stands beside the step as long as its script runs."""
    said = (
        f"not passed on: {event.refused}"
        if event.refused
        else event.message or (str(event.status) if event.status else "sent")
    )
    return told(walk, f"{event.verb} {event.about}: {said}")


@_after.register
def _hold_began(event: HoldBegan, walk: Walk) -> Walk:
    since = event.at if event.since is None else event.since
    walk = change(walk, hold_since=since, mark=event.mark, status="holding")
    return update(walk, words=event.because, measured=True)


@_after.register
def _hold_broke(event: HoldBroke, walk: Walk) -> Walk:
    walk = change(walk, hold_since=None, mark=None, status="holding")
    return update(walk, words=event.because, measured=True)


@_after.register
def _verified(event: Verified, walk: Walk) -> Walk:
    status: CheckState = _JUDGED[event.verdict]
    walk = leave(walk, event.at, "done", event.because, event.goto, status=status, evidence=event.evidence)
    output = {"verdict": event.verdict, "because": event.because}
    outputs = {**walk.outputs, event.step: output}
    if status == "fail":
        walk = still_stands(walk)
    return change(walk, outputs=outputs, hold_since=None, mark=None, status="running")


@_after.register
def _offered(event: Offered, walk: Walk) -> Walk:
    return change(walk, offered=(*walk.offered, event.effect), undo=event.effect if event.answer == "yes" else "")


@_after.register
def _looked_back(event: LookedBack, walk: Walk) -> Walk:
    undos = tuple(change(u, left=event.words) if u.effect == event.effect else u for u in walk.undos)
    return change(walk, undos=undos, still_to_do=event.todo)


@_after.register
def _noted(event: Noted, walk: Walk) -> Walk:
    return change(walk, notes=(*walk.notes, event))


@_after.register
def _handed_over(event: HandedOver, walk: Walk) -> Walk:
    if walk.ended is not None:
        return walk
    doubtful = walk.pending is not None or walk.in_doubt is not None
    walk = cost_on(walk, f"when {event.by} handed it over", event.impact)
    return change(walk, handed=event, status="in doubt" if doubtful else "handed over", preview=None, confirmed="")


@_after.register
def _edited(event: Edited, walk: Walk) -> Walk:
    return change(
        walk, inputs={**walk.inputs, event.input: event.value}, origins={**walk.origins, event.input: event.by},
        preview=None, confirmed="", status="running",
    )  # fmt: skip


@_after.register
def _ended(event: WalkEnded, walk: Walk) -> Walk:
    if walk.current == event.step and walk.steps and walk.steps[-1].state == "current":
        stopped = event.stopped or event.because.startswith(STOPPED)
        walk = leave(walk, event.at, "stopped" if stopped else "done", event.because, "")
    return change(
        walk, status="ended", outcome=event.outcome, because=event.because, ended=event.at, slo_after=event.slo,
        impact_after=event.impact,
        preview=None, hold_since=None,
    )  # fmt: skip


_JUDGED: dict[str, CheckState] = {"effective": "pass", "ineffective": "fail", "worse": "fail", "unknown": "unknown"}


@_after.register
def _refused(event: ChangeRefused, walk: Walk) -> Walk:
    walk = change(walk, pending=None, in_doubt=None, landed="", preview=None, confirmed="", status=_alive(walk))
    if walk.undo:
        return change(_undone(walk, event.effect, "refused", f"not rolled back: {event.because}"), undo="")
    walk = leave(walk, event.at, "refused", event.because, event.goto)
    output = {"refused": True, "by": event.by, "because": event.because}
    walk = not_cleaned(walk, event.step, event.because)
    return change(walk, outputs={**walk.outputs, event.step: output})


@_after.register
def _applied(event: Applied, walk: Walk) -> Walk:
    intent = walk.pending or walk.in_doubt
    writes = intent is not None and intent.effect.writes
    if event.ok and intent is not None and writes:
        rollbacks = walk.rollbacks
        if intent.rollback is not None:
            rollbacks = {**rollbacks, intent.effect.id: intent.rollback}
        walk = change(lasting(walk, intent.effect), rollbacks=rollbacks)
        walk = taken_back(walk, intent.effect, event.at)
        walk = change(walk, writes=(*walk.writes, intent.effect), changed=event.at, sent=(*walk.sent, intent.at))
        walk = change(walk, last=ChangeMade(intent.at if event.there is None else event.there, intent.youngest))
        walk = cost_on(walk, f"until the change “{intent.effect.title or intent.effect.action}”", event.impact)
    walk = change(
        walk, pending=None, in_doubt=None, landed="", preview=None, confirmed="", undo="", status=_alive(walk)
    )
    if intent is not None and intent.effect.inverse_of:
        said = "rolled back" if event.ok else "not rolled back"
        words = f"{said}: {event.message}" if event.message else said
        return _undone(walk, intent.effect.id, "done" if event.ok else "failed", words, intent.effect.title)
    output = {"applied": event.ok, "message": event.message, "exit_code": event.exit_code, "output": event.output}
    walk = change(walk, outputs={**walk.outputs, event.step: output})
    walk = walk if event.ok else not_cleaned(walk, event.step, event.message)
    return leave(walk, event.at, "done" if event.ok else "failed", event.message, event.goto)


@_after.register
def _followed(event: Followed, walk: Walk) -> Walk:
    if event.kind == "lasts":
        return change(walk, still_to_do=())
    return change(walk, recurred=event.because, recurred_at=event.at)


@_after.register
def _landed(event: Landed, walk: Walk) -> Walk:
    if event.answer == "no":
        return change(walk, in_doubt=None, pending=None, landed="", preview=None, confirmed="", status=_alive(walk))
    return change(walk, landed=event.answer, status="in doubt")


@_after.register
def _resumed(event: Resumed, walk: Walk) -> Walk:
    walk = change(walk, handed=None, left=None, remarks=(*walk.remarks, *_told_by(walk.handed)))
    if walk.pending is not None:
        return change(walk, in_doubt=walk.pending, status="in doubt")
    if walk.ended is not None:
        return walk
    walk = change(walk, status="running", preview=None, confirmed="", hold_since=None, mark=None)
    return update(walk, watched=event.at) if walk.steps and walk.steps[-1].state == "current" else walk


def _told_by(handed: HandedOver | None) -> tuple[str, ...]:
    """What who takes a walk up should know of who handed it over."""
    if handed is None:
        return ()
    said = f": {handed.text}" if handed.text else ", and said nothing of why"
    return (f"{handed.by} handed it over at {time_of_day(handed.at)}{said}",)


@_after.register
def _left(event: WalkLeft, walk: Walk) -> Walk:
    return change(cost_on(walk, f"when {event.by} closed Console", event.impact), left=event)


@_after.register
def _rights_asked(event: RightsAsked, walk: Walk) -> Walk:
    return change(walk, rights=event, remarks=(*walk.remarks, *event.words))


@_after.register
def _guard_overruled(event: GuardOverruled, walk: Walk) -> Walk:
    return change(walk, overruled=(*walk.overruled, event))


@_after.register
def _taken_over(event: TakenOver, walk: Walk) -> Walk:
    said = f"{event.by} took it over from {event.was} at {time_of_day(event.at)}: {event.because}"
    return change(walk, taken=event, remarks=(*walk.remarks, said))


@_after.register
def _widened(event: RulesWidened, walk: Walk) -> Walk:
    return change(walk, cluster={**walk.cluster, "rules": event.rules}) if event.answer == "yes" else walk


def _undone(walk: Walk, effect: str, state: Literal["done", "refused", "failed"], words: str, title: str = "") -> Walk:
    """How a rollback went; one that was refused before it could be shown has no preview."""
    known = next((u for u in walk.undos if u.effect == effect), None)
    rollback = walk.rollbacks.get(walk.undo)
    title = title or (rollback.title if rollback is not None else "the rollback")
    now = change(known or Undone(effect, title, len(walk.steps), state), state=state, words=words)
    return change(walk, undos=(*(u for u in walk.undos if u.effect != effect), now))


def _alive(walk: Walk) -> Status:
    return "ended" if walk.ended is not None else "running"
