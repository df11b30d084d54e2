"""Whether a change arrived, asked of the object itself: by its stamp, its generation and the touched fields."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from console.actions import verb_of
from console.actions.verb import Arrived
from console.base.errors import ForbiddenError, ReachError
from console.operate.kubernetes import ObjectGone, place, read
from console.operate.scripts import runs
from console.runbook.walk import Intent
from console.wire.errors import ApiError
from console.wire.reader import Reader

SURE_SECONDS = 1.0
"""A change that has not landed is looked for once more after this time: its request may still have been under way."""
REACH_SECONDS = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Pauses between attempts to ask while the server cannot be reached."""


async def landed(reader: Reader, intent: Intent) -> tuple[Arrived, str]:
    """Whether the change of an intent arrived, asked of the object itself.

    Raises:
        ReachError, ForbiddenError, ApiError: the object cannot be read now.
    """
    effect, target = intent.effect, intent.effect.target
    if verb_of(effect.action).runs:
        mine = None if target is None else await _of_target(reader, intent)
        return await runs.arrived(reader, effect, mine)
    return await _of_target(reader, intent)


async def _of_target(reader: Reader, intent: Intent) -> tuple[Arrived, str]:
    effect, target = intent.effect, verb_of(intent.effect.action).trace(intent.effect)
    assert target is not None
    at = await place(reader, target)
    try:
        obj = await read(reader, at)
    except ObjectGone:
        return verb_of(effect.action).gone(target.words)
    return verb_of(effect.action).landed(effect, intent.before, intent.generation, obj)


async def asked(reader: Reader, intent: Intent, other_cluster: Callable[[], Awaitable[str]]) -> tuple[Arrived, str]:
    """What the object says, patiently. A no is believed when it was said twice; what cannot be asked is unknown.

    Before anything is believed, what is left of a script's processes is looked for and ended.
    """
    left = await runs.ended(intent.effect.id) if verb_of(intent.effect.action).runs else ""
    answer, because = await _asked(reader, intent, other_cluster)
    return answer, f"{left}; {because}" if left else because


async def _asked(reader: Reader, intent: Intent, other_cluster: Callable[[], Awaitable[str]]) -> tuple[Arrived, str]:
    for pause in (*REACH_SECONDS, None):
        try:
            if other := await other_cluster():
                return "unknown", other
            found = await landed(reader, intent)
            if found[0] == "no":
                await asyncio.sleep(SURE_SECONDS)
                found = await landed(reader, intent)
            return found
        except ForbiddenError as error:
            return "unknown", f"it may not be looked at: {error.message}"
        except ReachError as error:
            if pause is None:
                return "unknown", f"it cannot be looked at: {error.message}"
            await asyncio.sleep(pause)
        except ApiError as error:
            return "unknown", f"it cannot be looked at: {error.message}"
    raise AssertionError("unreachable")
