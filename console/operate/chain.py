"""The hash chain of a walk: what a record's hash covers, and whether a chain is what was written."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from msgspec import Struct

GENESIS = "0" * 64


class Chain(Struct, frozen=True):
    """What checking a chain found. `broken` is the number of the first wrong record, None where all are right."""

    walk: str
    ok: bool
    records: int
    head: str
    broken: int | None = None
    because: str = ""


def digest(walk: str, seq: int, prev: str, payload: bytes) -> str:
    """The hash of one record."""
    return hashlib.sha256(f"{walk}\n{seq}\n{prev}\n".encode() + payload).hexdigest()


def check(walk: str, records: Iterable[tuple[int, str, str, bytes]], noted: tuple[int, str] | None) -> Chain:
    """Compute the chain anew and compare.

    Args:
        records: (number, hash before, hash, payload) in order.
        noted: number and hash of the last record as they were noted beside it.
    """
    prev, count = GENESIS, 0
    for seq, said_prev, said, payload in records:
        count += 1
        because = ""
        if seq != count:
            because = f"record {count} is missing"
        elif said_prev != prev:
            because = f"record {seq} does not follow the one before it"
        elif digest(walk, seq, prev, payload) != said:
            because = f"record {seq} is not what was written"
        if because:
            return Chain(walk, False, count, prev, min(seq, count), because)
        prev = said
    if noted is None:
        because = "the note of the last record is missing" if count else "there is no such walk"
        return Chain(walk, False, count, prev if count else "", count or None, because)
    last, head = noted
    if last > count:
        return Chain(walk, False, count, prev, count + 1, f"the records from {count + 1} to {last} are missing")
    if last < count or head != prev:
        return Chain(walk, False, count, prev, last, f"record {last} is not the last one that was noted")
    return Chain(walk, True, count, prev)
