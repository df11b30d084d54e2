"""A walk out of the journal, checked: its events, the hash of each, and whether the chain is whole."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass

from console.base.errors import ConsoleError, UsageError
from console.operate.chain import Chain
from console.operate.journal import Journal
from console.runbook import schema
from console.runbook.walk import (
    Answered,
    AnyEvent,
    Applied,
    Confirmed,
    Intent,
    Offered,
    Previewed,
    Refused,
    Verified,
    Walk,
    fold,
)


@dataclass(frozen=True)
class Record:
    """One walk. `hashes` has one entry per event; `titles` are those of the runbook's steps, as far as it reads."""

    walk: Walk
    events: tuple[AnyEvent, ...]
    hashes: tuple[str, ...]
    chain: Chain
    titles: dict[str, str]
    title: str = ""

    @classmethod
    def read(cls, journal: Journal, walk_id: str) -> Record:
        """The walk of this id.

        Raises:
            UsageError: there is none.
            JournalError: it cannot be read.
        """
        events = journal.read(walk_id)
        if not events:
            raise UsageError(f"the journal has no walk {walk_id!r}")
        return cls.of(fold(events), events, journal.verify(walk_id), journal.hashes(walk_id))

    @classmethod
    def of(cls, walk: Walk, events: Sequence[AnyEvent], chain: Chain, hashes: Sequence[str]) -> Record:
        """A walk that was read already."""
        titles, title = {}, walk.runbook
        with contextlib.suppress(ConsoleError):
            runbook = schema.load(walk.text, walk.runbook)
            titles, title = {step.id: step.title for step in runbook.steps}, runbook.title
        return cls(walk, tuple(events), tuple(hashes), chain, titles, title)

    @property
    def head(self) -> str:
        return self.hashes[-1] if self.hashes else ""

    @property
    def previews(self) -> dict[str, Previewed]:
        """Effect id → its last preview."""
        return {e.preview.effect.id: e for e in self.events if isinstance(e, Previewed)}

    @property
    def confirmed(self) -> dict[str, Confirmed]:
        """Effect id → its first confirmation."""
        out: dict[str, Confirmed] = {}
        for event in self.events:
            if isinstance(event, Confirmed):
                out.setdefault(event.effect, event)
        return out

    def spans(self) -> dict[str, float | None]:
        """Seconds from the beginning to the first change, to the verified recovery and to the end, and those that
        were spent waiting for people. None where it did not come to that."""
        began = self.walk.started
        change = next((e.at for e in self.events if isinstance(e, Intent)), None)
        verified = [e.at for e in self.events if isinstance(e, Verified) and e.verdict == "effective"]
        waited = 0.0
        for before, event in zip(self.events, self.events[1:], strict=False):
            confirming = isinstance(before, Previewed) and isinstance(event, Confirmed | Refused)
            if confirming or isinstance(event, Answered | Offered):
                waited += max(0.0, event.at - before.at)
        return {
            "to_first_change": None if change is None else change - began,
            "to_verified": verified[-1] - began if verified else None,
            "to_end": None if self.walk.ended is None else self.walk.ended - began,
            "waited_for_people": waited,
        }

    def applied(self) -> tuple[Applied, ...]:
        """Changes that were made, in order."""
        writes = {effect.id for effect in self.walk.writes}
        return tuple(e for e in self.events if isinstance(e, Applied) and e.ok and e.effect in writes)
