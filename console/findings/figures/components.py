"""Systems of the platform."""

from __future__ import annotations

from typing import ClassVar

from console.findings.figures.base import Figures


class ComponentFigures(Figures, frozen=True, kw_only=True):
    """Attributes:
    component: id of the component, e.g. `hive-metastore`.
    state: `down` or `degraded`.
    why: kinds of what is wrong, the worst first: `refused`, `image`, `crash-loop`, `configuration`, `scheduling`,
        `replicas`, `scaled-to-zero`, `rollout`, `endpoints`, `silent`, `signal`, `needs`.
    namespace: where; `` for what belongs to none.
    expected: whether the preset in use asks for it.
    """

    CODES: ClassVar[tuple[str, ...]] = ("component-down", "component-degraded")

    component: str
    state: str
    why: tuple[str, ...]
    namespace: str
    expected: bool
