"""Faults of GPUs: errors, heat, waste, cards that are gone, exporters that are blind."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from console.drill.gpus import IGNORED, Card
from console.drill.resources import NODES

if TYPE_CHECKING:
    from console.drill.world import World

Object = dict[str, Any]
KINDS: dict[str, tuple[str, ...]] = {
    "gpu-xid": ("gpu", "xid", "event"),
    "gpu-ecc": ("gpu", "double", "pending", "failed"),
    "gpu-hot": ("gpus", "temperature", "slowed"),
    "gpu-power": ("gpus", "slowed"),
    "gpu-idle": ("until",),
    "gpu-lost": ("gpu",),
    "gpu-blind": ("down",),
}
"""Kind → options. The target is a node; of `gpu-idle` an application."""


def plan(world: World, kind: str, target: str, options: Object, when: float) -> None:
    """Let a fault happen at `when`, which may lie before the world's own begin: series have a longer past than
    objects."""
    now = max(world.start, when)
    if kind == "gpu-idle":
        world.gpus.idle.setdefault(target, []).append((when, 1.0))
        return
    if kind == "gpu-blind":
        world.gpus.blind.setdefault(target, []).append((when, 2.0 if options.get("down") else 1.0))
        return
    for card in _cards(world, target, options):
        _SET[kind](card, options, when)
    if kind == "gpu-xid":
        world.heap.at(now, lambda: _error(world, target, options))
    elif kind == "gpu-lost":
        world.heap.at(now, lambda: _lose(world, target, options))


def _cards(world: World, node: str, options: Object) -> list[Card]:
    chosen = options.get("gpus", [options["gpu"]] if "gpu" in options else None)
    cards = world.gpus.cards[node]
    return cards if chosen is None else [cards[int(index)] for index in chosen]


def _xid(card: Card, options: Object, when: float) -> None:
    number = int(options["xid"])
    card.xids.append((when, number))
    if number == 79:
        card.facts.setdefault("off", []).append((when, 1.0))


def _ecc(card: Card, options: Object, when: float) -> None:
    for option, fact in (("double", "ecc"), ("pending", "pending"), ("failed", "failed")):
        if option in options:
            card.facts.setdefault(fact, []).append((when, float(options[option])))


def _hot(card: Card, options: Object, when: float) -> None:
    card.facts.setdefault("temperature", []).append((when, float(options.get("temperature", 91))))
    if options.get("slowed"):
        card.facts.setdefault("thermal", []).append((when, float(options["slowed"])))


def _power(card: Card, options: Object, when: float) -> None:
    card.facts.setdefault("power", []).append((when, float(options.get("slowed", 0.5))))


_SET: dict[str, Callable[[Card, Object, float], None]] = {
    "gpu-xid": _xid,
    "gpu-ecc": _ecc,
    "gpu-hot": _hot,
    "gpu-power": _power,
    "gpu-lost": lambda _card, _options, _when: None,
}


def _lose(world: World, target: str, options: Object) -> None:
    for card in _cards(world, target, options):
        world.gpus.give_up(card)


def _error(world: World, target: str, options: Object) -> None:
    """The device plugin gives the card up, where it does not ignore the error; who watches the kernel says so."""
    number = int(options["xid"])
    for card in _cards(world, target, options):
        if number not in IGNORED:
            world.gpus.give_up(card)
        node = world.store.get(NODES, "", target)
        if node is not None and options.get("event"):
            address = card.pci.removeprefix("0000").removesuffix(".0").lower()
            text = f"NVRM: Xid (PCI:{address}): {number}, pid=4711, name=java"
            world.recorder.record(node, "Warning", "XIDError", text, "kernel-monitor", host=target)
