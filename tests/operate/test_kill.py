"""Kill -9 at every boundary of a walk: nothing is lost, nothing is applied twice, and what is open is known to be open.

This process owns the peer, behind a relay that can hold a write. Another process walks, stops at one boundary and is
killed there; then the walk is resumed. `RECORDS` and `WRITES` are what an undisturbed walk does; a test records one and
compares, so a boundary that is added later cannot be forgotten here.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from console.actions.effects import STAMP
from console.operate.desk import Desk
from console.operate.journal import Journal
from console.runbook.walk import Applied, Intent, Landed, Walk, WalkEnded
from console.wire.connection import Connection
from tests.kills.processes import Victim
from tests.operate import walker
from tests.operate.conftest import YES, Cluster, Says
from tests.operate.objects import NEW, create, running, spark_path
from tests.operate.relay import Write
from tests.operate.test_desk import OVERHEAD
from tests.operate.tower import INPUTS, ORIGINS, desk, small

pytestmark = pytest.mark.usefixtures("nothing_under_way")
RECORDS = (
    "started", "rights asked", "entered", "judged", "entered", "answered", "entered", "previewed", "confirmed",
    "kept", "intent", "applied", "entered", "hold began", "verified", "entered", "ended",
)  # fmt: skip
WRITES = (
    "POST leases", "PATCH sparkapplications (dry run)", "PUT leases", "PATCH sparkapplications (dry run)",
    "PATCH sparkapplications", "POST events", "DELETE leases",
)  # fmt: skip
COMMITTED = [f"{number} committed" for number in range(1, len(RECORDS) + 1)]
UNCOMMITTED = [f"{RECORDS.index(kind) + 1} uncommitted" for kind in ("started", "intent", "applied", "ended")]
SENT = [f"write {number} {how}" for number in range(1, len(WRITES) + 1) for how in ("lost", "applied")]
BOUNDARIES = [*COMMITTED, *UNCOMMITTED, *SENT]
PATCH = WRITES.index("PATCH sparkapplications") + 1
AROUND = [
    "9 committed", "10 uncommitted", "10 committed", "11 uncommitted", "11 committed", f"write {PATCH} lost",
    f"write {PATCH} applied", "12 uncommitted", "12 committed",
]  # fmt: skip
"""The boundaries around the change itself: on the simulated cluster these stand for all of them."""
REAL = "real"


def on_both(boundaries: list[str], fewer: list[str]) -> list[Any]:
    """All of the boundaries on the real API server, fewer on the simulated one."""
    real = [pytest.param(REAL, b, marks=pytest.mark.parts, id=f"{REAL}-{b}") for b in boundaries]
    return [*real, *(pytest.param("simulated", b, id=f"simulated-{b}") for b in fewer)]


@dataclass
class Walker:
    """The other process, and the records that it has told."""

    victim: Victim
    records: list[str]

    @classmethod
    def begin(cls, cluster: Cluster, folder: Path, app: str, boundary: str, walk: str = "") -> Walker:
        what = (folder, cluster.ref().kubeconfig, cluster.namespace, app, boundary, walk)
        return cls(Victim.begin(walker.walk, *what), [])

    async def until(self, wanted: str) -> None:
        """Read what it tells until a line that begins so."""
        while line := await self.victim.line(60):
            if line.startswith("record "):
                self.records.append(line.split(" ", 2)[2])
            if line.startswith(wanted):
                return
        raise AssertionError(f"it ended before {wanted!r}")

    async def kill(self) -> None:
        assert await self.victim.kill()


@pytest.fixture
def app(cluster: Cluster) -> str:
    create(cluster.kube, cluster.namespace)
    running(cluster.kube, cluster.namespace)
    return f"{cluster.namespace}/etl-orders"


@pytest.fixture
async def at(cluster: Cluster, connection: Connection, tmp_path: Path) -> AsyncIterator[Desk]:
    here = desk(connection, cluster.namespace, tmp_path)
    yield here
    await here.close()


async def kill_at(boundary: str, cluster: Cluster, folder: Path, app: str, walk: str = "") -> None:
    """Let the other process come to the boundary, and kill it there."""
    cluster.relay.writes.clear()
    if not boundary.startswith("write "):
        victim = Walker.begin(cluster, folder, app, boundary, walk)
        await victim.until(f"at {boundary}")
        await victim.kill()
        return
    _, number, how = boundary.split()
    loop, reached, killed = asyncio.get_running_loop(), asyncio.Event(), asyncio.Event()

    async def hold(write: Write) -> None:
        if len(cluster.relay.writes) == int(number) and not killed.is_set():
            loop.call_soon_threadsafe(reached.set)
            while not killed.is_set():
                await asyncio.sleep(0.005)
            if how == "lost":
                raise ConnectionResetError

    setattr(cluster.relay, "received" if how == "lost" else "answered", hold)
    victim = Walker.begin(cluster, folder, app, "none", walk)
    await asyncio.wait_for(reached.wait(), 60)
    await victim.kill()
    killed.set()


async def go_on(at: Desk, app: str, folder: Path) -> tuple[Walk, Says]:
    """Resume the walk as a person would; begin it where there is none yet."""
    person = Says(*[_answers] * 9)
    heads = Journal(folder / "journal.db").walks()
    if heads and isinstance(Journal(folder / "journal.db").read(heads[0].walk)[-1], WalkEnded):
        return at.walks()[0] if at.walks() else await at.wait(heads[0].walk), person
    if heads:
        await at.resume(heads[0].walk, person)
        walk_id = heads[0].walk
    else:
        walk_id = await at.start(small(), INPUTS, ORIGINS, app, person)
    return await asyncio.wait_for(at.wait(walk_id), 60), person


async def _answers(question: object) -> object:
    kind = getattr(question, "kind", "")
    return {"ask": OVERHEAD, "confirm": YES}.get(kind)


def judge(cluster: Cluster, journal: Journal, walk: Walk) -> None:
    """What must be true after every crash."""
    assert walk.outcome == "resolved"
    obj = cluster.kube.get(spark_path(cluster.namespace, "etl-orders"))
    assert obj["spec"]["executor"]["memoryOverhead"] == NEW
    assert obj["metadata"]["generation"] == 2, "one change of the spec"
    applied = [w for w in cluster.relay.on("sparkapplications") if w.status == 200]
    assert len(applied) == 1, "exactly one write in the peer's log"
    chain = journal.verify(walk.id)
    assert chain.ok, chain.because
    events = journal.read(walk.id)
    intents = [e for e in events if isinstance(e, Intent)]
    done = {e.effect for e in events if isinstance(e, Applied) and e.ok}
    undone = {e.effect for e in events if isinstance(e, Landed) and e.answer == "no"}
    assert {i.effect.id for i in intents} == done | undone
    assert not done & undone
    assert len(done) == 1
    assert obj["metadata"]["annotations"][STAMP] in done, "one annotation, that of the change"
    assert walk.pending is None
    assert walk.in_doubt is None
    leases = cluster.kube.get(f"/apis/coordination.k8s.io/v1/namespaces/{cluster.namespace}/leases")["items"]
    assert leases == [], "nobody is locked out by the dead"


async def test_an_undisturbed_walk_has_these_boundaries(cluster: Cluster, app: str, tmp_path: Path) -> None:
    victim = Walker.begin(cluster, tmp_path, app, "none")
    await victim.until("ended resolved")
    assert await victim.victim.ended() == 0
    assert tuple(victim.records) == RECORDS
    assert tuple(w.words for w in cluster.relay.writes) == WRITES


@pytest.mark.parametrize(("cluster", "boundary"), on_both(BOUNDARIES, AROUND), indirect=["cluster"])
async def test_killed_there(boundary: str, at: Desk, cluster: Cluster, app: str, tmp_path: Path) -> None:
    await kill_at(boundary, cluster, tmp_path, app)
    walk, _ = await go_on(at, app, tmp_path)
    judge(cluster, Journal(tmp_path / "journal.db"), walk)


@pytest.mark.parametrize(
    ("cluster", "again"),
    on_both(["1 committed", "2 uncommitted", "2 committed", "3 uncommitted", "3 committed"], ["2 committed"]),
    indirect=["cluster"],
)
@pytest.mark.parametrize("how", ["applied", "lost"])
async def test_killed_again_while_the_doubt_is_settled(
    how: str, again: str, at: Desk, cluster: Cluster, app: str, tmp_path: Path
) -> None:
    """The change was under way; the process that resumes dies as well, at each of its first records."""
    await kill_at(f"write {PATCH} {how}", cluster, tmp_path, app)
    sent = list(cluster.relay.writes)
    walk_id = Journal(tmp_path / "journal.db").walks()[0].walk
    await kill_at(again, cluster, tmp_path, app, walk_id)
    cluster.relay.writes[:0] = sent
    walk, person = await go_on(at, app, tmp_path)
    judge(cluster, Journal(tmp_path / "journal.db"), walk)
    assert [q.kind for q in person.asked if q.kind == "landed"] == [], "the object itself says whether it arrived"


async def test_a_request_that_arrives_after_all_is_applied_only_once(
    at: Desk, cluster: Cluster, app: str, tmp_path: Path
) -> None:
    """The write hangs in the network, its process is killed, the walk is resumed, and then it arrives."""
    loop, reached, confirmed, over = asyncio.get_running_loop(), asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def slow(write: Write) -> None:
        if write.words == "PATCH sparkapplications" and not reached.is_set():
            loop.call_soon_threadsafe(reached.set)
            while not confirmed.is_set():
                await asyncio.sleep(0.005)

    async def arrived(write: Write) -> None:
        if write.words == "PATCH sparkapplications" and confirmed.is_set():
            loop.call_soon_threadsafe(over.set)

    cluster.relay.received, cluster.relay.answered = slow, arrived
    victim = Walker.begin(cluster, tmp_path, app, "none")
    await asyncio.wait_for(reached.wait(), 60)
    await victim.kill()

    async def lets_it_through(question: object) -> object:
        confirmed.set()
        await asyncio.wait_for(over.wait(), 60)
        return YES

    walk_id = Journal(tmp_path / "journal.db").walks()[0].walk
    await at.resume(walk_id, Says(lets_it_through))
    walk = await at.wait(walk_id)
    applied = [w for w in cluster.relay.on("sparkapplications") if w.status == 200]
    assert len(applied) == 1
    assert cluster.kube.get(spark_path(cluster.namespace, "etl-orders"))["metadata"]["generation"] == 2
    assert walk.outcome == "handed_over"
    assert "nothing would change" in str(walk.outputs["raise"]["because"])
