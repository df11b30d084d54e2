"""Lost shuffle data, and disks that are full."""

from __future__ import annotations

from typing import ClassVar

from console.findings.figures.base import Figures


class LostShuffleFigures(Figures, frozen=True, kw_only=True):
    """Attributes:
    executors: those that were lost before.
    hosts: `executor ID on HOST` → tasks that could not fetch from it.
    retried: the highest attempt of a stage, counted from 0.
    aborted: whether a stage was given up after its last attempt.
    """

    CODES: ClassVar[tuple[str, ...]] = ("fetch-failed",)

    executors: tuple[str, ...]
    hosts: dict[str, int]
    retried: int
    aborted: bool


class FullDiskFigures(Figures, frozen=True, kw_only=True):
    """Attributes:
    spilled: bytes that all stages spilled to disk; `written` bytes of shuffle data that they wrote.
    """

    CODES: ClassVar[tuple[str, ...]] = ("local-disk-full",)

    spilled: float
    written: float


class DiskPressureFigures(Figures, frozen=True, kw_only=True):
    """Attributes:
    node: name of the node.
    """

    CODES: ClassVar[tuple[str, ...]] = ("node-disk-pressure",)

    node: str
