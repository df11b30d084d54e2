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
import tempfile
import zlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote, urlencode, urlsplit

import msgspec
from msgspec import Struct

from console.base.errors import ForbiddenError, LoginNeeded, ReachError
from console.wire.auth import Authenticator, Credentials
from console.wire.config import ContextRef, Target, resolve
from console.wire.errors import ApiError, NotFoundError, http_error

if TYPE_CHECKING:
    import aiohttp

    from console.wire.reader import Reader

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
Query = Mapping[str, str | int | bool | None] | list[tuple[str, str]]

TIMEOUT = 15.0
"""Seconds for one request where `--request-timeout` says nothing."""
CONNECT = 6.0
MAX_BODY = 64 * 2**20
"""Bytes of one answer after decompression."""
_ATTEMPTS = 3
_MAX_WAIT = 10.0


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


class Answer(Struct, frozen=True):
    """One HTTP answer, decompressed. Header names are lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def content_type(self) -> str:
        """Media type without parameters, lower case."""
        return self.headers.get("content-type", "").split(";")[0].strip().lower()

    def json(self) -> Any:
        """The body as a plain tree; msgspec.DecodeError where it is no JSON."""
        return msgspec.json.decode(self.body)


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
                    wait = _retry_after(answer.headers) or random.uniform(0.1, 0.4) * (attempts - left)
                    end = budget.when() or 0.0
                    if not left or answer.status not in (429, 503) or asyncio.get_running_loop().time() + wait > end:
                        break
                    await asyncio.sleep(wait)
        except TimeoutError as error:
            raise network_error(error, self.target.server, seconds) from None
        if answer.status >= 400 and not raw:
            raise http_error(answer.status, answer.body, f"{method} {path}", retry_after=_retry_after(answer.headers))
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
                    options["middlewares"] = (_once(),)
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
        except (aiohttp.ClientError, OSError) as error:
            raise network_error(error, self.target.server, idle or CONNECT) from None

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
            self._sessions[fresh] = _open_session(self.target, *pair, fresh=fresh)
        return self._sessions[fresh]

    async def close(self) -> None:
        """Close every socket. Running requests fail."""
        sessions = [*self._retired, *self._sessions.values()]
        self._retired, self._sessions, self._sessions_for = [], {}, None
        for session in sessions:
            await session.close()


def _once() -> Any:
    """A guard against the HTTP library, which sends a PUT or DELETE again on its own when the answer is lost."""
    import aiohttp

    sent = False

    async def guard(request: aiohttp.ClientRequest, handler: Any) -> Any:
        nonlocal sent
        if sent:
            raise aiohttp.ServerDisconnectedError("no answer came")
        sent = True
        return await handler(request)

    return guard


_OURS = frozenset({"authorization", "host", "impersonate-user", "impersonate-group", "impersonate-uid"})


def _open_session(target: Target, cert: bytes, key: bytes, *, fresh: bool) -> aiohttp.ClientSession:
    """A session with the TLS of the official client's configuration. Keys are on disk only while they are loaded."""
    import aiohttp
    from kubernetes.aio.client import Configuration
    from kubernetes.aio.client.rest import RESTClientObject

    with tempfile.TemporaryDirectory(prefix="console-") as folder:
        configuration = Configuration(host=target.server)
        configuration.verify_ssl = not target.insecure
        configuration.disable_strict_ssl_verification = True
        if target.ca and not target.insecure:
            configuration.ca_cert_data = target.ca.decode("ascii", "replace")
        if cert:
            configuration.cert_file = _private(Path(folder) / "cert", cert)
            configuration.key_file = _private(Path(folder) / "key", key)
        try:
            context = RESTClientObject(configuration).ssl_context
        except (OSError, ValueError) as error:
            raise ReachError(
                f"the certificates of context {target.context!r} cannot be used: {error}",
                hint=f"see certificate-authority, client-certificate and client-key in {target.file}",
            ) from None
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(ssl=context, limit=0, force_close=fresh),
        auto_decompress=False,
        trust_env=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        read_bufsize=2**18,
    )


def _private(path: Path, content: bytes) -> str:
    path.touch(mode=0o600)
    path.write_bytes(content)
    return str(path)


def http_url(server: str, path: str, query: Query | None) -> Any:
    """A URL as it stands, nothing quoted twice; None values of the query are left out."""
    from yarl import URL

    text = server + path
    if query:
        pairs = query.items() if isinstance(query, Mapping) else query
        shown = [(k, {True: "true", False: "false"}.get(v, v) if isinstance(v, bool) else v) for k, v in pairs]
        encoded = urlencode([(k, v) for k, v in shown if v is not None])
        if encoded:
            text += ("&" if "?" in path else "?") + encoded
    return URL(text, encoded=True)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    value = headers.get("retry-after", "")
    return min(float(value), _MAX_WAIT) if value.isdigit() else None


async def read_answer(response: aiohttp.ClientResponse, limit: int) -> Answer:
    """The whole body, decompressed.

    Raises:
        ReachError: it is larger than `limit` bytes, or its compression is broken.
    """
    chunks, size = [], 0
    async for chunk in response.content.iter_any():
        size += len(chunk)
        if size > limit:
            raise ReachError(f"the answer to {response.method} {response.url.path} is larger than {limit >> 20} MiB")
        chunks.append(chunk)
    body = b"".join(chunks)
    if response.headers.get("Content-Encoding", "").lower() in ("gzip", "x-gzip") and body:
        try:
            body = _unpacked(body, limit)
        except (zlib.error, EOFError) as error:
            raise ReachError(f"the answer to {response.method} {response.url.path} is damaged: {error}") from None
        if len(body) > limit:
            raise ReachError(f"the answer to {response.method} {response.url.path} is larger than {limit >> 20} MiB")
    return Answer(response.status, {k.lower(): v for k, v in response.headers.items()}, body)


def _unpacked(body: bytes, limit: int) -> bytes:
    """gzip undone; it stops one byte after `limit`."""
    out, rest = b"", body
    while rest and len(out) <= limit:
        unpack = zlib.decompressobj(31)
        out += unpack.decompress(rest, limit + 1 - len(out))
        if not unpack.eof and len(out) <= limit:
            raise EOFError("it ends too early")
        rest = unpack.unused_data
    return out
