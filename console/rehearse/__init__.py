"""Drills with the real engine: played by a person or alone, judged, and checked before they are played."""

from __future__ import annotations

from console.rehearse.playing import Rehearsal as Rehearsal
from console.rehearse.playing import Score as Score
from console.rehearse.playing import play as play
