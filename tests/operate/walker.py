"""A process that walks a runbook and stops at a boundary of its journal, to be killed there.

`python -m tests.operate.walker FOLDER KUBECONFIG NAMESPACE APP BOUNDARY [WALK]` starts a walk, or resumes WALK.
BOUNDARY is `N committed` or `N uncommitted` (N counts the records that this process writes), or `none`. It prints a
line for each record, `at BOUNDARY` where it stops, and `ended OUTCOME`.
"""

from __future__ import annotations

import asyncio
import sys
import threading
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

    def __init__(self, path: Path, boundary: str) -> None:
        super().__init__(path)
        self.boundary, self.count = boundary, 0

    def append(self, walk: str, event: AnyEvent, *, expected: int | None = None) -> AnyEvent:
        self.count += 1
        self._halt(f"{self.count} uncommitted")
        stored = super().append(walk, event, expected=expected)
        print(f"record {self.count} {type(event).__struct_config__.tag}", flush=True)
        self._halt(f"{self.count} committed")
        return stored

    def _halt(self, here: str) -> None:
        if here == self.boundary:
            print(f"at {here}", flush=True)
            threading.Event().wait()


async def main(folder: str, kubeconfig: str, namespace: str, app: str, boundary: str, walk: str = "") -> None:
    connection = await Connection.open(ContextRef(kubeconfig=kubeconfig))
    journal = Halting(Path(folder) / "journal.db", boundary)
    at = desk(connection, namespace, Path(folder), journal=journal)
    person = Scripted.parse(parse(ANSWERS, "answers"))
    if walk:
        await at.resume(walk, person)
    else:
        walk = await at.start(small(), INPUTS, ORIGINS, app, person)
    ended = await at.wait(walk)
    await connection.close()
    print(f"ended {ended.outcome}", flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
