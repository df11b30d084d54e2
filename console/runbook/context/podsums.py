"""What pods ask for and may take together: the sums that quotas and nodes count."""

from __future__ import annotations

from typing import Any, Literal

from console.base.shapes import mapping, mappings
from console.base.units import parse_quantity

OVER = frozenset({"Succeeded", "Failed"})
"""Phases of pods that hold nothing any more."""


def total(pods: list[Any], what: Literal["requests", "limits"], resource: str) -> float:
    """The sum over pods that are not over: bytes, cores, or how many.

    A pod counts its containers, or its greatest init container where that is more, and its overhead. What a container
    does not say counts nothing.
    """
    return sum(_of_pod(pod, what, resource) for pod in pods if isinstance(pod, dict))


def _of_pod(pod: dict[str, Any], what: str, resource: str) -> float:
    spec = mapping(pod.get("spec"))
    if mapping(pod.get("status")).get("phase") in OVER:
        return 0.0
    whole = _size(spec, what, resource)
    if whole is not None:
        return whole
    first = mappings(spec.get("initContainers"))
    beside = [one for one in first if one.get("restartPolicy") == "Always"]
    once = [_size(one, what, resource) or 0.0 for one in first]
    together = sum(_size(one, what, resource) or 0.0 for one in [*mappings(spec.get("containers")), *beside])
    extra = _amount(mapping(spec.get("overhead")).get(resource))
    return max([together, *once]) + (extra or 0.0)


def _size(holder: Any, what: str, resource: str) -> float | None:
    return _amount(mapping(mapping(mapping(holder).get("resources")).get(what)).get(resource))


def _amount(said: Any) -> float | None:
    return None if said is None else float(parse_quantity(str(said)[:40]))
