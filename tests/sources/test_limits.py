"""Bounds of reading a cluster: what matters most is kept, and what was left out is said."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web

from console.components.find import find
from console.sources.cluster import component_pods, gone, scope, source
from console.sources.cluster.component_pods import ComponentPods
from console.sources.cluster.gone import VanishedPods
from console.wire.connection import Connection
from tests.sources.test_component_pods import DEFINITIONS, Steps, metastore
from tests.sources.world import FORBIDDEN, World, listed, named, picture, watching
from tests.wire.peer import Peer


@pytest.fixture
def world(peer: Peer) -> World:
    return World(peer)


def connect_server(name: str, *, ready: int = 1) -> dict[str, Any]:
    container = {"name": "c", "command": ["/opt/spark/sbin/start-connect-server.sh"]}
    spec = {
        "replicas": 1,
        "selector": {"matchLabels": {"app": name}},
        "template": {"spec": {"containers": [container]}},
    }
    return named(name, spec=spec, status={"readyReplicas": ready})


def pods_by_selector(peer: Peer) -> None:
    """Each server has one pod, which only its own selector finds."""

    async def answer(request: web.Request) -> web.StreamResponse:
        name = request.query["labelSelector"].removeprefix("app=")
        if request.query.get("watch") != "true":
            return web.json_response(listed([named(f"{name}-pod", spec={}, status={})]))
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        await peer_ends.wait()
        return response

    import asyncio

    peer_ends = asyncio.Event()
    peer.on("GET", "/api/v1/namespaces/jobs/pods", answer)


async def test_the_forty_first_connect_server_is_seen_like_the_first(world: World, connection: Connection) -> None:
    servers = [connect_server(f"connect-{n:02}") for n in range(64)]
    world.streams["deployments"].lists(listed(servers))
    pods_by_selector(world.peer)
    async with watching(connection) as cluster:
        facts = await picture(cluster, lambda f: len(f.pods) == 64, 20.0)
        assert "connect-40-pod" in {pod.name for pod in facts.pods}
        assert facts.left_out == ()


async def test_beyond_the_bound_servers_without_ready_pods_are_followed_and_the_others_are_named(
    world: World, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "MAX_FOLLOWED", 3)
    servers = [connect_server(f"connect-{n}", ready=0 if n == 7 else 1) for n in range(8)]
    world.streams["deployments"].lists(listed(servers))
    pods_by_selector(world.peer)
    async with watching(connection) as cluster:
        facts = await picture(cluster, lambda f: len(f.pods) == 3)
        assert {pod.name for pod in facts.pods} == {"connect-0-pod", "connect-1-pod", "connect-7-pod"}
        (left_out,) = facts.left_out
        assert left_out.said == (
            "3 of 8 workloads that run Spark have their pods followed, those that lack pods first; "
            "not jobs/connect-2, jobs/connect-3, jobs/connect-4 and 2 more"
        )
        assert left_out.blinds


async def test_of_too_many_namespaces_those_with_spark_are_watched_and_the_others_are_named(
    world: World, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scope, "MAX_NAMESPACES", 2)
    names = [f"team-{n}" for n in range(5)]
    world.peer.answer("/api/v1/namespaces", {"items": [{"metadata": {"name": name}} for name in names]})
    world.peer.answer(
        "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", {"status": {"allowed": True}}, method="POST"
    )
    world.peer.answer("/api/v1/pods", FORBIDDEN, status=403)
    for name in names:
        mine = [named(f"{name}-driver", namespace=name, spec={}, status={})] if name == "team-4" else []
        world.serve(name, f"/api/v1/namespaces/{name}/pods").lists(listed(mine))
    async with watching(connection, wait=False) as cluster:
        facts = await picture(cluster, lambda f: f.pods and f.left_out)
        assert [pod.name for pod in facts.pods] == ["team-4-driver"]
        assert facts.left_out[0].said == (
            "2 of 5 namespaces that may be read are watched, those with Spark pods first; not team-1, team-2, team-3"
        )


async def test_events_beyond_the_bound_are_counted(
    world: World, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "MAX_EVENTS", 10)
    about = {"kind": "Node", "name": "n"}
    many = [
        named(f"e{n:02}", reason="R", involvedObject=about, lastTimestamp=f"2026-11-23T10:00:{n:02}Z")
        for n in range(12)
    ]
    world.streams["events"].lists(listed(many))
    async with watching(connection) as cluster:
        facts = await picture(cluster, lambda f: f.left_out)
        assert [one.said for one in facts.left_out] == ["events: 10 of 12 are kept, the newest first"]


def test_a_pod_that_died_and_had_to_give_way_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    from console.facts.model import Origin, Pod

    monkeypatch.setattr(gone, "LIMITS", {2: 2, 1: 2, 0: 2})
    pods = VanishedPods()
    for n in range(5):
        pods.add(str(n), Pod("jobs", f"p{n}", Origin("kubernetes", str(n)), reason="Evicted"))
    assert [one.words for one in pods.left_out()] == [
        "2 of 5 vanished pods that did not complete are remembered, those that died first"
    ]


async def test_of_too_many_components_the_one_that_lacks_pods_is_read(
    peer: Peer, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    from msgspec.structs import replace

    monkeypatch.setattr(component_pods, "MAX_WORKLOADS", 1)
    facts = metastore()
    well = facts.workloads[0]
    sick = replace(well, name="metastore-z", status={"readyReplicas": 0})
    reads = ComponentPods(connection.reader, Steps(), 60.0)
    peer.answer("/api/v1/namespaces/data/pods", {"items": []})
    found = find(replace(facts, workloads=(well, sick)), DEFINITIONS).values()
    assert await reads.refresh(found)
    assert [one.said for one in reads.left_out] == [
        "1 of 2 workloads of components have their pods read, those that lack pods first; not Deployment/data/metastore"
    ]


async def test_all_pods_of_a_component_are_read_page_by_page(peer: Peer, connection: Connection) -> None:
    def page(first: int, more: str) -> dict[str, Any]:
        items = [named(f"m-{n}", namespace="data", spec={}, status={}) for n in range(first, first + 100)]
        return {"metadata": {"continue": more}, "items": items}

    async def answer(request: web.Request) -> web.StreamResponse:
        at = int(request.query.get("continue") or 0)
        return web.json_response(page(at * 100, "" if at == 2 else str(at + 1)))

    peer.on("GET", "/api/v1/namespaces/data/pods", answer)
    reads = ComponentPods(connection.reader, Steps(), 60.0)
    await reads.refresh(find(metastore(), DEFINITIONS).values())
    assert len(reads.pods) == 300 and reads.left_out == ()
