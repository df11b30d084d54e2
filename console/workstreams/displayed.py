"""Texts of the user's own files as faces show them. The files themselves are read, and written, as they are."""

from __future__ import annotations

from console.base.redact import redact_short
from console.base.text import clean


def displayed(text: str) -> str:
    """One line of a text: without secrets, and without what a terminal would obey."""
    return clean(redact_short(text))
