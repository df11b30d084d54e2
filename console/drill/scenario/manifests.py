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
    return [_filled(document, values) for document in _read(name)]


@lru_cache(maxsize=32)
def _read(name: str) -> tuple[Object, ...]:
    path = FOLDER / f"{name}.yaml"
    return tuple(document.data for document in parse_all(path.read_text(encoding="utf-8"), path.name))


def _filled(value: Any, values: Object) -> Any:
    if isinstance(value, dict):
        return {key: _filled(item, values) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, values) for item in value]
    if not isinstance(value, str) or "$" not in value:
        return value
    whole = value[1:]
    return values[whole] if value[0] == "$" and whole.isidentifier() else Template(value).substitute(values)


def complete(manifest: Object, start: float, ids: Ids) -> tuple[ServedResource, Object]:
    """Its resource, and the object that the API server makes of a manifest in a world that begins at `start`."""
    meta = manifest["metadata"]
    resource = of_kind(manifest["apiVersion"], manifest["kind"])
    body = {key: value for key, value in manifest.items() if key not in ("apiVersion", "kind", "metadata")}
    made = build(
        resource,
        meta["name"],
        start - parse_duration(meta["creationTimestamp"]),
        ids,
        namespace=meta.get("namespace", ""),
        labels=meta.get("labels"),
        annotations=meta.get("annotations"),
        manager=meta["managedFields"][0]["manager"],
        generation="generation" in meta,
        body=body,
    )
    return resource, made
