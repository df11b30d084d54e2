"""What came of one case that was played."""

from __future__ import annotations

from msgspec import Struct


class PlayedCase(Struct, frozen=True):
    """One case of a drill, played. `problems` is empty where it ended as it should; `seconds` are of the wall.

    `said`: the texts that a person would have seen, line by line, with what was answered.
    """

    drill: str
    case: str
    runbook: str
    outcome: str
    path: tuple[str, ...]
    writes: int
    problems: tuple[str, ...]
    seconds: float
    said: tuple[str, ...] = ()
