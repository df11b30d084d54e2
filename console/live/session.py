"""One session with a cluster: its loops and the intents of people, brought together. Lives on the loop's thread."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from msgspec.structs import replace

from console.live.approvals import OpenRequests
from console.live.connect import Connected, connect
from console.live.intents import Intents
from console.live.loops import Loops
from console.live.plan import Plan
from console.live.questions import Questions
from console.live.situation import Focus, Situation


class Session:
    """Made by `open`; `run` works until it is cancelled, `close` ends everything."""

    def __init__(
        self,
        at: Connected,
        publish: Callable[[Situation], None],
        publish_focus: Callable[[Focus], None],
        settled: Callable[[], None],
    ) -> None:
        self.at, self._publish = at, publish
        self.loops = Loops(at, self._show, publish_focus, settled, lambda: self.intents.walked)
        self.questions = Questions(at, self.loops)
        self.intents = Intents(at, self.loops, self._walks_changed)
        self.requests = OpenRequests(at, lambda: self._show(self.loops.situation))

    @classmethod
    async def open(
        cls,
        plan: Plan,
        publish: Callable[[Situation], None],
        publish_focus: Callable[[Focus], None],
        settled: Callable[[], None],
    ) -> Session:
        """Connect and say who we are there.

        Raises:
            ReachError, LoginNeeded, UsageError: as `Connection.open` does.
        """
        at = await connect(plan)
        try:
            return cls(at, publish, publish_focus, settled)
        except BaseException:
            await at.close()
            raise

    async def run(self) -> None:
        """Read, judge and publish until cancelled."""
        await self.at.source.start()
        works = (*self.loops.works(), self._follow_up(), self.requests.watch())
        tasks = [asyncio.create_task(work) for work in works]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def close(self) -> None:
        await self.intents.desk.close()
        await self.at.close()

    async def _follow_up(self) -> None:
        while True:
            await self.loops.built()
            await self.intents.follow_up()
            await asyncio.sleep(self.at.plan.pace.reads / 4)

    def _show(self, situation: Situation) -> None:
        self._publish(replace(self.intents.shown_on(situation), requests=self.requests.open))

    def _walks_changed(self) -> None:
        self._show(self.loops.situation)
        self.loops.build_soon()
