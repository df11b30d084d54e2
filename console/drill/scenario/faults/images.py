"""Faults of images: gone, private, of another architecture, broken; and a registry that does not answer."""

from __future__ import annotations

from dataclasses import replace

from console.drill.scenario.faults.base import FaultKind, FaultPlan
from console.drill.state.images import Image
from console.drill.state.resources import NODES

REFUSED = "dial tcp: lookup {host}: no such host"


def _nodes(plan: FaultPlan) -> list[str]:
    """The nodes that lose their copy: those that are named, or all."""
    named = plan.options.get("nodes")
    return [str(n) for n in named] if named else [n["metadata"]["name"] for n in plan.world.store.all(NODES)]


def _gone(plan: FaultPlan) -> None:
    plan.world.cluster.images.remove(plan.target, _nodes(plan))


def _collected(plan: FaultPlan) -> None:
    plan.world.cluster.images.drop(plan.target, _nodes(plan))


def _private(plan: FaultPlan) -> None:
    images = plan.world.cluster.images
    images.images[plan.target] = replace(images.of(plan.target), private=True)
    images.drop(plan.target, _nodes(plan))


def _architecture(plan: FaultPlan) -> None:
    images = plan.world.cluster.images
    only = plan.options.get("only", "arm64")
    built = (str(only),) if isinstance(only, str) else tuple(str(one) for one in only)
    listed = bool(plan.options.get("listed", True))
    images.images[plan.target] = replace(images.of(plan.target), architectures=built, listed=listed)
    images.drop(plan.target, _nodes(plan))


def _broken(plan: FaultPlan) -> None:
    images = plan.world.cluster.images
    code, says = int(plan.options.get("exit", 1)), str(plan.options.get("says", ""))
    images.images[plan.target] = replace(images.of(plan.target), ends=code, says=says)


def _pushed(plan: FaultPlan) -> None:
    """A whole image lies under that name again."""
    plan.world.cluster.images.images[plan.target] = Image(plan.target)


def _refuses(plan: FaultPlan) -> None:
    images = plan.world.cluster.images
    says = str(plan.options.get("says") or REFUSED.format(host=plan.options.get("host", "registry.local")))
    plan.at(lambda: setattr(images, "refusing", says))
    if plan.until is not None:
        plan.world.heap.at(plan.until, lambda: setattr(images, "refusing", ""))


FAULTS = [
    FaultKind("image-gone", ("nodes",), "image", lambda it: it.at(lambda: _gone(it))),
    FaultKind("image-collected", ("nodes",), "image", lambda it: it.at(lambda: _collected(it))),
    FaultKind("image-private", ("nodes",), "image", lambda it: it.at(lambda: _private(it))),
    FaultKind("image-architecture", ("only", "listed", "nodes"), "image", lambda it: it.at(lambda: _architecture(it))),
    FaultKind("image-broken", ("exit", "says"), "image", lambda it: it.at(lambda: _broken(it))),
    FaultKind("image-pushed", (), "image", lambda it: it.at(lambda: _pushed(it))),
    FaultKind("registry-refuses", ("host", "says", "until"), None, _refuses),
]
