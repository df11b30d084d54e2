"""One run of a runbook: a list of events, folded to a state. The journal stores exactly these events."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import msgspec
from msgspec import Struct

from console.health.model import Evidence
from console.runbook.effects import Effect, Preview
from console.runbook.model import Judgement, Outcome

Status = Literal["running", "waiting", "holding", "in doubt", "ended"]
Verdict = Literal["effective", "ineffective", "worse", "unknown"]


class WalkEvent(Struct, frozen=True, tag_field="event"):
    """Base. `at` is epoch seconds of the walk's clock."""

    at: float


class Started(WalkEvent, frozen=True, tag="started"):
    walk: str
    runbook: str
    version: str
    hash: str
    text: str
    inputs: dict[str, Any]
    origins: dict[str, str]
    cluster: dict[str, Any]
    """context, server, ca (hash), uid (kube-system), user, mode, production, kind."""
    subject: str
    actor: str
    tool: str
    slo: dict[str, Any] = {}
    """SLO id → budget_left and burn rates when it began."""


class Entered(WalkEvent, frozen=True, tag="entered"):
    step: str


class Judged(WalkEvent, frozen=True, tag="judged"):
    """A check or a decision was evaluated: the sentence, the evidence, where it leads."""

    step: str
    status: Judgement
    because: str
    goto: str
    evidence: tuple[Evidence, ...] = ()
    output: dict[str, Any] = {}


class Answered(WalkEvent, frozen=True, tag="answered"):
    """A person (or an answers file) chose `value` on an `ask`, `note` or `manual` step."""

    step: str
    value: str
    by: str
    goto: str


class Skipped(WalkEvent, frozen=True, tag="skipped"):
    step: str
    because: str
    goto: str


class Previewed(WalkEvent, frozen=True, tag="previewed"):
    step: str
    preview: Preview


class Confirmed(WalkEvent, frozen=True, tag="confirmed"):
    step: str
    effect: str
    typed: str
    by: str


class Refused(WalkEvent, frozen=True, tag="refused"):
    """Somebody or something said no. `by`: person, policy, mode, permission, lock, server, changed."""

    step: str
    effect: str
    by: str
    because: str
    goto: str = ""


class Intent(WalkEvent, frozen=True, tag="intent"):
    """Committed to disk before the write leaves. `rollback` is the inverse, captured."""

    step: str
    effect: Effect
    before: dict[str, Any] = {}
    generation: int = 0
    rollback: Effect | None = None


class Applied(WalkEvent, frozen=True, tag="applied"):
    step: str
    effect: str
    ok: bool
    message: str = ""
    generation: int = 0
    exit_code: int | None = None
    output: str = ""
    goto: str = ""


class Landed(WalkEvent, frozen=True, tag="landed"):
    """After a crash: did the intent arrive? Unknown goes to the person."""

    step: str
    effect: str
    answer: Literal["yes", "no", "unknown"]
    because: str = ""


class HoldBegan(WalkEvent, frozen=True, tag="hold began"):
    step: str
    because: str = ""


class HoldBroke(WalkEvent, frozen=True, tag="hold broke"):
    step: str
    because: str = ""


class Verified(WalkEvent, frozen=True, tag="verified"):
    step: str
    verdict: Verdict
    because: str
    goto: str
    evidence: tuple[Evidence, ...] = ()


class Noted(WalkEvent, frozen=True, tag="noted"):
    text: str
    by: str
    step: str = ""


class Resumed(WalkEvent, frozen=True, tag="resumed"):
    by: str
    because: str = ""


class Ended(WalkEvent, frozen=True, tag="ended"):
    """The end. `slo`: as in Started, now."""

    outcome: Outcome
    because: str
    step: str = ""
    slo: dict[str, Any] = {}


AnyEvent = (
    Started | Entered | Judged | Answered | Skipped | Previewed | Confirmed | Refused | Intent | Applied | Landed
    | HoldBegan | HoldBroke | Verified | Noted | Resumed | Ended
)  # fmt: skip
_ENCODER = msgspec.json.Encoder()
_DECODER: msgspec.json.Decoder[AnyEvent] = msgspec.json.Decoder(AnyEvent)


def encode(event: AnyEvent) -> bytes:
    return _ENCODER.encode(event)


def decode(data: bytes) -> AnyEvent:
    return _DECODER.decode(data)


