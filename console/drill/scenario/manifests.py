"""The manifests of a world: YAML files in `worlds/`, in which `$name` stands for what differs from world to world.

They are written as a chart writes them. `creationTimestamp` says how old the object is when the world begins (`60d`),
`managedFields` only who made it.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from string import Template
from typing import Any

from console.base.document import parse_all
from console.base.units import parse_duration
from console.drill.state.ids import Ids
from console.drill.state.objects import build
from console.drill.state.resources import ServedResource, of_kind

Object = dict[str, Any]
FOLDER = Path(__file__).parent / "worlds"


def manifests(name: str, values: Object) -> list[Object]:
    """The objects of one file, as they are written.

    Args:
        name: of the file, without `.yaml`.
        values: what each `$name` in it stands for: a text anywhere in a text, any value where it is the whole text.

    Raises:
        KeyError: the file has a `$name` that is not given.
    """
    return [filled(document, values) for document in _read(name)]


@lru_cache(maxsize=32)
def _read(name: str) -> tuple[Object, ...]:
    path = FOLDER / f"{name}.yaml"
    return tuple(document.data for document in parse_all(path.read_text(encoding="utf-8"), path.name))


def filled(value: Any, values: Object, *, strict: bool = True) -> Any:
    """`value` with what each `$name` in it stands for; unless `strict`, one that is not given stays."""
    if isinstance(value, dict):
        return {key: filled(item, values, strict=strict) for key, item in value.items()}
    if isinstance(value, list):
        return [filled(item, values, strict=strict) for item in value]
    if not isinstance(value, str) or "$" not in value:
        return value
    whole = value[1:]
    if value[0] == "$" and whole.isidentifier():
        return values[whole] if strict else values.get(whole, value)
    return Template(value).substitute(values) if strict else Template(value).safe_substitute(values)


NO_GENERATION = ("Service", "ResourceQuota", "LimitRange", "PersistentVolumeClaim", "Node", "Namespace", "Lease")
"""Kinds with a spec whose generation the API server does not count."""


def complete(manifest: Object, start: float, ids: Ids) -> tuple[ServedResource, Object]:
    """Its resource, and the object that the API server makes of a manifest in a world that begins at `start`.

    What says nothing of its age is as old as the world, and made with kubectl.
    """
    meta = manifest["metadata"]
    resource = of_kind(manifest["apiVersion"], manifest["kind"])
    body = {key: value for key, value in manifest.items() if key not in ("apiVersion", "kind", "metadata")}
    plain = "managedFields" not in meta and "spec" in manifest and manifest["kind"] not in NO_GENERATION
    made = build(
        resource,
        meta["name"],
        start - parse_duration(meta.get("creationTimestamp", "0s")),
        ids,
        namespace=meta.get("namespace", ""),
        labels=meta.get("labels"),
        annotations=meta.get("annotations"),
        manager=(meta.get("managedFields") or [{"manager": "kubectl-client-side-apply"}])[0]["manager"],
        generation=plain or "generation" in meta,
        body=body,
    )
    return resource, made
