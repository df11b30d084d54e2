"""The live picture: what is read, how it follows, and what it says when something fails."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from aiohttp import web

from console.base.clock import WallClock
from console.sources.cluster import reflector
from console.sources.cluster.source import ClusterSource, Scope
from console.wire.connection import Connection
from tests.sources.world import (
    FORBIDDEN,
    World,
    bookmark,
    calm,
    ended,
    event,
    executor,
    listed,
    named,
    oom_watch,
    picture,
    running,
    state_of,
    watching,
)
from tests.wire.peer import Peer, Streams, recorded, until


@pytest.fixture
def world(peer: Peer) -> World:
    return World(peer)


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reflector, "_FIRST_WAIT", 0.05)


# Reading


async def test_lists_in_pages_then_follows(world: World, connection: Connection) -> None:
    first = [executor(f"etl-exec-{n}") for n in range(3)]
    world.pods.lists(listed(first[:2], more="1"), listed(first[2:]))
    async with watching(connection) as source:
        assert [pod.name for pod in source.snapshot().pods] == ["etl-exec-0", "etl-exec-1", "etl-exec-2"]
        pod = source.snapshot().pods[0]
        assert pod.origin.locator == "/api/v1/namespaces/jobs/pods/etl-exec-0" and pod.origin.at
        await world.pods.opened.wait()
        assert world.pods.versions == ["10"]
        world.pods.feed(event("MODIFIED", executor("etl-exec-1", version=11, status=ended(52, "Error"))))
        await source.seen("pods", 11)
        changed = next(p for p in source.snapshot().pods if p.name == "etl-exec-1")
        assert changed.main is not None and changed.main.terminated is not None
        world.pods.feed(event("ADDED", executor("etl-exec-9", version=12)), bookmark(40))
        await source.seen("pods", "40")
        assert len(source.snapshot().pods) == 4
    query = next(a.query for a in world.peer.asked if a.path == "/api/v1/pods")
    assert query == {"labelSelector": "spark-role", "limit": "500"}


async def test_a_picture_is_the_same_object_until_something_changes(world: World, connection: Connection) -> None:
    async with watching(connection) as source:
        await calm(source)
        one = source.snapshot()
        assert source.snapshot() is one
        world.pods.feed(event("ADDED", executor(version=11)))
        async with asyncio.timeout(60):
            await source.changed.wait()
        two = source.snapshot()
        assert two.generation > one.generation and one.pods == () and len(two.pods) == 1
        assert two.nodes == one.nodes


async def test_nodes_workloads_and_custom_resources(world: World, connection: Connection) -> None:
    world.groups(kubeflow=True)
    world.streams["nodes"].lists(json.loads(recorded("kubernetes/nodes.json")))
    app = json.loads(recorded("kubernetes/app.json"))
    world.streams["sparkapplications"].lists(listed([app]))
    world.streams["deployments"].lists(listed([named("operator", spec={"replicas": 1})]))
    world.streams["resourcequotas"].lists(
        listed([named("q", namespace="elsewhere"), named("r", namespace="spark-jobs")])
    )
    async with watching(connection) as source:
        facts = source.snapshot()
        assert len(facts.nodes) == 1 and facts.nodes[0].capacity["cpu"] > 0
        assert (facts.spark[0].api_version, facts.spark[0].kind) == ("sparkoperator.k8s.io/v1beta2", "SparkApplication")
        kinds = {(w.kind, w.api_version, w.name) for w in facts.workloads}
        assert kinds == {("Deployment", "apps/v1", "operator"), ("ResourceQuota", "v1", "r")}
        assert facts.facts().spark == facts.spark
        words = {s.name: s.state for s in facts.sources}
        assert words["sparkapplications"] == "fresh" and words["sparkclusters.spark.apache.org"] == "absent"


async def test_an_operator_that_is_installed_later_is_found(
    world: World, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.sources.cluster.source._LOOK_AGAIN", 0.1)
    monkeypatch.setattr("console.sources.cluster.versions._HOLDS", 0.05)
    async with watching(connection) as source:
        assert state_of(source, "sparkapplications").state == "absent"
        world.groups(kubeflow=True)
        world.streams["sparkapplications"].lists(listed([json.loads(recorded("kubernetes/app.json"))]))
        facts = await picture(source, lambda f: f.spark)
        assert facts.spark[0].name == "etl-orders"


async def test_both_operators_are_told_apart_by_their_group(world: World, connection: Connection) -> None:
    world.groups(kubeflow=True)
    groups = [{"name": name, "versions": [{"version": v}]} for name, v in
              (("sparkoperator.k8s.io", "v1beta2"), ("spark.apache.org", "v1"))]  # fmt: skip
    world.peer.answer("/apis", {"groups": groups})
    found = [{"name": "sparkapplications", "kind": "SparkApplication", "namespaced": True}]
    world.peer.answer("/apis/spark.apache.org/v1", {"resources": found})
    world.serve("theirs", "/apis/spark.apache.org/v1/sparkapplications", named("pi", spec={}))
    world.streams["sparkapplications"].lists(listed([named("pi", spec={}, metadata={"uid": "other"})]))
    async with watching(connection) as source:
        apis = sorted(w.api_version for w in source.snapshot().spark)
        assert apis == ["spark.apache.org/v1", "sparkoperator.k8s.io/v1beta2"]


async def test_events_are_those_of_what_is_in_the_picture(world: World, connection: Connection) -> None:
    def about(kind: str, name: str, reason: str, uid: str = "", namespace: str = "jobs") -> dict[str, Any]:
        subject = {"kind": kind, "name": name, "namespace": namespace, "uid": uid}
        return {**named(f"{name}.{reason}"), "involvedObject": subject, "reason": reason, "message": reason}

    world.pods.lists(listed([executor()]))
    world.streams["events"].lists(
        listed(
            [
                about("Pod", "etl-exec-1", "FailedScheduling", "uid-etl-exec-1"),
                about("Pod", "etl-exec-1", "Pulled", "uid-etl-exec-1"),
                about("Pod", "stranger", "Unhealthy", "uid-stranger"),
                about("Node", "n1", "NodeNotReady"),
                about("SparkApplication", "etl", "SparkExecutorFailed"),
                about("SparkApplication", "theirs", "SparkExecutorFailed", namespace="far"),
                about("ConfigMap", "x", "Whatever"),
            ]
        )
    )
    async with watching(connection) as source:
        seen = {(e.kind, e.reason) for e in source.snapshot().events}
        assert seen == {
            ("Pod", "FailedScheduling"),
            ("Node", "NodeNotReady"),
            ("SparkApplication", "SparkExecutorFailed"),
        }
        world.pods.feed(event("ADDED", executor("stranger", version=11)))
        await source.seen("pods", 11)
        assert ("Pod", "Unhealthy") in {(e.kind, e.reason) for e in source.snapshot().events}
    asked = next(a.query for a in world.peer.asked if a.path == "/api/v1/events")
    assert "reason!=Pulled" in asked["fieldSelector"]


async def test_pods_of_workloads_that_run_spark_are_followed(world: World, connection: Connection) -> None:
    container = {"name": "c", "command": ["/opt/spark/sbin/start-connect-server.sh"]}
    server = named(
        "connect",
        spec={
            "selector": {"matchLabels": {"app": "connect"}},
            "template": {"spec": {"containers": [container]}},
        },
    )
    world.streams["deployments"].lists(listed([server, named("web", spec={"selector": {"matchLabels": {"a": "b"}}})]))
    followed = world.serve("followed", "/api/v1/namespaces/jobs/pods", named("connect-abc", spec={}, status={}))
    async with watching(connection) as source:
        facts = await picture(source, lambda f: f.pods)
        assert [p.name for p in facts.pods] == ["connect-abc"]
        await followed.opened.wait()
        asked = [a.query["labelSelector"] for a in world.peer.asked if a.path == "/api/v1/namespaces/jobs/pods"]
        assert set(asked) == {"app=connect"}
        world.streams["deployments"].feed(event("DELETED", server))
        await picture(source, lambda f: not f.pods)


# What vanishes


async def test_a_deleted_executor_stays_with_its_last_words(world: World, connection: Connection) -> None:
    watch = oom_watch()
    async with watching(connection) as source:
        world.pods.feed(*watch)
        facts = await picture(source, lambda f: any(p.gone for p in f.pods))
        dead = next(p for p in facts.pods if p.gone)
        assert dead.main is not None and dead.main.terminated is not None
        assert (dead.main.terminated.exit_code, dead.main.terminated.reason) == (137, "OOMKilled")
        assert [p.gone for p in facts.pods] == [False, True]


async def test_the_state_that_a_deletion_lost_is_kept(world: World, connection: Connection) -> None:
    async with watching(connection) as source:
        world.pods.feed(
            event("ADDED", executor(version=11)),
            event("MODIFIED", executor(version=12, status=ended(137, "OOMKilled"))),
            event("DELETED", executor(version=13, status=running(), deletionTimestamp="2026-11-23T10:00:00Z")),
        )
        await source.seen("pods", 13)
        (dead,) = source.snapshot().pods
        assert dead.gone and dead.deleted and dead.main and dead.main.terminated
        assert dead.main.terminated.reason == "OOMKilled"


async def test_what_vanished_while_nobody_watched(world: World, connection: Connection) -> None:
    world.pods.lists(listed([executor("etl-exec-1"), executor("etl-exec-2")]))
    async with watching(connection) as source:
        await world.pods.opened.wait()
        world.pods.lists(listed([executor("etl-exec-2")], 50))
        world.pods.feed(recorded("kubernetes/watch_old_rv_410.jsonl").strip())
        facts = await picture(source, lambda f: any(p.gone for p in f.pods))
        assert {p.name: p.gone for p in facts.pods} == {"etl-exec-1": True, "etl-exec-2": False}
        await until(lambda: world.pods.versions == ["10", "50"])


async def test_a_pod_of_the_same_name_is_another_pod(world: World, connection: Connection) -> None:
    async with watching(connection) as source:
        world.pods.feed(
            event("ADDED", executor(version=11)),
            event("DELETED", executor(version=12, status=ended(1, "Error"))),
            event("ADDED", executor(version=13, uid="uid-again")),
        )
        await source.seen("pods", 13)
        assert [(p.uid, p.gone) for p in source.snapshot().pods] == [("uid-again", False), ("uid-etl-exec-1", True)]


# What fails


async def test_a_cut_watch_goes_on_where_it_was(world: World, connection: Connection) -> None:
    async with watching(connection) as source:
        await world.pods.opened.wait()
        world.pods.feed(event("ADDED", executor(version=11)), bookmark(20))
        await source.seen("pods", 20)
        world.pods.cut()
        await world.pods.opened.wait()
        assert world.pods.versions == ["10", "20"] and world.peer.count("/api/v1/pods") == 3
        assert state_of(source, "pods").state == "fresh" and len(source.snapshot().pods) == 1


async def test_a_quiet_watch_is_begun_anew_without_a_word(
    world: World, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Events have no bookmarks: silence alone says nothing."""
    monkeypatch.setattr(reflector, "IDLE", 0.2)
    async with watching(connection) as source:
        await calm(source)
        events = world.streams["events"]
        await until(lambda: len(events.versions) > 3)
        assert not source.changed.is_set() and set(events.versions) == {"10"}


