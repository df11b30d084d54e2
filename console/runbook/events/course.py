"""The course of a walk: it begins, comes to a step, judges, and ends."""

from __future__ import annotations

from typing import Any, Literal

from console.facts.evidence import Evidence
from console.facts.model import Alert
from console.runbook.events.base import WalkEvent
from console.runbook.model import CheckState, Outcome

ChangeVerdict = Literal["effective", "ineffective", "worse", "unknown"]


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
