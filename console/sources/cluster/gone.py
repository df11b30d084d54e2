"""Pods that vanished, for as long as they explain something: executors are deleted the moment they die."""

from __future__ import annotations

import time
from collections import Counter, OrderedDict

import msgspec

from console.facts.leftout import LeftOut
from console.facts.model import Pod

MAX_AGE = 6 * 3600.0
_QUARTER = 900.0
LIMITS = {2: 1_000, 1: 400, 0: 200}
"""How many are kept, by `weight`: a wave of normal ends must not push out the one that was killed."""


def weight(pod: Pod) -> int:
    """How much the end of a pod says: 2 it died, 1 it was stopped or nobody knows, 0 it completed."""
    ended = pod.main.terminated or pod.main.last_terminated if pod.main else None
    if pod.reason or (ended is not None and (ended.exit_code not in (0, 143) or ended.reason == "OOMKilled")):
        return 2
    if ended is not None and ended.exit_code == 0 and pod.phase == "Succeeded":
        return 0
    return 1


def tells_less(final: Pod | None, before: Pod | None) -> bool:
    """Whether a DELETED event lost the `terminated` state that the object before it still showed."""
    return final is not None and before is not None and _ended(before) and not _ended(final)


def last_words(final: Pod | None, before: Pod | None) -> Pod | None:
    """The more telling of an object's last two states, marked as gone."""
    kept = final if final is not None else before
    if final is not None and before is not None and tells_less(final, before):
        kept = msgspec.structs.replace(before, deleted=final.deleted or before.deleted)
    return msgspec.structs.replace(kept, gone=True) if kept is not None and not kept.gone else kept


def _ended(pod: Pod) -> bool:
    return any(c.terminated is not None for c in pod.containers if c.role == "main")


class VanishedPods:
    """The vanished pods, by uid, the oldest first."""

    def __init__(self) -> None:
        self._kept: dict[int, OrderedDict[str, tuple[float, Pod]]] = {rank: OrderedDict() for rank in LIMITS}
        self._pushed_out: Counter[int] = Counter()
        """Quarter of an hour → how many that did not complete had to give way in it."""

    def add(self, key: str, pod: Pod) -> None:
        """Remember `pod`; the oldest of its weight gives way."""
        rank = weight(pod)
        shelf = self._kept[rank]
        shelf[key] = (time.monotonic(), pod)
        while len(shelf) > LIMITS[rank]:
            shelf.popitem(last=False)
            if rank > 0:
                self._pushed_out[int(time.monotonic() // _QUARTER)] += 1

    def left_out(self) -> tuple[LeftOut, ...]:
        """Those that had to give way within `MAX_AGE`, without such that completed."""
        first = (time.monotonic() - MAX_AGE) // _QUARTER
        gone = sum(count for quarter, count in self._pushed_out.items() if quarter >= first)
        kept = sum(len(shelf) for rank, shelf in self._kept.items() if rank > 0)
        what = "vanished pods that did not complete are remembered"
        return (LeftOut("pods", what, kept, kept + gone, "those that died first"),) if gone else ()

    def discard(self, key: str) -> None:
        """Forget it: it is there again."""
        for shelf in self._kept.values():
            shelf.pop(key, None)

    def expire(self) -> bool:
        """Forget what is older than `MAX_AGE`; whether something was."""
        limit, dropped = time.monotonic() - MAX_AGE, False
        for shelf in self._kept.values():
            while shelf and next(iter(shelf.values()))[0] < limit:
                shelf.popitem(last=False)
                dropped = True
        return dropped

    def items(self) -> dict[str, Pod]:
        """All of them, by uid."""
        return {key: pod for shelf in self._kept.values() for key, (_, pod) in shelf.items()}
