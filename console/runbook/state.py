"""How a walk stands: the value that its events are folded to."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct
from msgspec.structs import replace as change

from console.actions.effects import Effect, Preview
from console.base.clock import not_before, time_of_day
from console.facts.evidence import Evidence
from console.facts.model import Alert
from console.runbook.events import GuardOverruled, HandedOver, Intent, Noted, RightsAsked, TakenOver, WalkLeft
from console.runbook.model import CheckState, Outcome

Status = Literal["running", "waiting", "holding", "in doubt", "handed over", "ended"]


class StepState(Struct, frozen=True):
    """How one visited step stands. `words` is the line beside its title.

    Attributes:
        state: `stopped` is a step at which somebody ended the walk: it was not done.
        goto: where it led, `` while it is current.
        title: its title as it was when it was entered, `` where nothing is filled in.
        measured: a verify step has had data at least once.
        watched: since when somebody has been watching it (entered, or resumed); its deadline counts from here.
    """

    step: str
    state: Literal["done", "current", "refused", "failed", "skipped", "stopped"]
    words: str = ""
    status: CheckState | None = None
    evidence: tuple[Evidence, ...] = ()
    entered: float | None = None
    left: float | None = None
    preview: Preview | None = None
    answer: str = ""
    goto: str = ""
    measured: bool = False
    watched: float | None = None
    title: str = ""


class Undone(Struct, frozen=True):
    """A rollback of the walk: beside its steps, because it says nothing of the step that led to it.

    Attributes:
        effect: id of the rollback; `title` what it undoes, `after` how many steps had been entered by then.
        words: the line beside its title; `left` what was seen after it, `` until somebody looked.
    """

    effect: str
    title: str
    after: int
    state: Literal["current", "done", "refused", "failed"]
    words: str = ""
    preview: Preview | None = None
    left: str = ""


class Escalation(Struct, frozen=True):
    """Somebody who was called.

    Attributes:
        whom, because, paste: who, why, and what was to be sent to them.
        at: since when; `due` by when an answer is needed, None for no time.
        answer: what came of it, `` as long as it is open: see EscalationAnswered. `who` has it, `by` said so.
    """

    step: str
    whom: str
    because: str
    paste: str
    at: float
    due: float | None = None
    answer: Literal["", "taken", "told", "late"] = ""
    who: str = ""
    by: str = ""
    answered: float | None = None

    @property
    def waits(self) -> str:
        """What is waited for, beside the step's title."""
        return f"answer by {time_of_day(self.due)}" if self.due is not None else ""

    @property
    def came_of_it(self) -> str:
        """What came of it, in words; `` as long as it is open."""
        match self.answer:
            case "taken":
                return f"{self.who} took it" + (f", says {self.by}" if self.by not in ("", self.who) else "")
            case "told":
                return f"{self.by}: {self.who}" if self.who else f"{self.by} called {self.whom}"
            case "late":
                return f"the deadline passed: no answer of {self.whom} was recorded by {time_of_day(self.due)}"
        return ""


def words_of(key: str) -> str:
    """How people call what a walk is about: `Node node-041` of `Node//node-041`."""
    parts = key.split("/")
    if len(parts) != 3:
        return key
    kind, namespace, name = parts
    return f"{kind} {namespace}/{name}" if namespace else f"{kind} {name}"


class ChangeMade(Struct, frozen=True):
    """When a write was made, by the clock that stamps what comes of it; `youngest` as in Intent."""

    at: float
    youngest: dict[str, float] = {}

    def after(self, made: float | None, name: str = "") -> bool:
        """Whether what was made then, under that name, came after it."""
        return not_before(made, self.at) and self.youngest.get(name) != made


