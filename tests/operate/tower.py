"""A desk with a small world around it: the applications of one namespace, read anew each time."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from console.apps.assemble import assemble
from console.base.clock import WallClock
from console.board.model import Board, Cluster
from console.facts.model import Facts, Origin
from console.operate.desk import Desk
from console.operate.journal import Journal
from console.operate.person import Question
from console.operate.policy import ChangeRules
from console.operate.world import Queried
from console.runbook import schema
from console.runbook.catalogue import Catalogue
from console.runbook.model import Runbook
from console.runbook.scripts import ScriptSpec
from console.runbook.walk import Walk
from console.sources.cluster import decode
from console.sources.files.runbooks import read_catalogue
from console.wire.connection import Connection
from tests.operate.objects import spark_path

SMALL = Path(__file__).with_name("small.yaml")


@dataclass
class Shelf:
    """A library of a few runbooks."""

    runbooks: dict[str, Runbook] = field(default_factory=dict)
    scripts: dict[str, ScriptSpec] = field(default_factory=dict)
    catalogue: Catalogue = field(default_factory=read_catalogue)


def small(text: str = "") -> Runbook:
    """The runbook of these tests, or another text of it."""
    return schema.load(text or SMALL.read_text(), "small.yaml")


@dataclass
class SmallWorld:
    """Reads the namespace when it is asked. It has no metrics."""

    connection: Connection
    namespace: str
    clock: WallClock = field(default_factory=WallClock)
    boards: list[Board] = field(default_factory=list)

    def board(self) -> Board:
        return self.boards[-1] if self.boards else Board(self.clock.now(), Cluster(), "UNKNOWN")

    async def refreshed(self, *, after: float | None = None) -> Board:
        body = await self.connection.reader.get(spark_path(self.namespace))
        items = msgspec.json.decode(body)["items"]
        now = self.clock.now()
        kind = {"apiVersion": "sparkoperator.k8s.io/v1beta2", "kind": "SparkApplication"}
        spark = tuple(decode.workload({**kind, **item}, Origin("kubernetes", "list", now)) for item in items)
        apps = assemble(Facts(at=now, spark=spark))
        self.boards.append(Board(now, Cluster(), "UNKNOWN", apps=apps))
        return self.boards[-1]

    async def query(self, expr: str) -> Queried:
        return Queried(None, "no Prometheus")


class Seen:
    """What was published."""

    def __init__(self) -> None:
        self.walks: list[Walk] = []
        self.questions: list[Question | None] = []

    def __call__(self, walk: Walk, question: Question | None) -> None:
        self.walks.append(walk)
        self.questions.append(question)


def desk(connection: Connection, namespace: str, folder: Path, **changes: Any) -> Desk:
    """A desk whose journal and locks lie in `folder`."""
    runbook = small()
    fields: dict[str, Any] = {
        "connection": connection,
        "journal": Journal(folder / "journal.db"),
        "rules": ChangeRules(mode="write", cooldown=0),
        "clock": WallClock(),
        "world": SmallWorld(connection, namespace),
        "library": Shelf({runbook.id: runbook}),
        "actor": "ada",
        "folder": folder,
    }
    return Desk(**{**fields, **changes})


INPUTS: dict[str, Any] = {"size": "1200m"}
ORIGINS = {"app": "selection.app", "size": "default"}
