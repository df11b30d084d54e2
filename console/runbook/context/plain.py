"""Structs as plain data. What a source did not have is absent, never None and never zero."""

from __future__ import annotations

from typing import Any

import msgspec


def plain(value: Any) -> Any:
    """A struct as dicts and lists."""
    return msgspec.to_builtins(value)


def without_none(value: Any) -> Any:
    """The same tree without the keys and items that are None."""
    if isinstance(value, dict):
        return {str(k): without_none(v) for k, v in value.items() if v is not None}
    if isinstance(value, list | tuple):
        return [without_none(v) for v in value if v is not None]
    return value
