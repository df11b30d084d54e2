"""The course of a walk: how it began, its steps, how it ended and what came after."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

from console.facts.evidence import Evidence
from console.facts.model import Alert
from console.runbook.events.base import WalkEvent
from console.runbook.model import CheckState, Outcome


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
    remarks: tuple[str, ...] = ()
    """What a person should know before the first step: that the alert is over, or is about something else."""
    finding: str = ""
    """Key of the finding that it is for, and its `trouble` in words."""
    trouble: str = ""
    parts: dict[str, str] = {}
    """Texts of the runbooks that it runs, by id."""
    session: dict[str, Any] = {}
    """Who began it, in parts: user, host, tty, ssh_from, sudo_from, pid, kubernetes; what is not known is missing."""
    impact: dict[str, Any] = {}
    """What the trouble had cost by then (`console.board.impact`)."""
    uid: str = ""
    """UID of the application that it is about, `` where there is none."""


class Entered(WalkEvent, frozen=True, tag="entered"):
    step: str
    title: str = ""


class Judged(WalkEvent, frozen=True, tag="judged"):
    """A check or a decision was evaluated: the sentence, the evidence, where it leads."""

    step: str
    status: CheckState
    because: str
    goto: str
    evidence: tuple[Evidence, ...] = ()
    output: dict[str, Any] = {}


class Skipped(WalkEvent, frozen=True, tag="skipped"):
    step: str
    because: str
    goto: str


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


class WalkEnded(WalkEvent, frozen=True, tag="ended"):
    """The end. `slo`, `impact`: as in Started, now. `stopped`: a person ended it at `step`, which was not done."""

    outcome: Outcome
    because: str
    step: str = ""
    slo: dict[str, Any] = {}
    stopped: bool = False
    impact: dict[str, Any] = {}


class Followed(WalkEvent, frozen=True, tag="followed"):
    """Seen after the end. `recurred`: trouble or old values are back; `lasts`: the next run has the new values."""

    kind: Literal["recurred", "lasts"]
    because: str
