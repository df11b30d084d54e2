"""What people write about a server, checked before it is used: URLs and what goes into headers."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit

from console.base.redact import redact

_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


def http_address(text: str) -> SplitResult | None:
    """An http or https URL in its parts; None where it is none, or its host or port cannot exist."""
    try:
        parts = urlsplit(text)
        known = parts.port is None or parts.port > 0
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not parts.hostname or not known:
        return None
    return None if _CONTROL.search(text) or " " in parts.netloc else parts


def fits_in_a_header(text: str) -> bool:
    """Whether a text can be sent in a header: line breaks and other control characters would begin another one."""
    return not _CONTROL.search(text)


_IN_PATH = re.compile(r"(?<=/)[\w.~-]{24,}(?=/|$)")


def named(server: str) -> str:
    """A server as it is named to people: what is long in its path may be a token, and is left out."""
    head, slashes, rest = server.partition("://")
    host, slash, path = rest.partition("/")
    return redact(f"{head}{slashes}{host}{_IN_PATH.sub('…', slash + path)}")
