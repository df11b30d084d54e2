"""What a walk needs next, as values: each says what is to be done, and what is appended then."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from console.actions.effects import Effect
from console.runbook.model import Outcome, Step
from console.runbook.walk import Intent


@dataclass(frozen=True)
class Enter:
    """Enter this step: append what `enter` makes."""

    step: str


@dataclass(frozen=True)
class Judge:
    """Ask `query` if there is one, then append what `judge` makes."""

    step: Step


@dataclass(frozen=True)
class AskPerson:
    """A person answers: append what `answer` makes."""

    step: Step
    kind: Literal["ask", "note", "manual"]


@dataclass(frozen=True)
class Escalate:
    """Append what `escalated` makes."""

    step: Step


@dataclass(frozen=True)
class AwaitAnswer:
    """Somebody was called: a person says who took it, or its time passes. Append what `escalation_answered` makes."""

    step: Step


@dataclass(frozen=True)
class MakeChange:
    """Bring `effect` through the gate."""

    step: Step


@dataclass(frozen=True)
class RunScript:
    """Bring `effect` through the gate; one that only reads needs no confirmation."""

    step: Step


@dataclass(frozen=True)
class Hold:
    """Every `step.poll` seconds append what `hold` makes, often nothing."""

    step: Step


@dataclass(frozen=True)
class Pause:
    """Sleep until `pause`, then append what `waited` makes."""

    step: Step


@dataclass(frozen=True)
class Landing:
    """A write has no result. answer ``: ask the system; `unknown`: ask a person; `yes`: append its Applied."""

    intent: Intent
    answer: Literal["", "yes", "unknown"]


@dataclass(frozen=True)
class Offer:
    """A change did not help: ask whether its rollback is to be applied; append Offered."""

    step: Step
    effect: Effect
    rollback: Effect


@dataclass(frozen=True)
class Undo:
    """Bring this rollback through the gate."""

    step: Step | None
    rollback: Effect


@dataclass(frozen=True)
class LookBack:
    """This rollback was made: look at what it leaves, and append what is seen."""

    rollback: Effect


@dataclass(frozen=True)
class Finish:
    """Append what `finish` makes."""

    step: str
    outcome: Outcome
    because: str


@dataclass(frozen=True)
class Nothing:
    """The walk has ended."""


Todo = (
    Enter
    | Judge
    | AskPerson
    | Escalate
    | AwaitAnswer
    | MakeChange
    | RunScript
    | Hold
    | Pause
    | Landing
    | Offer
    | Undo
    | LookBack
    | Finish
    | Nothing
)


OF_UNDO = (Undo, LookBack, Landing)
"""What belongs to a rollback that somebody wished for."""
