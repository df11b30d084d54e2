"""One wait, whatever queue it is in."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from console.facts.evidence import Evidence
from console.findings.figures.waits import WaitFigures

Gatekeeper = Literal["kueue", "yunikorn", "volcano", "gang", "gates", "scheduler", "quota", "operator", "person"]
HOLDERS = 5
"""Of those that hold what is waited for, so many are named, the largest first."""


class Wait(Struct, frozen=True):
    """Why an application is not let in.

    Attributes:
        keeper: who holds it back.
        queue: the queue that it waits in; `` where none is known.
        says: the queue's own reason, as it writes it.
        since: epoch seconds; None where nothing says it.
        resource: what is missing; `` where it is no resource. `missing` is how much, as the queue counts.
        holders: who holds what it waits for, the largest first, at most `HOLDERS`.
        position: its place, 1 being the next; None where none is known. `guessed`: by priority and age.
        behind: whose turn comes first, where that one blocks all behind it.
        never: it can't be let in as it is, however long it waits.
        helps: what would let it in.
        forbids: what must not be done; `` where nothing.
    """

    keeper: Gatekeeper
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
    behind: str = ""
    never: bool = False
    helps: str = ""
    forbids: str = ""

    @property
    def line(self) -> str:
        """The wait in one line."""
        return line_of(self.figures) if self._tells else f"{line_of(self.figures)}: {self.says}"

    @property
    def _tells(self) -> bool:
        return bool(self.never or self.missing or self.resource or self.position or self.holders)

    @property
    def figures(self) -> WaitFigures:
        return WaitFigures(
            keeper=self.keeper, queue=self.queue, resource=self.resource, missing=self.missing, holders=self.holders,
            position=self.position, of=self.of, reckoned=self.guessed and self.position is not None,
            behind=self.behind, never=self.never, lets_in=self.helps, forbids=self.forbids,
        )  # fmt: skip


def line_of(told: WaitFigures) -> str:
    """A wait in one line: whose, which queue, how much is missing, its place, who holds it."""
    queue = f" in queue {told.queue}" if told.queue and told.keeper not in ("gang", "quota") else ""
    named = f" {told.queue}" if told.queue and not queue else ""
    lacks = f"{told.missing} {told.resource} missing".replace("  ", " ") if told.missing else told.resource
    place = f"place {told.position} of {told.of}{' (reckoned)' if told.reckoned else ''}" if told.position else ""
    behind = f"behind {told.behind}" if told.behind else ""
    held = f"held by {', '.join(told.holders)}" if told.holders else ""
    never = "it can never fit" if told.never else ""
    parts = [part for part in (never, lacks, " ".join(p for p in (place, behind) if p), held) if part]
    whom = f"waits for {KEEPERS.get(told.keeper, told.keeper)}{named}{queue}"
    return f"{whom}: {'; '.join(parts)}" if parts else whom


KEEPERS: dict[str, str] = {
    "kueue": "Kueue",
    "yunikorn": "YuniKorn",
    "volcano": "Volcano",
    "gang": "the rest of its pod group",
    "gates": "whoever set its scheduling gates",
    "scheduler": "a node",
    "quota": "quota",
    "operator": "the operator",
    "person": "a person, who suspended it",
}