class StepState(Struct, frozen=True):
    """How one visited step stands. `words` is the line beside its title."""

    step: str
    state: Literal["done", "current", "refused", "failed", "skipped"]
    words: str = ""
    status: Judgement | None = None
    evidence: tuple[Evidence, ...] = ()
    entered: float | None = None
    left: float | None = None
    preview: Preview | None = None
    answer: str = ""


class Walk(Struct, frozen=True):
    """The fold of a walk's events.

    Attributes:
        path: step ids in the order they were entered.
        writes: effects whose write was applied, in order; `rollbacks` the inverse of each, by effect id.
        in_doubt: an intent without a result, or None.
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
            state = StepState(step=step, state="current", entered=event.at)
            return change(
                walk, current=step, status="running", steps=(*walk.steps, state), path=(*walk.path, step),
                preview=None, confirmed="", hold_since=None,
            )  # fmt: skip
        case Judged():
            output = {**event.output, "status": event.status, "because": event.because}
            walk = _leave(walk, event.at, "done", event.because, status=event.status, evidence=event.evidence)
            return change(walk, outputs={**walk.outputs, event.step: output})
        case Answered():
            walk = _leave(
                walk, event.at, "done", f"{event.by}: {event.value}" if event.value else "", answer=event.value
            )
            return change(walk, outputs={**walk.outputs, event.step: {"answer": event.value, "by": event.by}})
        case Skipped():
            return _leave(walk, event.at, "skipped", event.because)
        case Previewed():
            walk = change(walk, preview=event.preview, status="waiting", confirmed="")
            return _update(walk, preview=event.preview)
        case Confirmed():
            return change(walk, confirmed=event.effect, status="running")
        case Refused():
            walk = _leave(walk, event.at, "refused", event.because)
            output = {"refused": True, "by": event.by, "because": event.because}
            return change(walk, outputs={**walk.outputs, event.step: output}, pending=None, in_doubt=None)
        case Intent():
            return change(walk, pending=event, status="running")
        case Applied():
            return _applied(walk, event)
        case Landed():
            if event.answer == "unknown":
                return change(walk, status="in doubt")
            return change(
                walk,
                in_doubt=None if event.answer == "no" else walk.in_doubt,
                pending=None if event.answer == "no" else walk.pending,
            )
        case HoldBegan():
            return _update(change(walk, hold_since=event.at, status="holding"), words=event.because)
        case HoldBroke():
            return _update(change(walk, hold_since=None, status="holding"), words=event.because)
        case Verified():
            status: Judgement = {"effective": "pass", "ineffective": "fail", "worse": "fail", "unknown": "unknown"}[
                event.verdict
            ]  # type: ignore[assignment]
            walk = _leave(walk, event.at, "done", event.because, status=status, evidence=event.evidence)
            output = {"verdict": event.verdict, "because": event.because}
            return change(walk, outputs={**walk.outputs, event.step: output}, hold_since=None)
        case Noted():
            return change(walk, notes=(*walk.notes, event))
        case Resumed():
            if walk.pending is not None:
                return change(walk, in_doubt=walk.pending, status="in doubt")
            return change(walk, status="running", preview=None, confirmed="")
        case Ended():
            walk = _leave(walk, event.at, "done", event.because) if walk.current == event.step else walk
            return change(
                walk, status="ended", outcome=event.outcome, because=event.because, ended=event.at, slo_after=event.slo,
                preview=None,
            )  # fmt: skip


def _applied(walk: Walk, event: Applied) -> Walk:
    change = msgspec.structs.replace
    intent = walk.pending or walk.in_doubt
    output = {"applied": event.ok, "message": event.message, "exit_code": event.exit_code, "output": event.output}
    walk = change(walk, outputs={**walk.outputs, event.step: output})
    if event.ok and intent is not None:
        rollbacks = walk.rollbacks
        if intent.rollback is not None:
            rollbacks = {**rollbacks, intent.effect.id: intent.rollback}
        walk = change(walk, writes=(*walk.writes, intent.effect), rollbacks=rollbacks)
    walk = change(walk, pending=None, in_doubt=None, preview=None, confirmed="")
    return _leave(walk, event.at, "done" if event.ok else "failed", event.message)


def _leave(walk: Walk, at: float, state: Any, words: str, **fields: Any) -> Walk:
    return _update(walk, state=state, words=words, left=at, **fields)


def _update(walk: Walk, **fields: Any) -> Walk:
    if not walk.steps:
        return walk
    last = msgspec.structs.replace(walk.steps[-1], **fields)
    return msgspec.structs.replace(walk, steps=(*walk.steps[:-1], last))
