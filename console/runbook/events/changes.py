"""What becomes of a change: shown, confirmed or refused, sent, landed, proved, taken back."""

from __future__ import annotations

from typing import Any, Literal

from console.actions.effects import Consequence, Effect, Preview
from console.facts.evidence import Evidence
from console.runbook.events.base import ChangeVerdict, WalkEvent


class Previewed(WalkEvent, frozen=True, tag="previewed"):
    step: str
    preview: Preview


class Confirmed(WalkEvent, frozen=True, tag="confirmed"):
    step: str
    effect: str
    typed: str
    by: str


class ChangeRefused(WalkEvent, frozen=True, tag="refused"):
    """Somebody or something said no. `by`: person, policy, mode, permission, lock, server, changed, obstacle."""

    step: str
    effect: str
    by: str
    because: str
    goto: str = ""


class EvidenceKept(WalkEvent, frozen=True, tag="kept"):
    """Before a change was sent: what it ends was kept. `holds` in words; `lacks` what could not be had, and why."""

    step: str
    effect: str
    holds: tuple[str, ...]
    lacks: tuple[str, ...] = ()


class Intent(WalkEvent, frozen=True, tag="intent"):
    """Committed to disk before the write leaves. `rollback` is the inverse, captured. `told`: what follows from it, as
    it was worked out anew after the confirmation. `youngest`: pods of the application that were made last, and when
    by the cluster's clock, all in one second: what is of that second and none of them was made afterwards."""

    step: str
    effect: Effect
    before: dict[str, Any] = {}
    generation: int = 0
    rollback: Effect | None = None
    told: tuple[Consequence, ...] = ()
    youngest: dict[str, float] = {}


class Called(WalkEvent, frozen=True, tag="called"):
    """A script wanted to write. It is recorded before it is sent (`status` 0), and with the status of the answer.
    `refused` says why it was not passed on; `message` what the server said, or that no answer came."""

    step: str
    effect: str
    verb: str
    about: str
    status: int = 0
    dry_run: bool = False
    refused: str = ""
    message: str = ""


class Applied(WalkEvent, frozen=True, tag="applied"):
    """`there`: when it was written by the server's own clock, in whole seconds; None where the answer does not say."""

    step: str
    effect: str
    ok: bool
    message: str = ""
    generation: int = 0
    exit_code: int | None = None
    output: str = ""
    goto: str = ""
    impact: dict[str, Any] = {}
    """What the trouble had cost by then, where it is a change that was made."""
    there: float | None = None


class Landed(WalkEvent, frozen=True, tag="landed"):
    """After a crash: did the intent arrive? Unknown goes to the person."""

    step: str
    effect: str
    answer: Literal["yes", "no", "unknown"]
    because: str = ""


class HoldBegan(WalkEvent, frozen=True, tag="hold began"):
    """`mark` is what the verify step's `rises` was at this moment; it must be greater at the end of the hold.

    `since`: the hold goes on as if it had begun then, because nobody watched in between; None: it begins at `at`.
    """

    step: str
    because: str = ""
    mark: float | None = None
    since: float | None = None


class HoldBroke(WalkEvent, frozen=True, tag="hold broke"):
    """It was measured and is not (any more) as it should be, or it cannot be seen any more."""

    step: str
    because: str = ""


class Verified(WalkEvent, frozen=True, tag="verified"):
    step: str
    verdict: ChangeVerdict
    because: str
    goto: str
    evidence: tuple[Evidence, ...] = ()


class LookedBack(WalkEvent, frozen=True, tag="looked back"):
    """What was seen after the rollback `effect`: whether the fields are as before the change, what state it leaves.
    `todo`: what is still to do, and by whom."""

    step: str
    effect: str
    restored: Literal["yes", "no", "unknown"]
    words: str
    todo: tuple[str, ...] = ()
