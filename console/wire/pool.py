"""A few daemon threads for blocking work (`requests` users, disks that may be network homes); exit waits for none."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


class Pool:
    """Runs blocking functions in at most `size` daemon threads, started when they are needed."""

    def __init__(self, size: int = 4, name: str = "console-blocking") -> None:
        self._size, self._name = size, name
        self._work: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._idle = 0
        self._lock = threading.Lock()
        self._closed = False

    async def run(self, function: Callable[..., T], *args: Any, deadline: float | None = None) -> T:
        """The result of `function(*args)`, computed in a thread of the pool.

        Args:
            deadline: seconds after which TimeoutError is raised here. The thread is not stopped: a function that can
                hang forever needs a limit of its own.
        """
        if self._closed:
            raise RuntimeError("the pool is closed")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()

        def settle(result: Any, error: BaseException | None) -> None:
            if future.done():
                return
            if error is not None:
                future.set_exception(error)
            else:
                future.set_result(result)

        def work() -> None:
            result, error = None, None
            if not future.cancelled():
                try:
                    result = function(*args)
                except BaseException as caught:
                    error = caught
            if not loop.is_closed():
                loop.call_soon_threadsafe(settle, result, error)

        with self._lock:
            if self._idle == 0 and len(self._threads) < self._size:
                thread = threading.Thread(target=self._serve, name=self._name, daemon=True)
                self._threads.append(thread)
                thread.start()
        self._work.put(work)
        async with asyncio.timeout(deadline):
            return await future

    def _serve(self) -> None:
        while True:
            with self._lock:
                self._idle += 1
            work = self._work.get()
            with self._lock:
                self._idle -= 1
            if work is None:
                return
            work()

    def close(self) -> None:
        """Let the threads end after what they do now."""
        self._closed = True
        for _ in self._threads:
            self._work.put(None)
