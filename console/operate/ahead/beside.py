"""Reading what a verb has to see beside its target. What cannot be read is said to be unread."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec

from console.actions.beside import Beside, FoundBeside, ReadWanted
from console.base.errors import ConsoleError
from console.base.jsontext import decode_tree
from console.base.shapes import mappings
from console.base.text import clean
from console.wire.errors import NotFoundError
from console.wire.paths import object_path
from console.wire.reader import Reader

SECONDS = 8.0
MOST_BESIDE = 500
"""Objects of one kind that are looked at."""


async def read(reader: Reader, wanted: Sequence[ReadWanted]) -> Beside:
    """Key → what was found there."""
    found = await asyncio.gather(*(_one(reader, one) for one in wanted))
    return {one.key: what for one, what in zip(wanted, found, strict=True)}


async def _one(reader: Reader, one: ReadWanted) -> FoundBeside:
    try:
        async with asyncio.timeout(SECONDS):
            return await _items(reader, one)
    except NotFoundError:
        return FoundBeside()
    except TimeoutError:
        return FoundBeside(error=f"no answer in {SECONDS:.0f}s")
    except ConsoleError as error:
        return FoundBeside(error=clean(error.message))
    except msgspec.MsgspecError as error:
        return FoundBeside(error=clean(str(error)))


async def _items(reader: Reader, one: ReadWanted) -> FoundBeside:
    resource = await reader.resource(one.api_version, one.kind)
    namespace = one.namespace if resource.namespaced else ""
    if one.name:
        return FoundBeside((await reader.object(object_path(one.api_version, resource.plural, namespace, one.name)),))
    query = {"limit": str(MOST_BESIDE)}
    if one.labels:
        query["labelSelector"] = ",".join(f"{key}={value}" for key, value in one.labels.items())
    tree = decode_tree(await reader.get(object_path(one.api_version, resource.plural, namespace), query))
    items = tuple(mappings(tree.get("items")))
    if (tree.get("metadata") or {}).get("continue"):
        return FoundBeside(items, f"there are more than {MOST_BESIDE}, and only those were looked at")
    return FoundBeside(items)
