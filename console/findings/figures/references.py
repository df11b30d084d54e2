"""What is named and not there."""

from __future__ import annotations

from typing import ClassVar

from msgspec import field

from console.findings.figures.base import Figures


class ReferenceFigures(Figures, frozen=True, kw_only=True):
    """Attributes:
    kind: kind of what is missing, e.g. `Service`.
    named_by: keys of the objects that name it.
    """

    CODES: ClassVar[tuple[str, ...]] = ("reference-missing",)

    kind: str
    named_by: tuple[str, ...] = field(name="namedBy")
