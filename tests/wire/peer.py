"""A small HTTP peer for tests: it answers what a test tells it to, and remembers everything that was asked."""

from __future__ import annotations

import asyncio
import json
import re
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar

import yaml
from aiohttp import web

DATA = Path(__file__).parent.parent / "data" / "wire"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def recorded(name: str) -> bytes:
    """The bytes of a recording."""
    return (DATA / name).read_bytes()


@dataclass
class Asked:
    """One request as it arrived."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    header_list: list[tuple[str, str]]
    body: bytes


@dataclass
class Peer:
    """Routes are tried newest first, so that a test can change its mind."""

    routes: list[tuple[str, re.Pattern[str], Handler]] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    url: str = ""

    def on(self, method: str, path: str, handler: Handler) -> None:
        self.routes.insert(0, (method, re.compile(path + r"\Z"), handler))

    def answer(
        self,
        path: str,
        body: Any,
        *,
        method: str = "GET",
        status: int = 200,
        content_type: str = "application/json",
        headers: dict[str, str] | None = None,
        times: int | None = None,
    ) -> None:
        """Answer with `body` (bytes, text, or a tree that becomes JSON), `times` times, then as before."""
        data = (
            body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else json.dumps(body).encode()
        )
        left = [times]

        async def handler(request: web.Request) -> web.StreamResponse:
            return web.Response(body=data, status=status, content_type=content_type, headers=headers)

        self.on(method, path, handler)
        if times is not None:
            entry = self.routes[0]

            async def counted(request: web.Request) -> web.StreamResponse:
                assert left[0] is not None
                left[0] -= 1
                if left[0] == 0:
                    self.routes.remove(self_entry)
                return await entry[2](request)

            self_entry = (entry[0], entry[1], counted)
            self.routes[0] = self_entry

    def count(self, path: str, method: str = "GET") -> int:
        return sum(1 for a in self.asked if a.method == method and re.fullmatch(path, a.path))

    def last(self, path: str, method: str = "GET") -> Asked:
        return [a for a in self.asked if a.method == method and re.fullmatch(path, a.path)][-1]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(
            Asked(
                request.method,
                request.rel_url.raw_path,
                dict(request.query),
                {k.lower(): v for k, v in request.headers.items()},
                list(request.headers.items()),
                await request.read(),
            )
        )
        for method, pattern, handler in list(self.routes):
            if method == request.method and pattern.match(request.path):
                return await handler(request)
        return web.json_response(
            {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404}, status=404
        )


class Handling(Protocol):
    """Whoever answers requests, and is told where."""

    url: str

    async def handle(self, request: web.Request) -> web.StreamResponse: ...


H = TypeVar("H", bound=Handling)


@asynccontextmanager
async def serving(peer: H, context: ssl.SSLContext | None = None) -> AsyncIterator[H]:
    """Serve `peer` on a free port of loopback."""
    app = web.Application(client_max_size=2**24)
    app.router.add_route("*", "/{tail:.*}", peer.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    port = runner.addresses[0][1]
    peer.url = f"{'https' if context else 'http'}://127.0.0.1:{port}"
    try:
        yield peer
    finally:
        await runner.cleanup()


def kubeconfig(
    folder: Path,
    server: str,
    user: dict[str, Any] | None = None,
    *,
    cluster: dict[str, Any] | None = None,
    namespace: str = "spark-jobs",
    name: str = "config",
) -> str:
    """A kubeconfig file with the one context `test`."""
    path = folder / name
    path.write_text(
        yaml.safe_dump(
            {
                "current-context": "test",
                "contexts": [
                    {"name": "test", "context": {"cluster": "c", "user": "u", "namespace": namespace}},
                ],
                "clusters": [{"name": "c", "cluster": {"server": server, **(cluster or {})}}],
                "users": [{"name": "u", "user": {"token": "good"} if user is None else user}],
            }
        )
    )
    return str(path)


class Streams:
    """Watches that a test feeds line by line. `feed` reaches every open watch of the path."""

    def __init__(self, peer: Peer, path: str) -> None:
        self._open: list[asyncio.Queue[bytes | None]] = []
        self._backlog: list[bytes] = []
        self.opened = asyncio.Event()
        self.versions: list[str] = []
        self._inner = peer
        self._lists: list[Handler] = []
        peer.on("GET", path, self._handle)

    def lists(self, *pages: Any) -> None:
        """What a list gives: the pages one after the other, by continue token `1`, `2`, …"""
        self._pages = pages

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        if request.query.get("watch") != "true":
            index = int(request.query.get("continue") or 0)
            return web.json_response(self._pages[index])
        self.versions.append(request.query.get("resourceVersion", ""))
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        queue: asyncio.Queue[bytes | None] = asyncio.Queue()
        for waiting in self._backlog:
            queue.put_nowait(waiting)
        self._backlog.clear()
        self._open.append(queue)
        self.opened.set()
        try:
            while (line := await queue.get()) is not None:
                await response.write(line + b"\n")
        finally:
            self._open.remove(queue)
        return response

    def feed(self, *events: Any) -> None:
        for event in events:
            line = event if isinstance(event, bytes) else json.dumps(event).encode()
            if not self._open:
                self._backlog.append(line)
            for queue in self._open:
                queue.put_nowait(line)

    def cut(self) -> None:
        """End every open watch."""
        self.opened.clear()
        for queue in self._open:
            queue.put_nowait(None)


async def until(holds: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait until `holds`, or fail."""
    async with asyncio.timeout(seconds):
        while not holds():
            await asyncio.sleep(0.005)


@dataclass
class Pki:
    """A certificate authority with a server and a client certificate."""

    folder: Path

    def make(self) -> Pki:
        def run(*args: str) -> None:
            subprocess.run(["openssl", *args], cwd=self.folder, check=True, capture_output=True)

        for authority in ("ca", "other"):
            run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                "-subj", f"/CN={authority}", "-keyout", f"{authority}.key", "-out", f"{authority}.pem")  # fmt: skip
        for name, extension in (("server", "subjectAltName=IP:127.0.0.1,DNS:api.internal"), ("client", "")):
            run("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
                "-keyout", f"{name}.key", "-out", f"{name}.csr")  # fmt: skip
            (self.folder / "ext").write_text(extension)
            run("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                "-days", "2", "-extfile", "ext", "-out", f"{name}.pem")  # fmt: skip
        return self

    def path(self, name: str) -> str:
        return str(self.folder / name)

    def server_context(self, *, ask_client: bool = False) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.path("server.pem"), self.path("server.key"))
        if ask_client:
            context.load_verify_locations(self.path("ca.pem"))
            context.verify_mode = ssl.CERT_REQUIRED
        return context
