"""Figures of Python in executors and drivers, and of the application's own errors."""

from __future__ import annotations

from typing import ClassVar

from console.findings.figures.base import Figures


class PythonModuleFigures(Figures, frozen=True, kw_only=True):
    """A module that the image does not have: its name, as the import said it."""

    CODES: ClassVar[tuple[str, ...]] = ("python-module-missing",)

    module: str


class PythonCrashFigures(Figures, frozen=True, kw_only=True):
    """Python workers that crashed.

    Attributes:
        fatal: the fault handler's word, `` where there is none.
        crashes: how many crashes the logs tell of; `more`: at least so many, there were more than are counted.
    """

    CODES: ClassVar[tuple[str, ...]] = ("python-worker-crash",)

    fatal: str
    crashes: int
    more: bool = False


class UserErrorFigures(Figures, frozen=True, kw_only=True):
    """An error of the application's own code: ids of the executors whose own logs have it."""

    CODES: ClassVar[tuple[str, ...]] = ("user-error",)

    executors: tuple[str, ...]


class DriverFailedFigures(Figures, frozen=True, kw_only=True):
    """A driver that failed without a word: the exit code of its container, where a driver is left to tell it."""

    CODES: ClassVar[tuple[str, ...]] = ("driver-failed",)

    exit_code: int | None = None
