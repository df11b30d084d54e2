"""What a bound left out: it keeps what matters most, and the rest is named here and stands where the answer is read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from msgspec import Struct

T = TypeVar("T")
_NAMED = 3


class LeftOut(Struct, frozen=True):
    """Things of a source that were not read, followed or kept, because there are more than a bound allows.

    Attributes:
        source: name of the source that they belong to, as sources are named (`pods`, `events`).
        what: what was done with those that were kept: `workloads that run Spark are followed`.
        kept: how many those are.
        of: how many there are; None where nobody counted, and it is only known that there are more.
        first: which of them were chosen: `the sick first`.
        names: some of those that were left out.
        blinds: whether trouble may hide in what was left out; then its source is read in part only.
    """

    source: str
    what: str
    kept: int
    of: int | None = None
    first: str = ""
    names: tuple[str, ...] = ()
    blinds: bool = False

    @property
    def words(self) -> str:
        """`200 of 241 workloads that run Spark are followed, the sick first; not jobs/a, jobs/b and 39 more`."""
        count = f"{self.kept} of {self.of}" if self.of is not None else f"only {self.kept}"
        more = (self.of - self.kept - len(self.names)) if self.of is not None else 0
        named = ", ".join(self.names) + (f" and {more} more" if more > 0 else "")
        first = f", {self.first}" if self.first else ""
        return f"{count} {self.what}{first}" + (f"; not {named}" if self.names else "")

    @property
    def said(self) -> str:
        """The same, after the name of its source where that does not stand in it."""
        return self.words if self.source in self.words.split() else f"{self.source}: {self.words}"


def bounded(
    items: Sequence[T],
    most: int,
    *,
    source: str,
    what: str,
    first: str = "",
    name: Callable[[T], str] | None = None,
    blinds: bool = False,
) -> tuple[Sequence[T], tuple[LeftOut, ...]]:
    """The first `most` of `items`, which stand in the order of what matters, and what was left out of them, if any."""
    if len(items) <= most:
        return items, ()
    names = tuple(name(item) for item in items[most : most + _NAMED]) if name is not None else ()
    return items[:most], (LeftOut(source, what, most, len(items), first, names, blinds),)
