"""The events of a walk: what the journal stores and what a walk is the fold of. Encoded as tagged JSON."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from msgspec import Struct

from console.actions.effects import Consequence, Effect, Preview
from console.facts.evidence import Evidence
from console.facts.model import Alert
from console.runbook.model import CheckState, Outcome

ChangeVerdict = Literal["effective", "ineffective", "worse", "unknown"]


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


class Answered(WalkEvent, frozen=True, tag="answered"):
    """A person (or an answers file) chose `value` on an `ask`, `note` or `manual` step.

    `asked`, `label`, `others` and `shown`: the question, the answer as it was worded, the answers that were not taken,
    and the lines that stood above them; empty in records of before they were kept.
    """

    step: str
    value: str
    by: str
    goto: str
    asked: str = ""
    label: str = ""
    others: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()


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


class ApprovalAsked(WalkEvent, frozen=True, tag="approval asked"):
    """A second person is waited for, at most `wait` seconds. `digest` names the change that they see, `place` is the
    namespace where they approve it."""

    step: str
    effect: str
    digest: str
    place: str
    wait: float


class Approved(WalkEvent, frozen=True, tag="approved"):
    """A second person approved the change of this digest, in a place where who walks may not write."""

    step: str
    effect: str
    digest: str
    by: str
    place: str


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


class Offered(WalkEvent, frozen=True, tag="offered"):
    """A change did not help; somebody said whether its rollback should be applied. `effect` is the change's id.

    `asked`, `label`, `others` and `shown`: as in Answered; empty where nobody was asked (a rollback that was wished).
    """

    step: str
    effect: str
    answer: Literal["yes", "no"]
    by: str
    asked: str = ""
    label: str = ""
    others: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()


class LookedBack(WalkEvent, frozen=True, tag="looked back"):
    """What was seen after the rollback `effect`: whether the fields are as before the change, what state it leaves.
    `todo`: what is still to do, and by whom."""

    step: str
    effect: str
    restored: Literal["yes", "no", "unknown"]
    words: str
    todo: tuple[str, ...] = ()


class Noted(WalkEvent, frozen=True, tag="noted"):
    text: str
    by: str
    step: str = ""


class HandedOver(WalkEvent, frozen=True, tag="handed over"):
    """Whoever walked it goes: the walk waits where it stands until somebody resumes it. `text`: to whom, and why.
    `impact`: what the trouble had cost by then, where that was known."""

    by: str
    text: str = ""
    step: str = ""
    impact: dict[str, Any] = {}


class Edited(WalkEvent, frozen=True, tag="edited"):
    """A person set an input of the walk anew before they confirmed a change; `was` is what had been proposed."""

    step: str
    input: str
    value: Any
    was: str
    by: str


class Resumed(WalkEvent, frozen=True, tag="resumed"):
    """Somebody took it up. `session`: as in Started."""

    by: str
    because: str = ""
    session: dict[str, Any] = {}


class WalkLeft(WalkEvent, frozen=True, tag="left"):
    """Who walked it closed their Console: it waits where it stands. `impact`: as in HandedOver."""

    by: str
    step: str = ""
    impact: dict[str, Any] = {}


class RulesWidened(WalkEvent, frozen=True, tag="rules widened"):
    """More is allowed now than the walk went by. `rules`: what it goes by from here on where the answer is yes."""

    wider: tuple[str, ...]
    answer: Literal["yes", "no"]
    by: str
    rules: dict[str, Any] = {}


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


class GuardOverruled(WalkEvent, frozen=True, tag="guard overruled"):
    """A guard said no to a change, and a person went on, with a reason. `against`: what the guard said."""

    step: str
    effect: str
    guard: str
    against: str
    because: str
    by: str


class LockTaken(WalkEvent, frozen=True, tag="lock taken"):
    """A person took the lock of an object from `holder`, with a reason."""

    step: str
    effect: str
    about: str
    holder: str
    because: str
    by: str


class TakenOver(WalkEvent, frozen=True, tag="taken over"):
    """Somebody took the walk from the process that was on it (`was`), with a reason. `session`: as in Started."""

    by: str
    because: str
    was: str
    session: dict[str, Any] = {}


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


AnyEvent = (
    Started | Entered | Judged | Answered | Skipped | Previewed | Confirmed | ApprovalAsked | Approved | ChangeRefused
    | EvidenceKept | Intent | Called | Applied | Landed | HoldBegan | HoldBroke | Verified | Offered | LookedBack
    | Noted | WalkLeft | HandedOver | Edited | Resumed | RulesWidened | WalkEnded | Followed
    | RightsAsked | GuardOverruled | LockTaken | TakenOver
)  # fmt: skip
_ENCODER = msgspec.json.Encoder()
_DECODER: msgspec.json.Decoder[AnyEvent] = msgspec.json.Decoder(AnyEvent)


def encode(event: AnyEvent) -> bytes:
    return _ENCODER.encode(event)


def decode(data: bytes) -> AnyEvent:
    return _DECODER.decode(data)
