"""What a verb has to see beside its target, and what was found there. Described here; `operate` alone reads it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from console.base.errors import ConsoleError
from console.base.shapes import mappings


class NoSuchChange(ConsoleError):
    """What the keys ask for does not exist on this object."""


class ReadWanted(Struct, frozen=True):
    """One object (`name`), or those of a namespace by labels. A kind that the server does not have counts as none."""

    key: str
    api_version: str
    kind: str
    namespace: str = ""
    name: str = ""
    labels: dict[str, str] = {}


class FoundBeside(Struct, frozen=True):
    """The objects, or why they could not be read: then nothing is known of them."""

    items: tuple[dict[str, Any], ...] = ()
    error: str = ""


Beside = Mapping[str, FoundBeside]
"""Key of a `ReadWanted` → what was found."""
NOTHING: Beside = {}
_UNREAD = FoundBeside(error="it was not read")


def found(beside: Beside, key: str) -> FoundBeside:
    """What was found under a key; what was not asked for is not known."""
    return beside.get(key, _UNREAD)


def owned(items: tuple[dict[str, Any], ...], uid: str) -> list[dict[str, Any]]:
    """Those of which the object with this UID is the controller."""
    return [
        item
        for item in items
        for ref in mappings((item.get("metadata") or {}).get("ownerReferences"))
        if ref.get("controller") is True and uid and ref.get("uid") == uid
    ]
