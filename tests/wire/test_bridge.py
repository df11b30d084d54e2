"""`requests` users over our connection: one request each, one overall deadline, no other way out."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path

import pytest
import requests
from aiohttp import web

from console.base.errors import ForbiddenError, LoginNeeded, ReachError, UsageError
from console.wire.bridge import BridgeAdapter, bridged, run_blocking
from console.wire.connection import Connection
from console.wire.endpoint import Endpoint, ServiceEndpoint, UrlEndpoint
from console.wire.pool import Pool
from tests.wire.peer import Peer

PROXY = "/api/v1/namespaces/mon/services/prom:9090/proxy"


async def fetch(endpoint: Endpoint, url: str, *, seconds: float = 30.0, method: str = "GET") -> requests.Response:
    pool = Pool(1)
    until = time.monotonic() + seconds
    adapter = BridgeAdapter(endpoint, "http://base/prefix", lambda: until - time.monotonic())

    def work() -> requests.Response:
        session = bridged(requests.Session(), adapter)
        return session.request(method, url, params={"q": 'a{b="c d"}'})

    try:
        return await run_blocking(pool, work, seconds, endpoint.label)
    finally:
        pool.close()


async def test_a_session_goes_through_the_service_proxy_with_our_credentials(
    peer: Peer, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    peer.answer(f"{PROXY}/api/v1/query", {"ok": True})
    endpoint = ServiceEndpoint(connection.reader, "mon", "prom", 9090)
    response = await fetch(endpoint, "http://base/prefix/api/v1/query")
    assert response.json() == {"ok": True} and response.ok
    sent = peer.last(f"{PROXY}/api/v1/query")
    assert sent.query == {"q": 'a{b="c d"}'} and sent.headers["authorization"] == "Bearer good"


async def test_a_url_goes_direct_with_its_own_credentials(peer: Peer, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("mine\n")
    peer.answer("/prom/x", {"ok": True})
    endpoint = UrlEndpoint(f"{peer.url}/prom/", token_file=str(tmp_path / "token"), headers={"X-Scope-OrgID": "1"})
    assert (await fetch(endpoint, "http://base/prefix/x")).json() == {"ok": True}
    sent = peer.last("/prom/x").headers
    assert sent["authorization"] == "Bearer mine" and sent["x-scope-orgid"] == "1"
    await endpoint.close()
    with_password = UrlEndpoint(peer.url.replace("http://", "http://bob:hunter2@"))
    assert "hunter2" not in with_password.label
    await with_password.get("/prom/x")
    assert peer.last("/prom/x").headers["authorization"].startswith("Basic ")
    await with_password.close()


async def test_a_service_may_have_a_prefix_a_port_name_tls_and_headers(peer: Peer, connection: Connection) -> None:
    headers = {"X-Scope-OrgID": "7"}
    endpoint = ServiceEndpoint(
        connection.reader, "mon", "prom", "web", scheme="https", prefix="/prom/", headers=headers
    )
    path = "/api/v1/namespaces/mon/services/https:prom:web/proxy/prom/x"
    peer.answer(path, {})
    assert (await endpoint.get("/x")).status == 200 and peer.last(path).headers["x-scope-orgid"] == "7"
    peer.answer("/api/v1/namespaces/mon/services/prom/proxy/x", {})
    assert (await ServiceEndpoint(connection.reader, "mon", "prom").get("/x")).status == 200
    with pytest.raises(UsageError):
        UrlEndpoint("ftp://x")


async def test_errors_arrive_as_ours(peer: Peer, connection: Connection) -> None:
    endpoint = ServiceEndpoint(connection.reader, "mon", "prom", 9090)
    peer.answer(f"{PROXY}/x", {"kind": "Status", "apiVersion": "v1", "message": "cannot get"}, status=403)
    with pytest.raises(ForbiddenError, match="cannot get"):
        await fetch(endpoint, "http://base/prefix/x")
    with pytest.raises(ReachError, match="only GET"):
        await fetch(endpoint, "http://base/prefix/x", method="POST")
    direct = UrlEndpoint(peer.url)
    peer.answer("/x", "", status=401)
    with pytest.raises(LoginNeeded, match="token_file"):
        await fetch(direct, "http://base/prefix/x")
    await direct.close()


async def test_the_deadline_is_overall(peer: Peer) -> None:
    async def drip(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b" ")
            await asyncio.sleep(0.05)

    peer.on("GET", "/x", drip)
    endpoint = UrlEndpoint(peer.url)
    began = time.monotonic()
    with pytest.raises(ReachError):
        await fetch(endpoint, "http://base/prefix/x", seconds=0.5)
    assert time.monotonic() - began < 60
    await endpoint.close()


async def test_the_threads_of_a_pool_are_daemons_and_few() -> None:
    pool = Pool(2, "console-test")
    names: set[str] = set()
    running = threading.Semaphore(0)

    def work(index: int) -> int:
        assert threading.current_thread().daemon
        names.add(f"{threading.current_thread().ident}")
        running.release()
        return index * 2

    assert await asyncio.gather(*(pool.run(work, index) for index in range(20))) == [i * 2 for i in range(20)]
    assert 1 <= len(names) <= 2
    gate = threading.Event()
    with pytest.raises(TimeoutError):
        await pool.run(gate.wait, deadline=0.1)
    gate.set()
    with pytest.raises(ZeroDivisionError):
        await pool.run(lambda: 1 / 0)
    pool.close()
    with pytest.raises(RuntimeError):
        await pool.run(work, 1)
