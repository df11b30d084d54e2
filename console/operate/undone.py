"""After a rollback: wait until whoever runs the object has acted on it, and look at what that leaves. And after a
change that came undone: who undid it."""

from __future__ import annotations

import contextlib

from console.actions import owners
from console.actions.effects import Effect, ObjectRef
from console.base.clock import Clock
from console.base.errors import ConsoleError
from console.base.text import clean
from console.operate import kubernetes
from console.operate.world import WalkView
from console.runbook.afterwards import lookback
from console.runbook.model import Runbook
from console.runbook.walk import LookedBack, Walk
from console.wire.reader import Reader


async def by_whom(reader: Reader, target: ObjectRef, pointer: str) -> str:
    """Who wrote a field last, other than Console, and when, by the field managers of the object; `` where nobody can be
    named: the object cannot be read, or the field is gone and its manager with it."""
    try:
        obj = await kubernetes.read(reader, await kubernetes.place(reader, target))
    except ConsoleError:
        return ""
    others = [manager for manager in owners.managers(obj, pointer) if not manager.ours]
    if not others:
        return ""
    last = max(others, key=lambda manager: manager.time)
    return f"{last.words} wrote it" + (f" at {clean(last.time)}" if last.time else "")


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
