"""What all events of a walk have."""

from __future__ import annotations

from msgspec import Struct


class WalkEvent(Struct, frozen=True, tag_field="event"):
    """Base. `at` is epoch seconds of the walk's clock."""

    at: float
