"""What a standalone master lost or gave up."""

from __future__ import annotations

from typing import ClassVar

from console.findings.figures.base import Figures


class LostWorkerFigures(Figures, frozen=True, kw_only=True):
    """Attributes:
    apps: keys of the applications whose executors went with it.
    worker: its id, e.g. `worker-20261123083354-10.0.0.7-7078`.
    host: where it ran.
    master: where its master runs, or its URL.
    cores: cores that went with it; `memory` bytes that did.
    alive: workers that the master has left.
    replaced: whether a worker of the same host registered after it.
    drivers: ids of drivers in cluster mode that ran on it.
    """

    CODES: ClassVar[tuple[str, ...]] = ("worker-lost",)

    apps: tuple[str, ...]
    worker: str
    host: str
    master: str
    cores: int
    memory: float
    alive: int
    replaced: bool
    drivers: tuple[str, ...]


class FailedDriverFigures(Figures, frozen=True, kw_only=True):
    """Attributes:
    driver: its id.
    worker: id of the worker that it was given to; `` where it was given to none.
    state: FAILED or ERROR.
    """

    CODES: ClassVar[tuple[str, ...]] = ("standalone-driver-failed",)

    driver: str
    worker: str
    state: str


class RemovedApplicationFigures(Figures, frozen=True, kw_only=True):
    """Attributes:
    workers: ids of workers that went away as the master gave the application up.
    """

    CODES: ClassVar[tuple[str, ...]] = ("standalone-app-failed",)

    workers: tuple[str, ...]
