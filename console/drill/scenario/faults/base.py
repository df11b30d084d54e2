"""What a fault is, and what it is told when it happens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from console.base.units import parse_duration
from console.drill.scenario.model import FaultDoc, NodeDoc, Scenario
from console.drill.world import SimulatedWorld

Object = dict[str, Any]


@dataclass(frozen=True)
class FaultPlan:
    """One fault of a scenario, to be planned into a world.

    Attributes:
        since: when it happens, epoch seconds; before the world's own begin means from the start (series have a longer
            past than objects).
        begin: when the scenario begins.
        deny: told about rules of authorization that the fault denies.
    """

    world: SimulatedWorld
    scenario: Scenario
    target: str
    options: Object
    since: float
    begin: float
    deny: Callable[[Object], None]

    @property
    def when(self) -> float:
        return max(self.world.start, self.since)

    @property
    def until(self) -> float | None:
        """When it ends, by the option `until`."""
        said = self.options.get("until")
        return self.begin + parse_duration(str(said)) if said else None

    def at(self, work: Callable[[], None]) -> None:
        """Have `work` done when the fault happens."""
        self.world.heap.at(self.when, work)


Wrong = tuple[str, str]
"""Key of an option (`` for all of them), and what is wrong with it."""


@dataclass(frozen=True)
class FaultKind:
    """A kind of fault.

    Attributes:
        options: keys that a scenario may give.
        on: what it hits: an application of the world, a node, a node with GPUs, any object (`Kind/namespace/name`), one
            that is made by its manifest, an image; None where it has no target.
        wrong: what is wrong with the options, given the node that it hits.
        needs: options without which it means nothing.
    """

    kind: str
    options: tuple[str, ...]
    on: Literal["app", "node", "gpu node", "object", "manifest", "image"] | None
    plan: Callable[[FaultPlan], None]
    wrong: Callable[[FaultDoc, NodeDoc], Wrong | None] = lambda _fault, _node: None
    needs: tuple[str, ...] = ()

    def lacking(self, fault: FaultDoc) -> Wrong | None:
        """What it needs and is not told."""
        if self.on is not None and not fault.target:
            return "", f"{self.kind} needs to be told what it hits"
        missing = [key for key in self.needs if key not in fault.options]
        return ("", f"{self.kind} needs {missing[0]!r}") if missing else None