async def again_until(source: ClusterSource, word: str) -> None:
    """Try again and again until the pods are `word`."""

    def reached() -> bool:
        source.retry()
        return bool(state_of(source, "pods").state == word)

    await until(reached)


async def test_a_lost_cluster_leaves_the_last_data_and_says_their_age(
    world: World, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.pods.lists(listed([executor()]))
    async with watching(connection) as source:
        await world.pods.opened.wait()
        last = state_of(source, "pods").last
        monkeypatch.setattr(reflector, "LATE", 0.5)
        world.peer.answer("/api/v1/pods", "down", status=502, content_type="text/plain")
        world.pods.cut()
        await picture(source, lambda f: state_of(source, "pods").state == "late")
        await again_until(source, "stale")
        state = state_of(source, "pods")
        assert "HTTP 502" in state.detail and state.last == last and len(source.snapshot().pods) == 1
        world.serve("pods", "/api/v1/pods", executor())
        await again_until(source, "fresh")


async def test_a_cluster_that_was_never_reached(connection: Connection, peer: Peer) -> None:
    peer.answer("/.*", "down", status=502, content_type="text/plain")
    async with watching(connection, wait=False) as source:
        await until(lambda: {s.state for s in source.snapshot().sources} == {"unreachable"}, 15)
        assert "HTTP 502" in state_of(source, "sparkapplications").detail
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await source.synced("pods")


async def test_a_login_that_ended(world: World, connection: Connection) -> None:
    world.pods.lists(listed([executor()]))
    async with watching(connection) as source:
        await world.pods.opened.wait()
        world.peer.answer("/api/v1/pods", {}, status=401)
        world.pods.cut()
        await until(lambda: state_of(source, "pods").state == "login needed")
        state = state_of(source, "pods")
        assert "refuses the token" in state.detail and "renew the token" in state.hint
        assert len(source.snapshot().pods) == 1


async def test_what_is_forbidden_says_what_it_needs(world: World, connection: Connection) -> None:
    world.peer.answer("/api/v1/nodes", FORBIDDEN, status=403)
    async with watching(connection) as source:
        state = state_of(source, "nodes")
        assert state.state == "forbidden" and "cannot list resource" in state.detail
        assert state.hint == "needs get, list and watch on nodes"


def only_in(world: World, *allowed: str, names: bool = True) -> None:
    """Nothing may be listed in the whole cluster, pods only in `allowed`."""
    for path in ("/api/v1/.*", "/apis/apps/.*"):
        world.peer.answer(path, FORBIDDEN, status=403)
    if names:
        world.peer.answer(
            "/api/v1/namespaces", listed([{"metadata": {"name": n}} for n in ("a", "b", "c", "spark-jobs")])
        )

    async def review(request: web.Request) -> web.StreamResponse:
        asked = (await request.json())["spec"]["resourceAttributes"]
        return web.json_response({"status": {"allowed": asked["namespace"] in allowed}}, status=201)

    world.peer.on("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", review)
    for name in allowed:
        Streams(world.peer, f"/(api|apis)/.*/namespaces/{name}/[a-z]+").lists(listed([]))
        Streams(world.peer, f"/api/v1/namespaces/{name}/pods").lists(
            listed([executor(f"{name}-exec-1", namespace=name)])
        )


async def test_instead_of_the_cluster_the_namespaces_that_may_be_read(world: World, connection: Connection) -> None:
    only_in(world, "b", "c")
    async with watching(connection) as source:
        assert sorted(p.name for p in source.snapshot().pods) == ["b-exec-1", "c-exec-1"]
        state = state_of(source, "pods")
        assert (state.state, state.detail) == ("partial", "2 of 4 namespaces are read")
        assert state_of(source, "nodes").state == "forbidden"
    assert world.peer.count("/api/v1/namespaces/a/.*") == 0


async def test_without_a_list_of_namespaces_the_own_one_is_tried(world: World, connection: Connection) -> None:
    only_in(world, "spark-jobs", names=False)
    async with watching(connection) as source:
        assert [p.name for p in source.snapshot().pods] == ["spark-jobs-exec-1"]
        assert state_of(source, "pods").detail == "only namespace spark-jobs is read: namespaces may not be listed"


async def test_nothing_may_be_read_at_all(world: World, connection: Connection) -> None:
    only_in(world)
    async with watching(connection) as source:
        assert {s.state for s in source.snapshot().sources} == {"forbidden", "absent"}


async def test_only_the_namespaces_that_were_asked_for(world: World, connection: Connection) -> None:
    only_in(world, "a")
    async with watching(connection, Scope(namespaces=("a", "b"))) as source:
        assert [p.name for p in source.snapshot().pods] == ["a-exec-1"]
        state = state_of(source, "pods")
        assert (state.state, state.detail) == ("partial", "1 of 2 namespaces may not be read: b")
    assert world.peer.count("/api/v1/pods") == 0 and world.peer.count("/api/v1/namespaces/c/.*") == 0


async def test_nonsense_from_the_server_is_a_failure_not_an_end(world: World, connection: Connection) -> None:
    world.pods.lists(listed([executor()]))
    async with watching(connection) as source:
        await world.pods.opened.wait()
        world.pods.feed(b"{nonsense", event("MODIFIED", {"metadata": 5}))
        await until(lambda: len(world.pods.versions) > 1)
        assert len(source.snapshot().pods) == 1
        await until(lambda: state_of(source, "pods").state == "fresh")


async def test_words_of_freshness_change_with_time_alone(
    world: World, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.sources.cluster.source._TICK", 0.05)
    monkeypatch.setattr("console.sources.cluster.source._TICKS_A_MINUTE", 1_000_000)
    async with watching(connection) as source:
        await calm(source)
        monkeypatch.setattr(reflector, "QUIET", 0.1)
        async with asyncio.timeout(60):
            await source.changed.wait()
        assert state_of(source, "pods").state in ("late", "stale")


def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server is asked at once whether it is there, and has no time to answer."""
    for name, seconds in (("PULSE", 0.1), ("_PULSE_EVERY", 0.05), ("_PULSE_WITHIN", 0.3)):
        monkeypatch.setattr(f"console.sources.cluster.source.{name}", seconds)


async def test_a_server_that_was_stopped_is_late_and_then_stale_although_its_watches_stay_open(
    world: World, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped = asyncio.Event()

    async def never(request: web.Request) -> web.StreamResponse:
        await stopped.wait()
        return web.json_response({})

    hurried(monkeypatch)
    world.pods.lists(listed([executor()]))
    world.peer.answer("/version", {"major": "1"})
    async with watching(connection) as source:
        await until(lambda: world.peer.count("/version") > 2)
        assert state_of(source, "pods").state == "fresh", "it is asked, and answers"
        world.peer.on("GET", "/version", never)
        await until(lambda: state_of(source, "pods").state == "late")
        assert "did not answer" in state_of(source, "pods").detail
        assert {s.state for s in source.snapshot().sources if s.name in ("pods", "nodes", "events")} == {"late"}
        monkeypatch.setattr(reflector, "LATE", 0.0)
        await until(lambda: state_of(source, "pods").state == "stale")
        assert len(source.snapshot().pods) == 1, "what was known stays"
        stopped.set()
        world.pods.feed(event("ADDED", executor("etl-exec-2", version=20)))
        await until(lambda: state_of(source, "pods").state == "fresh")
        world.peer.answer("/version", {"major": "1"})
        await until(lambda: state_of(source, "nodes").state == "fresh")


async def test_a_server_that_says_no_is_there(
    world: World, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    hurried(monkeypatch)
    world.peer.answer("/version", FORBIDDEN, status=403)
    async with watching(connection) as source:
        await until(lambda: world.peer.count("/version") > 2)
        assert state_of(source, "pods").state == "fresh"


async def test_a_watch_that_is_silent_for_longer_than_its_bookmarks_is_late_and_then_stale(
    world: World, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.sources.cluster.source._TICK", 0.02)
    async with watching(connection) as source:
        await world.pods.opened.wait()
        (pods,), (nodes,) = (source._watched[name].reflectors for name in ("pods", "nodes"))
        pods.contact -= reflector.BOOKMARKS + 1
        assert pods.word() == "fresh", "it never had a bookmark: silence says nothing yet"
        world.pods.feed(bookmark(20))
        async with asyncio.timeout(60):
            await source.seen("pods", 20)
        pods.contact -= reflector.BOOKMARKS + 1
        await until(lambda: state_of(source, "pods").state == "late")
        pods.contact -= reflector.BOOKMARKS
        await until(lambda: state_of(source, "pods").state == "stale")
        assert state_of(source, "pods").detail == "nothing was heard for longer than a watch is ever silent"
        assert nodes.word() == "fresh"
        world.pods.feed(bookmark(30))
        await until(lambda: state_of(source, "pods").state == "fresh")


async def test_stop_leaves_nothing_running(world: World, connection: Connection) -> None:
    def ours() -> set[str]:
        names = {getattr(task.get_coro(), "__qualname__", "") for task in asyncio.all_tasks()}
        return {name for name in names if name.startswith(("ClusterSource", "Reflector", "Reader", "Keeper"))}

    source = ClusterSource(connection, Scope(), WallClock())
    await source.start()
    await source.synced()
    assert "Reflector.run" in ours()
    await source.stop()
    assert ours() == set()
