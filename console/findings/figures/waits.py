"""Who is not let in: what every wait tells beside its words."""

from __future__ import annotations

from typing import ClassVar

from console.findings.figures.base import Figures


class WaitFigures(Figures, frozen=True, kw_only=True):
    """Attributes:
    keeper: who makes it wait: `kueue`, `yunikorn`, `volcano`, `gang`, `gates`, `scheduler`, `quota`, `operator` or
        `person`; `` where it does not wait.
    queue: the queue that it waits in; `` where none is known.
    resource: what is missing; `` where it is no resource. `missing` is how much, as whoever counts it writes it.
    holders: who holds what it waits for, the largest first.
    position: its place, 1 being the next, of `of`; `reckoned` where it follows from priority and age.
    behind: whose turn comes first and blocks all others, where a queue is strict.
    never: it can't be let in as it is, however long it waits.
    lets_in: what would let it in. `forbids`: what must not be done.
    """

    CODES: ClassVar[tuple[str, ...]] = ("waits-in-queue", "executors-refused")

    keeper: str = ""
    queue: str = ""
    resource: str = ""
    missing: str = ""
    holders: tuple[str, ...] = ()
    position: int | None = None
    of: int | None = None
    reckoned: bool = False
    behind: str = ""
    never: bool = False
    lets_in: str = ""
    forbids: str = ""
