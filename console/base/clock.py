"""Time as a value that is passed in, so that drills, tests and replays decide what "now" is."""

from __future__ import annotations

import asyncio
import math
import time
from datetime import UTC, datetime
from typing import Any, Protocol

from console.base.units import parse_number

_LONGEST = 64
"""Characters of a text that can be a time."""


class Clock(Protocol):
    """Where waits, holds and query times come from. Sockets and backoff use the real clock."""

    @property
    def speed(self) -> float:
        """Seconds of this clock in one of the wall's: what takes a machine a moment takes that many here."""
        ...

    def now(self) -> float:
        """Seconds since the epoch (UTC)."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return when `seconds` of this clock's time have passed."""
        ...


class WallClock:
    """The machine's own time."""

    speed = 1.0

    def now(self) -> float:
        return time.time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds))


LAST = 253402300799.0
"""The last second of the year 9999: no later time can be shown."""


def not_before(stamp: float | None, moment: float) -> bool:
    """Whether something may have happened at `moment` or later. Clusters cut the times that they give to whole seconds:
    what is said to be of the same second may be of after it."""
    return stamp is not None and stamp >= math.floor(moment)


def rfc3339(seconds: float | None) -> str | None:
    """Epoch seconds as `2026-11-24T10:42:07Z`; None stays None, as does what lies outside the years 1 to 9999."""
    if seconds is None:
        return None
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (OverflowError, ValueError, OSError):
        return None


def time_of_day(seconds: float | None, *, to_the_minute: bool = False) -> str:
    """Epoch seconds as `10:42:07Z`, or `10:42Z`; `?` where there is no time that can be shown."""
    return moment(seconds, to_the_minute=to_the_minute).rpartition(" ")[2]


def moment(seconds: float | None, *, to_the_minute: bool = False) -> str:
    """The same with its day: `2026-11-24 10:42:07Z`."""
    shown = rfc3339(seconds)
    return "?" if shown is None else f"{shown[: 16 if to_the_minute else 19].replace('T', ' ')}Z"


def parse_epoch(value: Any, *, per_second: int = 1) -> float | None:
    """Epoch seconds of a number that counts seconds, or `per_second` parts of one (Spark counts milliseconds).

    None for what is no number, not after 1970 ("not yet" is 0 or -1) or beyond the year 9999.
    """
    number = parse_number(value)
    return number / per_second if number is not None and 0 < number / per_second <= LAST else None


def parse_time(text: Any) -> float | None:
    """Epoch seconds of an RFC 3339 or Spark REST time (`2026-11-23T08:34:47.123GMT`); None where there is none.

    Spark writes 1969-12-31T23:59:59.999GMT for "not yet"; that is None too, as is what lies beyond the year 9999.
    """
    if not isinstance(text, str) or len(text) > _LONGEST:
        return None
    raw = text.strip().replace("GMT", "+00:00").replace("Z", "+00:00")
    try:
        value = datetime.fromisoformat(raw)
    except ValueError:
        return None
    if value.tzinfo is None:
        value = value.replace(tzinfo=UTC)
    return parse_epoch(value.timestamp())
