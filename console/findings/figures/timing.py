"""Time that stages lose."""

from __future__ import annotations

from typing import ClassVar

from console.findings.figures.base import Figures


class LostTimeFigures(Figures, frozen=True, kw_only=True):
    """Attributes:
    executors: those of the slow tasks.
    kind: data-skew, slow-node, straggler or spill.
    lost: seconds; `share` their share (0-1) of the jobs' time.
    stage: (id, attempt); None where it is no single stage.
    spilled: bytes that the stage spilled to disk.
    largest: the largest of what was compared (bytes or seconds); `median` the usual one; None where none was.
    """

    CODES: ClassVar[tuple[str, ...]] = ("slow-data-skew", "slow-slow-node", "slow-straggler", "slow-spill")

    executors: tuple[str, ...]
    kind: str
    lost: float
    share: float
    stage: tuple[int, int] | None
    spilled: float
    largest: float | None
    median: float | None
