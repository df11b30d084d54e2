"""What every event of a walk has."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

ChangeVerdict = Literal["effective", "ineffective", "worse", "unknown"]


class WalkEvent(Struct, frozen=True, tag_field="event"):
    """Base. `at` is epoch seconds of the walk's clock."""

    at: float
