"""Which part of the cluster we may read, where we may not read it as a whole."""

from __future__ import annotations

import asyncio

import msgspec

from console.base.errors import ConsoleError, ForbiddenError, LoginNeeded
from console.base.jsontext import decode_elements
from console.facts.leftout import LeftOut, bounded
from console.wire.errors import NotFoundError
from console.wire.paths import object_path
from console.wire.reader import Reader

MAX_NAMESPACES = 40
"""Namespaces that are watched one by one: each is a connection for every kind."""
_AT_ONCE = 8
_SPARK = {"labelSelector": "spark-role", "limit": "1"}


class _NamespaceMeta(msgspec.Struct):
    name: str = ""


class _Namespace(msgspec.Struct):
    metadata: _NamespaceMeta = msgspec.field(default_factory=_NamespaceMeta)


async def readable_namespaces(reader: Reader, home: str) -> tuple[tuple[str, ...], str, tuple[LeftOut, ...]]:
    """The namespaces whose pods may be listed, what is missing in words (`` if nothing), and what the bound left out.

    Where there are more than `MAX_NAMESPACES`, those with Spark pods come first. Where namespaces may not even be
    listed, only `home`, the namespace of the context, is tried.

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

    answers = await asyncio.gather(*(readable(name) for name in names))
    allowed = [name for name, yes in zip(names, answers, strict=True) if yes]
    if not allowed:
        return (), "", ()
    if guessed:
        return tuple(allowed), f"only namespace {home} is read: namespaces may not be listed", ()
    empty = await _without_spark(reader, allowed) if len(allowed) > MAX_NAMESPACES else frozenset()
    allowed.sort(key=lambda name: (name != home, name in empty, name))
    kept, left_out = bounded(
        allowed,
        MAX_NAMESPACES,
        source="pods",
        what="namespaces that may be read are watched",
        first="those with Spark pods first",
        name=str,
        blinds=True,
    )
    note = "" if len(kept) == len(names) else f"{len(kept)} of {len(names)} namespaces are read"
    return tuple(kept), note, left_out


async def _without_spark(reader: Reader, names: list[str]) -> frozenset[str]:
    """Of these namespaces, those that have no Spark pod now."""
    gate = asyncio.Semaphore(_AT_ONCE)

    async def empty(name: str) -> bool:
        async with gate:
            try:
                body = await reader.get(object_path("v1", "pods", name), _SPARK)
                return not decode_elements(body, _Namespace, "items")[0]
            except LoginNeeded:
                raise
            except (ConsoleError, msgspec.DecodeError):
                return True

    answers = await asyncio.gather(*(empty(name) for name in names))
    return frozenset(name for name, yes in zip(names, answers, strict=True) if yes)


async def _namespaces(reader: Reader) -> list[str]:
    names: list[str] = []
    async for page in reader.pages("/api/v1/namespaces"):
        names.extend(item.metadata.name for item in decode_elements(page.body, _Namespace, "items")[0])
    return names
