"""A process that walks a runbook and stops at a boundary of its journal, to be killed there.

`walk` is what the process does. A boundary is `N committed` or `N uncommitted` (N counts the records that this process
writes), or `none`. It tells a line for each record, `at BOUNDARY` where it stops, and `ended OUTCOME`.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection as Pipe
from pathlib import Path

from console.base.document import parse
from console.operate.journal import Journal
from console.operate.person import Scripted
from console.runbook.walk import AnyEvent
from console.wire.config import ContextRef
from console.wire.connection import Connection
from tests.operate.tower import INPUTS, ORIGINS, desk, small

ANSWERS = "answers: {which: overhead}\nconfirm: yes\n"


class Halting(Journal):
    """A journal that tells its records, and stops the whole process at one of them."""

    def __init__(self, path: Path, boundary: str, tell: Callable[[str], None]) -> None:
        super().__init__(path)
        self.boundary, self.count, self.tell = boundary, 0, tell

    def append(self, walk: str, event: AnyEvent, *, expected: int | None = None) -> AnyEvent:
        self.count += 1
        self._halt(f"{self.count} uncommitted")
        stored = super().append(walk, event, expected=expected)
        self.tell(f"record {self.count} {type(event).__struct_config__.tag}")
        self._halt(f"{self.count} committed")
        return stored

    def _halt(self, here: str) -> None:
        if here == self.boundary:
            self.tell(f"at {here}")
            threading.Event().wait()


def walk(pipe: Pipe, folder: Path, kubeconfig: str, namespace: str, app: str, boundary: str, resumed: str) -> None:
    """Start a walk on `app`, or go on with the walk `resumed`; what happens is told through `pipe`."""
    asyncio.run(_walk(pipe.send, folder, kubeconfig, namespace, app, boundary, resumed))


async def _walk(
    tell: Callable[[str], None], folder: Path, kubeconfig: str, namespace: str, app: str, boundary: str, resumed: str
) -> None:
    connection = await Connection.open(ContextRef(kubeconfig=kubeconfig))
    at = desk(connection, namespace, folder, journal=Halting(folder / "journal.db", boundary, tell))
    person = Scripted.parse(parse(ANSWERS, "answers"))
    if resumed:
        await at.resume(resumed, person)
    id = resumed or await at.start(small(), INPUTS, ORIGINS, app, person)
    ended = await at.wait(id)
    await connection.close()
    tell(f"ended {ended.outcome}")
