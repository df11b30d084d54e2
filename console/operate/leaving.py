"""What is written of a walk that nobody is on: that it was handed over, that it ends, a note. It needs no cluster."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from console.base.errors import UsageError
from console.base.text import clean
from console.board.model import Board
from console.operate.binding import checked, load
from console.operate.journal import Journal
from console.operate.locks import FileLock, lock_walk, seize_walk, walked_by
from console.operate.world import costed
from console.runbook.walk import STOPPED, AnyEvent, HandedOver, Noted, TakenOver, Walk, WalkEnded, apply

SENDING = 60.0
"""Seconds for which a change that was begun counts as being sent; later its process is taken for one that hangs."""


@contextlib.contextmanager
def alone(journal: Journal, folder: Path, walk_id: str, by: str) -> Iterator[Walk]:
    """The walk, while this is the only process on it.

    Args:
        folder: where the locks of walks lie.

    Raises:
        UsageError: there is no such walk.
        RefusedError: a process is on it.
    """
    with contextlib.closing(lock_walk(folder, walk_id, by)):
        yield load(journal, walk_id)


def take_over(
    journal: Journal, folder: Path, walk_id: str, *, by: str, because: str, session: Mapping[str, Any], now: float
) -> FileLock:
    """Take a walk from the process that is on it. That process can record nothing more, so it changes nothing more.

    Raises:
        UsageError: there is no such walk, nobody is on it, it has ended, no reason is given, or a change is being sent.
        JournalError: it is written to at the same moment.
    """
    walk, was = checked(journal, walk_id), walked_by(folder, walk_id)
    if not because.strip():
        raise UsageError("why is the walk taken over?", hint="the reason is journalled, and who is on it is told")
    if walk.ended is not None:
        raise UsageError(f"walk {walk_id} has ended: {walk.outcome}")
    if not was:
        raise UsageError(f"nobody of this machine is on walk {walk_id}", hint="it is resumed, not taken over")
    if walk.pending is not None and now - walk.pending.at < SENDING:
        raise UsageError(
            f"{was} is sending a change of {walk.pending.effect.about} right now",
            hint="look at what comes of it, and take the walk over then",
        )
    write(journal, walk, TakenOver(now, clean(by), clean(because), was, dict(session)))
    return seize_walk(folder, walk_id, by)


def taken(journal: Journal, walk: Walk) -> TakenOver | None:
    """Who took the walk since the last record that is known of it."""
    news = journal.read(walk.id)[walk.events :]
    return next((event for event in news if isinstance(event, TakenOver)), None)


def write(journal: Journal, walk: Walk, event: AnyEvent) -> Walk:
    """The walk after one more record."""
    return apply(walk, journal.append(walk.id, event, expected=walk.events))


def hand_over(
    journal: Journal, folder: Path, walk_id: str, *, by: str, text: str, now: float, board: Board | None = None
) -> Walk:
    """Journal that `by` leaves the walk; `text` says to whom, and why. One that has ended stays as it is.

    Args:
        board: what is known of the cluster, where it is.

    Raises:
        UsageError, RefusedError: as `alone`.
    """
    with alone(journal, folder, walk_id, by) as walk:
        if walk.ended is not None:
            return walk
        event = HandedOver(now, clean(by), clean(text), walk.current)
        return write(journal, walk, costed(event, board, walk) if board is not None else event)


def stop(
    journal: Journal,
    folder: Path,
    walk_id: str,
    *,
    by: str,
    because: str,
    now: float,
    slo: Mapping[str, Any] | None = None,
    impact: Mapping[str, Any] | None = None,
) -> Walk:
    """End the walk unresolved. One whose change is in doubt cannot end: it is left open, with a note.

    Args:
        slo: how the objectives stand, where that is known; `impact` what it cost (`WalkEnded`).

    Raises:
        UsageError, RefusedError: as `alone`.
    """
    with alone(journal, folder, walk_id, by) as walk:
        if walk.ended is not None:
            return walk
        said = f"{STOPPED}{clean(by)}" + (f": {clean(because)}" if because else "")
        event: Noted | WalkEnded = WalkEnded(
            now, "unresolved", said, walk.current, dict(slo or {}), stopped=True, impact=dict(impact or {})
        )
        if walk.pending is not None or walk.in_doubt is not None:
            event = Noted(now, f"{said}, while a change was in doubt: the walk stays open", clean(by), walk.current)
        return write(journal, walk, event)


def note(journal: Journal, folder: Path, walk_id: str, *, by: str, text: str, now: float) -> Walk:
    """Add a note to the walk, whether it was left or has ended.

    Raises:
        UsageError, RefusedError: as `alone`.
    """
    with alone(journal, folder, walk_id, by) as walk:
        return write(journal, walk, Noted(now, clean(text, lines=True), clean(by)))
