"""What people say and do in a walk, and by whose word."""

from __future__ import annotations

from typing import Any, Literal

from console.runbook.events.base import WalkEvent


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


class Noted(WalkEvent, frozen=True, tag="noted"):
    text: str
    by: str
    step: str = ""


class Escalated(WalkEvent, frozen=True, tag="escalated"):
    """Somebody is to be called: whom, why, and what was to be pasted. `due`: by when somebody must have answered
    (epoch seconds), None for no time."""

    step: str
    whom: str
    because: str
    paste: str
    due: float | None = None


class EscalationAnswered(WalkEvent, frozen=True, tag="escalation answered"):
    """What came of an escalation. `taken`: `who` has it; `told`: they were told, and no time was set; `late`: no answer
    was recorded in time. `by`: who said so, `` where nobody did."""

    step: str
    answer: Literal["taken", "told", "late"]
    goto: str
    who: str = ""
    by: str = ""


class HandedOver(WalkEvent, frozen=True, tag="handed over"):
    """Whoever walked it goes: the walk waits where it stands until somebody resumes it. `text`: to whom, and why.
    `impact`: what the trouble had cost by then, where that was known."""

    by: str
    text: str = ""
    step: str = ""
    impact: dict[str, Any] = {}


CONFIRMATION = "confirmation"


class AnswerRefused(WalkEvent, frozen=True, tag="answer refused"):
    """What somebody answered to a change was not taken, and they were asked once more. `what`: `confirmation` (of which
    nothing that was typed is kept: it may have been a secret) or the value that they wanted."""

    step: str
    what: str
    because: str
    by: str


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
