"""Writing: exactly the requests that are meant, and none of them twice."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from console.base.errors import LoginNeeded, ReachError
from console.wire.config import ContextRef
from console.wire.connection import Connection
from console.wire.errors import ConflictError, InvalidError, TooManyError
from console.wire.writer import Writer
from tests.wire.peer import Peer, kubeconfig

APP = "/apis/sparkoperator.k8s.io/v1beta2/namespaces/jobs/sparkapplications/etl"


@pytest.fixture
def writer(connection: Connection) -> Writer:
    return Writer(connection)


@pytest.mark.parametrize(
    ("kind", "body", "content_type"),
    [
        ("merge", {"spec": {"executor": {"memoryOverhead": "1200m"}}}, "application/merge-patch+json"),
        ("json", [{"op": "test", "path": "/x", "value": 1}], "application/json-patch+json"),
        ("strategic", {"spec": {}}, "application/strategic-merge-patch+json"),
    ],
)
async def test_a_patch(peer: Peer, writer: Writer, kind: Any, body: Any, content_type: str) -> None:
    peer.answer(APP, {"metadata": {"generation": 2}}, method="PATCH")
    assert (await writer.patch(APP, body, kind, dry_run=True, strict=True))["metadata"]["generation"] == 2
    sent = peer.last(APP, "PATCH")
    assert sent.headers["content-type"] == content_type and json.loads(sent.body) == body
    assert sent.query == {"fieldManager": "console-oncall", "dryRun": "All", "fieldValidation": "Strict"}
    await writer.patch(APP, body, kind)
    assert peer.last(APP, "PATCH").query == {"fieldManager": "console-oncall"}


async def test_a_delete_names_whom_it_means(peer: Peer, writer: Writer) -> None:
    peer.answer("/api/v1/namespaces/jobs/pods/p", {"kind": "Status"}, method="DELETE")
    await writer.delete("/api/v1/namespaces/jobs/pods/p", uid="u-1", grace_seconds=0, propagation="Background")
    assert json.loads(peer.asked[-1].body) == {
        "apiVersion": "v1",
        "kind": "DeleteOptions",
        "preconditions": {"uid": "u-1"},
        "gracePeriodSeconds": 0,
        "propagationPolicy": "Background",
    }
    await writer.delete("/api/v1/namespaces/jobs/pods/p", uid="u-1", dry_run=True)
    assert json.loads(peer.asked[-1].body)["dryRun"] == ["All"] and peer.asked[-1].query == {"dryRun": "All"}


async def test_refusals_are_told_apart(peer: Peer, writer: Writer) -> None:
    for status, kind in ((409, ConflictError), (422, InvalidError)):
        peer.answer(APP, {"kind": "Status", "message": "no"}, method="PATCH", status=status)
        with pytest.raises(kind):
            await writer.patch(APP, {}, "merge")
    budget = {"kind": "Status", "message": "Cannot evict pod as it would violate the pod's disruption budget."}
    peer.answer("/api/v1/.*/eviction", budget, method="POST", status=429, headers={"Retry-After": "1"})
    with pytest.raises(TooManyError, match="disruption budget"):
        await writer.evict("jobs", "p", uid="u-1", dry_run=True)
    assert peer.count("/api/v1/.*/eviction", "POST") == 1
    options = json.loads(peer.asked[-1].body)["deleteOptions"]
    assert options == {"preconditions": {"uid": "u-1"}, "dryRun": ["All"]}


async def test_an_event_says_who_it_is_about(peer: Peer, writer: Writer) -> None:
    peer.answer("/api/v1/namespaces/jobs/events", {}, method="POST", status=201)
    about = {"kind": "SparkApplication", "namespace": "jobs", "name": "etl", "uid": "u"}
    await writer.event("jobs", about=about, reason="Changed", message="x" * 2000, at=0.25, annotations={"a": "b"})
    body = json.loads(peer.asked[-1].body)
    assert (body["eventTime"], body["lastTimestamp"]) == ("1970-01-01T00:00:00.250000Z", "1970-01-01T00:00:00Z")
    assert body["involvedObject"] == about and len(body["message"]) == 1024
    assert body["reportingComponent"] == "console-oncall" and body["metadata"]["generateName"] == "console-oncall-"


async def test_a_lease_is_taken_renewed_taken_over_and_given_back(peer: Peer, writer: Writer) -> None:
    leases = "/apis/coordination.k8s.io/v1/namespaces/jobs/leases"
    kept: dict[str, Any] = {}

    async def create(request: web.Request) -> web.StreamResponse:
        kept.update(await request.json())
        kept["metadata"] |= {"uid": "u", "resourceVersion": "1"}
        return web.json_response(kept, status=201)

    async def replace(request: web.Request) -> web.StreamResponse:
        sent = await request.json()
        if sent["metadata"]["resourceVersion"] != kept["metadata"]["resourceVersion"]:
            return web.json_response({"kind": "Status", "message": "changed"}, status=409)
        kept.update(sent)
        kept["metadata"]["resourceVersion"] = str(int(kept["metadata"]["resourceVersion"]) + 1)
        return web.json_response(kept)

    peer.on("POST", leases, create)
    peer.on("PUT", f"{leases}/lock", replace)
    peer.answer(f"{leases}/lock", {"kind": "Status"}, method="DELETE")
    assert await writer.lease_get("jobs", "lock") is None
    lease = await writer.lease_create("jobs", "lock", "me", 30, annotations={"why": "x"})
    renewed = await writer.lease_update(json.loads(json.dumps(lease)), seconds=60)
    assert renewed["spec"]["leaseDurationSeconds"] == 60 and renewed["spec"]["leaseTransitions"] == 0
    with pytest.raises(ConflictError):
        await writer.lease_update({**lease, "metadata": {**lease["metadata"], "resourceVersion": "1"}})
    taken = await writer.lease_update(json.loads(json.dumps(renewed)), holder="you")
    assert taken["spec"]["holderIdentity"] == "you" and taken["spec"]["leaseTransitions"] == 1
    await writer.lease_delete(taken)
    assert json.loads(peer.asked[-1].body)["preconditions"] == {"uid": "u", "resourceVersion": "3"}
    peer.answer(f"{leases}/lock", {"kind": "Status"}, method="DELETE", status=404)
    await writer.lease_delete(taken)


WRITES: list[tuple[str, Callable[[Writer], Awaitable[Any]]]] = [
    ("PATCH", lambda w: w.patch(APP, {}, "merge")),
    ("DELETE", lambda w: w.delete(APP)),
    ("PUT", lambda w: w.replace(APP, {})),
    ("POST", lambda w: w.create(APP, {})),
]


@pytest.mark.parametrize(("method", "write"), WRITES)
async def test_a_write_whose_answer_is_lost_is_not_sent_again(
    peer: Peer, connection: Connection, writer: Writer, method: str, write: Callable[[Writer], Awaitable[Any]]
) -> None:
    async def lost(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    peer.answer("/api/v1/x", {})
    await connection.reader.get("/api/v1/x")  # a kept connection, which the HTTP library would repeat on
    peer.on(method, APP, lost)
    with pytest.raises(ReachError, match="lost"):
        await write(writer)
    assert peer.count(APP, method) == 1


@pytest.mark.parametrize(("method", "write"), WRITES)
async def test_a_write_that_is_refused_for_load_is_not_sent_again(
    peer: Peer, writer: Writer, method: str, write: Callable[[Writer], Awaitable[Any]]
) -> None:
    peer.answer(APP, {}, method=method, status=503, headers={"Retry-After": "1"})
    with pytest.raises(ReachError):
        await write(writer)
    assert peer.count(APP, method) == 1


async def test_a_write_uses_a_socket_of_its_own(peer: Peer, connection: Connection, writer: Writer) -> None:
    ports = []

    async def handler(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        ports.append(request.transport.get_extra_info("peername")[1])
        return web.json_response({})

    peer.on("GET", APP, handler)
    peer.on("PATCH", APP, handler)
    for _ in range(2):
        await connection.reader.get(APP)
        await writer.patch(APP, {}, "merge")
    assert ports[0] == ports[2] and len(set(ports)) == 3


async def test_a_write_after_a_refused_login_is_sent_once_more_with_the_new_one(peer: Peer, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("old")

    async def handler(request: web.Request) -> web.StreamResponse:
        good = request.headers["Authorization"] == "Bearer new"
        return web.json_response({"ok": True}, status=200 if good else 401)

    peer.on("PATCH", APP, handler)
    path = kubeconfig(tmp_path, peer.url, {"tokenFile": str(token)})
    connection = await Connection.open(ContextRef(kubeconfig=path), identify=False)
    peer.answer("/api/v1/x", {})
    await connection.reader.get("/api/v1/x")
    token.write_text("new")
    assert await Writer(connection).patch(APP, {}, "merge") == {"ok": True}
    assert [a.headers["authorization"] for a in peer.asked[1:]] == ["Bearer old", "Bearer new"]
    await connection.close()


async def test_a_write_that_nobody_may_send_is_sent_once(peer: Peer, writer: Writer) -> None:
    peer.answer(APP, {}, method="PATCH", status=401)
    with pytest.raises(LoginNeeded):
        await writer.patch(APP, {}, "merge")
    assert peer.count(APP, "PATCH") == 1
