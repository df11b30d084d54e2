"""What the tests of this room share: a cluster behind a relay, and a way through the gate."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from console.actions.effects import Effect
from console.actions.pins import Pin
from console.base.clock import WallClock
from console.drill.kube.access import DenyRule
from console.drill.session import DrillSession
from console.operate import landing
from console.operate.gate_context import GateContext
from console.operate.identity import other_cluster
from console.operate.locks import Locks
from console.operate.person import Question, Reply
from console.operate.policy import ChangeRules
from console.operate.scripts.process import Finished
from console.operate.scripts.runs import run_guarded
from console.runbook.afterwards import lookback
from console.runbook.walk import AnyEvent
from console.wire.calls import Leave
from console.wire.config import ContextRef
from console.wire.connection import Connection
from console.wire.writer import Writer
from tests.cluster.kube import Kube
from tests.operate.relay import Relay

GRANTED = [
    ("sparkoperator.k8s.io", "sparkapplications", ("get", "list", "patch")),
    ("sparkoperator.k8s.io", "scheduledsparkapplications", ("get", "list")),
    ("coordination.k8s.io", "leases", ("get", "create", "update", "delete")),
    ("", "events", ("create",)),
    ("", "pods", ("get", "list", "delete")),
    ("", "resourcequotas", ("get", "list")),
    ("", "limitranges", ("get", "list")),
]


@dataclass
class Cluster:
    """A cluster, a namespace of the test's own in it, and the relay that the product goes through."""

    kube: Kube
    relay: Relay
    namespace: str
    folder: Path
    session: DrillSession | None = None

    def ref(self, **more: Any) -> ContextRef:
        """The administrator, through the relay."""
        path = self.folder / "admin.kubeconfig"
        self.relay.kubeconfig(path, self.kube.token, namespace=self.namespace)
        return ContextRef(kubeconfig=str(path), **more)

    def without(self, resource: str, *verbs: str) -> ContextRef:
        """Somebody who has what Console needs in this namespace, but not these verbs on this resource."""
        if self.session is not None:
            self.session.deny(DenyRule(verbs=verbs, resources=(resource,), namespaces=(self.namespace,)))
            return self.ref()
        rules = [
            {"apiGroups": [group], "resources": [name], "verbs": [v for v in has if name != resource or v not in verbs]}
            for group, name, has in GRANTED
        ]
        self.kube.grant("grace", *(rule for rule in rules if rule["verbs"]), namespace=self.namespace)
        return self.ref(as_user="grace")


@dataclass
class Simulated:
    """The simulated cluster in a loop of its own, so that tests may block; its time stands still."""

    session: DrillSession
    kube: Kube


@contextmanager
def simulation() -> Iterator[Simulated]:
    """The cluster in a thread of its own."""
    opened: Future[DrillSession] = Future()
    loop, stopping = asyncio.new_event_loop(), asyncio.Event()

    async def serve() -> None:
        async with DrillSession.open("spark-oom", "default", step=True) as session:
            opened.set_result(session)
            await stopping.wait()

    def run() -> None:
        try:
            loop.run_until_complete(serve())
        except Exception as error:
            opened.set_exception(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    session = opened.result(60)
    token = next(token for token, user in session.kube.access.tokens.items() if "viewers" not in user.groups)
    yield Simulated(session, Kube(session.kube_url, Path(), token, Path(session.kubeconfig)))
    loop.call_soon_threadsafe(stopping.set)
    thread.join(10)


@pytest.fixture(scope="session")
def simulated() -> Iterator[Simulated]:
    with simulation() as world:
        yield world


@pytest.fixture(params=["simulated", pytest.param("real", marks=pytest.mark.parts)])
def cluster(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Cluster]:
    session: DrillSession | None = None
    if request.param == "real":
        kube: Kube = request.getfixturevalue("kube_api")
        relay = Relay(kube.url, kube.authority).start()
    else:
        world: Simulated = request.getfixturevalue("simulated")
        kube, session, relay = world.kube, world.session, Relay(world.kube.url, None).start()
    yield Cluster(kube, relay, kube.new_namespace("operate"), tmp_path, session)
    relay.stop()


@pytest.fixture
def nothing_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever looks whether a change arrived is sure soon: here no request is under way any more."""
    monkeypatch.setattr(landing, "SURE_SECONDS", 0.01)


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a rollback leaves is looked at at once: nobody acts on it here."""
    monkeypatch.setattr(lookback, "SOON", 0.0)
    monkeypatch.setattr(lookback, "LONGEST", 0.0)


@pytest.fixture
async def connection(cluster: Cluster) -> AsyncIterator[Connection]:
    opened = await Connection.open(cluster.ref())
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
    """A gate that writes down what would be journalled."""

    connection: Connection
    folder: Path
    events: list[AnyEvent]

    def gate(self, person: Says, rules: ChangeRules | None = None, **changes: Any) -> GateContext:
        rules = rules or ChangeRules(mode="write")
        writer = None if rules.mode == "read-only" else Writer(self.connection)
        identity = self.connection.identity
        pinned = {"server": identity.server, "ca": identity.ca_hash, "uid": identity.cluster_uid}

        async def same_cluster() -> str:
            return await other_cluster(self.connection, pinned)

        async def script(effect: Effect, leave: Leave, pin: Pin) -> Finished:
            return await run_guarded(effect, leave, pin, connection=self.connection, folder=self.folder)

        gate = GateContext(
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
        return replace(gate, **changes)

    @property
    def kinds(self) -> list[str]:
        return [type(event).__name__ for event in self.events]


@pytest.fixture
def passage(connection: Connection, tmp_path: Path) -> Passage:
    return Passage(connection, tmp_path / "run", [])
