"""Drills with the real engine: played by a person or alone (`playing`), judged, and checked before they are played."""
