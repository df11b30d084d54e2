"""Plain HTTP under a connection: sessions with the cluster's TLS, URLs, whole answers with a limit."""

from __future__ import annotations

import socket
import tempfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlencode

from msgspec import Struct

from console.base.errors import ReachError
from console.base.jsontext import decode_json
from console.base.units import parse_count
from console.wire.config import ClusterTarget

if TYPE_CHECKING:
    import ssl

    import aiohttp

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
PLAIN = "!$'()*,:/=?@~"
"""Characters that need no quoting in the value of a query: a PromQL expression stays short."""
Query = Mapping[str, str | int | bool | None] | list[tuple[str, str]]

CONNECT = 6.0
"""Seconds for a connection to come about."""
MAX_BODY = 64 * 2**20
"""Bytes of one answer after decompression."""
_MAX_WAIT = 10.0


class HttpAnswer(Struct, frozen=True):
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
        return decode_json(self.body)


def once() -> Any:
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


def tls(target: ClusterTarget, cert: bytes, key: bytes) -> ssl.SSLContext | bool:
    """What checks the server and shows who asks: the cluster's own authority, without one the system's.

    True where the server speaks plain HTTP: nothing is loaded for it. Keys are on disk only while they are loaded.

    Raises:
        ReachError: a certificate or key cannot be used.
    """
    import ssl

    if not target.server.startswith("https:"):
        return True
    try:
        if target.insecure:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        else:
            context = ssl.create_default_context(cadata=target.ca.decode("ascii", "replace") or None)
            context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        if cert:
            with tempfile.TemporaryDirectory(prefix="console-") as folder:
                own, secret = _private(Path(folder) / "cert", cert), _private(Path(folder) / "key", key)
                context.load_cert_chain(own, secret, password="")  # never ask the terminal
    except (OSError, ValueError) as error:
        raise ReachError(
            f"the certificates of context {target.context!r} cannot be used: {error}",
            hint=f"see certificate-authority, client-certificate and client-key in {target.file}",
        ) from None
    return context


def open_session(context: ssl.SSLContext | bool, *, fresh: bool) -> aiohttp.ClientSession:
    """A session with this TLS. `fresh`: each request gets a socket of its own."""
    import aiohttp

    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(ssl=context, limit=0, force_close=fresh, socket_factory=_socket),
        auto_decompress=False,
        trust_env=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        read_bufsize=2**18,
    )


def _socket(address: tuple[Any, ...]) -> socket.socket:
    """A socket that notices within about a minute that the other end is gone, where the system can do that."""
    family, kind, protocol = address[:3]
    made = socket.socket(family=family, type=kind, proto=protocol)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, seconds in (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3)):
        if hasattr(socket, name):
            made.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), seconds)
    return made


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


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that the server wants us to wait, at most ten; None where it says nothing, or a date."""
    seconds = parse_count(headers.get("retry-after"))
    return None if seconds is None else min(float(seconds), _MAX_WAIT)


class _Gunzip:
    """gzip undone piece by piece. `whole` says that nothing is missing."""

    def __init__(self) -> None:
        self._inner, self.whole = zlib.decompressobj(31), True

    def feed(self, data: bytes, room: int) -> bytes:
        """The next bytes; it stops one byte after `room`."""
        out = b""
        while data and len(out) <= room:
            self.whole = False
            out += self._inner.decompress(data, room + 1 - len(out))
            data = self._inner.unused_data
            if self._inner.eof:
                self._inner, self.whole = zlib.decompressobj(31), True
        return out


async def read_answer(response: aiohttp.ClientResponse, limit: int) -> HttpAnswer:
    """The whole body, decompressed as it comes.

    Raises:
        ReachError: it is larger than `limit` bytes, or its compression is broken.
    """
    packed = response.headers.get("Content-Encoding", "").lower() in ("gzip", "x-gzip")
    unpack = _Gunzip() if packed else None
    what = f"the answer to {response.method} {response.url.path}"
    chunks: list[bytes] = []
    size = 0
    try:
        async for chunk in response.content.iter_any():
            part = unpack.feed(chunk, limit - size) if unpack is not None else chunk
            chunks.append(part)
            size += len(part)
            if size > limit:
                raise ReachError(f"{what} is larger than {limit >> 20} MiB")
    except zlib.error as error:
        raise ReachError(f"{what} is damaged: {error}") from None
    if unpack is not None and not unpack.whole:
        raise ReachError(f"{what} is damaged: it ends too early")
    return HttpAnswer(response.status, {k.lower(): v for k, v in response.headers.items()}, b"".join(chunks))
