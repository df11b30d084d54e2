"""A tired network in front of a real API server: what passes is forwarded byte by byte, what a test says goes wrong."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
from aiohttp import web

from tests.wire.peer import serving

_OURS = {"host", "connection", "transfer-encoding", "content-length"}


@dataclass(frozen=True)
class Fault:
    """What happens to one request.

    Attributes:
        status, body, content_type, headers: answered instead of the server.
        delay: seconds before anything is done.
        rate: bytes of the answer per second.
        reset: the connection is reset after so many bytes of the answer.
        end: the answer ends there, as if it were whole.
        silent: the connection stays open, and nothing comes until the network heals; then it is reset.
    """

    status: int = 0
    body: bytes = b""
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()
    delay: float = 0.0
    rate: int = 0
    reset: int | None = None
    end: int | None = None
    silent: bool = False


def refusal(code: int, reason: str, message: str, **headers: str) -> Fault:
    """Answered with a Status object of Kubernetes."""
    said = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "reason": reason}
    return Fault(status=code, body=json.dumps({**said, "code": code}).encode(), headers=tuple(headers.items()))


Choice = Callable[[web.Request], Fault | None]


def watches(request: web.Request) -> bool:
    return request.query.get("watch") == "true"


def everything(fault: Fault) -> Choice:
    return lambda request: fault


def lists_of_pods(fault: Fault) -> Choice:
    return lambda request: fault if request.path.endswith("/pods") and not watches(request) else None


def watches_of_pods(fault: Fault, until: int) -> Choice:
    """Watches that begin at a resourceVersion up to this one."""

    def choose(request: web.Request) -> Fault | None:
        old = watches(request) and int(request.query["resourceVersion"]) <= until
        return fault if request.path.endswith("/pods") and old else None

    return choose


@dataclass
class Faulty:
    """Attributes:
    url: where it listens.
    choose: which requests meet which fault; None heals all.
    asked: path and query of every request.
    """

    upstream: str
    authority: Path
    url: str = ""
    choose: Choice | None = None
    asked: list[str] = field(default_factory=list)
    met: int = 0
    _open: set[asyncio.Transport] = field(default_factory=set)
    _healed: asyncio.Event = field(default_factory=asyncio.Event)

    def begin(self, choose: Choice) -> None:
        """From now on; connections that are open are cut, so that all meet it."""
        self._healed.clear()
        self.choose, self.met = choose, 0
        self.cut()

    def heal(self) -> None:
        """Nothing goes wrong any more; who was left in silence is cut off."""
        self.choose = None
        self._healed.set()

    def cut(self) -> None:
        """Reset every open connection."""
        for transport in list(self._open):
            transport.abort()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        self.asked.append(request.path_qs)
        transport = request.transport
        self._open.add(transport)
        try:
            return await self._answer(request, (self.choose and self.choose(request)) or None)
        finally:
            self._open.discard(transport)

    async def _answer(self, request: web.Request, fault: Fault | None) -> web.StreamResponse:
        if fault is None:
            return await self._forward(request, Fault())
        self.met += 1
        await asyncio.sleep(fault.delay)
        if fault.reset == 0:
            transport = request.transport
            assert transport is not None
            transport.abort()
            return web.Response()
        if fault.status:
            head = {"Content-Type": fault.content_type, **dict(fault.headers)}
            return web.Response(status=fault.status, body=fault.body, headers=head)
        return await self._forward(request, fault)

    async def _forward(self, request: web.Request, fault: Fault) -> web.StreamResponse:
        assert request.transport is not None
        head = {k: v for k, v in request.headers.items() if k.lower() not in _OURS}
        trust = ssl.create_default_context(cafile=str(self.authority))
        body = await request.read()
        async with (
            aiohttp.ClientSession(auto_decompress=False, timeout=aiohttp.ClientTimeout(total=None)) as session,
            session.request(
                request.method, self.upstream + request.path_qs, headers=head, data=body or None, ssl=trust
            ) as answer,
        ):
            kept = {k: v for k, v in answer.headers.items() if k.lower() not in _OURS}
            response = web.StreamResponse(status=answer.status, headers=kept)
            if fault.silent:
                await self._healed.wait()
                request.transport.abort()
                return response
            await response.prepare(request)
            left = fault.reset if fault.reset is not None else fault.end
            async for chunk in answer.content.iter_chunked(4096):
                sent = chunk if left is None else chunk[:left]
                await response.write(sent)
                if fault.rate:
                    await asyncio.sleep(len(sent) / fault.rate)
                if left is not None:
                    left -= len(sent)
                    if left == 0:
                        break
            if fault.reset is not None and left == 0:
                request.transport.abort()
            return response


@asynccontextmanager
async def tired(upstream: str, authority: Path) -> AsyncIterator[Faulty]:
    """Such a network on a free port of loopback."""
    async with serving(Faulty(upstream, authority)) as faulty:
        try:
            yield faulty
        finally:
            faulty.heal()
            faulty.cut()
