"""Pods that no node takes."""

from __future__ import annotations

from typing import ClassVar

from console.findings.figures.waits import WaitFigures


class UnschedulableFigures(WaitFigures, frozen=True, kw_only=True):
    """Attributes:
    pods: those that wait, at most twenty; none where only a log or a REST answer tells of them.
    reason: what is missing, in words, several joined by a comma.
    memory_request: bytes that one of the pods asks for; None where no pod is known.
    driver: id of a driver of a standalone master that waits for a worker; `` for pods.
    alive: workers of that master; None for pods.
    """

    CODES: ClassVar[tuple[str, ...]] = ("unschedulable",)

    pods: tuple[str, ...]
    reason: str
    memory_request: float | None
    driver: str = ""
    alive: int | None = None


class UnplacedDriverFigures(UnschedulableFigures, frozen=True, kw_only=True):
    """A driver of a standalone master that waits for a worker: no pod, and no scheduler that gives a reason."""

    CODES: ClassVar[tuple[str, ...]] = ()

    pods: tuple[str, ...] = ()
    reason: str = ""
    memory_request: float | None = None
    driver: str
    alive: int | None


class UnschedulableGpuFigures(WaitFigures, frozen=True, kw_only=True):
    """Attributes:
    pods: those that wait; none where only a log tells that executors never came.
    resource: what they ask for, e.g. `nvidia.com/gpu`; `` where that is not known.
    allocatable: how many of them all nodes together offer; None where no node was read.
    """

    CODES: ClassVar[tuple[str, ...]] = ("unschedulable-gpu",)

    pods: tuple[str, ...]
    resource: str
    allocatable: float | None
