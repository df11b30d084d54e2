"""What the tests of this room share: a cluster behind a relay, and a way through the gate."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from console.base.clock import WallClock
from console.operate import scripts
from console.operate.gate import Way
from console.operate.locks import Locks
from console.operate.person import Question, Reply
from console.operate.policy import Rules
from console.operate.runner import other_cluster
from console.runbook.effects import Effect
from console.runbook.walk import AnyEvent
from console.wire.config import ContextRef
from console.wire.connection import Connection
from console.wire.writer import Writer
from tests.cluster.controlplane import KubeApi
from tests.cluster.kube import Kube
from tests.operate.relay import Relay


@dataclass
class Cluster:
    """A cluster, a namespace of the test's own in it, and the relay that the product goes through."""

    kube: Kube
    relay: Relay
    namespace: str
    folder: Path

    def kubeconfig(self, token: str = "") -> Path:
        name = "admin" if not token else "other"
        path = self.folder / f"{name}.kubeconfig"
        return self.relay.kubeconfig(path, token or self.kube.token, namespace=self.namespace)


@pytest.fixture
def cluster(kube_api: KubeApi, tmp_path: Path) -> Iterator[Cluster]:
    relay = Relay(kube_api.url, kube_api.authority).start()
    yield Cluster(kube_api, relay, kube_api.new_namespace("operate"), tmp_path)
    relay.stop()


@pytest.fixture
async def connection(cluster: Cluster) -> AsyncIterator[Connection]:
    opened = await Connection.open(ContextRef(kubeconfig=str(cluster.kubeconfig())))
    yield opened
    await opened.close()


class Says:
    """A person who answers as told, and remembers what was asked."""

    name = "ada"

    def __init__(self, *replies: Reply | Any | None) -> None:
        self.asked: list[Question] = []
        self._replies = list(replies)

    async def answer(self, question: Question) -> Reply | None:
        self.asked.append(question)
        reply = self._replies.pop(0) if self._replies else None
        return await reply(question) if callable(reply) else reply


YES, NO = Reply("yes", "ada"), Reply("no", "ada")


@dataclass
class Passage:
    """A way through the gate that writes down what would be journalled."""

    connection: Connection
    folder: Path
    events: list[AnyEvent]

    def way(self, person: Says, rules: Rules | None = None, **changes: Any) -> Way:
        rules = rules or Rules(mode="write")
        writer = None if rules.mode == "read-only" else Writer(self.connection)
        identity = self.connection.identity
        pinned = {"server": identity.server, "ca": identity.ca_hash, "uid": identity.cluster_uid}

        async def same_cluster() -> str:
            return await other_cluster(self.connection, pinned)

        async def script(effect: Effect, dry_run: bool) -> scripts.Finished:
            env = {"CONSOLE_DRY_RUN": "1"} if dry_run else {}
            return await scripts.run(effect.argv, timeout=effect.timeout, env=env)

        way = Way(
            walk="w-1",
            step="raise",
            rules=rules,
            clock=WallClock(),
            reader=self.connection.reader,
            writer=writer,
            locks=None if writer is None else Locks.of(writer, self.folder, "ada", "w-1"),
            person=person,
            actor="ada",
            cluster="test-cluster",
            other_cluster=same_cluster,
            emit=self.events.append,
            head=lambda: "f" * 64,
            run_script=script,
            applied_to="verify",
            refused_to="refused",
            failed_to="failed",
        )
        return replace(way, **changes)

    @property
    def kinds(self) -> list[str]:
        return [type(event).__name__ for event in self.events]


@pytest.fixture
def passage(connection: Connection, tmp_path: Path) -> Passage:
    return Passage(connection, tmp_path / "run", [])
