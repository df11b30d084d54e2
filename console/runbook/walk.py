"""One run of a runbook: its events folded to a state."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import msgspec
from msgspec import Struct

from console.health.facts import Alert
from console.health.model import Evidence
from console.runbook.effects import Effect, Preview
from console.runbook.events import (
    Answered,
    AnyEvent,
    Applied,
    Confirmed,
    Ended,
    Entered,
    HoldBegan,
    HoldBroke,
    Intent,
    Judged,
    Landed,
    Noted,
    Offered,
    Previewed,
    Refused,
    Resumed,
    Skipped,
    Started,
    Verdict,
    Verified,
    WalkEvent,
    decode,
    encode,
)
from console.runbook.model import Judgement, Outcome

__all__ = [
    "Answered",
    "AnyEvent",
    "Applied",
    "Confirmed",
    "Ended",
    "Entered",
    "HoldBegan",
    "HoldBroke",
    "Intent",
    "Judged",
    "Landed",
    "Noted",
    "Offered",
    "Previewed",
    "Refused",
    "Resumed",
    "Skipped",
    "Started",
    "Status",
    "StepState",
    "Verdict",
    "Verified",
    "Walk",
    "WalkEvent",
    "apply",
    "decode",
    "encode",
    "fold",
]

Status = Literal["running", "waiting", "holding", "in doubt", "ended"]


class StepState(Struct, frozen=True):
    """How one visited step stands. `words` is the line beside its title.

    Attributes:
        goto: where it led, `` while it is current.
        measured: a verify step has had data at least once.
        watched: since when somebody has been watching it (entered, or resumed); its deadline counts from here.
    """

    step: str
    state: Literal["done", "current", "refused", "failed", "skipped"]
    words: str = ""
    status: Judgement | None = None
    evidence: tuple[Evidence, ...] = ()
    entered: float | None = None
    left: float | None = None
    preview: Preview | None = None
    answer: str = ""
    goto: str = ""
    measured: bool = False
    watched: float | None = None


class Walk(Struct, frozen=True):
    """The fold of a walk's events.

    Attributes:
        path: step ids in the order they were entered.
        writes: effects whose write was applied, in order; `rollbacks` the inverse of each, by effect id.
        in_doubt: an intent without a result, or None; `landed` is what was found out about it.
        intents: how many writes were about to leave, which numbers the effects.
        changed: time of the last applied write.
        mark: see HoldBegan.
        offered: ids of the effects whose rollback was offered; `undo` the one that is to be rolled back now.
    """

    id: str
    runbook: str
    version: str
    hash: str
    text: str
    subject: str
    status: Status
    started: float
    inputs: dict[str, Any] = {}
    origins: dict[str, str] = {}
    cluster: dict[str, Any] = {}
    actor: str = ""
    current: str = ""
    steps: tuple[StepState, ...] = ()
    path: tuple[str, ...] = ()
    outputs: dict[str, Any] = {}
    writes: tuple[Effect, ...] = ()
    rollbacks: dict[str, Effect] = {}
    pending: Intent | None = None
    in_doubt: Intent | None = None
    hold_since: float | None = None
    preview: Preview | None = None
    confirmed: str = ""
    notes: tuple[Noted, ...] = ()
    outcome: Outcome | None = None
    because: str = ""
    ended: float | None = None
    slo_before: dict[str, Any] = {}
    slo_after: dict[str, Any] = {}
    events: int = 0
    landed: Literal["", "yes", "no", "unknown"] = ""
    intents: int = 0
    changed: float | None = None
    mark: float | None = None
    offered: tuple[str, ...] = ()
    undo: str = ""
    alert: Alert | None = None

    def state(self, step: str) -> StepState | None:
        """The latest visit of `step`."""
        return next((s for s in reversed(self.steps) if s.step == step), None)


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
        events=1,
    )


def apply(walk: Walk, event: AnyEvent) -> Walk:
    """The state after one more event."""
    new = _apply(walk, event)
    return msgspec.structs.replace(new, events=walk.events + 1)


def _apply(walk: Walk, event: AnyEvent) -> Walk:
    change = msgspec.structs.replace
    match event:
        case Started():
            return walk
        case Entered(step=step):
            state = StepState(step=step, state="current", entered=event.at, watched=event.at)
            return change(
                walk, current=step, status="running", steps=(*walk.steps, state), path=(*walk.path, step),
                preview=None, confirmed="", hold_since=None, mark=None,
            )  # fmt: skip
        case Judged():
            output = {**event.output, "status": event.status, "because": event.because}
            walk = _leave(
                walk, event.at, "done", event.because, event.goto, status=event.status, evidence=event.evidence
            )
            return change(walk, outputs={**walk.outputs, event.step: output}, status="running")
        case Answered():
            words = f"{event.by}: {event.value}" if event.value else ""
            walk = _leave(walk, event.at, "done", words, event.goto, answer=event.value)
            output = {"answer": event.value, "by": event.by}
            return change(walk, outputs={**walk.outputs, event.step: output}, status="running")
        case Skipped():
            return _leave(walk, event.at, "skipped", event.because, event.goto)
        case Previewed():
            return _update(change(walk, preview=event.preview, status="waiting", confirmed=""), preview=event.preview)
        case Confirmed():
            return change(walk, confirmed=event.effect, status="running")
        case Refused():
            return _refused(walk, event)
        case Intent():
            ended = walk.ended is not None
            return change(
                walk, pending=event, status="ended" if ended else "running", intents=walk.intents + 1, landed=""
            )
        case Applied():
            return _applied(walk, event)
        case Landed():
            return _landed(walk, event)
        case HoldBegan():
            walk = change(walk, hold_since=event.at, mark=event.mark, status="holding")
            return _update(walk, words=event.because, measured=True)
        case HoldBroke():
            walk = change(walk, hold_since=None, mark=None, status="holding")
            return _update(walk, words=event.because, measured=True)
        case Verified():
            status: Judgement = _JUDGED[event.verdict]
            walk = _leave(walk, event.at, "done", event.because, event.goto, status=status, evidence=event.evidence)
            output = {"verdict": event.verdict, "because": event.because}
            return change(
                walk, outputs={**walk.outputs, event.step: output}, hold_since=None, mark=None, status="running"
            )
        case Offered():
            return change(
                walk, offered=(*walk.offered, event.effect), undo=event.effect if event.answer == "yes" else ""
            )
        case Noted():
            return change(walk, notes=(*walk.notes, event))
        case Resumed():
            return _resumed(walk, event)
        case Ended():
            if walk.current == event.step and walk.steps and walk.steps[-1].state == "current":
                walk = _leave(walk, event.at, "done", event.because, "")
            return change(
                walk, status="ended", outcome=event.outcome, because=event.because, ended=event.at, slo_after=event.slo,
                preview=None, hold_since=None,
            )  # fmt: skip


_JUDGED: dict[str, Judgement] = {"effective": "pass", "ineffective": "fail", "worse": "fail", "unknown": "unknown"}


def _refused(walk: Walk, event: Refused) -> Walk:
    change = msgspec.structs.replace
    walk = change(walk, pending=None, in_doubt=None, landed="", preview=None, confirmed="", status=_alive(walk))
    if walk.undo:
        return change(walk, undo="")
    walk = _leave(walk, event.at, "refused", event.because, event.goto)
    output = {"refused": True, "by": event.by, "because": event.because}
    return change(walk, outputs={**walk.outputs, event.step: output})


def _applied(walk: Walk, event: Applied) -> Walk:
    change = msgspec.structs.replace
    intent = walk.pending or walk.in_doubt
    writes = intent is not None and intent.effect.writes
    if event.ok and intent is not None and writes:
        rollbacks = walk.rollbacks
        if intent.rollback is not None:
            rollbacks = {**rollbacks, intent.effect.id: intent.rollback}
        walk = change(walk, writes=(*walk.writes, intent.effect), rollbacks=rollbacks, changed=event.at)
    walk = change(
        walk, pending=None, in_doubt=None, landed="", preview=None, confirmed="", undo="", status=_alive(walk)
    )
    if intent is not None and intent.effect.inverse_of:
        return walk
    output = {"applied": event.ok, "message": event.message, "exit_code": event.exit_code, "output": event.output}
    walk = change(walk, outputs={**walk.outputs, event.step: output})
    return _leave(walk, event.at, "done" if event.ok else "failed", event.message, event.goto)


def _landed(walk: Walk, event: Landed) -> Walk:
    change = msgspec.structs.replace
    if event.answer == "no":
        return change(walk, in_doubt=None, pending=None, landed="", preview=None, confirmed="", status=_alive(walk))
    return change(walk, landed=event.answer, status="in doubt")


def _resumed(walk: Walk, event: Resumed) -> Walk:
    change = msgspec.structs.replace
    if walk.pending is not None:
        return change(walk, in_doubt=walk.pending, status="in doubt")
    if walk.ended is not None:
        return walk
    walk = change(walk, status="running", preview=None, confirmed="", hold_since=None, mark=None)
    return _update(walk, watched=event.at) if walk.steps and walk.steps[-1].state == "current" else walk


def _alive(walk: Walk) -> Status:
    return "ended" if walk.ended is not None else "running"


def _leave(walk: Walk, at: float, state: Any, words: str, goto: str, **fields: Any) -> Walk:
    return _update(walk, state=state, words=words, left=at, goto=goto, **fields)


def _update(walk: Walk, **fields: Any) -> Walk:
    if not walk.steps:
        return walk
    last = msgspec.structs.replace(walk.steps[-1], **fields)
    return msgspec.structs.replace(walk, steps=(*walk.steps[:-1], last))
