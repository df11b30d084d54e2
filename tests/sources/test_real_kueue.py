"""Waits as a real Kueue makes them: quota in use, more than can ever be, a stopped queue, the head of a strict one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from console.base.clock import WallClock
from console.board.compose import board
from console.board.model import Cluster
from console.board.waits import AppWait, waits_of
from console.findings.diagnose import Engine
from console.sources.cluster.source import ClusterSource, Scope
from console.wire.config import ContextRef
from console.wire.connection import Connection
from tests.cluster.inventory import CONTROL_PLANE, PARTS
from tests.cluster.kueue import Kueue
from tests.cluster.node import obstacle
from tests.cluster.parts import require_parts
from tests.wire.peer import until

pytestmark = pytest.mark.parts


@pytest.fixture
def kueue(tmp_path: Path) -> Iterator[Kueue]:
    if PARTS["kueue"].find() is None:
        pytest.skip("needs Kueue, which is built only where it is asked for: python -m tests.cluster.build kueue")
    if why := obstacle():
        pytest.skip(why)
    require_parts(*CONTROL_PLANE)
    made = Kueue(tmp_path)
    try:
        yield made
    finally:
        made.stop()


async def waiting(kueue: Kueue, space: str) -> dict[str, AppWait]:
    """Who waits, as the board of the cluster says it."""
    connection = await Connection.open(ContextRef(kubeconfig=str(kueue.kube.kubeconfig)))
    source = ClusterSource(connection, Scope(namespaces=(space,)), WallClock())
    await source.start()
    try:
        await source.synced()
        facts = source.snapshot().facts()
    finally:
        await source.stop()
        await connection.close()
    verdict = Engine().judge(facts)
    seen = board(facts, Cluster(), verdict.apps, verdict.findings)
    return {one.app.partition("/")[2]: one for one in waits_of(seen)}


async def test_waits_of_a_real_kueue_are_told_with_place_amount_and_holder(kueue: Kueue) -> None:
    space = kueue.kube.new_namespace()
    for name, memory, more in (
        ("small", "2Gi", {}), ("tiny", "1Gi", {}), ("stopped", "8Gi", {"stopPolicy": "Hold"}),
        ("strict", "2Gi", {"queueingStrategy": "StrictFIFO"}),
    ):  # fmt: skip
        kueue.queue(space, name, memory, **more)
    for name, queue, executors, word in (
        ("holder", "small", 3, "admitted"), ("waits", "small", 2, "insufficient"), ("large", "tiny", 4, "insufficient"),
        ("parked", "stopped", 1, "inactive"), ("first", "strict", 2, "admitted"), ("head", "strict", 3, "insufficient"),
    ):  # fmt: skip
        kueue.application(space, name, queue, executors)
        await until(lambda name=name, word=word: kueue.decided(space, name, word), 30)  # type: ignore[misc]
    kueue.application(space, "later", "strict", 1)
    await until(lambda: kueue.waits(space, "later"), 30)
    told = await waiting(kueue, space)
    assert told.keys() == {"waits", "large", "parked", "head", "later"}, told
    assert f"held by {space}/holder (2Gi memory)" in told["waits"].line and "place 1 of 1" in told["waits"].line
    assert "1536Mi memory of flavor plain missing" in told["waits"].line
    assert "it can never fit" in told["large"].line and "smaller application" in told["large"].line
    assert "whoever stopped ClusterQueue stopped" in told["parked"].line
    assert f"place 2 of 2 (reckoned) behind {space}/head" in told["later"].line
    assert all(one.told.keeper == "kueue" and one.since for one in told.values())
