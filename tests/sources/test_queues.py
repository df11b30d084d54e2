"""What queues say is followed where the cluster serves it, costs nothing where it does not, and is bounded."""

from __future__ import annotations

from typing import Any

import pytest

from console.sources.cluster import source as live
from console.sources.cluster.kinds import KUEUE, QUEUED
from console.wire.connection import Connection
from tests.sources.world import FORBIDDEN, World, event, named, picture, state_of, watching
from tests.wire.peer import Peer

AT = f"/apis/{KUEUE}/v1beta2"
PLURALS = ("workloads", "localqueues", "clusterqueues")


@pytest.fixture
def world(peer: Peer) -> World:
    made = World(peer)
    versions = [{"version": "v1beta2"}, {"version": "v1beta1"}]
    peer.answer("/apis", {"groups": [{"name": KUEUE, "versions": versions, "preferredVersion": versions[0]}]})
    for version in ("v1beta2", "v1beta1"):
        resources = [{"name": plural, "kind": plural, "namespaced": True} for plural in PLURALS]
        peer.answer(f"/apis/{KUEUE}/{version}", {"resources": resources})
    for plural in PLURALS:
        made.serve(plural, f"{AT}/{plural}")
    return made


def workload(name: str, *, version: int = 1, finished: bool = False) -> dict[str, Any]:
    conditions = (
        [{"type": "Finished", "status": "True"}] if finished else [{"type": "QuotaReserved", "status": "False"}]
    )
    sets = [{"name": "driver", "count": 1, "template": {"spec": {"containers": [{"name": "x" * 500}]}}}]
    spec = {"queueName": "team", "podSets": sets}
    return {**named(name, version=version), "kind": "Workload", "spec": spec, "status": {"conditions": conditions}}


async def test_workloads_are_followed_without_their_templates_until_they_are_finished(
    world: World, connection: Connection
) -> None:
    world.serve("workloads", f"{AT}/workloads", workload("one"), workload("done", finished=True))
    async with watching(connection) as source:
        (one,) = [w for w in source.snapshot().workloads if w.kind == "Workload"]
        assert one.name == "one" and one.api_version.startswith(KUEUE) and "template" not in one.spec["podSets"][0]
        assert one.spec["podSets"][0]["count"] == 1
        world.streams["workloads"].feed(event("MODIFIED", workload("one", version=11, finished=True)))
        await picture(source, lambda seen: not any(w.kind == "Workload" for w in seen.workloads))


async def test_a_queue_that_may_not_be_read_is_said_and_matters_to_queues_only(
    world: World, connection: Connection
) -> None:
    world.peer.answer(f"{AT}/clusterqueues", FORBIDDEN, status=403)
    async with watching(connection) as source:
        state = state_of(source, f"clusterqueues.{KUEUE}")
        assert (state.state, state.optional) == ("forbidden", True)


async def test_queues_that_are_not_served_are_not_asked_for(peer: Peer, connection: Connection) -> None:
    World(peer)
    async with watching(connection) as source:
        assert {state_of(source, name).state for name in QUEUED} == {"absent"}
    assert not [asked.path for asked in peer.asked if KUEUE in asked.path or "volcano" in asked.path]


async def test_more_workloads_than_are_kept_are_counted(
    world: World, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "MAX_QUEUED", 10)
    world.serve("workloads", f"{AT}/workloads", *(workload(f"w{n}") for n in range(15)))
    async with watching(connection) as source:
        seen = await picture(source, lambda seen: any(o.source == f"workloads.{KUEUE}" for o in seen.left_out))
        assert sum(1 for w in seen.workloads if w.kind == "Workload") == 10
