"""What else is there: applications, nodes and members to compare faults with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cached_property

from console.apps.model import SparkApp
from console.apps.states import SUCCEEDED
from console.causes.faults import GAP, Fault
from console.causes.tenants import Tenants
from console.causes.traits import nodes_of
from console.facts.model import Event, Facts
from console.findings.figures.scheduling import UnschedulableFigures
from console.findings.model import Finding


class Peers:
    """What else is there: applications, nodes and members to compare with."""

    def __init__(self, apps: Sequence[SparkApp], facts: Facts, tenants: Tenants | None = None) -> None:
        self.all, self.facts, self.now = tuple(apps), facts, facts.at
        self._tenants = Tenants() if tenants is None else tenants
        self.apps = {a.key: a for a in apps}

    def alive(self, app: str) -> bool:
        """Whether an application of this key is there and has not ended."""
        found = self.apps.get(app)
        return found is not None and found.live

    def well(self, app: SparkApp) -> bool:
        """Whether an application works, or has ended well."""
        if app.state.upper() in SUCCEEDED:
            return True
        return app.live and app.running_executors > 0

    @cached_property
    def fine(self) -> tuple[SparkApp, ...]:
        """Applications that work, or have ended well."""
        return tuple(a for a in self.all if self.well(a))

    @cached_property
    def fine_images(self) -> Counter[str]:
        """Images by how many of `fine` have them."""
        return Counter(a.image for a in self.fine)

    @cached_property
    def fine_versions(self) -> Counter[str]:
        """Versions of Spark by how many of `fine` have them."""
        return Counter(a.spark_version for a in self.fine)

    @cached_property
    def largest(self) -> float | None:
        """The largest memory that a node has for pods."""
        return max((n.allocatable["memory"] for n in self.facts.nodes if "memory" in n.allocatable), default=None)

    def too_large(self, one: Finding) -> bool:
        """Whether a finding is about a request for memory that no node could hold."""
        wanted = one.data.memory_request if isinstance(one.data, UnschedulableFigures) else None
        return wanted is not None and self.largest is not None and wanted > self.largest

    @cached_property
    def tenants(self) -> Tenants:
        """Applications by the nodes of their members."""
        return self._tenants.see(self.all)

    def beside(self, app: str, nodes: Iterable[str]) -> set[str]:
        """Keys of other applications that have members on these nodes which nothing ended."""
        return {
            one.key
            for node in nodes
            for one, members in self.tenants.on(node)
            if one.key != app and any(m.death is None for m in members)
        }

    def elsewhere(self, app: str, node: str) -> bool:
        """Whether the application has members on other nodes, all of them well."""
        found = self.apps.get(app)
        if found is None:
            return False
        members = [*((found.driver,) if found.driver is not None else ()), *found.executors]
        other = [m for m in members if m.node and m.node != node]
        return bool(other) and all(m.death is None or m.death.harmless for m in other)

    def unharmed(self, node: str, hit: frozenset[str]) -> list[str]:
        """Applications, none of those hit, that still run on a node."""
        return sorted(
            {
                app.name
                for app, members in self.tenants.on(node)
                if app.key not in hit and any(m.death is None and m.ready for m in members)
            }
        )

    def trouble(self, name: str, run: Sequence[Fault]) -> list[str]:
        """What the node itself says, three sentences at most."""
        found = [f.title for fault in run for f in fault.roots if not f.app and name in nodes_of(f)]
        said = [*(found or self._condition(name)), *self._events(name, run)]
        return list(dict.fromkeys(said))[:3]

    def _condition(self, name: str) -> list[str]:
        """What the node's object says against it."""
        node = next((n for n in self.facts.nodes if n.name == name), None)
        if node is None:
            return []
        out = [f"node {name} is cordoned"] if node.unschedulable else []
        ready = node.condition("Ready")
        if ready is not None and ready.status != "True":
            out.append(f"node {name} is not ready: {ready.reason or ready.status}")
        return out

    def _events(self, name: str, run: Sequence[Fault]) -> list[str]:
        """Events of the node that tell of trouble, at about the time of the faults."""
        begin = min((fault.since for fault in run if fault.since is not None), default=0.0) - GAP
        end = max((fault.until for fault in run if fault.until is not None), default=0.0) + GAP
        return [
            f"event {e.reason} of node {name}"
            for e in self.facts.events
            if _tells_of_trouble(e, name) and (e.last is None or begin <= e.last <= end)
        ]


_NODE_EVENTS = frozenset({"NodeNotReady", "NodeNotSchedulable", "Rebooted", "RemovingNode", "DeletingNode", "Shutdown"})


def _tells_of_trouble(event: Event, node: str) -> bool:
    return event.kind == "Node" and event.name == node and (event.type == "Warning" or event.reason in _NODE_EVENTS)
