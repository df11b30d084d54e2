"""Figures of single rooms, by processor time (best of three) beside their budgets: `python -m tests.benchmarks.rooms`.

applications   10,000 pods of 500 applications are assembled, then once more with nothing changed
components     the same pods beside 64 nodes and 40 Deployments are judged by every definition of a part
wordings       10 MB of a driver's log are searched for every known wording
drill          a simulated cluster is opened, and a thousand seconds of it (about 2,300 events) are played
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

APPLICATIONS, EXECUTORS = 500, 19
LOG_BYTES, SIMULATED = 10_000_000, 1000.0
RUNS = 3


def spent(work: Callable[[], Any]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def applications() -> Iterator[tuple[str, float, float]]:
    from console.apps.assemble import Assembler
    from tests.findings.worlds import driver, executor, facts

    ids = [f"spark-{number:032x}" for number in range(APPLICATIONS)]
    pods = [driver(name=f"a{n}-driver", app_id=ids[n]) for n in range(APPLICATIONS)]
    pods += [
        executor(e, name=f"a{n}-exec-{e}", app_id=ids[n], owner=f"a{n}-driver")
        for n in range(APPLICATIONS)
        for e in range(EXECUTORS)
    ]
    world, again = facts(*pods), Assembler()
    yield "applications assembled", min(spent(lambda: Assembler().assemble(world)) for _ in range(RUNS)), 0.3
    again.assemble(world)
    yield "  with nothing changed", min(spent(lambda: again.assemble(world)) for _ in range(RUNS)), 0.05


def components() -> Iterator[tuple[str, float, float]]:
    from console.components.judge import judge
    from console.settings.presets import load_library
    from tests.components.worlds import crowded

    world, definitions = crowded(), load_library().components.values()
    judge(world, definitions)
    yield "components judged", min(spent(lambda: judge(world, definitions)) for _ in range(RUNS)), 0.15


def wordings() -> Iterator[tuple[str, float, float]]:
    from console.facts.logs import find
    from console.facts.wordings import WORDINGS
    from tests.facts.test_logs import text

    line = "26/11/23 09:55:02 INFO TaskSetManager: Finished task 0.0 in stage 50.0 (TID 92) in 120 ms on 10.0.0.1\n"
    held = text(line * (LOG_BYTES // len(line)))

    def search() -> None:
        for word, needles in WORDINGS.items():
            list(find([held], word, needles))

    yield "10 MB of log searched", min(spent(search) for _ in range(RUNS)), 0.3


def drill() -> Iterator[tuple[str, float, float]]:
    from console.drill.session import DrillSession

    async def play() -> tuple[float, float]:
        began = time.process_time()
        async with DrillSession.open("spark-oom", step=True) as session:
            opened = time.process_time() - began
            began = time.process_time()
            while session.now < session.begin + SIMULATED:
                await session.step()
            return opened, time.process_time() - began

    opened, played = (min(figures) for figures in zip(*(asyncio.run(play()) for _ in range(RUNS)), strict=True))
    yield "drill opened", opened, 0.3
    yield "  a thousand seconds played", played, 0.5


def main() -> int:
    for room in (applications, components, wordings, drill):
        for what, seconds, budget in room():
            print(f"{what:<28} {seconds:8.3f} s   {seconds / budget:5.2f} of {budget} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
