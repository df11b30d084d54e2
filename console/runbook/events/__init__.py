"""The events of a walk: what the journal stores and what a walk is the fold of. Encoded as tagged JSON."""

from __future__ import annotations

import msgspec

from console.runbook.events.base import ChangeVerdict, WalkEvent
from console.runbook.events.changes import (
    Applied,
    Called,
    ChangeRefused,
    Confirmed,
    EvidenceKept,
    HoldBegan,
    HoldBroke,
    Intent,
    Landed,
    LookedBack,
    Previewed,
    Verified,
)
from console.runbook.events.course import (
    Entered,
    Followed,
    Judged,
    MissingRight,
    RightsAsked,
    Skipped,
    Started,
    WalkEnded,
)
from console.runbook.events.people import (
    Answered,
    AnswerRefused,
    ApprovalAsked,
    Approved,
    Edited,
    Escalated,
    EscalationAnswered,
    GuardOverruled,
    HandedOver,
    LockTaken,
    Noted,
    Offered,
    Resumed,
    RulesWidened,
    TakenOver,
    WalkLeft,
)

__all__ = [
    "AnswerRefused", "Answered", "AnyEvent", "Applied", "ApprovalAsked", "Approved", "Called", "ChangeRefused",
    "ChangeVerdict", "Confirmed", "Edited", "Entered", "Escalated", "EscalationAnswered", "EvidenceKept", "Followed",
    "GuardOverruled", "HandedOver", "HoldBegan", "HoldBroke", "Intent", "Judged", "Landed", "LockTaken", "LookedBack",
    "MissingRight", "Noted", "Offered", "Previewed", "Resumed", "RightsAsked", "RulesWidened", "Skipped", "Started",
    "TakenOver", "Verified", "WalkEnded", "WalkEvent", "WalkLeft", "decode", "encode",
]  # fmt: skip

AnyEvent = (
    Started | Entered | Judged | Answered | Skipped | Previewed | Confirmed | ApprovalAsked | Approved | ChangeRefused
    | EvidenceKept | Intent | Called | Applied | Landed | HoldBegan | HoldBroke | Verified | Offered | LookedBack
    | Noted | WalkLeft | HandedOver | Edited | AnswerRefused | Resumed | RulesWidened | WalkEnded | Followed
    | Escalated | EscalationAnswered | RightsAsked | GuardOverruled | LockTaken | TakenOver
)  # fmt: skip
_ENCODER = msgspec.json.Encoder()
_DECODER: msgspec.json.Decoder[AnyEvent] = msgspec.json.Decoder(AnyEvent)


def encode(event: AnyEvent) -> bytes:
    return _ENCODER.encode(event)


def decode(data: bytes) -> AnyEvent:
    return _DECODER.decode(data)
