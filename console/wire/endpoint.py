"""An HTTP server that is only read: behind the API server's proxy with the cluster's credentials, or at a URL."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from console.base.errors import LoginNeeded, ReachError, UsageError
from console.base.redact import redact
from console.wire.checks import fits_in_a_header, http_address
from console.wire.http import CONNECT, MAX_BODY, HttpAnswer, Query, http_url, read_answer
from console.wire.reader import Reader

if TYPE_CHECKING:
    import aiohttp


class Endpoint(Protocol):
    """Something to GET from. `label` names it for people, without secrets."""

    label: str

    async def get(
        self, path: str, query: Query | None = None, *, timeout: float = 10.0, limit: int = MAX_BODY
    ) -> HttpAnswer:
        """GET `path`; one request, never repeated, whatever its status is.

        Raises:
            ReachError, LoginNeeded: it cannot be reached.
            ForbiddenError, NotFoundError: the API server refuses to pass us on.
        """
        ...

    async def close(self) -> None:
        """Give up sockets of its own."""
        ...


class ServiceEndpoint:
    """A Service, through the API server."""

    def __init__(
        self,
        reader: Reader,
        namespace: str,
        service: str,
        port: int | str = "",
        *,
        scheme: str = "",
        prefix: str = "",
        headers: dict[str, str] | None = None,
    ) -> None:
        self.label = f"service {namespace}/{service}" + (f":{port}" if port else "")
        self._reader, self._target = reader, (namespace, service, port)
        self._scheme, self._prefix, self._headers = scheme, prefix.strip("/"), headers

    async def get(
        self, path: str, query: Query | None = None, *, timeout: float = 10.0, limit: int = MAX_BODY
    ) -> HttpAnswer:
        """See Endpoint."""
        namespace, service, port = self._target
        return await self._reader.service_proxy(
            namespace,
            service,
            port,
            _joined(self._prefix, path),
            query,
            scheme=self._scheme,
            headers=self._headers,
            timeout=timeout,
            limit=limit,
        )

    async def close(self) -> None:
        """Nothing: the connection belongs to somebody else."""


class PodEndpoint:
    """A port of a pod, through the API server."""

    def __init__(self, reader: Reader, namespace: str, pod: str, port: int | str, *, prefix: str = "") -> None:
        self.label = f"pod {namespace}/{pod}:{port}"
        self._reader, self._target, self._prefix = reader, (namespace, pod, port), prefix.strip("/")

    async def get(
        self, path: str, query: Query | None = None, *, timeout: float = 10.0, limit: int = MAX_BODY
    ) -> HttpAnswer:
        """See Endpoint."""
        namespace, pod, port = self._target
        target = _joined(self._prefix, path)
        return await self._reader.pod_proxy(namespace, pod, port, target, query, timeout=timeout, limit=limit)

    async def close(self) -> None:
        """Nothing: the connection belongs to somebody else."""


class UrlEndpoint:
    """A server at a URL of its own, with credentials of its own.

    Args:
        url: http or https, with an optional path; user and password in it are sent as Basic.
        token_file: a bearer token, read again for each request.
        ca_file: PEM of the authorities to trust instead of the system's.
    """

    def __init__(
        self,
        url: str,
        *,
        headers: dict[str, str] | None = None,
        token: str = "",
        token_file: str = "",
        ca_file: str = "",
        insecure: bool = False,
    ) -> None:
        parts = http_address(url)
        if parts is None:
            raise UsageError(f"{redact(url)!r} is no http or https URL")
        host = parts.hostname or ""
        host = f"[{host}]" if ":" in host else host
        self._base = f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port else "")
        self._prefix = parts.path.strip("/")
        self.label = self._base + (f"/{self._prefix}" if self._prefix else "")
        self._user, self._password = parts.username, parts.password
        self._headers, self._token, self._token_file = headers or {}, token, token_file
        self._ca_file, self._insecure = ca_file, insecure
        self._session: aiohttp.ClientSession | None = None

    async def get(
        self, path: str, query: Query | None = None, *, timeout: float = 10.0, limit: int = MAX_BODY
    ) -> HttpAnswer:
        """See Endpoint."""
        import aiohttp

        from console.wire.network import network_error, proxy_for

        session = self._open()
        url = http_url(self._base, "/" + _joined(self._prefix, path), query)
        limits = aiohttp.ClientTimeout(total=None, sock_connect=min(CONNECT, timeout))
        try:
            async with (
                asyncio.timeout(timeout),
                session.get(
                    url,
                    headers=self._head(),
                    timeout=limits,
                    allow_redirects=False,
                    proxy=proxy_for(self._base, "") or None,
                ) as response,
            ):
                answer = await read_answer(response, limit)
        except (aiohttp.ClientError, OSError) as error:
            raise network_error(error, self.label, timeout) from None
        if answer.status == 401:
            raise LoginNeeded(f"{self.label} wants a login", hint="set token_file, token_env or headers in the config")
        return answer

    async def close(self) -> None:
        """Close its sockets."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _head(self) -> dict[str, str]:
        from base64 import b64encode

        head = {"Accept": "*/*", "Accept-Encoding": "gzip", "User-Agent": "console-oncall", **self._headers}
        token = self._token
        if self._token_file:
            try:
                token = Path(self._token_file).expanduser().read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                raise LoginNeeded(f"the token file for {self.label} cannot be read: {error}") from None
        if token:
            head["Authorization"] = f"Bearer {token}"
        elif self._user is not None:
            head["Authorization"] = "Basic " + b64encode(f"{self._user}:{self._password or ''}".encode()).decode()
        for name, value in head.items():
            if not fits_in_a_header(name + value):
                raise UsageError(f"the header {name!r} for {self.label} has line breaks or control characters in it")
        return head

    def _open(self) -> aiohttp.ClientSession:
        import aiohttp

        if self._session is None:
            context: Any = True
            if self._base.startswith("https"):
                try:
                    ca_file = str(Path(self._ca_file).expanduser()) if self._ca_file else None
                    context = ssl.create_default_context(cafile=ca_file)
                except (OSError, ssl.SSLError) as error:
                    raise ReachError(f"the ca_file for {self.label} cannot be used: {error}") from None
                if self._insecure:
                    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(ssl=context),
                auto_decompress=False,
                trust_env=False,
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session


def _joined(prefix: str, path: str) -> str:
    return f"{prefix}/{path.lstrip('/')}" if prefix else path.lstrip("/")
