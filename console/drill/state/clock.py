"""Virtual time: one heap of things that will happen, and the clocks that people and tests see it through."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

TimerCallback = Callable[[], None]


@dataclass(order=True)
class Happening:
    """One planned event. It can be cancelled; it then still leaves the heap, silently."""

    when: float
    order: int
    action: TimerCallback | None = field(compare=False)

    def cancel(self) -> None:
        """It will not happen."""
        self.action = None


class EventHeap:
    """What will happen, ordered by virtual time and then by the order in which it was planned.

    Attributes:
        now: virtual epoch seconds of the latest thing that happened.
    """

    def __init__(self, start: float) -> None:
        self.now = start
        self._heap: list[Happening] = []
        self._order = itertools.count()

    def at(self, when: float, action: TimerCallback) -> Happening:
        """Plan `action`; a time in the past means now."""
        happening = Happening(max(when, self.now), next(self._order), action)
        heapq.heappush(self._heap, happening)
        return happening

    def after(self, seconds: float, action: TimerCallback) -> Happening:
        """Plan `action` in so many seconds."""
        return self.at(self.now + seconds, action)

    def next_time(self) -> float | None:
        """When the next thing happens, or None when nothing is planned."""
        while self._heap and self._heap[0].action is None:
            heapq.heappop(self._heap)
        return self._heap[0].when if self._heap else None

    def pop(self) -> bool:
        """Let the next thing happen; False when nothing is planned."""
        if self.next_time() is None:
            return False
        happening = heapq.heappop(self._heap)
        self.now = happening.when
        action, happening.action = happening.action, None
        if action is not None:
            action()
        return True

    def advance(self, until: float) -> int:
        """Let everything up to and including `until` happen; the number of things that did."""
        count = 0
        while (when := self.next_time()) is not None and when <= until:
            self.pop()
            count += 1
        self.now = max(self.now, until)
        return count


@dataclass(order=True)
class _Sleeper:
    when: float
    order: int
    loop: asyncio.AbstractEventLoop = field(compare=False)
    future: asyncio.Future[None] = field(compare=False)


class StepClock:
    """A clock that moves only when the world is stepped. `sleep` may be awaited from any thread and loop."""

    speed = 1.0

    def __init__(self, heap: EventHeap) -> None:
        self._heap, self._lock = heap, threading.Lock()
        self._sleepers: list[_Sleeper] = []
        self._order = itertools.count()

    def now(self) -> float:
        """Virtual epoch seconds."""
        return self._heap.now

    async def sleep(self, seconds: float) -> None:
        """Return when the world has reached that time."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        loop = asyncio.get_running_loop()
        sleeper = _Sleeper(self._heap.now + seconds, next(self._order), loop, loop.create_future())
        with self._lock:
            heapq.heappush(self._sleepers, sleeper)
        await sleeper.future

    @property
    def sleepers(self) -> int:
        """How many wait for a later time."""
        with self._lock:
            self._drop_cancelled()
            return len(self._sleepers)

    def next_wake(self) -> float | None:
        """The earliest time that somebody waits for."""
        with self._lock:
            self._drop_cancelled()
            return self._sleepers[0].when if self._sleepers else None

    def wake(self, now: float) -> int:
        """Wake everybody whose time has come; how many that were."""
        due: list[_Sleeper] = []
        with self._lock:
            self._drop_cancelled()
            while self._sleepers and self._sleepers[0].when <= now:
                due.append(heapq.heappop(self._sleepers))
                self._drop_cancelled()
        for sleeper in due:
            sleeper.loop.call_soon_threadsafe(_finish, sleeper.future)
        return len(due)

    def _drop_cancelled(self) -> None:
        while self._sleepers and self._sleepers[0].future.done():
            heapq.heappop(self._sleepers)


class PacedClock:
    """Virtual time for people: `speed` times as fast as the wall, never past it. The speed may change on the way."""

    def __init__(self, start: float, speed: float) -> None:
        self._virtual, self._real, self._speed = start, time.monotonic(), _positive(speed)

    @property
    def speed(self) -> float:
        """Virtual seconds per wall second."""
        return self._speed

    @speed.setter
    def speed(self, value: float) -> None:
        self._virtual, self._real, self._speed = self.now(), time.monotonic(), _positive(value)

    def now(self) -> float:
        """Virtual epoch seconds."""
        return min(self._virtual + (time.monotonic() - self._real) * self._speed, time.time())

    async def sleep(self, seconds: float) -> None:
        """Return when so many virtual seconds have passed."""
        until = self.now() + seconds
        while (left := until - self.now()) > 0:
            await asyncio.sleep(min(left / self._speed, 0.25) + 0.001)


def _positive(speed: float) -> float:
    if speed <= 0:
        raise ValueError("speed must be positive")
    return speed


def _finish(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
