"""One thing that was seen, and where to look again."""

from __future__ import annotations

from msgspec import Struct


class Evidence(Struct, frozen=True, gc=False):
    """One thing that was seen. `locator` says where to look again, `excerpt` quotes it (cleaned, redacted, short)."""

    source: str
    locator: str
    excerpt: str
    at: float | None = None
