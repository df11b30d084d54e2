"""Faults of GPUs: errors, heat, waste, cards that are gone, exporters that are blind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from console.drill.control.gpus import IGNORED, Card
from console.drill.scenario.faults.base import FaultKind, FaultPlan, Wrong
from console.drill.scenario.model import FaultDoc, NodeDoc
from console.drill.state.resources import NODES
from console.drill.world import SimulatedWorld

Object = dict[str, Any]


def _cards(world: SimulatedWorld, node: str, options: Object) -> list[Card]:
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


def _lose(world: SimulatedWorld, target: str, options: Object) -> None:
    for card in _cards(world, target, options):
        world.gpus.give_up(card)


def _error(world: SimulatedWorld, target: str, options: Object) -> None:
    """The device plugin gives the card up, where it does not ignore the error; who watches the kernel says so."""
    number = int(options["xid"])
    for card in _cards(world, target, options):
        if number not in IGNORED:
            world.gpus.give_up(card, number)
        node = world.store.get(NODES, "", target)
        if node is not None and options.get("event"):
            address = card.pci.removeprefix("0000").removesuffix(".0").lower()
            text = f"NVRM: Xid (PCI:{address}): {number}, pid=4711, name=java"
            world.cluster.recorder.record(node, "Warning", "XIDError", text, "kernel-monitor", host=target)


def _cards_set(change: Callable[[Card, Object, float], None]) -> Callable[[FaultPlan], None]:
    """A fault that changes the facts of the cards it names, or of all of the node."""

    def plan(it: FaultPlan) -> None:
        for card in _cards(it.world, it.target, it.options):
            change(card, it.options, it.since)

    return plan


def _plan_xid(it: FaultPlan) -> None:
    _cards_set(_xid)(it)
    it.at(lambda: _error(it.world, it.target, it.options))


def _plan_idle(it: FaultPlan) -> None:
    it.world.gpus.idle.setdefault(it.target, []).append((it.since, 1.0))


def _plan_blind(it: FaultPlan) -> None:
    it.world.gpus.blind.setdefault(it.target, []).append((it.since, 2.0 if it.options.get("down") else 1.0))


def _wrong_numbers(fault: FaultDoc, node: NodeDoc) -> Wrong | None:
    """Numbers of GPUs that the node does not have."""
    for key, value in fault.options.items():
        numbers = value if key == "gpus" and isinstance(value, list) else [value] if key == "gpu" else []
        if key == "gpus" and not isinstance(value, list):
            return key, "expected a list of numbers of GPUs"
        if any(not isinstance(n, int) or not 0 <= n < node.gpus for n in numbers):
            return key, f"{fault.target} has GPUs 0 to {node.gpus - 1}"
    return None


def _wrong_xid(fault: FaultDoc, node: NodeDoc) -> Wrong | None:
    wrong = _wrong_numbers(fault, node)
    if wrong is None and not isinstance(fault.options.get("xid"), int):
        wrong = "", "an XID is a number: say xid: 79"
    return wrong


def _falls_off(it: FaultPlan) -> None:
    """The bus loses it: XID 79, no more samples, and no plugin finds it until the node is begun anew."""
    fallen = FaultPlan(it.world, it.scenario, it.target, {**it.options, "xid": 79}, it.since, it.begin, it.deny)
    _plan_xid(fallen)


def _returns(it: FaultPlan) -> None:
    """A reset or a reboot, which is no matter of Kubernetes, has cards back; the plugin must look again."""
    for card in _cards(it.world, it.target, it.options):
        card.facts.setdefault("off", []).append((it.world.heap.now, 0.0))


def _lost(it: FaultPlan) -> None:
    it.at(lambda: _lose(it.world, it.target, it.options))


_ON: Literal["gpu node"] = "gpu node"
FAULTS = [
    FaultKind("gpu-xid", ("gpu", "xid", "event"), _ON, _plan_xid, _wrong_xid),
    FaultKind("gpu-ecc", ("gpu", "double", "pending", "failed"), _ON, _cards_set(_ecc), _wrong_numbers),
    FaultKind("gpu-hot", ("gpus", "temperature", "slowed"), _ON, _cards_set(_hot), _wrong_numbers),
    FaultKind("gpu-power", ("gpus", "slowed"), _ON, _cards_set(_power), _wrong_numbers),
    FaultKind("gpu-idle", ("until",), "app", _plan_idle),
    FaultKind("gpu-falls-off", ("gpu", "event"), _ON, _falls_off, _wrong_numbers),
    FaultKind("gpu-returns", ("gpu",), _ON, lambda it: it.at(lambda: _returns(it)), _wrong_numbers),
    FaultKind("gpu-lost", ("gpu",), _ON, _lost, _wrong_numbers),
    FaultKind("gpu-blind", ("down",), _ON, _plan_blind),
]
