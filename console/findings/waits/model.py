"""One wait, whatever queue it is in."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from console.facts.evidence import Evidence

Keeper = Literal["kueue", "yunikorn", "volcano", "gates", "operator", "person"]


class Wait(Struct, frozen=True):
    """Why an application is not let in.

    Attributes:
        keeper: who holds it back.
        queue: the queue that it waits in; `` where none is known.
        says: the queue's own reason, as it writes it.
        since: epoch seconds; None where nothing says it.
        resource: what is missing; `` where it is no resource. `missing` is how much, as the queue counts.
        holders: who holds what it waits for, the largest first, at most five; of `held` in all.
        position: its place, 1 being the next; None where none is known. `guessed`: by priority and age.
        never: it can't be let in as it is, however long it waits.
        helps: what would let it in.
        forbids: what must not be done; `` where nothing.
    """

    keeper: Keeper
    queue: str
    says: str
    since: float | None
    evidence: tuple[Evidence, ...]
    resource: str = ""
    missing: str = ""
    holders: tuple[str, ...] = ()
    position: int | None = None
    of: int | None = None
    guessed: bool = False
    never: bool = False
    helps: str = ""
    forbids: str = ""

    @property
    def line(self) -> str:
        """The wait in one line."""
        place = f" in queue {self.queue}" if self.queue else ""
        lacks = f"{self.missing} {self.resource} missing" if self.missing else self.resource
        at = f"place {self.position} of {self.of}{' (reckoned)' if self.guessed else ''}" if self.position else ""
        held = f"held by {', '.join(self.holders)}" if self.holders else ""
        parts = [part for part in ("it can never fit" if self.never else "", lacks, at, held) if part]
        said = "; ".join(parts) or self.says
        return f"waits for {_NAMES[self.keeper]}{place}: {said}"


_NAMES: dict[str, str] = {
    "kueue": "Kueue",
    "yunikorn": "YuniKorn",
    "volcano": "Volcano",
    "gates": "whoever set its scheduling gates",
    "operator": "the operator",
    "person": "a person, who suspended it",
}
