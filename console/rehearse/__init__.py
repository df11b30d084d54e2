"""Drills with the real engine: played by a person or alone, judged, and checked before they are played."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from console.rehearse.playing import Rehearsal as Rehearsal
    from console.rehearse.playing import Score as Score
    from console.rehearse.playing import play as play


def __getattr__(name: str) -> Any:
    """What plays is loaded when it is asked for: who only checks a drill needs no servers."""
    if name in ("Rehearsal", "Score", "play"):
        from console.rehearse import playing

        return getattr(playing, name)
    raise AttributeError(name)
