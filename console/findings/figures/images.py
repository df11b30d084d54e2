"""Images that cannot be pulled."""

from __future__ import annotations

from typing import ClassVar

from console.findings.figures.base import Figures


class ImagePullFigures(Figures, frozen=True, kw_only=True):
    """Attributes:
    pods: those that wait for it, at most twenty; none where only events tell of it.
    images: names as the pods or the events give them.
    cause: denied, rate-limit, dns, network, platform, not-found, never, name, disk, or unknown.
    """

    CODES: ClassVar[tuple[str, ...]] = ("image-pull",)

    pods: tuple[str, ...]
    images: tuple[str, ...]
    cause: str
