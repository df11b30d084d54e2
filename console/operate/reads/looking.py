"""Reading the live objects that a runbook names. What cannot be read is said, and is not taken for absent."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

from msgspec import Struct

from console.base.errors import ConsoleError, ForbiddenError
from console.base.jsontext import decode_json
from console.base.text import clean
from console.operate.kubernetes import ObjectGone, place, read
from console.operate.reads.probing import probed
from console.operate.world import WalkView
from console.runbook.context.build import build
from console.runbook.context.objects import MOST, MOST_OF_ALL, LiveObject, Wanted, wanted, with_objects
from console.runbook.context.scope import in_scope
from console.runbook.context.turns import in_turn
from console.runbook.model import Runbook
from console.runbook.walk import Walk
from console.wire.paths import object_path
from console.wire.reader import Reader


class _Page(Struct):
    metadata: dict[str, Any] = {}
    items: list[dict[str, Any]] = []


async def context_of(
    world: WalkView, reader: Reader, runbook: Runbook, walk: Walk, now: Callable[[], float]
) -> tuple[dict[str, Any], dict[str, LiveObject]]:
    """The data of a runbook's templates, from facts that are not older than the last change; and the live objects."""
    board = await world.refreshed(after=walk.changed)
    runbook, walk = in_scope(runbook, walk)
    ctx = build(board, app=walk.subject, walk=walk, inputs=walk.inputs, alert=walk.alert, now=now(), runbook=runbook)
    if not runbook.about:
        return ctx, {}
    looked = await look(reader, wanted(runbook, board, walk, ctx))
    looked |= await probed(reader, runbook.probes, looked)
    return in_turn(with_objects(ctx, runbook, looked, walk.subject), walk, runbook), looked


async def look(reader: Reader, wanted: Iterable[Wanted]) -> dict[str, LiveObject]:
    """Each object by its name, read at the same time."""
    asked = list(wanted)
    found = await asyncio.gather(*(_one(reader, one) for one in asked))
    return {one.name: live for one, live in zip(asked, found, strict=True)}


async def _one(reader: Reader, one: Wanted) -> LiveObject:
    try:
        if one.labels is not None:
            return LiveObject("found", await _listed(reader, one, one.labels))
        return LiveObject("found", await read(reader, await place(reader, one.ref)))
    except ObjectGone as error:
        return LiveObject("absent", None, clean(error.message))
    except ForbiddenError as error:
        return LiveObject("forbidden", None, clean(error.message))
    except ConsoleError as error:
        return LiveObject("unreachable", None, clean(error.message))


async def _listed(reader: Reader, one: Wanted, labels: dict[str, str]) -> list[dict[str, Any]]:
    """All objects of a kind that have these labels; without labels all. Raises ConsoleError for too many."""
    resource = await reader.resource(one.ref.api_version, one.ref.kind)
    namespace = one.ref.namespace if resource.namespaced else ""
    path = object_path(one.ref.api_version, resource.plural, namespace)
    most = MOST if labels else MOST_OF_ALL
    chosen = {"labelSelector": ",".join(f"{key}={value}" for key, value in labels.items())} if labels else {}
    query = {**chosen, "limit": str(most)}
    answer = decode_json(await reader.get(path, query), _Page)
    if answer.metadata.get("continue"):
        raise ConsoleError(f"there are more than {most} of {one.ref.kind}{' with these labels' if labels else ''}")
    return [{"apiVersion": one.ref.api_version, "kind": one.ref.kind, **item} for item in answer.items]
