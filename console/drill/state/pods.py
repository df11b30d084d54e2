"""What a pod says of itself: whether it is over, how its container ended, and the quantities that it names."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from console.base.units import parse_quantity

Object = dict[str, Any]


@lru_cache(maxsize=4096)
def amount_of(text: str) -> float:
    """A quantity as a number; the same few texts come again and again."""
    return parse_quantity(text)


def finished(pod: Object) -> bool:
    """Whether the pod's phase is terminal."""
    return pod.get("status", {}).get("phase") in ("Failed", "Succeeded")


def terminated(pod: Object) -> Object | None:
    """`state.terminated` of the first container, if it has one."""
    for container in pod.get("status", {}).get("containerStatuses", ()):
        ended: Object | None = container["state"].get("terminated")
        return ended
    return None
