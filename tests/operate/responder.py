"""Another responder: a process that walks a runbook up to the question whether to apply its change, and waits there.

It prints the id of its walk, `waits` once it is asked, and at its end who took the walk, and why.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from console.operate.person import Question, Reply
from console.wire.config import ContextRef
from console.wire.connection import Connection
from tests.operate.tower import INPUTS, ORIGINS, desk, small


class Undecided:
    """Answers the question of the runbook, and never whether to apply."""

    name = "grace"

    async def answer(self, question: Question) -> Reply | None:
        if question.kind != "confirm":
            return Reply("overhead", "grace")
        print("waits", flush=True)
        await asyncio.Event().wait()
        return None


async def main(folder: str, kubeconfig: str, user: str, namespace: str) -> None:
    connection = await Connection.open(ContextRef(kubeconfig=kubeconfig, as_user=user or None))
    at = desk(connection, namespace, Path(folder), actor="grace")
    id = await at.start(small(), INPUTS, ORIGINS, f"{namespace}/etl-orders", Undecided())
    print(id, flush=True)
    walk = await at.wait(id)
    print(f"{walk.taken.by}: {walk.taken.because}" if walk.taken is not None else "nobody took it", flush=True)
    await connection.close()


asyncio.run(main(*sys.argv[1:]))
