"""A relay in front of an API server: it writes down every write and can hold one at a chosen moment.

It runs in a thread with a loop of its own, so that a test may block, or kill who waits, meanwhile.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

READS = ("GET", "HEAD")
REVIEWS = ("/selfsubjectaccessreviews", "/selfsubjectrulesreviews", "/selfsubjectreviews")


@dataclass
class Write:
    """One mutating request. `status` is the server's, 0 as long as it has not answered."""

    method: str
    path: str
    dry_run: bool
    body: Any
    status: int = 0
    agent: str = ""

    @property
    def words(self) -> str:
        """`PATCH sparkapplications`, with `(dry run)` where it is one."""
        parts = self.path.strip("/").split("/")
        plural = parts[parts.index("namespaces") + 2] if "namespaces" in parts and len(parts) > 4 else parts[-1]
        return f"{self.method} {plural}{' (dry run)' if self.dry_run else ''}"


Hook = Callable[[Write], Awaitable[None]]


async def _go_on(write: Write) -> None:
    return


@dataclass
class Relay:
    """A running relay.

    Attributes:
        received: awaited when a write has come and was not passed on.
        answered: awaited when the server has answered it and the client has not heard of it.
    """

    upstream: str
    authority: Path | None
    url: str = ""
    writes: list[Write] = field(default_factory=list)
    received: Hook = _go_on
    answered: Hook = _go_on
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _started: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> Relay:
        self._thread = threading.Thread(target=lambda: self._loop.run_until_complete(self._serve()), daemon=True)
        self._thread.start()
        assert self._started.wait(60)
        return self

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._stopping.set)
        assert self._thread is not None
        self._thread.join(10)

    def kubeconfig(self, path: Path, token: str, *, namespace: str, context: str = "relay") -> Path:
        """Write a kubeconfig that goes through this relay."""
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": context,
            "clusters": [{"name": "c", "cluster": {"server": self.url}}],
            "users": [{"name": "u", "user": {"token": token}}],
            "contexts": [{"name": context, "context": {"cluster": "c", "user": "u", "namespace": namespace}}],
        }
        path.write_text(json.dumps(document))
        path.chmod(0o600)
        return path

    def on(self, plural: str, *, dry_run: bool = False) -> list[Write]:
        """The writes to one kind of object."""
        return [w for w in self.writes if w.words.split()[1] == plural and w.dry_run is dry_run]

    async def _serve(self) -> None:
        context: Any = ssl.create_default_context(cafile=str(self.authority)) if self.authority else None
        connector = aiohttp.TCPConnector(ssl=context) if context else aiohttp.TCPConnector()
        async with aiohttp.ClientSession(connector=connector, auto_decompress=False, trust_env=False) as session:
            app = web.Application(client_max_size=2**24)

            async def handle(request: web.Request) -> web.StreamResponse:
                return await self._pass(request, session)

            app.router.add_route("*", "/{path:.*}", handle)
            runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
            await runner.setup()
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
            self.url = f"http://127.0.0.1:{port}"
            self._started.set()
            await self._stopping.wait()
            await runner.cleanup()

    async def _pass(self, request: web.Request, session: aiohttp.ClientSession) -> web.StreamResponse:
        body = await request.read()
        write: Write | None = None
        if request.method not in READS and not request.path.endswith(REVIEWS):
            tree = json.loads(body) if body else None
            dry = request.query.get("dryRun") == "All" or (isinstance(tree, dict) and tree.get("dryRun") == ["All"])
            write = Write(request.method, request.path, dry, tree, agent=request.headers.get("User-Agent", ""))
            self.writes.append(write)
            await self.received(write)
        headers = {k: v for k, v in request.headers.items() if k.lower() not in ("host", "connection")}
        async with session.request(
            request.method, self.upstream + request.path_qs, headers=headers, data=body or None
        ) as answer:
            content = await answer.read()
            if write is not None:
                write.status = answer.status
                await self.answered(write)
            kept = {k: v for k, v in answer.headers.items() if k.lower() in ("content-type", "content-encoding")}
            return web.Response(status=answer.status, body=content, headers=kept)
