"""Advice on a living cluster: what was watched anyway, and a few bounded reads that are made only now."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from console.advice.catalogue import version_of
from console.advice.engine import advise
from console.advice.model import AdviceReport
from console.advice.version import is_history_server
from console.apps.assemble import assemble
from console.apps.groups import role_of
from console.base.clock import Clock
from console.facts.model import Facts, Pod
from console.sources.cluster.advice import catalogue, read_posture, read_programs
from console.wire.pool import Pool

if TYPE_CHECKING:
    from console.wire.reader import Reader


async def report(
    reader: Reader,
    facts: Facts,
    clock: Clock,
    *,
    app: str = "",
    version: str = "",
    wide: bool = True,
    scope: Sequence[str] = (),
) -> AdviceReport:
    """Advice on everything in scope, or on one application and its namespace.

    Args:
        facts: the present picture.
        app: key of the application, `` for all.
        version: what the cluster says of its own version, such as `v1.37.2`.
        wide: whether rights outside the scope's namespaces may be looked at.
        scope: namespaces that were asked for; they are looked at whether Spark runs in them or not.

    Raises:
        LoginNeeded: the credentials ended.
    """
    namespace = app.partition("/")[0]
    pods = [p for p in facts.pods if _speaks(p) and (not namespace or p.namespace == namespace)]
    spaces = sorted({p.namespace for p in facts.pods if role_of(p) and not p.gone} | {w.namespace for w in facts.spark})
    spaces = [namespace] if namespace else sorted({*spaces, *scope})
    posture, told = await asyncio.gather(
        read_posture(reader, spaces, clock, wide=wide), read_programs(reader, pods, clock)
    )
    documents, beyond = told
    whole = replace(facts, at=clock.now(), rest=(*facts.rest, *documents), left_out=(*facts.left_out, *beyond))
    with contextlib.closing(Pool(1, "console-advice")) as pool:
        return await pool.run(
            lambda: advise(
                whole, assemble(whole), catalogue(), posture, app=app, cluster=version_of(version), looked=spaces
            )
        )


def _speaks(pod: Pod) -> bool:
    return is_history_server(pod) or role_of(pod) in ("driver", "connect")
