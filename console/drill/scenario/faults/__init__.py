"""Faults: what a scenario changes in the world, and when. Each changes a cause; symptoms follow by themselves.

A module of this folder with a `FAULTS` list takes part; no fault is registered elsewhere.
"""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

from console.drill.scenario.faults.base import FaultKind

__all__ = ["FaultKind", "faults"]


@cache
def faults() -> dict[str, FaultKind]:
    """Kind, as a scenario writes it → the fault."""
    modules = sorted(info.name for info in pkgutil.iter_modules(__path__, f"{__name__}."))
    return {fault.kind: fault for name in modules for fault in getattr(import_module(name), "FAULTS", ())}
