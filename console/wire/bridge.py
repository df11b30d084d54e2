"""Lets users of `requests` go through our own connections: same credentials, same proxies, one overall deadline.

The blocking caller runs in a daemon thread; its requests are made by the event loop. An adapter mounted on a session
answers everything that the session sends, so nothing can leave by another way, and nothing is retried behind our back.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Callable, Mapping
from io import BytesIO
from typing import TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit

import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

from console.base.errors import ConsoleError, ReachError
from console.wire.endpoint import Endpoint
from console.wire.http import MAX_BODY, PLAIN
from console.wire.pool import Pool

T = TypeVar("T")
_GRACE = 1.0


class BridgeError(requests.exceptions.ConnectionError):
    """What `requests` users see when the wire fails; `error` says it in our words."""

    def __init__(self, error: ConsoleError) -> None:
        super().__init__(error.message)
        self.error = error


class BridgeAdapter(BaseAdapter):
    """Sends GET requests of a session through `endpoint`, in the loop that made the adapter.

    Args:
        base: the URL that the session's user believes in; what follows it is the path at the endpoint.
        deadline: gives the seconds that are left, at the moment of sending.
    """

    def __init__(self, endpoint: Endpoint, base: str, deadline: Callable[[], float], *, limit: int = MAX_BODY) -> None:
        super().__init__()
        self._endpoint, self._prefix, self._deadline, self._limit = endpoint, urlsplit(base).path, deadline, limit
        self._loop = asyncio.get_running_loop()

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: float | tuple[float, float] | tuple[float, None] | None = None,
        verify: bool | str = True,
        cert: bytes | str | tuple[bytes | str, bytes | str] | None = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """One request, one answer. Raises BridgeError where the wire fails, Timeout where the deadline passed."""
        parts = urlsplit(str(request.url))
        if request.method != "GET":
            raise BridgeError(ReachError(f"only GET goes over this bridge, not {request.method}"))
        path = parts.path.removeprefix(self._prefix.rstrip("/"))
        left = self._deadline()
        if left <= 0:
            raise requests.exceptions.Timeout("the deadline has passed")
        query = urlencode(parse_qsl(parts.query, keep_blank_values=True), safe=PLAIN)
        work = self._endpoint.get(path + (f"?{query}" if query else ""), timeout=left, limit=self._limit)
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            answer = future.result(left + _GRACE)
        except concurrent.futures.TimeoutError:
            future.cancel()
            raise requests.exceptions.Timeout("no answer within the deadline") from None
        except concurrent.futures.CancelledError:
            raise requests.exceptions.Timeout("given up") from None
        except ConsoleError as error:
            raise BridgeError(error) from None
        response = requests.Response()
        response.status_code = answer.status
        response.headers = CaseInsensitiveDict(answer.headers)
        response.headers.pop("content-encoding", None)
        response.raw = BytesIO(answer.body)
        response._content = answer.body  # as requests' own adapters leave it after reading
        response.url, response.request, response.encoding = str(request.url), request, "utf-8"
        return response

    def close(self) -> None:
        """Nothing to close: the endpoint belongs to somebody else."""


def bridged(session: requests.Session, adapter: BridgeAdapter) -> requests.Session:
    """`session` with every way out replaced by `adapter`: call it after whoever mounts adapters of its own."""
    for prefix in (*session.adapters, "http://", "https://"):
        session.mount(prefix, adapter)
    session.trust_env = False
    return session


async def run_blocking(pool: Pool, function: Callable[[], T], deadline: float, what: str) -> T:
    """The result of a blocking function that uses a bridged session.

    Raises:
        ReachError (and its kin): the wire failed, or `deadline` seconds passed.
    """
    try:
        return await pool.run(function, deadline=deadline + 2 * _GRACE)
    except BridgeError as error:
        raise error.error from None
    except (requests.exceptions.Timeout, TimeoutError):
        raise ReachError(f"{what} did not answer within {deadline:g} s") from None
    except requests.exceptions.RequestException as error:
        raise ReachError(f"{what}: {error}") from None


__all__ = ["BridgeAdapter", "BridgeError", "bridged", "run_blocking"]
