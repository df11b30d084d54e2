"""The events of a walk: what the journal stores and what a walk is the fold of. Encoded as tagged JSON."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from msgspec import Struct

from console.health.facts import Alert
from console.health.model import Evidence
from console.runbook.effects import Effect, Preview
from console.runbook.model import Judgement, Outcome

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
    """SLO id → state, budget_left and burn rates when it began."""
    alert: Alert | None = None


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
    """`mark` is what the verify step's `rises` was at this moment; it must be greater at the end of the hold."""

    step: str
    because: str = ""
    mark: float | None = None


class HoldBroke(WalkEvent, frozen=True, tag="hold broke"):
    """It was measured and is not (any more) as it should be, or it cannot be seen any more."""

    step: str
    because: str = ""


class Verified(WalkEvent, frozen=True, tag="verified"):
    step: str
    verdict: Verdict
    because: str
    goto: str
    evidence: tuple[Evidence, ...] = ()


class Offered(WalkEvent, frozen=True, tag="offered"):
    """A change did not help; somebody said whether its rollback should be applied. `effect` is the change's id."""

    step: str
    effect: str
    answer: Literal["yes", "no"]
    by: str


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
    | HoldBegan | HoldBroke | Verified | Offered | Noted | Resumed | Ended
)  # fmt: skip
_ENCODER = msgspec.json.Encoder()
_DECODER: msgspec.json.Decoder[AnyEvent] = msgspec.json.Decoder(AnyEvent)


def encode(event: AnyEvent) -> bytes:
    return _ENCODER.encode(event)


def decode(data: bytes) -> AnyEvent:
    return _DECODER.decode(data)
