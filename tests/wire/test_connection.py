"""One connection: TLS, proxies, impersonation, limits, and failures as sentences."""

from __future__ import annotations

import asyncio
import base64
import gzip
import socket
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from console.base.errors import ForbiddenError, LoginNeeded, ReachError, UsageError
from console.wire.config import ContextRef
from console.wire.connection import Connection
from console.wire.errors import ApiError, ConflictError, InvalidError, NotFoundError
from tests.wire.peer import Peer, Pki, Streams, kubeconfig, recorded, serving


async def opened(path: str, **more: object) -> Connection:
    return await Connection.open(ContextRef(kubeconfig=path, **more), identify=False)  # type: ignore[arg-type]


# TLS


@pytest.fixture
async def secure(pki: Pki) -> AsyncIterator[Peer]:
    async with serving(Peer(), pki.server_context()) as peer:
        peer.answer("/api/v1/x", {"ok": True})
        yield peer


@pytest.mark.parametrize("how", ["file", "data", "insecure", "name"])
async def test_a_trusted_server_is_reached(secure: Peer, tmp_path: Path, pki: Pki, how: str) -> None:
    pem = Path(pki.path("ca.pem")).read_bytes()
    clusters: dict[str, dict[str, Any]] = {
        "file": {"certificate-authority": pki.path("ca.pem")},
        "data": {"certificate-authority-data": base64.b64encode(pem).decode()},
        "insecure": {"insecure-skip-tls-verify": True},
        "name": {"certificate-authority": pki.path("ca.pem"), "tls-server-name": "api.internal"},
    }
    connection = await opened(kubeconfig(tmp_path, secure.url, cluster=clusters[how]))
    assert await connection.reader.get("/api/v1/x") == b'{"ok": true}'
    await connection.close()


@pytest.mark.parametrize(
    ("cluster", "says"),
    [
        ({}, "not trusted"),
        ({"certificate-authority": "other.pem"}, "not trusted"),
        ({"certificate-authority": "ca.pem", "tls-server-name": "elsewhere"}, "not trusted"),
        ({"certificate-authority": "ca.key"}, "cannot be used"),
    ],
)
async def test_an_untrusted_server_is_not(
    secure: Peer, tmp_path: Path, pki: Pki, cluster: dict[str, str], says: str
) -> None:
    if name := cluster.get("certificate-authority"):
        cluster = {**cluster, "certificate-authority": pki.path(name)}
    connection = await opened(kubeconfig(tmp_path, secure.url, cluster=cluster))
    with pytest.raises(ReachError) as caught:
        await connection.reader.get("/api/v1/x")
    assert says in caught.value.message and caught.value.hint and secure.asked == []
    await connection.close()


async def test_a_client_certificate_is_shown_and_left_nowhere(
    tmp_path: Path, pki: Pki, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    async with serving(Peer(), pki.server_context(ask_client=True)) as peer:
        peer.answer("/api/v1/x", {"ok": True})
        user = {"client-certificate": pki.path("client.pem"), "client-key": pki.path("client.key")}
        path = kubeconfig(tmp_path, peer.url, user, cluster={"certificate-authority": pki.path("ca.pem")})
        connection = await opened(path)
        assert await connection.reader.get("/api/v1/x") == b'{"ok": true}'
        await connection.close()
    assert list((tmp_path / "tmp").iterdir()) == []


async def test_a_key_behind_a_password_is_told_and_nothing_is_asked_on_the_terminal(
    secure: Peer, tmp_path: Path, pki: Pki
) -> None:
    locked = tmp_path / "locked.key"
    lock = ["openssl", "ec", "-in", pki.path("client.key"), "-aes256", "-passout", "pass:hunter2", "-out", str(locked)]
    subprocess.run(lock, check=True, capture_output=True)
    user = {"client-certificate": pki.path("client.pem"), "client-key": str(locked)}
    path = kubeconfig(tmp_path, secure.url, user, cluster={"certificate-authority": pki.path("ca.pem")})
    connection = await opened(path)
    with pytest.raises(ReachError, match="cannot be used") as caught:
        await connection.reader.get("/api/v1/x")
    assert "client-key" in (caught.value.hint or "") and secure.asked == []
    await connection.close()


# Proxies


@asynccontextmanager
async def connect_proxy(answer: bytes | None = None) -> AsyncIterator[tuple[str, list[str]]]:
    """A proxy that speaks CONNECT, or answers it with `answer`."""
    seen: list[str] = []
    tasks: set[asyncio.Task[None]] = set()

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        seen.append(head)
        if answer is not None:
            writer.write(answer)
            await writer.drain()
            writer.close()
            return
        host, _, port = head.split()[1].partition(":")
        there_reader, there_writer = await asyncio.open_connection(host, int(port))
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        for one, two in ((reader, there_writer), (there_reader, writer)):
            task = asyncio.create_task(pump(one, two))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}", seen
    finally:
        server.close()
        for task in tasks:
            task.cancel()


