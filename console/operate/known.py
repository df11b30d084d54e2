"""The walks that nobody walks here, as the journal has them: open ones, and those that still say something."""

from __future__ import annotations

from collections.abc import Callable, Container

from console.base.clock import Clock
from console.base.errors import ConsoleError
from console.operate.binding import load
from console.operate.journal import Journal, JournalError, WalkSummary
from console.runbook.afterwards.recurrence import watched
from console.runbook.walk import Walk

FOLLOWED = 7 * 86400.0
"""Seconds after its end for which it is looked whether what a walk did lasts."""


class KnownWalks:
    """Walks of earlier sessions and of other processes on one cluster.

    Args:
        server: the cluster, as walks name it.
        walked: ids of the walks that this session began or took up; `active`: whether it is on one now.
    """

    def __init__(
        self, journal: Journal, clock: Clock, server: object, walked: Container[str], active: Callable[[str], bool]
    ) -> None:
        self._journal, self._clock, self._server = journal, clock, server
        self._walked, self._active = walked, active
        self._walks: dict[str, Walk] = {}
        self._records: dict[str, int] = {}
        self._read: object = None
        self.unread: dict[str, str] = {}

    def now(self) -> dict[str, Walk]:
        """Each by its id; the journal is read when it has changed."""
        stamp = self._journal.stamp()
        if stamp != self._read:
            self._read = stamp
            for head in self._heads():
                if self._records.get(head.walk) != head.records and not self._active(head.walk):
                    self._records[head.walk] = head.records
                    self._remember(head.walk)
        return self._walks

    def keep(self, walk: Walk) -> None:
        self.now()[walk.id] = walk

    def _heads(self) -> tuple[WalkSummary, ...]:
        """Walks that may be open, are known here, or ended lately; none where the journal cannot be read."""
        try:
            open_ones = frozenset(self._journal.unfinished())
            lately = self._clock.now() - FOLLOWED
            heads = tuple(h for h in self._journal.walks() if h.walk in open_ones or h.last >= lately or self._has(h))
        except JournalError as error:
            self.unread["journal"] = error.message
            return ()
        self.unread.pop("journal", None)
        return heads

    def _has(self, head: WalkSummary) -> bool:
        return head.walk in self._walks or head.walk in self._walked

    def _remember(self, walk_id: str) -> None:
        try:
            walk = load(self._journal, walk_id)
        except Exception as error:  # one record that makes no sense leaves the other walks
            self.unread[walk_id] = error.message if isinstance(error, ConsoleError) else type(error).__name__
            return
        self.unread.pop(walk_id, None)
        known = walk_id in self._walks or walk_id in self._walked
        if walk.cluster.get("server") == self._server and (known or self._tells(walk)):
            self._walks[walk_id] = walk

    def _tells(self, walk: Walk) -> bool:
        """Whether it is open, or has ended and still says something: what is to be done, that it recurred or may."""
        if walk.ended is None or walk.pending is not None:
            return True
        lately = self._clock.now() - walk.ended <= FOLLOWED
        return lately and bool(watched(walk) or walk.recurred or walk.still_to_do)
