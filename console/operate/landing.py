"""Whether a change arrived, asked of the object itself: by its stamp, its generation and the touched fields."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Literal

from console.base.errors import ForbiddenError, ReachError
from console.operate.kubernetes import Gone, generation_of, place, read, stamp_of, uid_of
from console.operate.sealing import seal_before
from console.runbook import patches
from console.runbook.walk import Intent
from console.wire.reader import Reader

SURE_SECONDS = 1.0
"""A change that has not landed is looked for once more after this time: its request may still have been under way."""
REACH_SECONDS = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Pauses between attempts to ask while the server cannot be reached."""
Answer = Literal["yes", "no", "unknown"]


async def landed(reader: Reader, intent: Intent) -> tuple[Answer, str]:
    """Whether the change of an intent arrived, asked of the object itself.

    Raises:
        ReachError, ForbiddenError: the object cannot be read now.
    """
    effect, target = intent.effect, intent.effect.target
    if target is None:
        return "unknown", "a script without a target leaves no trace that could be looked for"
    at = await place(reader, target)
    try:
        obj = await read(reader, at)
    except Gone:
        if effect.action == "delete":
            return "yes", f"{target.words} is gone"
        return "unknown", f"{target.words} does not exist any more, so it carries no stamp"
    return judge_landed(intent, obj)


def judge_landed(intent: Intent, obj: dict[str, Any]) -> tuple[Answer, str]:
    """The same for an object that was read: by its stamp, its generation and the touched fields."""
    effect, target = intent.effect, intent.effect.target
    assert target is not None
    same = not target.uid or uid_of(obj) == target.uid
    if effect.action == "delete":
        if not same:
            return "yes", f"{target.words} is another object now"
        if (obj.get("metadata") or {}).get("deletionTimestamp"):
            return "yes", f"{target.words} is being deleted"
        return "no", f"{target.words} is still there and not being deleted"
    if not same:
        return "unknown", f"{target.words} was deleted and created again"
    if stamp_of(obj) == effect.id:
        return "yes", f"{target.words} carries the stamp {effect.id}"
    unchanged = seal_before(patches.before(obj, _compared(intent)), target.kind) == intent.before
    if intent.generation and generation_of(obj) == intent.generation and unchanged:
        return "no", f"generation {intent.generation} and the touched fields of {target.words} are as they were"
    if not intent.generation and unchanged:
        return "no", f"the touched fields of {target.words} are as they were, and it carries no stamp"
    return "unknown", f"{target.words} was changed since, and does not carry the stamp {effect.id}"


def _compared(intent: Intent) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*intent.before, *intent.effect.touched)))


async def look(reader: Reader, intent: Intent, other_cluster: Callable[[], Awaitable[str]]) -> tuple[Answer, str]:
    """What the object says, patiently. A no is believed when it was said twice; what cannot be asked is unknown."""
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
    raise AssertionError("unreachable")
