"""Secrets and ConfigMaps that a pod needs before its containers can be made, and what the kubelet says without them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from console.drill.state.resources import CONFIGMAPS, SECRETS, ServedResource
from console.drill.state.store import Store

Object = dict[str, Any]
WantedReference = tuple[ServedResource, str, str]
"""Resource, name, key (empty: the whole object)."""


def missing_volume(store: Store, pod: Object) -> str:
    """What the mounting of its volumes fails with; empty: all can be mounted."""
    for volume in pod["spec"].get("volumes") or ():
        for resource, source, field in ((SECRETS, "secret", "secretName"), (CONFIGMAPS, "configMap", "name")):
            told = volume.get(source)
            if told and not told.get("optional"):
                name = str(told.get(field, ""))
                if store.get(resource, pod["metadata"]["namespace"], name) is None:
                    kind = resource.kind.lower()
                    return f'MountVolume.SetUp failed for volume "{volume["name"]}" : {kind} "{name}" not found'
    return ""


def missing_value(store: Store, pod: Object, container: Object) -> str:
    """What the making of a container fails with; empty: its environment is whole."""
    space = pod["metadata"]["namespace"]
    for resource, name, key in _wanted(container):
        found = store.get(resource, space, name)
        if found is None:
            return f'{resource.kind.lower()} "{name}" not found'
        if key and key not in (found.get("data") or {}):
            return f"couldn't find key {key} in {resource.kind} {space}/{name}"
    return ""


def _wanted(container: Object) -> Iterator[WantedReference]:
    for variable in container.get("env") or ():
        source = variable.get("valueFrom") or {}
        for resource, field in ((SECRETS, "secretKeyRef"), (CONFIGMAPS, "configMapKeyRef")):
            told = source.get(field)
            if told and not told.get("optional"):
                yield resource, str(told["name"]), str(told["key"])
    for source in container.get("envFrom") or ():
        for resource, field in ((SECRETS, "secretRef"), (CONFIGMAPS, "configMapRef")):
            told = source.get(field)
            if told and not told.get("optional"):
                yield resource, str(told["name"]), ""
