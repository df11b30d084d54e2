"""How a scenario names an object: `Kind/name` in the world's namespace, `Kind/namespace/name` elsewhere."""

from __future__ import annotations

from typing import Any

from console.base.errors import did_you_mean
from console.drill.state.resources import REGISTRY, ServedResource, of_kind

Object = dict[str, Any]
Place = tuple[ServedResource, str, str]
"""Resource, namespace (empty for the cluster's own), name."""


def place(text: str, namespace: str) -> Place:
    """Where the object that `text` names lies; `namespace` is that of the world.

    Raises:
        ValueError: the API has no such kind, or the text is no reference.
    """
    kind, *rest = text.split("/")
    resource = _resource(kind)
    if resource is None:
        near = did_you_mean(kind, [r.kind for r in REGISTRY])
        raise ValueError(f"the API has no kind {kind!r}" + (f", {near}" if near else ""))
    if not rest or len(rest) > 2 or not rest[-1]:
        raise ValueError(f"{text!r} names no object: write Kind/name or Kind/namespace/name")
    if not resource.namespaced:
        return resource, "", rest[-1]
    return resource, (rest[0] if len(rest) == 2 else "") or namespace, rest[-1]


def _resource(kind: str) -> ServedResource | None:
    """A kind as manifests, plurals and short names spell it, with its group behind a dot where two share it."""
    word, _, group = kind.lower().partition(".")
    for resource in REGISTRY:
        names = (resource.kind.lower(), resource.plural, *resource.short)
        if word in names and (not group or resource.group == group):
            return resource
    return None


def problem(text: str) -> str:
    """What is wrong with a reference; empty: nothing."""
    try:
        place(text, "default")
    except ValueError as error:
        return str(error)
    return ""


def problem_of(manifest: Object) -> str:
    """What is wrong with a manifest; empty: nothing."""
    for key in ("apiVersion", "kind", "metadata"):
        if key not in manifest:
            return f"a manifest needs {key!r}"
    meta = manifest["metadata"]
    if not isinstance(meta, dict) or not meta.get("name"):
        return "a manifest needs 'metadata.name'"
    try:
        of_kind(str(manifest["apiVersion"]), str(manifest["kind"]))
    except KeyError:
        return f"the API has no {manifest['kind']!r} of {manifest['apiVersion']!r}"
    return ""
