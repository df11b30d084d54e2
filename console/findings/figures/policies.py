"""NetworkPolicies that stop what Spark needs."""

from __future__ import annotations

from typing import ClassVar

from console.findings.figures.base import Figures


class PolicyFigures(Figures, frozen=True, kw_only=True):
    """Attributes:
    policies: keys of the policies that isolate an end.
    ways: what they stop, in words: `executors to the driver of NAME on 7078`.
    """

    CODES: ClassVar[tuple[str, ...]] = ("network-policy-blocks",)

    policies: tuple[str, ...]
    ways: tuple[str, ...]
