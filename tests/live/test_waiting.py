"""A walk that waits for a board has it at once, however long the session rests between two boards."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

from console.live.loops import Loops
from console.live.plan import Pace


class Resting(Loops):
    """A session that reads nothing and rests for an hour after each board."""

    def __init__(self) -> None:
        metrics = SimpleNamespace(age=lambda: 0.0, asked=False)
        plan = SimpleNamespace(pace=Pace(build=3600.0))
        self._at: Any = SimpleNamespace(metrics=metrics, plan=plan, clock=SimpleNamespace(now=lambda: 1000.0))
        self._dirty, self._wanted = asyncio.Event(), asyncio.Event()
        self._built, self._builds = asyncio.Condition(), 0
        self._components_read, self._synced, self._failed = 1000.0, False, {}
        self._publish = lambda situation: None
        self.situation: Any = SimpleNamespace(board="no board")

    def _judge(self) -> None:
        self.situation = SimpleNamespace(board=f"board {self._builds + 1}")

    async def _read_sick(self) -> bool:
        return False


async def test_a_walk_does_not_wait_for_the_pause_after_a_board() -> None:
    loops = Resting()
    building = asyncio.create_task(loops._keep_building())
    loops.build_soon()
    async with asyncio.timeout(5), loops._built:
        await loops._built.wait_for(lambda: loops._builds == 1)
    async with asyncio.timeout(5):
        boards: list[Any] = [await loops.refreshed() for _ in range(3)]
    assert boards == ["board 2", "board 3", "board 4"]
    loops.build_soon()
    for _ in range(20):
        await asyncio.sleep(0)
    assert loops._builds == 4, "what changes by itself is built at the pace of the plan"
    building.cancel()
