"""Authenticated requests to one API server: renewal on 401, impersonation, proxies that say why, limits, and failures
as sentences.

A transport belongs to the event loop in which it was made.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec

from console.wire.auth import Authenticator, Credentials
from console.wire.checks import named
from console.wire.config import ClusterTarget
from console.wire.errors import QuietError, http_error
from console.wire.http import (
    CONNECT,
    MAX_BODY,
    HttpAnswer,
    Method,
    Query,
    http_url,
    once,
    open_session,
    read_answer,
    retry_after,
    tls,
)

if TYPE_CHECKING:
    import ssl

    import aiohttp

TIMEOUT = 15.0
"""Seconds for one request where `--request-timeout` says nothing."""
_ATTEMPTS = 3
_OURS = frozenset({"authorization", "host", "impersonate-user", "impersonate-group", "impersonate-uid"})


class Transport:
    """Sends requests to the API server of `target` and gives the answers. Close it with `close`."""

    def __init__(self, target: ClusterTarget) -> None:
        self.target = target
        self._auth = Authenticator(target)
        self._sessions: dict[bool, aiohttp.ClientSession] = {}
        self._sessions_for: tuple[bytes, bytes] | None = None
        self._tls: ssl.SSLContext | bool = True
        self._retired: list[aiohttp.ClientSession] = []

    @property
    def timeout(self) -> float:
        """Seconds for one request."""
        return self.target.timeout or TIMEOUT

    def login_again(self) -> None:
        """A person has logged in: the next request tries for new credentials at once."""
        self._auth.forget_failure()

    async def send(
        self,
        method: Method,
        path: str,
        *,
        query: Query | None = None,
        body: Any = None,
        content_type: str = "application/json",
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        limit: int = MAX_BODY,
        retry: bool = True,
        raw: bool = False,
    ) -> HttpAnswer:
        """One request and its whole answer.

        Args:
            path: from the root of the API, quoted.
            body: a tree that becomes JSON, or bytes.
            timeout: seconds for everything, waiting for retries included.
            limit: bytes of the answer after decompression.
            retry: a request that is answered with 429 or 503 is sent again, at most three times in all.
            raw: give the answer whatever its status is (401 excepted), for what stands behind a proxy.

        Raises:
            LoginNeeded: 401, also after one renewal of the credentials.
            ForbiddenError, ApiError: the server says no.
            ReachError: the network, a proxy or time.
        """
        from console.wire.network import network_error

        seconds = timeout or self.timeout
        payload = body if isinstance(body, bytes | None) else msgspec.json.encode(body)
        head = dict(headers or {})
        if payload is not None:
            head["Content-Type"] = content_type
        attempts = _ATTEMPTS if retry and not raw else 1
        try:
            async with asyncio.timeout(seconds) as budget:
                for left in range(attempts - 1, -1, -1):
                    async with self.stream(method, path, query=query, headers=head, body=payload) as response:
                        answer = await read_answer(response, limit)
                    wait = retry_after(answer.headers) or random.uniform(0.1, 0.4) * (attempts - left)
                    end = budget.when() or 0.0
                    if not left or answer.status not in (429, 503) or asyncio.get_running_loop().time() + wait > end:
                        break
                    await asyncio.sleep(wait)
        except TimeoutError as error:
            raise network_error(error, self.target.server, seconds) from None
        if answer.status >= 400 and not raw:
            raise http_error(answer.status, answer.body, f"{method} {path}", retry_after=retry_after(answer.headers))
        return answer

    @contextlib.asynccontextmanager
    async def stream(
        self,
        method: Method,
        path: str,
        *,
        query: Query | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        idle: float | None = None,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """One response, its body unread and still compressed, whatever its status is (401 excepted).

        There is no limit of time, but `idle` seconds without a byte end it.

        Raises:
            QuietError: these seconds have passed.
            LoginNeeded: 401, also after one renewal of the credentials.
            ReachError: the network or a proxy, also while the caller reads.
        """
        import aiohttp

        from console.wire.network import network_error, proxy_for

        url = http_url(self.target.server, path, query)
        limits = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT, sock_read=idle)
        proxy = proxy_for(self.target.server, self.target.proxy)
        credentials = await self._auth.current()
        renewed = False
        try:
            while True:
                session = self._session_of(credentials, method)
                options: dict[str, Any] = {"proxy": proxy or None}
                if method != "GET":
                    options["middlewares"] = (once(),)
                if self.target.server_name:
                    options["server_hostname"] = self.target.server_name
                async with session.request(
                    method,
                    url,
                    data=body,
                    headers=self._headers(credentials, headers),
                    timeout=limits,
                    allow_redirects=False,
                    **options,
                ) as response:
                    if response.status != 401:
                        yield response
                        return
                if renewed:
                    raise self._auth.refused()
                credentials, renewed = await self._auth.renew(credentials), True
        except aiohttp.SocketTimeoutError:
            raise QuietError(f"{named(self.target.server)} was silent for {idle:g} s") from None
        except (aiohttp.ClientError, OSError) as error:
            raise network_error(error, self.target.server, CONNECT) from None

    def _headers(self, credentials: Credentials, more: Mapping[str, str] | None) -> Any:
        from multidict import CIMultiDict

        head: CIMultiDict[str] = CIMultiDict()
        head["Accept"] = "application/json"
        head["Accept-Encoding"] = "gzip"
        head["User-Agent"] = "console-oncall"
        if credentials.authorization:
            head["Authorization"] = credentials.authorization
        whom = self.target.impersonation
        if whom.user:
            head["Impersonate-User"] = whom.user
            if whom.uid:
                head["Impersonate-Uid"] = whom.uid
            for group in whom.groups:
                head.add("Impersonate-Group", group)
            for key, value in whom.extra:
                head.add(f"Impersonate-Extra-{quote(key, safe='')}", value)
        for name, value in (more or {}).items():
            if name.lower() not in _OURS:
                head[name] = value
        return head

    def _session_of(self, credentials: Credentials, method: Method) -> aiohttp.ClientSession:
        """The session for these credentials: a new one when a plugin issued another client certificate.

        Whatever is no GET gets a fresh socket: on a kept one that the server has just closed, a change would be in
        doubt.
        """
        pair, fresh = (credentials.cert, credentials.key), method != "GET"
        if self._sessions_for != pair:
            context = tls(self.target, *pair)
            self._retired.extend(self._sessions.values())
            self._sessions, self._sessions_for, self._tls = {}, pair, context
        if fresh not in self._sessions:
            self._sessions[fresh] = open_session(self._tls, fresh=fresh)
        return self._sessions[fresh]

    async def close(self) -> None:
        """Close every socket. Running requests fail."""
        sessions = [*self._retired, *self._sessions.values()]
        self._retired, self._sessions, self._sessions_for = [], {}, None
        for session in sessions:
            await session.close()
