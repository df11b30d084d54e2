"""The images of a world: those that its objects name lie in the registry and on every node, others as they are told."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from console.base.units import parse_quantity
from console.drill.scenario.model import ImageDoc, WorldDoc
from console.drill.scenario.population import SPARK_IMAGE
from console.drill.state.images import Image
from console.drill.state.resources import CRONJOBS, DAEMONSETS, DEPLOYMENTS, STATEFULSETS
from console.drill.world import SimulatedWorld

Object = dict[str, Any]


def stock(world: SimulatedWorld, doc: WorldDoc) -> None:
    """Fill the registry and the nodes."""
    images = world.cluster.images
    for name in (SPARK_IMAGE, *_named(world), *(str(app.spec.get("image", "")) for app in doc.apps)):
        if name:
            images.stocked(name)
    for told in doc.images:
        known = told.name in images.images
        images.images[told.name] = _image(told)
        if not known:
            images.fresh.add(told.name)


def _named(world: SimulatedWorld) -> Iterable[str]:
    for resource in (DEPLOYMENTS, DAEMONSETS, STATEFULSETS, CRONJOBS):
        for found in world.store.each(resource):
            spec = found["spec"].get("jobTemplate", found)["spec"]
            yield from (str(container["image"]) for container in spec["template"]["spec"]["containers"])


def _image(told: ImageDoc) -> Image:
    return Image(
        told.name,
        architectures=told.architectures,
        listed=told.listed,
        private=told.private,
        needs=int(parse_quantity(told.needs)) if told.needs else 0,
        ends=told.ends,
        says=told.says,
        listens=told.listens,
    )
