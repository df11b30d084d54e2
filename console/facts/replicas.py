"""How many pods a controller wants and has ready."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def replicas(kind: str, spec: Mapping[str, Any], status: Mapping[str, Any]) -> tuple[int, int] | None:
    """(wanted, ready) of a Deployment, StatefulSet or DaemonSet; None for kinds without replicas."""
    if kind == "DaemonSet":
        return _whole(status.get("desiredNumberScheduled"), 0), _whole(status.get("numberReady"), 0)
    if kind in ("Deployment", "StatefulSet"):
        return _whole(spec.get("replicas"), 1), _whole(status.get("readyReplicas"), 0)
    return None


def _whole(value: Any, default: int) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else default
