"""How the applications that somebody looks at moved: a short memory of each."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from console.apps.progress import ProgressSample, sample
from console.board.model import Board

EVERY = 10.0
"""Seconds of the clock between two samples."""
KEPT = 120


class Histories:
    """Notes each application of interest, and forgets those that nobody looks at any more."""

    def __init__(self) -> None:
        self._of: dict[str, deque[ProgressSample]] = {}

    def note(self, board: Board, keys: Iterable[str]) -> dict[str, tuple[ProgressSample, ...]]:
        """One more moment of `keys`; what is known of each, the latest last."""
        wanted = set(keys) - {""}
        for key in set(self._of) - wanted:
            del self._of[key]
        for key in wanted:
            app = board.app(key)
            if app is None:
                continue
            held = self._of.setdefault(key, deque(maxlen=KEPT))
            now = sample(app, board.at)
            if held and now.at - held[-1].at < EVERY and held[-1].driver == now.driver:
                continue
            held.append(now)
        return {key: tuple(held) for key, held in self._of.items() if held}
