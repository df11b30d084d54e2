"""What earlier looks know of how often an application was tried: operators forget it, and pods go. Immutable."""

from __future__ import annotations

from msgspec import Struct


class CountedAttempts(Struct, frozen=True, gc=False):
    """The count of one object's attempts as it was shown last.

    Attributes:
        number: the latest attempt's number; it never falls.
        base: attempts from before the operator began to count anew; it does so when the spec is edited.
        said: the operator's own count, which was read then.
        generation: of the object, when that count was first seen.
        exact: whether `number` is known; otherwise there were at least so many.
        watched: whether this session has looked ever since; False for what a former one left behind.
        counted_id: application id of the attempt that the operator's count is about; empty where it is not known.
        numbers: Spark's application id → the number of that attempt, the latest last.
    """

    number: int
    base: int = 0
    said: int = 0
    generation: int = 0
    exact: bool = True
    watched: bool = True
    counted_id: str = ""
    numbers: dict[str, int] = {}
