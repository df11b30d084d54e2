"""GPUs of the simulated nodes: which pod holds which card, what each does at a time, and what is wrong with it.

A card's values are functions of time; faults only write down since when something holds. Nothing here costs a world
without GPUs anything.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from console.drill.state.cluster import ClusterState
from console.drill.state.resources import NODES, PODS
from console.drill.state.services import ready
from console.drill.state.store import ObjectChange
from console.drill.state.tracks import Track, latest

Object = dict[str, Any]
Since = list[tuple[float, float]]
RESOURCE = "nvidia.com/gpu"
PLUGIN = {"app.kubernetes.io/name": "nvidia-device-plugin"}
"""Labels of the device plugin's pods, as its chart gives them."""
GIB = 2**30
IGNORED = frozenset({13, 31, 43, 45, 68, 109})
"""XIDs that the device plugin ignores: the card stays allocatable."""


@dataclass
class CardAllocation:
    """A pod that holds a card, from its start to its end."""

    track: Track
    until: float | None = None

    @property
    def since(self) -> float:
        return self.track.scheduled if self.track.scheduled is not None else self.track.created

    def at(self, when: float) -> bool:
        return self.since <= when and (self.until is None or when < self.until)


@dataclass
class Card:
    """One GPU."""

    node: str
    index: int
    model: str
    memory: int = 80 * GIB
    allocations: list[CardAllocation] = field(default_factory=list)
    xids: list[tuple[float, int]] = field(default_factory=list)
    facts: dict[str, Since] = field(default_factory=dict)
    """What → (time, value) from which on it holds: `ecc`, `pending`, `failed`, `thermal`, `power`, `temperature`,
    `idle`, `off`."""
    unhealthy: bool = False

    @property
    def uuid(self) -> str:
        tail = f"{sum(self.node.encode()) * 7919 + self.index:012x}"
        return f"GPU-5f1c0a7e-8b1d-4c57-9a52-{tail}"

    @property
    def pci(self) -> str:
        return f"00000000:{0x1B + self.index * 8:02X}:00.0"

    def fact(self, what: str, when: float) -> float | None:
        """The value that holds at a time; None before there was any."""
        changes = self.facts.get(what)
        return latest(changes, when) if changes else None

    def spent(self, what: str, when: float) -> float:
        """Seconds in which a share (`thermal`, `power`) held, until a time."""
        changes = self.facts.get(what, [])
        total = 0.0
        for place, (since, share) in enumerate(changes):
            until = changes[place + 1][0] if place + 1 < len(changes) else when
            total += max(0.0, min(until, when) - since) * share
        return total

    def xid(self, when: float) -> int:
        """The last XID until a time: the gauge keeps it."""
        return next((number for since, number in reversed(self.xids) if since <= when), 0)


class Gpus:
    """All cards of a world."""

    def __init__(self, cluster: ClusterState) -> None:
        self.cluster = cluster
        self.cards: dict[str, list[Card]] = {}
        self.generation: dict[str, str] = {}
        """Node → names that its exporter uses: `legacy`, `renamed`; a node without an exporter is not in it."""
        self.blind: dict[str, Since] = {}
        """Node → since when its exporter says nothing (1) or does not answer (2)."""
        self._plugins: dict[str, str] = {}
        """Node → uid of the plugin's pod that is ready there, if any; a node whose plugin is no pod is not in it."""
        self.idle: dict[str, Since] = {}
        """Application → since when its GPUs do nothing (1) or work again (0)."""

    def add(self, node: str, count: int, model: str, dcgm: str) -> None:
        """Put cards into a node."""
        if not self.cards:
            self.cluster.store.listen(PODS, self._pod)
        self.cards[node] = [Card(node, index, model) for index in range(count)]
        if dcgm != "none":
            self.generation[node] = dcgm

    def give_up(self, card: Card, xid: int = 0) -> None:
        """The device plugin marks a card unhealthy; it stays so until somebody restarts the plugin."""
        if not card.unhealthy:
            card.unhealthy = True
            uid = self._plugins.get(card.node)
            if uid:
                text = f"XidCriticalError: Xid={xid} on Device={card.uuid}; marking device as unhealthy."
                self.cluster.logs.of(uid).raw(self.cluster.heap.now, text)
            self.offer(card.node)

    def offer(self, name: str) -> None:
        """Write into the node what the plugin offers: nothing while its pod there is not ready."""
        node = self.cluster.store.get(NODES, "", name)
        if node is not None:
            works = self._plugins.get(name) != ""
            healthy = str(sum(works and not card.unhealthy for card in self.cards[name]))
            status = {**node["status"], "allocatable": {**node["status"]["allocatable"], RESOURCE: healthy}}
            self.cluster.store.update(NODES, {**node, "status": status})

    def _plugin(self, change: ObjectChange) -> None:
        """A pod of the device plugin came, works, or went. One that begins looks at every card anew."""
        pod, uid = change.object, change.object["metadata"]["uid"]
        node = pod["spec"].get("nodeName", "")
        if node not in self.cards:
            return
        if change.type != "DELETED" and ready(pod):
            if self._plugins.get(node) != uid:
                first = node not in self._plugins
                self._plugins[node] = uid
                if not first:
                    for card in self.cards[node]:
                        card.unhealthy = bool(card.fact("off", self.cluster.heap.now))
                    self.cluster.heap.after(1.0, lambda: self.offer(node))
        elif self._plugins.get(node) == uid:
            self._plugins[node] = ""
            self.cluster.heap.after(0.5, lambda: self.offer(node))

    def _pod(self, change: ObjectChange) -> None:
        pod = change.object
        if PLUGIN.items() <= (pod["metadata"].get("labels") or {}).items():
            self._plugin(change)
            return
        track = self.cluster.tracks.of(pod["metadata"]["uid"])
        mine = [
            (card, allocation)
            for cards in self.cards.values()
            for card in cards
            for allocation in card.allocations
            if allocation.track.uid == pod["metadata"]["uid"] and allocation.until is None
        ]
        over = change.type == "DELETED" or pod.get("status", {}).get("phase") in ("Failed", "Succeeded")
        if over:
            for _, allocation in mine:
                allocation.until = self.cluster.heap.now
            return
        node = pod["spec"].get("nodeName", "")
        count = wanted(pod)
        if mine or not count or node not in self.cards or track is None:
            return
        free = [c for c in self.cards[node] if not c.unhealthy and all(h.until is not None for h in c.allocations)]
        for card in free[:count]:
            card.allocations.append(CardAllocation(track))


def wanted(pod: Object) -> int:
    """How many GPUs a pod asks for."""
    return sum(
        int(((c.get("resources") or {}).get("limits") or {}).get(RESOURCE, 0)) for c in pod["spec"]["containers"]
    )
