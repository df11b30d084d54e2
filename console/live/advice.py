"""Advice on a living cluster: what was watched anyway, and a few bounded reads that are made only now."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from msgspec.structs import replace

from console.base.clock import Clock
from console.health.advice.catalogue import version_of
from console.health.advice.engine import advise
from console.health.advice.model import Report
from console.health.advice.said import is_history_server
from console.health.apps import assemble
from console.health.facts import Facts, Pod
from console.health.groups import role_of
from console.sources.advice import catalogue, read_posture, read_programs

if TYPE_CHECKING:
    from console.wire.reader import Reader


async def report(
    reader: Reader, facts: Facts, clock: Clock, *, app: str = "", version: str = "", wide: bool = True
) -> Report:
    """Advice on everything in scope, or on one application and its namespace.

    Args:
        facts: the present picture.
        app: key of the application, `` for all.
        version: what the cluster says of its own version, such as `v1.37.2`.
        wide: whether rights outside the scope's namespaces may be looked at.

    Raises:
        LoginNeeded: the credentials ended.
    """
    namespace = app.partition("/")[0]
    pods = [p for p in facts.pods if _speaks(p) and (not namespace or p.namespace == namespace)]
    spaces = sorted({p.namespace for p in facts.pods if role_of(p) and not p.gone} | {w.namespace for w in facts.spark})
    spaces = [namespace] if namespace else spaces
    posture, told = await asyncio.gather(
        read_posture(reader, spaces, clock, wide=wide), read_programs(reader, pods, clock)
    )
    whole = replace(facts, at=clock.now(), rest=(*facts.rest, *told))
    return await asyncio.to_thread(
        lambda: advise(whole, assemble(whole), catalogue(), posture, app=app, cluster=version_of(version))
    )


def _speaks(pod: Pod) -> bool:
    return is_history_server(pod) or role_of(pod) in ("driver", "connect")
