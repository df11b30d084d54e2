"""Composition: settings, sources, health, matching and the journal become a stream of `Situation`s."""

from console.live.live import Live
from console.live.plan import Opening, Pace, Plan
from console.live.situation import Focus, FocusOn, Situation

__all__ = ["Focus", "FocusOn", "Live", "Opening", "Pace", "Plan", "Situation"]
