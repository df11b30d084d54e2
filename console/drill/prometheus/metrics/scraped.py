"""A series that is scraped: values of a function of time, taken at the times at which its target is scraped."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from console.drill.prometheus.promql.model import LOOKBACK, Labels, SamplePoint, labels_of


@dataclass(frozen=True)
class ScrapeTarget:
    """What is scraped. Times in seconds; `since` is when the first sample was taken."""

    job: str
    instance: str
    interval: float = 15.0
    since: float = 0.0
    until: float | None = None
    extra: tuple[tuple[str, str], ...] = ()
    path: str = "/metrics"

    @cached_property
    def offset(self) -> int:
        """When within the interval this target is scraped, in ms: spread over targets, always the same for one."""
        return zlib.crc32(f"{self.job}/{self.instance}".encode()) % int(self.interval * 1000)

    def first_tick(self, start: int) -> int:
        """The first scrape at or after `start` (ms)."""
        step = int(self.interval * 1000)
        return start + (self.offset - start) % step

    def last_tick(self, when: int) -> int:
        """The last scrape at or before `when` (ms)."""
        step = int(self.interval * 1000)
        return when - (when - self.offset) % step


@dataclass(frozen=True)
class Scraped:
    """A series of a target.

    Args:
        labels: sorted, with `__name__`.
        target: what is scraped.
        value: value at a time in seconds; None where the target does not expose the series.
        now: the present in ms; nothing is known of the future.
        monotone: it never falls, and goes on from where it was after a pause.
        since, until: seconds outside of which it is known to have no value.
    """

    labels: Labels
    target: ScrapeTarget
    value: Callable[[float], float | None]
    now: int
    monotone: bool = False
    since: float = 0.0
    until: float | None = None

    def latest(self, when: int) -> SamplePoint | None:
        """The newest sample at `when`, if the newest scrape had one."""
        tick = self.target.last_tick(min(when, self.now))
        if tick < when - LOOKBACK or not self._alive(tick):
            return None
        value = self.value(tick / 1000)
        return None if value is None else (tick, value)

    def points(self, start: int, end: int) -> list[SamplePoint]:
        """All samples of the span."""
        first, last = self._span(start, end)
        step = int(self.target.interval * 1000)
        found = ((tick, self.value(tick / 1000)) for tick in range(first, last + 1, step))
        return [(tick, value) for tick, value in found if value is not None]

    def ends(self, start: int, end: int) -> tuple[SamplePoint, SamplePoint, int, float] | None:
        """First and last sample and their number, where that is enough."""
        if not self.monotone:
            return None
        first, last = self._span(start, end)
        step = int(self.target.interval * 1000)
        head, tail = self._sample(range(first, last + 1, step)), self._sample(range(last, first - 1, -step))
        if head is None or tail is None or head[0] >= tail[0]:
            return None
        return head, tail, (tail[0] - head[0]) // step + 1, 0.0

    def _sample(self, ticks: range) -> SamplePoint | None:
        """The first of these scrapes that had a value."""
        return next(((tick, value) for tick in ticks if (value := self.value(tick / 1000)) is not None), None)

    def _span(self, start: int, end: int) -> tuple[int, int]:
        begin = max(start, int(self.target.since * 1000), int(self.since * 1000))
        finish = min(end, self.now)
        for until in (self.target.until, self.until):
            if until is not None:
                finish = min(finish, int(until * 1000))
        return self.target.first_tick(begin), self.target.last_tick(finish)

    def _alive(self, tick: int) -> bool:
        if tick < self.target.since * 1000:
            return False
        return self.target.until is None or tick <= self.target.until * 1000


def named(name: str, target: ScrapeTarget, labels: dict[str, str]) -> Labels:
    """Labels of a scraped series: the target's, and its own (which win, as with `honor_labels`)."""
    return labels_of({"job": target.job, "instance": target.instance, **dict(target.extra), **labels, "__name__": name})
