"""One authenticated connection to one API server. The official client supplies configuration and TLS; what it does not
do is done here: renewal on 401, impersonation, proxies that say why, limits, and failures as sentences.

A connection belongs to the event loop in which it was opened.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import random
import re
from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import msgspec
from msgspec import Struct

from console.base.errors import ForbiddenError, LoginNeeded
from console.wire.auth import Authenticator, Credentials
from console.wire.config import ContextRef, Target, resolve
from console.wire.errors import ApiError, NotFoundError, QuietError, http_error
from console.wire.http import (
    CONNECT,
    MAX_BODY,
    Answer,
    Method,
    Query,
    http_url,
    once,
    open_session,
    read_answer,
    retry_after,
)

if TYPE_CHECKING:
    import aiohttp

    from console.wire.reader import Reader

TIMEOUT = 15.0
"""Seconds for one request where `--request-timeout` says nothing."""
_ATTEMPTS = 3


class Identity(Struct, frozen=True):
    """Which cluster this is and who we are there. `cluster_uid` and `version` are `` where they may not be read."""

    context: str
    server: str
    ca_hash: str
    namespace: str
    user: str = ""
    groups: tuple[str, ...] = ()
    impersonating: str = ""
    cluster_uid: str = ""
    version: str = ""

    @property
    def pin(self) -> str:
        """What must not change under a walk: server, CA and the UID of kube-system."""
        return f"{self.server} {self.ca_hash[:16]} {self.cluster_uid or '-'}"

    @property
    def slug(self) -> str:
        """A short name for folders: one cluster gives one slug, whatever the context is called."""
        what = self.cluster_uid or f"{self.server} {self.ca_hash}"
        host = re.sub(r"[^A-Za-z0-9.-]+", "-", urlsplit(self.server).hostname or "cluster")[:40].strip("-.")
        return f"{host or 'cluster'}-{hashlib.sha256(what.encode()).hexdigest()[:10]}"


class Connection:
    """An open connection. Use `Connection.open`; close it with `close`."""

    def __init__(self, ref: ContextRef, target: Target) -> None:
        self.ref, self.target = ref, target
        self.identity = Identity(
            context=target.context,
            server=target.server,
            ca_hash=target.ca_hash,
            namespace=target.namespace,
            user=target.impersonation.user or target.user,
            impersonating=target.impersonation.user,
        )
        self._auth = Authenticator(target)
        self._sessions: dict[bool, aiohttp.ClientSession] = {}
        self._sessions_for: tuple[bytes, bytes] | None = None
        self._retired: list[aiohttp.ClientSession] = []
        self._reader: Reader | None = None

    @classmethod
    async def open(cls, ref: ContextRef, *, identify: bool = True) -> Connection:
        """A connection for `ref`. With `identify=False` nothing is sent before the first request.

        Raises:
            UsageError: the context does not exist or its files are broken (DocumentError).
            LoginNeeded: the server does not know us.
            ReachError: the server cannot be reached.
        """
        connection = cls(ref, resolve(ref))
        if identify:
            try:
                await connection.identify()
            except BaseException:
                await connection.close()
                raise
        return connection

    @property
    def reader(self) -> Reader:
        """Everything that only reads."""
        if self._reader is None:
            from console.wire.reader import Reader

            self._reader = Reader(self)
        return self._reader

    @property
    def timeout(self) -> float:
        """Seconds for one request."""
        return self.target.timeout or TIMEOUT

    def login_again(self) -> None:
        """A person has logged in: the next request tries for new credentials at once."""
        self._auth.forget_failure()

    async def identify(self) -> Identity:
        """Ask which cluster this is and as whom it sees us; keeps and returns the answer.

        Raises:
            LoginNeeded, ReachError: as for any request. What may not be read stays empty.
        """
        version, space, user = await asyncio.gather(
            self._optional("GET", "/version"),
            self._optional("GET", "/api/v1/namespaces/kube-system"),
            self._optional(
                "POST",
                "/apis/authentication.k8s.io/v1/selfsubjectreviews",
                {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"},
            ),
        )
        who = user.get("status", {}).get("userInfo", {}) if isinstance(user.get("status"), dict) else {}
        name = str(who.get("username") or self.identity.user)
        if name == "system:anonymous":
            raise LoginNeeded(
                f"the server sees context {self.target.context!r} as anonymous: its user has no credentials that count",
                hint=f"add credentials to {self.target.file}" if self.target.file else None,
            )
        self.identity = msgspec.structs.replace(
            self.identity,
            user=name,
            groups=tuple(str(g) for g in who.get("groups") or ()),
            cluster_uid=str((space.get("metadata") or {}).get("uid") or self.identity.cluster_uid),
            version=str(version.get("gitVersion") or self.identity.version),
        )
        return self.identity

    async def _optional(self, method: Method, path: str, body: Any = None) -> dict[str, Any]:
        try:
            answer = await self.send(method, path, body=body)
            value = answer.json()
        except (ForbiddenError, NotFoundError, msgspec.DecodeError):
            return {}
        except ApiError as error:
            if error.status in (405, 422):
                return {}
            raise
        return value if isinstance(value, dict) else {}

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
    ) -> Answer:
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
            raise QuietError(f"{self.target.server} was silent for {idle:g} s") from None
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
            self._retired.extend(self._sessions.values())
            self._sessions, self._sessions_for = {}, pair
        if fresh not in self._sessions:
            self._sessions[fresh] = open_session(self.target, *pair, fresh=fresh)
        return self._sessions[fresh]

    async def close(self) -> None:
        """Close every socket. Running requests fail."""
        sessions = [*self._retired, *self._sessions.values()]
        self._retired, self._sessions, self._sessions_for = [], {}, None
        for session in sessions:
            await session.close()


_OURS = frozenset({"authorization", "host", "impersonate-user", "impersonate-group", "impersonate-uid"})


__all__ = ["MAX_BODY", "Answer", "Connection", "Identity", "Method", "Query"]
