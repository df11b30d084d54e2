"""After a rollback: wait until whoever runs the object has acted on it, and look at what that leaves."""

from __future__ import annotations

import contextlib

from console.actions.effects import Effect
from console.base.clock import Clock
from console.base.errors import ConsoleError
from console.operate import kubernetes
from console.operate.world import WalkView
from console.runbook.afterwards import lookback
from console.runbook.model import Runbook
from console.runbook.walk import LookedBack, Walk
from console.wire.reader import Reader


async def seen(
    rollback: Effect, walk: Walk, runbook: Runbook, world: WalkView, reader: Reader, clock: Clock
) -> LookedBack:
    """What a rollback leaves; what cannot be read is said to be unknown."""
    until = clock.now() + lookback.LONGEST
    await clock.sleep(lookback.SOON)
    board = await world.refreshed(after=walk.changed)
    while not lookback.settled(board, walk) and clock.now() < until:
        await clock.sleep(lookback.EVERY)
        board = await world.refreshed(after=walk.changed)
    obj = None
    if rollback.target is not None:
        with contextlib.suppress(ConsoleError):
            obj = await kubernetes.read(reader, await kubernetes.place(reader, rollback.target))
    return lookback.looked(walk, rollback, obj, board, runbook, clock.now())
