"""What else is there: applications, nodes and members to compare stories with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cached_property

from console.health.facts import Facts
from console.health.incident_stories import GAP, Story
from console.health.model import Finding, Member, SparkApp
from console.health.traits import nodes_of


class Scene:
    """What else is there: applications, nodes and members to compare with."""

    def __init__(self, apps: Sequence[SparkApp], facts: Facts) -> None:
        self.all, self.facts, self.now = tuple(apps), facts, facts.at
        self.apps = {a.key: a for a in apps}

    def alive(self, app: str) -> bool:
        """Whether an application of this key is there and has not ended."""
        found = self.apps.get(app)
        return found is not None and found.live

    def well(self, app: SparkApp) -> bool:
        """Whether an application works, or has ended well."""
        if app.state.upper() in ("COMPLETED", "SUCCEEDED"):
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
        wanted = one.data.get("memory_request")
        return isinstance(wanted, int | float) and self.largest is not None and wanted > self.largest

    @cached_property
    def members(self) -> dict[str, list[tuple[SparkApp, Member]]]:
        """Members by the node they run or ran on."""
        out: dict[str, list[tuple[SparkApp, Member]]] = {}
        for app in self.all:
            for member in (*((app.driver,) if app.driver is not None else ()), *app.executors):
                if member.node:
                    out.setdefault(member.node, []).append((app, member))
        return out

    def elsewhere(self, app: str, node: str) -> bool:
        """Whether the application has members on other nodes, all of them well."""
        found = self.apps.get(app)
        if found is None:
            return False
        members = [*((found.driver,) if found.driver is not None else ()), *found.executors]
        other = [m for m in members if m.node and m.node != node]
        return bool(other) and all(m.death is None or m.death.kind in ("normal", "decommissioned") for m in other)

    def unharmed(self, node: str, hit: frozenset[str]) -> list[str]:
        """Applications, none of those hit, that still run on a node."""
        names = {a.name for a, m in self.members.get(node, ()) if a.key not in hit and m.death is None and m.ready}
        return sorted(names)

    def trouble(self, name: str, run: Sequence[Story]) -> list[str]:
        """What the node itself says."""
        out = []
        for story in run:
            out += [f.title for f in story.roots if not f.app and name in nodes_of(f)]
        node = next((n for n in self.facts.nodes if n.name == name), None)
        if node is not None and not out:
            if node.unschedulable:
                out.append(f"node {name} is cordoned")
            ready = node.condition("Ready")
            if ready is not None and ready.status != "True":
                out.append(f"node {name} is not ready: {ready.reason or ready.status}")
        begin = min((s.since for s in run if s.since is not None), default=0.0) - GAP
        end = max((s.until for s in run if s.until is not None), default=0.0) + GAP
        for event in self.facts.events:
            if (
                event.kind == "Node"
                and event.name == name
                and (event.type == "Warning" or event.reason in _NODE_EVENTS)
            ) and (event.last is None or begin <= event.last <= end):
                out.append(f"event {event.reason} of node {name}")
        return list(dict.fromkeys(out))[:3]


_NODE_EVENTS = frozenset({"NodeNotReady", "NodeNotSchedulable", "Rebooted", "RemovingNode", "DeletingNode", "Shutdown"})
