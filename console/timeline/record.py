"""A walk out of the journal, checked: its events, the hash of each, and whether the chain is whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from console.actions.effects import Consequence
from console.base.errors import UsageError
from console.operate.chain import Chain
from console.operate.journal import Journal
from console.operate.locks import walked_by
from console.runbook.titles import plain_title
from console.runbook.walk import (
    Answered,
    AnswerRefused,
    AnyEvent,
    Applied,
    Approved,
    Confirmed,
    Edited,
    EscalationAnswered,
    HandedOver,
    Intent,
    Noted,
    Offered,
    Previewed,
    Resumed,
    RulesWidened,
    Verified,
    Walk,
    WalkLeft,
    apply,
    fold,
)
from console.runbook.watching import stored_runbook

ASKING = frozenset({"ask", "note", "manual", "escalate"})
"""Kinds of steps that only a person ends."""
NOBODY = frozenset({"console", "nobody"})
"""Who stands in a record where no person gave a word."""


@dataclass(frozen=True)
class WalkRecord:
    """One walk.

    Attributes:
        hashes: one for each event.
        titles, kinds: those of the runbook's steps, as far as it reads.
        on_it: which process of this machine is on it, `` where none is.
    """

    walk: Walk
    events: tuple[AnyEvent, ...]
    hashes: tuple[str, ...]
    chain: Chain
    titles: dict[str, str]
    title: str = ""
    kinds: Mapping[str, str] = field(default_factory=dict)
    on_it: str = ""

    @classmethod
    def read(cls, journal: Journal, walk_id: str) -> WalkRecord:
        """The walk of this id.

        Raises:
            UsageError: there is none.
            JournalError: it cannot be read.
        """
        events = journal.read(walk_id)
        if not events:
            raise UsageError(f"the journal has no walk {walk_id!r}")
        on_it = walked_by(journal.path.parent / "run", walk_id)
        return cls.of(fold(events), events, journal.verify(walk_id), journal.hashes(walk_id), on_it)

    @classmethod
    def of(
        cls, walk: Walk, events: Sequence[AnyEvent], chain: Chain, hashes: Sequence[str], on_it: str = ""
    ) -> WalkRecord:
        """A walk that was read already."""
        titles, title, kinds = {}, walk.runbook, {}
        if (runbook := stored_runbook(walk)) is not None:
            titles, title = {step.id: plain_title(step) for step in runbook.steps}, runbook.title
            kinds = {step.id: step.kind for step in runbook.steps}
        titles.update({state.step: state.title for state in walk.steps if state.title})
        return cls(walk, tuple(events), tuple(hashes), chain, titles, title, kinds, on_it)

    def name(self, number: int) -> str:
        """`step 7: Heap or overhead?` of the step that was made as the `number`th (from 1)."""
        state = self.walk.steps[number - 1]
        shown = (state.preview.effect.title if state.preview is not None else "") or state.title
        return f"step {number}: {shown or self.titles.get(state.step, state.step)}"

    def where(self) -> str:
        """The step that it stands at."""
        made = len(self.walk.steps)
        return self.name(made) if made else "its beginning"

    @property
    def head(self) -> str:
        return self.hashes[-1] if self.hashes else ""

    @property
    def previews(self) -> dict[str, Previewed]:
        """Effect id → its last preview."""
        return {e.preview.effect.id: e for e in self.events if isinstance(e, Previewed)}

    def told(self, effect: str) -> tuple[Consequence, ...]:
        """What follows from a change: as it was when it was about to be sent, else as it was shown."""
        for event in self.events:
            if isinstance(event, Intent) and event.effect.id == effect and event.told:
                return event.told
        shown = self.previews.get(effect)
        return shown.preview.consequences if shown is not None else ()

    @property
    def confirmed(self) -> dict[str, Confirmed]:
        """Effect id → its first confirmation."""
        out: dict[str, Confirmed] = {}
        for event in self.events:
            if isinstance(event, Confirmed):
                out.setdefault(event.effect, event)
        return out

    @property
    def approved(self) -> dict[str, Approved]:
        """Effect id → the second person's consent to it that was given last."""
        return {event.effect: event for event in self.events if isinstance(event, Approved)}

    @property
    def people(self) -> tuple[str, ...]:
        """Everybody who had a hand in it, in the order in which they came."""
        hands = (
            Answered | AnswerRefused | Approved | Confirmed | Edited | EscalationAnswered | HandedOver | Noted | Offered
            | Resumed | RulesWidened | WalkLeft
        )  # fmt: skip
        names = [self.walk.actor, *(event.by for event in self.events if isinstance(event, hands))]
        return tuple(dict.fromkeys(name for name in names if name and name not in NOBODY))

    def spans(self) -> dict[str, float | None]:
        """Seconds from the beginning to the first change, to the recovery that stood at the end and to the end, and
        those that were spent waiting for people. None where it did not come to that."""
        began = self.walk.started
        change = next((e.at for e in self.events if isinstance(e, Intent)), None)
        verified = [e.at for e in self.events if isinstance(e, Verified) and e.verdict == "effective"]
        recovered = bool(verified) and self.walk.outcome in ("resolved", "mitigated") and not self.walk.recurred
        return {
            "to_first_change": None if change is None else change - began,
            "to_verified": verified[-1] - began if recovered else None,
            "to_end": None if self.walk.ended is None else self.walk.ended - began,
            "waited_for_people": self._waited(),
        }

    def _waited(self) -> float:
        """Seconds during which the walk could only go on by a person: asked, shown a change, or handed over."""
        waited, walk = 0.0, None
        for before, event in zip(self.events, self.events[1:], strict=False):
            walk = fold([before]) if walk is None else apply(walk, before)
            if self._waits(walk) or isinstance(event, Offered):
                waited += max(0.0, event.at - before.at)
        return waited

    def _waits(self, walk: Walk) -> bool:
        if walk.handed is not None or (walk.preview is not None and not walk.confirmed):
            return True
        if walk.ended is not None or not walk.steps:
            return False
        return walk.steps[-1].state == "current" and self.kinds.get(walk.current) in ASKING

    def applied(self) -> tuple[Applied, ...]:
        """Changes that were made, in order."""
        writes = {effect.id for effect in self.walk.writes}
        return tuple(e for e in self.events if isinstance(e, Applied) and e.ok and e.effect in writes)
