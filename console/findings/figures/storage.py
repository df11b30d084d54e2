"""Object stores, the Hive metastore, claims, and what the driver tells of itself."""

from __future__ import annotations

from typing import ClassVar

from console.findings.figures.base import Figures


class ObjectStoreFigures(Figures, frozen=True, kw_only=True):
    """Attributes:
    bucket: URL of the first path named, e.g. `s3a://lake/events`; `` where none is.
    cause: why it refuses: clock, expired, none, identity or policy; `` where it refuses nothing.
    hits: places in logs where it asked for fewer requests; None where it did not. `more`: there are at least so many.
    """

    CODES: ClassVar[tuple[str, ...]] = ("object-store-denied", "object-store-throttled", "object-store-unreachable")

    bucket: str
    cause: str = ""
    hits: int | None = None
    more: bool = False


class MetastoreFigures(Figures, frozen=True, kw_only=True):
    """Attributes:
    cause: refused, timeout, error or unreachable.
    address: `host:port` by the log or the configuration; `` where neither tells.
    """

    CODES: ClassVar[tuple[str, ...]] = ("metastore-down",)

    cause: str
    address: str


class DroppedEventsFigures(Figures, frozen=True, kw_only=True):
    """Attributes:
    queues: names of the listener bus's queues by the log.
    """

    CODES: ClassVar[tuple[str, ...]] = ("listener-drops",)

    queues: tuple[str, ...]


class WaitingClaimFigures(Figures, frozen=True, kw_only=True):
    """Attributes:
    pods: those that wait for it.
    claim: its name; `` where the scheduler does not name it.
    """

    CODES: ClassVar[tuple[str, ...]] = ("pvc-pending", "claim-not-ready")

    pods: tuple[str, ...]
    claim: str


class FillingClaimFigures(Figures, frozen=True, kw_only=True):
    """Attributes:
    claim: its name.
    what: `space` or `inodes`.
    free: bytes, or inodes, that are left; `size` how many there are in all.
    """

    CODES: ClassVar[tuple[str, ...]] = ("pvc-filling",)

    claim: str | None
    what: str
    free: float
    size: float
