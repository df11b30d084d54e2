"""Time as a value that is passed in, so that drills, tests and replays decide what "now" is."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Where waits, holds and query times come from. Sockets and backoff use the real clock."""

    def now(self) -> float:
        """Seconds since the epoch (UTC)."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return when `seconds` of this clock's time have passed."""
        ...


class WallClock:
    """The machine's own time."""

    def now(self) -> float:
        return time.time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds))


class ScaledClock:
    """Virtual time that starts at `start` and runs `speed` times as fast as the wall.

    It never passes the wall clock: clients of a simulated cluster print nonsense for objects from the future.
    """

    def __init__(self, start: float, speed: float = 1.0) -> None:
        if speed <= 0:
            raise ValueError("speed must be positive")
        self._virtual, self._real, self.speed = start, time.monotonic(), speed

    def now(self) -> float:
        return min(self._virtual + (time.monotonic() - self._real) * self.speed, time.time())

    async def sleep(self, seconds: float) -> None:
        until = self.now() + seconds
        while (left := until - self.now()) > 0:
            await asyncio.sleep(min(left / self.speed, 0.5) + 0.001)


def rfc3339(seconds: float | None) -> str | None:
    """Epoch seconds as `2026-11-24T10:42:07Z`; None stays None."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_time(text: str | None) -> float | None:
    """Epoch seconds of an RFC 3339 or Spark REST time (`2026-11-23T08:34:47.123GMT`); None where there is none.

    Spark writes 1969-12-31T23:59:59.999GMT for "not yet"; that is None too.
    """
    if not text:
        return None
    raw = text.strip().replace("GMT", "+00:00").replace("Z", "+00:00")
    try:
        value = datetime.fromisoformat(raw)
    except ValueError:
        return None
    if value.tzinfo is None:
        value = value.replace(tzinfo=UTC)
    seconds = value.timestamp()
    return seconds if seconds > 0 else None
