"""Which part of the cluster we may read, where we may not read it as a whole."""

from __future__ import annotations

import asyncio

import msgspec

from console.base.errors import ConsoleError, ForbiddenError, LoginNeeded
from console.wire.errors import NotFoundError
from console.wire.reader import Reader

MAX_NAMESPACES = 40
_MAX_ASKED = 400
_AT_ONCE = 8


class _Meta(msgspec.Struct):
    name: str = ""


class _Named(msgspec.Struct):
    metadata: _Meta = msgspec.field(default_factory=_Meta)


class _Names(msgspec.Struct):
    items: list[_Named] = []


async def readable_namespaces(reader: Reader, home: str) -> tuple[tuple[str, ...], str]:
    """The namespaces whose pods may be listed, at most `MAX_NAMESPACES`, and what is missing in words (`` if nothing).

    Where namespaces may not even be listed, only `home`, the namespace of the context, is tried.

    Raises:
        LoginNeeded, ReachError.
    """
    try:
        names = await _namespaces(reader)
    except (ForbiddenError, NotFoundError):
        names = []
    guessed = not names
    names = names or [home]
    gate = asyncio.Semaphore(_AT_ONCE)

    async def readable(name: str) -> bool:
        async with gate:
            try:
                return (await reader.may("list", "pods", namespace=name)).allowed
            except LoginNeeded:
                raise
            except ConsoleError:
                return name == home

    answers = await asyncio.gather(*(readable(name) for name in names[:_MAX_ASKED]))
    allowed = [name for name, yes in zip(names, answers, strict=False) if yes]
    allowed.sort(key=lambda name: (name != home, name))
    if not allowed:
        return (), ""
    if guessed:
        return tuple(allowed), f"only namespace {home} is read: namespaces may not be listed"
    kept = tuple(allowed[:MAX_NAMESPACES])
    note = "" if len(kept) == len(names) else f"{len(kept)} of {len(names)} namespaces are read"
    return kept, note


async def _namespaces(reader: Reader) -> list[str]:
    names: list[str] = []
    async for page in reader.pages("/api/v1/namespaces"):
        names.extend(item.metadata.name for item in msgspec.json.decode(page.body, type=_Names).items)
    return names
