"""GPUs of the simulated nodes: which pod holds which card, what each does at a time, and what is wrong with it.

A card's values are functions of time; faults only write down since when something holds. Nothing here costs a world
without GPUs anything.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from console.drill.resources import NODES, PODS
from console.drill.store import Change
from console.drill.tracks import Track, latest

if TYPE_CHECKING:
    from console.drill.world import World

Object = dict[str, Any]
Since = list[tuple[float, float]]
RESOURCE = "nvidia.com/gpu"
GIB = 2**30
IGNORED = frozenset({13, 31, 43, 45, 68, 109})
"""XIDs that the device plugin ignores: the card stays allocatable."""


@dataclass
class Held:
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
    held: list[Held] = field(default_factory=list)
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

    def __init__(self, world: World) -> None:
        self.world = world
        self.cards: dict[str, list[Card]] = {}
        self.generation: dict[str, str] = {}
        """Node → names that its exporter uses: `legacy`, `renamed`; a node without an exporter is not in it."""
        self.blind: dict[str, Since] = {}
        """Node → since when its exporter says nothing (1) or does not answer (2)."""
        self.idle: dict[str, Since] = {}
        """Application → since when its GPUs do nothing (1) or work again (0)."""
        self.plugin: dict[str, Since] = {}

    def add(self, node: str, count: int, model: str, dcgm: str) -> None:
        """Put cards into a node."""
        if not self.cards:
            self.world.store.listen(PODS, self._pod)
        self.cards[node] = [Card(node, index, model) for index in range(count)]
        if dcgm != "none":
            self.generation[node] = dcgm

    def busy_of(self, card: Card, held: Held | None) -> Callable[[float], float]:
        """How busy a card is at a time, 0-1, while `held` has it."""
        if held is None:
            return lambda _when: 0.0
        labels = held.track.pod["metadata"].get("labels") or {}
        app = labels.get("sparkoperator.k8s.io/app-name") or labels.get("spark-app-name", "")
        idle = self.idle.get(app, [])
        run = self.world.spark.run_of_uid(held.track.uid)
        executor = run.executor_of(held.track.uid) if run is not None else None

        def busy(when: float) -> float:
            if bool(latest(idle, when)) or card.fact("idle", when) or card.fact("off", when):
                return 0.0
            if executor is not None and not any(since <= when and rate > 0 for since, _, rate in executor.work):
                return 0.0
            return round(0.72 + 0.2 * math.sin(when / 97.0 + card.index), 3)

        return busy

    def give_up(self, card: Card) -> None:
        """The device plugin marks a card unhealthy; it stays so until somebody restarts the plugin."""
        if not card.unhealthy:
            card.unhealthy = True
            self.offer(card.node)

    def offer(self, name: str) -> None:
        """Write into the node what the plugin offers."""
        node = self.world.store.get(NODES, "", name)
        if node is not None:
            healthy = str(sum(not card.unhealthy for card in self.cards[name]))
            status = {**node["status"], "allocatable": {**node["status"]["allocatable"], RESOURCE: healthy}}
            self.world.store.update(NODES, {**node, "status": status})

    def _pod(self, change: Change) -> None:
        pod = change.object
        track = self.world.tracks.of(pod["metadata"]["uid"])
        mine = [
            (card, held)
            for cards in self.cards.values()
            for card in cards
            for held in card.held
            if held.track.uid == pod["metadata"]["uid"] and held.until is None
        ]
        over = change.type == "DELETED" or pod.get("status", {}).get("phase") in ("Failed", "Succeeded")
        if over:
            for _, held in mine:
                held.until = self.world.heap.now
            return
        node = pod["spec"].get("nodeName", "")
        count = wanted(pod)
        if mine or not count or node not in self.cards or track is None:
            return
        free = [c for c in self.cards[node] if not c.unhealthy and all(h.until is not None for h in c.held)]
        for card in free[:count]:
            card.held.append(Held(track))


def wanted(pod: Object) -> int:
    """How many GPUs a pod asks for."""
    return sum(
        int(((c.get("resources") or {}).get("limits") or {}).get(RESOURCE, 0)) for c in pod["spec"]["containers"]
    )
