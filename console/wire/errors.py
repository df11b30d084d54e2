"""What a server's refusal means: HTTP statuses of the Kubernetes API as errors that carry the server's own words.

ConsoleError
├── ForbiddenError          3  403: it knows us and says no to a read
├── ReachError              3
│   ├── LoginNeeded         3  401
│   ├── QuietError          3  an open stream gave nothing for longer than it may
│   └── UnavailableError    3  (below)
└── ApiError                1  any other status of 400 and above: it understood, and says no
    ├── InvalidError        1  400, 415, 422: the request makes no sense to the server
    ├── NotFoundError       1  404
    ├── ConflictError       1  409: somebody else changed it, or a precondition does not hold
    ├── GoneError           1  410: the resourceVersion or continue token is too old
    └── UnavailableError    3  5xx, and a ReachError too: it cannot serve us now, the same question may be asked again
        └── TooManyError    3  429: a limit or a disruption budget says not now
"""

from __future__ import annotations

from typing import Any

import msgspec

from console.base.errors import ConsoleError, ForbiddenError, ReachError
from console.base.jsontext import decode_json
from console.base.redact import redact
from console.base.text import clean, shorten
from console.base.units import parse_count, parse_number


class QuietError(ReachError):
    """An open stream gave nothing for longer than it may: perhaps nobody is there any more."""


class ApiError(ConsoleError):
    """The server answered, and the answer is no: asking the same again gives the same answer.

    Attributes:
        status: HTTP status code.
        reason: the machine-readable word (`NotFound`, `Conflict`, `Expired`, …), `` where there is none.
        details: `details` of the Status object.
        retry_after: seconds after which the server wants to be asked again, or None.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int,
        reason: str = "",
        details: dict[str, Any] | None = None,
        retry_after: float | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.status, self.reason = status, reason
        self.details, self.retry_after = details or {}, retry_after


class InvalidError(ApiError):
    """The server does not accept the request as it is."""


class NotFoundError(ApiError):
    """The object, the resource or the path does not exist."""


class ConflictError(ApiError):
    """The object is not in the state that the request supposed."""


class GoneError(ApiError):
    """History does not reach back this far: list again."""


class UnavailableError(ApiError, ReachError):
    """The server, or what stands before it, answered that it cannot serve us now: nothing is known."""


class TooManyError(UnavailableError):
    """Not now: a rate limit or a PodDisruptionBudget."""


_CLASSES: dict[int, type[ApiError]] = {
    400: InvalidError,
    404: NotFoundError,
    409: ConflictError,
    410: GoneError,
    415: InvalidError,
    422: InvalidError,
    429: TooManyError,
}


class _StatusObject(msgspec.Struct):
    message: str = ""
    reason: str = ""
    details: dict[str, Any] | None = None


def words(body: bytes, limit: int = 300) -> str:
    """What an error body says, on one line, safe to show."""
    text = body[:4000].decode("utf-8", "replace").strip()
    try:
        status = decode_json(body, _StatusObject)
    except msgspec.DecodeError:
        if text.startswith("<"):
            text = "(an HTML page)"
    else:
        text = status.message or status.reason or text
    return shorten(clean(redact(text)), limit)


def refusal(
    status: int,
    message: str,
    *,
    reason: str = "",
    details: dict[str, Any] | None = None,
    retry_after: float | None = None,
) -> ConsoleError:
    """The error that an HTTP status means, whoever gave it, with a message of the caller's.

    A status below 400 that stands for no answer (a redirect, a page that is no JSON) is a ReachError: somebody else is
    there.
    """
    if status == 403:
        return ForbiddenError(message)
    if status < 400:
        return ReachError(message)
    kind = _CLASSES.get(status, UnavailableError if status >= 500 else ApiError)
    return kind(message, status=status, reason=reason, details=details, retry_after=retry_after)


def http_error(status: int, body: bytes, what: str, *, retry_after: float | None = None) -> ConsoleError:
    """The error for an HTTP status of 400 and above. 401 is the connection's business and never comes here.

    Args:
        status: HTTP status.
        body: the answer, usually a Status object.
        what: what was asked, for a message such as `GET /api/v1/pods`.
        retry_after: seconds, from the header.
    """
    said = words(body)
    if status == 403:
        return ForbiddenError(said or f"{what} is forbidden")
    reason, details = "", {}
    try:
        parsed = decode_json(body, _StatusObject)
        reason, details = parsed.reason, parsed.details or {}
    except msgspec.DecodeError:
        pass
    if retry_after is None:
        retry_after = parse_number(parse_count(details.get("retryAfterSeconds")))
    message = f"{said} (HTTP {status})" if said else f"{what} was answered with HTTP {status}"
    return refusal(status, message, reason=reason, details=details, retry_after=retry_after)


def status_error(event: dict[str, Any]) -> ConsoleError:
    """The error inside an `ERROR` event of a watch, which arrives with HTTP 200."""
    code = event.get("code")
    body = msgspec.json.encode(event)
    return http_error(code if isinstance(code, int) and 400 <= code < 600 else 500, body, "the watch")
