"""What became of a change: shown, sent, answered, looked at; and the rights that the changes need."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

from console.actions.effects import Consequence, Effect, Preview
from console.runbook.events.base import WalkEvent


class Previewed(WalkEvent, frozen=True, tag="previewed"):
    step: str
    preview: Preview


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
    it was worked out anew after the confirmation."""

    step: str
    effect: Effect
    before: dict[str, Any] = {}
    generation: int = 0
    rollback: Effect | None = None
    told: tuple[Consequence, ...] = ()


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


class Landed(WalkEvent, frozen=True, tag="landed"):
    """After a crash: did the intent arrive? Unknown goes to the person."""

    step: str
    effect: str
    answer: Literal["yes", "no", "unknown"]
    because: str = ""


class LookedBack(WalkEvent, frozen=True, tag="looked back"):
    """What was seen after the rollback `effect`: whether the fields are as before the change, what state it leaves.
    `todo`: what is still to do, and by whom."""

    step: str
    effect: str
    restored: Literal["yes", "no", "unknown"]
    words: str
    todo: tuple[str, ...] = ()


class MissingRight(Struct, frozen=True):
    """A right that who walks does not have. `steps`: titles of what will be refused for it; `because` what the server
    said."""

    words: str
    steps: tuple[str, ...] = ()
    because: str = ""


class RightsAsked(WalkEvent, frozen=True, tag="rights asked"):
    """Before the first step: the rights of every step that the walk may come to.

    `asked` how many there are; `unknown` those that could not be asked about, and why; `rule` the manifests that grant
    what is missing.
    """

    asked: int
    missing: tuple[MissingRight, ...] = ()
    unknown: tuple[str, ...] = ()
    rule: str = ""

    @property
    def words(self) -> tuple[str, ...]:
        """What a person should know of them before the first step; nothing where all are there."""
        out = [
            f"you may not {one.words}" + (f" ({one.because})" if one.because else "") + f": {_refused(one.steps)}"
            for one in self.missing
        ]
        return (*out, *(f"whether you may is not known: {one}" for one in self.unknown))


def _refused(steps: tuple[str, ...]) -> str:
    first = steps[0] if steps else "a step of it"
    more = f" and {len(steps) - 1} more" if len(steps) > 1 else ""
    return f"“{first}”{more} will be refused"
