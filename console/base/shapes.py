"""Data of others by its shape: what should be a mapping, a list of them or a number, and may be anything."""

from __future__ import annotations

from typing import Any, TypeGuard


def mapping(value: Any) -> dict[str, Any]:
    """The value where it is a mapping, else an empty one."""
    return value if isinstance(value, dict) else {}


def mappings(value: Any) -> list[dict[str, Any]]:
    """The mappings of a list; none where it is no list."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def entries(value: Any) -> list[Any]:
    """The value where it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def is_number(value: object) -> TypeGuard[int | float]:
    """Whether it counts or measures; true and false do neither."""
    return isinstance(value, int | float) and not isinstance(value, bool)
