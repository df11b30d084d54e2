"""Former templates of a workload: the ReplicaSets of a Deployment, the ControllerRevisions of the others."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from console.actions.beside import Beside, NoSuchChange, ReadWanted, found, owned
from console.actions.effects import ObjectRef
from console.actions.pins import uid_of
from console.base.shapes import mapping
from console.base.units import parse_count

NUMBER, HASH = "deployment.kubernetes.io/revision", "pod-template-hash"


class WorkloadRevision(Struct, frozen=True):
    """A template that the workload has, or had. The present one has the highest number."""

    number: int
    template: dict[str, Any]


def wanted(target: ObjectRef, obj: dict[str, Any]) -> ReadWanted:
    """Where they are kept."""
    labels = {
        str(k): str(v) for k, v in mapping(mapping(mapping(obj.get("spec")).get("selector")).get("matchLabels")).items()
    }
    kind = "ReplicaSet" if target.kind == "Deployment" else "ControllerRevision"
    return ReadWanted("revisions", "apps/v1", kind, namespace=target.namespace, labels=labels)


def revisions(obj: dict[str, Any], beside: Beside) -> list[WorkloadRevision]:
    """All that there are, the oldest first.

    Raises:
        NoSuchChange: they could not be read.
    """
    seen = found(beside, "revisions")
    if seen.error:
        raise NoSuchChange(f"its former revisions are not known: {seen.error}")
    made = [_revision(item) for item in owned(seen.items, uid_of(obj))]
    return sorted((one for one in made if one is not None), key=lambda one: one.number)


def _revision(item: dict[str, Any]) -> WorkloadRevision | None:
    if item.get("kind") == "ControllerRevision" or "data" in item:
        template = {
            k: v
            for k, v in mapping(mapping(mapping(item.get("data")).get("spec")).get("template")).items()
            if k != "$patch"
        }
        number = parse_count(item.get("revision"))
    else:
        template = _without_hash(mapping(mapping(item.get("spec")).get("template")))
        number = parse_count(mapping(mapping(item.get("metadata")).get("annotations")).get(NUMBER))
    return WorkloadRevision(number, template) if number and template else None


def _without_hash(template: dict[str, Any]) -> dict[str, Any]:
    """The template as it stood in the Deployment: its controller added a label."""
    meta = mapping(template.get("metadata"))
    labels = {k: v for k, v in mapping(meta.get("labels")).items() if k != HASH}
    return {**template, "metadata": {**meta, "labels": labels}}


def chosen(known: list[WorkloadRevision], to: int | None) -> WorkloadRevision:
    """The revision with this number, or the one before the present one.

    Raises:
        NoSuchChange: there is none.
    """
    if to is None:
        if len(known) < 2:
            raise NoSuchChange("there is no revision before the present one")
        return known[-2]
    for one in known:
        if one.number == to:
            return one
    there = ", ".join(str(one.number) for one in known) or "none"
    raise NoSuchChange(f"there is no revision {to}; there are: {there}")
