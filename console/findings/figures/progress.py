"""Applications that live and do not get on."""

from __future__ import annotations

from typing import ClassVar

from console.findings.figures.base import Figures


class NoProgressFigures(Figures, frozen=True, kw_only=True):
    """Attributes:
    waited: seconds for which nothing moved; None where that is not known.
    cancelled: whether the job was cancelled meanwhile.
    """

    CODES: ClassVar[tuple[str, ...]] = ("no-progress",)

    waited: float | None
    cancelled: bool
