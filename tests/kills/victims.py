"""What the processes do that are killed. Each tells `begin` where its walk begins, and `ended OUTCOME`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any

from console.base.document import parse
from console.live import Live, Pace, Plan, Situation
from console.operate.desk import Desk
from console.operate.person import Scripted
from console.runbook.model import Runbook
from console.runbook.scripts import ScriptSpec
from console.settings.load import load
from console.wire.config import ContextRef
from console.wire.connection import Connection
from tests.operate.test_guarded_scripts import PRELUDE, runbook
from tests.operate.tower import INPUTS, ORIGINS, Shelf, desk, small

PATIENCE = 300.0
PACE = Pace(build=0.02, heartbeat=1.0, metrics=2.0, reads=10.0)
YES = "answers: {which: overhead}\nconfirm: yes\n"
CODE = PRELUDE + "status, said = cores(3)\nprint(said)\nsys.exit(0 if status == 200 else 1)\n"
"""A script that changes one field of the application."""


@dataclass(frozen=True)
class SmallWalk:
    """A walk of a small runbook: `kind` is patch or script, `app` is `namespace/name`."""

    kind: str
    folder: Path
    kubeconfig: str
    app: str

    def book(self) -> Runbook:
        return small() if self.kind == "patch" else runbook(timeout="10m")

    def desk(self, connection: Connection) -> Desk:
        namespace = self.app.split("/")[0]
        if self.kind == "patch":
            return desk(connection, namespace, self.folder)
        script, book = self.folder / "attack.py", self.book()
        if not script.exists():
            script.write_text(CODE)
        spec = ScriptSpec("attack", "Lower the cores", str(script), "python", "write")
        return desk(connection, namespace, self.folder, library=Shelf({book.id: book}, {"attack": spec}))

    @property
    def given(self) -> tuple[dict[str, Any], dict[str, str]]:
        """Inputs and their origins."""
        return (INPUTS, ORIGINS) if self.kind == "patch" else ({}, {})


def walk_small(pipe: Pipe, at: SmallWalk, resumed: str) -> None:
    """Start a walk, or go on with the walk `resumed`."""

    async def walk() -> str | None:
        connection = await Connection.open(ContextRef(kubeconfig=at.kubeconfig, request_timeout=PATIENCE))
        here, person = at.desk(connection), Scripted.parse(parse(YES, "answers"))
        pipe.send("begin")
        if resumed:
            await here.resume(resumed, person)
        inputs, origins = at.given
        id = resumed or await here.start(at.book(), inputs, origins, at.app, person)
        return (await here.wait(id)).outcome

    pipe.send(f"ended {asyncio.run(walk())}")


class StandingClock:
    """Time that stands still, as that of the drill does; who waits is killed."""

    def __init__(self, at: float) -> None:
        self._at = at

    def now(self) -> float:
        return self._at

    async def sleep(self, seconds: float) -> None:
        if seconds > 0:
            await asyncio.Event().wait()


@dataclass(frozen=True)
class DrillWalk:
    """A walk of the shipped runbook in a drill that runs in another process.

    Attributes:
        now: the drill's time. It stands still while walks are killed.
        answers: a file with what the person says. `app`: what is walked, as `namespace/name`.
    """

    config: Path
    kubeconfig: str
    context: str
    prometheus: str
    alertmanager: str
    state: Path
    answers: Path
    app: str
    now: float

    def plan(self) -> Plan:
        return Plan(
            load(self.config, {}, context=self.context, flags={}),
            ContextRef(context=self.context, kubeconfig=self.kubeconfig, request_timeout=PATIENCE),
            clock=StandingClock(self.now),
            kind="simulated",
            prometheus=self.prometheus,
            alertmanager=self.alertmanager,
            state=self.state,
            evidence=self.state / "evidence",
            pace=PACE,
        )


def resumed(live: Live, at: DrillWalk, walk: str, person: Scripted, begins: Callable[[], None] = lambda: None) -> str:
    """Go on with a walk, or start one once its finding is seen; its id.

    Args:
        begins: called before.
    """
    if walk:
        begins()
        return live.resume(walk, person).result(PATIENCE)
    until = time.monotonic() + PATIENCE
    while not any(f.app == at.app and f.code == "executor-oom-container" for f in live.situation.board.findings):
        assert time.monotonic() < until, "nothing is found"
        time.sleep(0.05)
    begins()
    given = {"app": at.app, "hold": "60s", "slo_deadline": "60s"}
    return live.begin("spark-oom", app=at.app, given=given, person=person).result(PATIENCE)


def walk_drill(pipe: Pipe, at: DrillWalk, walk: str) -> None:
    """Start a walk once its finding is seen, or go on with `walk`. Tells `changed` when it has changed something."""
    told: list[str] = []

    def look(situation: Situation) -> None:
        if not walk and not told and any(one.writes for one in situation.walks):
            told.append("changed")
            pipe.send("changed")

    live = Live(at.plan())
    live.subscribe(look)
    with live:
        live.settle(PATIENCE)
        person = Scripted.read(at.answers, production=False)
        id = resumed(live, at, walk, person, lambda: pipe.send("begin"))
        pipe.send(f"ended {live.finished(id).result().outcome}")
