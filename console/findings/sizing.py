"""How large a fix must be: the smallest size that what was measured and tried carries. Pure; sizes are bytes.

A container that was killed stood at its limit, and a heap that was full at its size: what they wanted beyond is known
only by peaks of another place (Python's workers, the resident JVM, an executor of another size) or by other attempts.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from msgspec import Struct

from console.apps.memory import MIB, MIN_OVERHEAD
from console.base.units import human_bytes
from console.findings.figures.memory import SizedField, SizeProposal, Sureness

STEP = 128 * MIB
SPARE, TOO_MUCH = 1.25, 1.5
"""What a proposal has of a measured need: a quarter more, and never more than half of it more."""
_SEEN = 0.9
"""Share of the present size that a measured need must reach to explain that it was too small."""
_LEAST_OWN = 128 * MIB
"""Less than a JVM of Spark ever needs beside its heap."""


class MeasuredNeed(NamedTuple):
    """Bytes that were needed, and the figures that say so."""

    size: float
    words: str


class SizeRoom(NamedTuple):
    """The largest value that something allows, and what that is."""

    most: float
    by: str


class SizeQuestion(Struct, frozen=True, kw_only=True):
    """What is known about one size that was too small.

    Attributes:
        field: what would be set.
        now: what it is; that it failed is why this is asked.
        need: what was measured; None where nothing was.
        failed, ran: other sizes of it with which executors died for memory, and with which they ended well.
        least: what it needs at least.
        added: what is put on top of it where nothing bounds the need and twice is not enough to say: the whole limit of
            a container whose local directories lie in memory.
        room: the largest value that is allowed, where that is known.
        heap: the driver's heap, which grows with the size of results.
        why: what makes this field the one to set.
    """

    field: SizedField
    now: float
    need: MeasuredNeed | None = None
    failed: tuple[float, ...] = ()
    ran: tuple[float, ...] = ()
    least: float = 0.0
    added: float = 0.0
    room: SizeRoom | None = None
    heap: float = 0.0
    why: str = ""


class _Sized(NamedTuple):
    """`floor` is what is known to be needed, whatever is guessed beyond."""

    value: int
    sure: Sureness
    words: str
    floor: float


def up(size: float) -> int:
    """To the next multiple of 128 MiB."""
    return int(-(-size // STEP) * STEP)


def covering(need: float) -> int:
    """A need with a quarter more, rounded up; less room where that would be more than half of the need."""
    size = up(need * SPARE)
    if size <= need * TOO_MUCH:
        return size
    below = int(need * TOO_MUCH // STEP * STEP)
    return below if below >= need else up(need)


def beside_the_heap(
    heap: float | None, overhead: float | None, python: float | None, jvm: float | None
) -> MeasuredNeed | None:
    """What Python's workers and the JVM itself need beside the heap; None where what was measured explains no kill.

    Args:
        jvm: resident memory of the JVM, its heap included.
    """
    if heap is None or overhead is None or (python is None and jvm is None):
        return None
    measured = jvm - heap if jvm is not None and jvm - heap >= _LEAST_OWN else None
    own = float(MIN_OVERHEAD) if measured is None else measured
    size = (python or 0.0) + own
    if size < overhead * _SEEN or (python is None and measured is None):
        return None
    words = f"the JVM {'held' if measured is not None else 'needs about'} {human_bytes(own)} beside its heap"
    if python:
        words = f"Python workers held up to {human_bytes(python)} and {words}: {human_bytes(size)}"
    return MeasuredNeed(size, words)


def of_results(size: float | None, tasks: int, of: int) -> MeasuredNeed | None:
    """Results of a whole stage, from those of the tasks that had ended when they were too many."""
    if not size or not tasks or of < tasks:
        return None
    words = f"{tasks} of {of} tasks brought {human_bytes(size)}: all of them bring {human_bytes(size / tasks * of)}"
    return MeasuredNeed(size / tasks * of, words)


def proposed(asked: SizeQuestion) -> SizeProposal:
    """The smallest size that is known to be enough, else twice what was too small; within what is allowed."""
    sized = _sized(asked)
    bound = None if asked.room is None else max(0, int(asked.room.most // MIB * MIB))
    value: int | None = sized.value
    words, field, by = sized.words, asked.field, "" if asked.room is None else asked.room.by
    if bound is not None and sized.value > bound:
        fits = int(bound // STEP * STEP)
        value = fits if sized.sure == "guess" and fits > max(asked.now, sized.floor) else None
        allowed = f"{by} allows at most {human_bytes(bound)}"
        words = f"{words}, and {allowed}"
        if value is None:
            field = "cores" if field in ("overhead", "heap") else field
            words += ": run fewer tasks in each executor" if field == "cores" else ": let the driver hold less"
    return SizeProposal(
        field=field,
        value=value,
        heap=up(asked.heap + value) if value is not None and field == "result-size" else None,
        bound=bound,
        now=int(asked.now),
        sure=sized.sure,
        because=f"{asked.why}; {words}" if asked.why else words,
    )


def _sized(asked: SizeQuestion) -> _Sized:
    failed = max(asked.now, *asked.failed) if asked.failed else asked.now
    above = float(int(failed // STEP + 1) * STEP)
    ran = min((size for size in asked.ran if size > failed), default=None)
    if asked.need is not None and asked.need.size > failed * _SEEN:
        value = max(covering(asked.need.size), int(above))
        if ran is None or value <= ran:
            return _Sized(value, "measured", f"{asked.need.words}, with a quarter more", asked.need.size)
    if ran is not None:
        return _Sized(int(ran), "tried", f"{_sizes(failed, asked)} failed, {human_bytes(ran)} ran", ran)
    floor = max(above, asked.least * SPARE)
    if asked.added and not asked.failed:
        added = human_bytes(asked.added)
        words = f"local directories lie in memory, so the whole limit of {added} is added, which is a guess"
        return _Sized(up(max(asked.now + asked.added, floor)), "guess", words, floor)
    words = f"{_sizes(failed, asked)} failed and nothing says how much is needed, so twice that is a guess"
    return _Sized(up(max(failed * 2, floor)), "guess", words, floor)


def _sizes(largest: float, asked: SizeQuestion) -> str:
    others = sorted({size for size in (asked.now, *asked.failed) if size != largest})
    return " and ".join(human_bytes(size) for size in (*others[-2:], largest))


def smallest(rooms: Iterable[SizeRoom]) -> SizeRoom | None:
    """The one that allows least."""
    return min(rooms, key=lambda room: room.most, default=None)
