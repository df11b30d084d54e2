"""What `slow` answers: causes of lost wall time, and the report that holds them."""

from __future__ import annotations

from msgspec import Struct


class Slow(Struct, frozen=True):
    """One cause of lost time.

    Attributes:
        kind: data-skew, straggler, slow-node, spill, gc, shuffle-wait, too-many-tasks, too-few-tasks, retries,
            driver-gap, scheduler-delay, small-files, python-udf, broadcast-candidate, slower-than-before.
        lost: seconds of wall time, estimated.
        share: of the wall time of all jobs (driver-gap: of the application).
        where: stage, call site and SQL execution.
        confirm: what would prove it.
    """

    kind: str
    lost: float
    share: float
    words: str
    where: str
    confirm: str
    stage: tuple[int, int] | None = None
    largest: float | None = None
    usual: float | None = None
    executors: tuple[str, ...] = ()


class Report(Struct, frozen=True):
    """Times in seconds. `jobs` is the wall time in which at least one job ran."""

    span: float | None
    jobs: float
    slots: float
    items: tuple[Slow, ...]
    path: tuple[tuple[int, int], ...] = ()
    """Stages by the wall time in which nothing else ran, the longest first."""
    idle: float | None = None
    """Share of the slots' time, while jobs ran, in which no task ran: what executors cost for nothing."""
