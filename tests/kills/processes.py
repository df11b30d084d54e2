"""Processes that are killed: each is forked from one that has imported everything, and has done nothing else."""

from __future__ import annotations

import asyncio
import multiprocessing
import signal
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe
from multiprocessing.context import ForkServerProcess
from typing import Any

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["tests.operate.walker", "tests.kills.victims", "kubernetes.config"])
PATIENCE = 300.0
"""Seconds after which a process that says nothing is given up."""


@dataclass
class Victim:
    """The other process, and the end of the pipe through which it tells lines."""

    process: ForkServerProcess
    told: Pipe

    @classmethod
    def begin(cls, target: Callable[..., None], *what: Any) -> Victim:
        """Call `target(pipe, *what)` in a process of its own."""
        told, telling = PROCESSES.Pipe(duplex=False)
        process = PROCESSES.Process(target=target, args=(telling, *what), daemon=True)
        process.start()
        telling.close()
        return cls(process, told)

    async def line(self, seconds: float = PATIENCE) -> str:
        """The next line that it tells; `` once it has ended.

        Raises:
            TimeoutError: it told none in time.
        """
        try:
            if not await asyncio.to_thread(self.told.poll, seconds):
                raise TimeoutError(f"it told nothing in {seconds:.0f}s")
            return str(self.told.recv())
        except EOFError:
            return ""

    async def kill(self) -> bool:
        """Kill it; False where it had ended by itself."""
        self.process.kill()
        return await self.ended() == -signal.SIGKILL

    async def ended(self) -> int | None:
        """Its exit code, or what killed it, negative."""
        await asyncio.to_thread(self.process.join, PATIENCE)
        return self.process.exitcode