async def test_the_proxy_of_the_kubeconfig_is_used(secure: Peer, tmp_path: Path, pki: Pki) -> None:
    async with connect_proxy() as (proxy, seen):
        cluster = {"certificate-authority": pki.path("ca.pem"), "proxy-url": f"http://bob:hunter2@{proxy}"}
        connection = await opened(kubeconfig(tmp_path, secure.url, cluster=cluster))
        assert await connection.reader.get("/api/v1/x") == b'{"ok": true}'
        assert seen[0].startswith("CONNECT 127.0.0.1:") and "Proxy-Authorization: Basic" in seen[0]
        assert "good" not in seen[0]
        await connection.close()


async def test_a_proxy_that_refuses_says_so(secure: Peer, tmp_path: Path, pki: Pki) -> None:
    async with connect_proxy(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n") as (proxy, _):
        cluster = {"certificate-authority": pki.path("ca.pem"), "proxy-url": f"http://bob:hunter2@{proxy}"}
        connection = await opened(kubeconfig(tmp_path, secure.url, cluster=cluster))
        with pytest.raises(ReachError) as caught:
            await connection.reader.get("/api/v1/x")
        assert "the proxy refuses" in caught.value.message and "407" in caught.value.message
        assert "hunter2" not in str(caught.value) and "proxy-url" in (caught.value.hint or "")
        await connection.close()


async def test_a_proxy_that_is_not_there_says_so(tmp_path: Path) -> None:
    connection = await opened(kubeconfig(tmp_path, "https://10.255.255.1", cluster={"proxy-url": "http://127.0.0.1:1"}))
    with pytest.raises(ReachError, match=r"the proxy for https://10\.255\.255\.1 cannot be reached"):
        await connection.reader.get("/api/v1/x")
    await connection.close()


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:1080", "socks5h://x:1"])
async def test_a_socks_proxy_is_refused_clearly(peer: Peer, tmp_path: Path, proxy: str) -> None:
    connection = await opened(kubeconfig(tmp_path, peer.url, cluster={"proxy-url": proxy}))
    with pytest.raises(UsageError, match=r"socks5.* proxy, which Console cannot use"):
        await connection.reader.get("/api/v1/x")
    assert peer.asked == []
    await connection.close()


@pytest.mark.parametrize(
    ("server", "exempt", "used"),
    [
        ("https://api.example:6443", "", True),
        ("https://api.example:6443", "example", False),
        ("https://api.example:6443", ".example,x", False),
        ("https://api.example:6443", "*", False),
        ("https://10.1.2.3", "10.0.0.0/8", False),
        ("https://10.1.2.3", "10.2.0.0/16", True),
        ("https://127.0.0.1", "", False),
        ("https://localhost", "", False),
    ],
)
def test_the_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch, server: str, exempt: str, used: bool) -> None:
    from console.wire.network import proxy_for

    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:3128")
    monkeypatch.setenv("NO_PROXY", exempt)
    for name in ("https_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    assert proxy_for(server, "") == ("http://proxy:3128" if used else "")


# Headers, retries, limits


async def test_sockets_notice_that_the_other_end_is_gone(peer: Peer, connection: Connection) -> None:
    streams = Streams(peer, "/api/v1/x")
    async with connection.stream("GET", "/api/v1/x", query={"watch": "true"}) as response:
        assert response.connection is not None and response.connection.transport is not None
        sock = response.connection.transport.get_extra_info("socket")
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 30
    streams.cut()


async def test_impersonation_goes_with_every_request(peer: Peer, tmp_path: Path) -> None:
    peer.answer("/api/v1/x", {})
    path = kubeconfig(tmp_path, peer.url)
    connection = await opened(path, as_user="alice", as_groups=("ops", "dev"), as_uid="7")
    await connection.reader.get("/api/v1/x")
    sent = peer.last("/api/v1/x")
    assert sent.headers["impersonate-user"] == "alice" and sent.headers["impersonate-uid"] == "7"
    assert [v for k, v in sent.header_list if k.lower() == "impersonate-group"] == ["ops", "dev"]
    assert connection.identity.impersonating == "alice"
    await connection.close()


async def test_callers_cannot_replace_who_we_are(peer: Peer, connection: Connection) -> None:
    peer.answer("/api/v1/x", {})
    await connection.send("GET", "/api/v1/x", headers={"Authorization": "x", "Impersonate-User": "root", "X-Y": "1"})
    sent = peer.last("/api/v1/x").headers
    assert sent["authorization"] == "Bearer good" and "impersonate-user" not in sent and sent["x-y"] == "1"


async def test_a_busy_server_is_asked_again_when_it_says(peer: Peer, connection: Connection) -> None:
    peer.answer("/api/v1/x", {"ok": True})
    peer.answer("/api/v1/x", {}, status=429, headers={"Retry-After": "1"}, times=1)
    began = time.monotonic()
    assert await connection.reader.get("/api/v1/x") == b'{"ok": true}'
    assert time.monotonic() - began >= 1.0 and peer.count("/api/v1/x") == 2


async def test_a_busy_server_is_not_asked_forever(peer: Peer, connection: Connection) -> None:
    peer.answer("/api/v1/x", {}, status=503)
    with pytest.raises(ApiError) as caught:
        await connection.reader.get("/api/v1/x")
    assert caught.value.status == 503 and peer.count("/api/v1/x") == 3
    peer.answer("/api/v1/x", {}, status=429, headers={"Retry-After": "900"})
    began = time.monotonic()
    with pytest.raises(ApiError):
        await connection.send("GET", "/api/v1/x", timeout=100.0)
    assert time.monotonic() - began < 90


async def test_gzip_is_undone_and_bounded(peer: Peer, connection: Connection) -> None:
    packed = gzip.compress(b'"' + b"a" * 3_000_000 + b'"')
    peer.answer("/api/v1/x", packed, headers={"Content-Encoding": "gzip"})
    assert len(await connection.reader.get("/api/v1/x")) == 3_000_002
    with pytest.raises(ReachError, match="larger than 1 MiB"):
        await connection.reader.get("/api/v1/x", limit=2**20)
    peer.answer("/api/v1/x", packed[:500] + b"broken", headers={"Content-Encoding": "gzip"})
    with pytest.raises(ReachError, match="damaged"):
        await connection.reader.get("/api/v1/x")


async def test_one_overall_limit_of_time(peer: Peer, connection: Connection) -> None:
    async def drip(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b" ")
            await asyncio.sleep(0.05)

    peer.on("GET", "/api/v1/x", drip)
    began = time.monotonic()
    with pytest.raises(ReachError, match=r"did not answer within 0\.4 s"):
        await connection.send("GET", "/api/v1/x", timeout=0.4)
    assert time.monotonic() - began < 60


@pytest.mark.parametrize(
    ("status", "body", "kind", "says"),
    [
        (403, recorded("kubernetes/sa_default_list_403.json"), ForbiddenError, "cannot list resource"),
        (404, b"404 page not found", NotFoundError, "404 page not found"),
        (409, b'{"kind":"Status","message":"changed","reason":"Conflict"}', ConflictError, "changed"),
        (422, b'{"kind":"Status","message":"bad \\u001b[31m field"}', InvalidError, "bad  field"),
        (500, b"<html>oops</html>", ApiError, "HTML page"),
    ],
)
async def test_refusals_carry_the_servers_words(
    peer: Peer, connection: Connection, status: int, body: bytes, kind: type[Exception], says: str
) -> None:
    peer.answer("/api/v1/x", body, status=status)
    with pytest.raises(kind, match=says):
        await connection.reader.get("/api/v1/x")


async def test_a_web_page_is_no_api(peer: Peer, connection: Connection) -> None:
    peer.answer("/api/v1/x", "<html>login</html>", content_type="text/html")
    with pytest.raises(ReachError, match="web pages"):
        await connection.reader.get("/api/v1/x")
    peer.answer("/api/v1/x", "", status=302, headers={"Location": "http://127.0.0.1:1/login"})
    with pytest.raises((ReachError, ValueError)):
        await connection.reader.object("/api/v1/x")


async def test_nobody_there(tmp_path: Path) -> None:
    connection = await opened(kubeconfig(tmp_path, "http://127.0.0.1:1"))
    with pytest.raises(ReachError, match=r"http://127\.0\.0\.1:1 cannot be reached: Connection refused"):
        await connection.reader.get("/api/v1/x")
    await connection.close()


# Identity


async def test_identity_is_what_is_pinned(peer: Peer, tmp_path: Path) -> None:
    peer.answer("/version", recorded("kubernetes/version.json"))
    peer.answer("/api/v1/namespaces/kube-system", {"metadata": {"uid": "u-1"}})
    who = {"status": {"userInfo": {"username": "alice", "groups": ["ops"]}}}
    peer.answer("/apis/authentication.k8s.io/v1/selfsubjectreviews", who, method="POST", status=201)
    connection = await Connection.open(ContextRef(kubeconfig=kubeconfig(tmp_path, peer.url)))
    found = connection.identity
    assert (found.cluster_uid, found.version, found.user, found.groups) == ("u-1", "v1.20.2", "alice", ("ops",))
    assert found.pin == f"{peer.url} system u-1" and found.slug.startswith("127.0.0.1-")
    await connection.close()


async def test_what_may_not_be_read_stays_empty(peer: Peer, tmp_path: Path) -> None:
    peer.answer("/.*", recorded("kubernetes/sa_default_list_403.json"), status=403)
    connection = await Connection.open(ContextRef(kubeconfig=kubeconfig(tmp_path, peer.url)))
    assert (connection.identity.cluster_uid, connection.identity.version, connection.identity.user) == ("", "", "u")
    await connection.close()


async def test_anonymous_is_no_identity(peer: Peer, tmp_path: Path) -> None:
    peer.answer("/version", recorded("kubernetes/version.json"))
    who = {"status": {"userInfo": {"username": "system:anonymous"}}}
    peer.answer("/apis/authentication.k8s.io/v1/selfsubjectreviews", who, method="POST", status=201)
    with pytest.raises(LoginNeeded, match="anonymous"):
        await Connection.open(ContextRef(kubeconfig=kubeconfig(tmp_path, peer.url, {})))