class Walk(Struct, frozen=True):
    """The fold of a walk's events.

    Attributes:
        path: step ids in the order they were entered.
        writes: effects whose write was applied, in order; `rollbacks` the inverse of each, by effect id.
        in_doubt: an intent without a result, or None; `landed` is what was found out about it.
        intents: how many writes were about to leave, which numbers the effects.
        changed: time of the last applied write; `sent` when each of them was about to be sent; `last` is the moment of
            the last one by the cluster's clock.
        mark: see HoldBegan.
        offered: ids of the effects whose rollback was offered; `undo` the one that is to be rolled back now.
        undos: rollbacks that were begun, in order.
        finding: key of the finding that it was for; `trouble` what it said then.
        parts: texts of the runbooks that it runs, by id.
        still_to_do: what the changes need so that they last, in words, and those that did not help and still stand;
            `makers` the schedules that would undo them.
        recurred: why what it resolved is not resolved any more; `recurred_at` since when.
        handed: who left it to somebody else, as long as nobody has taken it up; `left` who closed their Console on it.
        uid: of the application that it is about, as it began.
        rights: what was found, before the first step, of the rights of all its steps; None: nobody asked.
        escalations: who was called, in order.
        overruled: guards that a person went on against; `taken` who took it from another process last.
        impact_before, impact_after: what the trouble had cost when it began, and at the end (`console.board.impact`);
            `impacts` meanwhile, in order: on what occasion, and what.
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
    landed: Literal["", "yes", "no", "unknown"] = ""
    intents: int = 0
    changed: float | None = None
    sent: tuple[float, ...] = ()
    last: ChangeMade | None = None
    mark: float | None = None
    offered: tuple[str, ...] = ()
    undo: str = ""
    alert: Alert | None = None
    handed: HandedOver | None = None
    left: WalkLeft | None = None
    impact_before: dict[str, Any] = {}
    impact_after: dict[str, Any] = {}
    impacts: tuple[tuple[str, dict[str, Any]], ...] = ()
    undos: tuple[Undone, ...] = ()
    remarks: tuple[str, ...] = ()
    finding: str = ""
    parts: dict[str, str] = {}
    trouble: str = ""
    still_to_do: tuple[str, ...] = ()
    makers: tuple[str, ...] = ()
    recurred: str = ""
    recurred_at: float | None = None
    uid: str = ""
    rights: RightsAsked | None = None
    overruled: tuple[GuardOverruled, ...] = ()
    taken: TakenOver | None = None
    escalations: tuple[Escalation, ...] = ()

    @property
    def about(self) -> str:
        """What it is about, in words."""
        return words_of(self.subject)

    @property
    def escalated(self) -> Escalation | None:
        """The escalation that is open at the present step."""
        last = self.escalations[-1] if self.escalations else None
        return last if last is not None and last.step == self.current and not last.answer else None

    @property
    def helped(self) -> bool:
        """Whether a verification has said since the last write that it helped."""
        since = self.changed
        return since is not None and any(
            self.outputs.get(s.step, {}).get("verdict") == "effective" and s.left is not None and s.left >= since
            for s in self.steps
        )

    @property
    def unseen(self) -> Effect | None:
        """The rollback that was made last, as long as nobody has looked at what it leaves."""
        last = self.writes[-1] if self.writes else None
        if last is None or not last.inverse_of:
            return None
        return last if any(u.effect == last.id and u.state == "done" and not u.left for u in self.undos) else None

    @property
    def rolled_back(self) -> tuple[Undone, ...]:
        """Rollbacks that were made and looked at, in order."""
        return tuple(u for u in self.undos if u.state == "done" and u.left)

    def state(self, step: str) -> StepState | None:
        """The latest visit of `step`."""
        return next((s for s in reversed(self.steps) if s.step == step), None)

    def watched_since(self, step: str) -> float:
        """When somebody began to watch `step`; the beginning of the walk, where nobody has entered it."""
        state = self.state(step)
        return state.watched if state is not None and state.watched is not None else self.started


def cost_on(walk: Walk, occasion: str, impact: dict[str, Any]) -> Walk:
    """The walk with what the trouble had cost on an occasion, where that is known."""
    return change(walk, impacts=(*walk.impacts, (occasion, impact))) if impact else walk


def leave(walk: Walk, at: float, state: Any, words: str, goto: str, **fields: Any) -> Walk:
    """The walk with its present step left."""
    return update(walk, state=state, words=words, left=at, goto=goto, **fields)


def told(walk: Walk, words: str) -> Walk:
    """Words beside the step that the walk is at, none beside one that was left: a rollback is made there."""
    return update(walk, words=words) if walk.steps and walk.steps[-1].state == "current" else walk


def update(walk: Walk, **fields: Any) -> Walk:
    """The walk with other fields of its present step."""
    if not walk.steps:
        return walk
    last = change(walk.steps[-1], **fields)
    return change(walk, steps=(*walk.steps[:-1], last))
