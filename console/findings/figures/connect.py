"""Servers of Spark Connect."""

from __future__ import annotations

from typing import ClassVar

from console.findings.figures.base import Figures


class ConnectFigures(Figures, frozen=True, kw_only=True):
    """Attributes:
    restarts: restarts of its container; None where it never came as far as starting.
    """

    CODES: ClassVar[tuple[str, ...]] = ("connect-not-ready",)

    restarts: int | None = None
