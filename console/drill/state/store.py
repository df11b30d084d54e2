"""The object store: what an API server keeps. Versions, generations, watch history; every change in one order."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from console.drill.state.resources import ServedResource

Object = dict[str, Any]
StoreKey = tuple[str, str]
HISTORY = 20_000


@dataclass(frozen=True)
class ObjectChange:
    """One committed change. `object` carries the new resourceVersion (for DELETED the one of the deletion)."""

    version: int
    type: str
    resource: ServedResource
    object: Object
    previous: Object | None


class Expired(Exception):
    """The asked version is older than the history that is kept."""


class Store:
    """Objects by resource, namespace and name.

    Stored objects are never changed in place: a change puts a new object in. Readers may keep what they got.
    """

    def __init__(self, first_version: int = 1000) -> None:
        self.version = first_version
        self._objects: dict[str, dict[StoreKey, Object]] = {}
        self._history: dict[str, list[ObjectChange]] = {}
        self._floor: dict[str, int] = {}
        self._first = first_version
        self._listeners: dict[str, list[Callable[[ObjectChange], None]]] = {}
        self._watchers: list[Callable[[ObjectChange], None]] = []

    def get(self, resource: ServedResource, namespace: str, name: str) -> Object | None:
        """The object, or None."""
        return self._objects.get(resource.id, {}).get((namespace, name))

    def all(self, resource: ServedResource, namespace: str = "") -> list[Object]:
        """Objects in the order of namespace and name, as etcd returns them; an empty namespace means all."""
        kept = self._objects.get(resource.id, {})
        return [kept[key] for key in sorted(kept) if not namespace or key[0] == namespace]

    def each(self, resource: ServedResource) -> Iterator[Object]:
        """Objects in no promised order, without sorting."""
        return iter(self._objects.get(resource.id, {}).values())

    def create(self, resource: ServedResource, obj: Object) -> Object:
        """Store a new object; its metadata must be complete but for the version."""
        return self._commit("ADDED", resource, obj, None)

    def update(self, resource: ServedResource, obj: Object) -> Object:
        """Replace the object of that name. Without any difference nothing is committed, as in a real API server."""
        old = self._objects[resource.id][_key(obj)]
        if {**obj, "metadata": {**obj["metadata"], "resourceVersion": ""}} == {
            **old,
            "metadata": {**old["metadata"], "resourceVersion": ""},
        }:
            return old
        return self._commit("MODIFIED", resource, obj, old)

    def delete(self, resource: ServedResource, namespace: str, name: str) -> Object | None:
        """Remove the object; it is returned as the DELETED event carries it."""
        old = self._objects.get(resource.id, {}).get((namespace, name))
        return None if old is None else self._commit("DELETED", resource, old, old)

    def since(self, resource: ServedResource, version: int) -> list[ObjectChange]:
        """Changes after `version`.

        Raises:
            Expired: the history no longer reaches back so far.
        """
        if version < self.floor(resource):
            raise Expired
        history = self._history.get(resource.id, [])
        low, high = 0, len(history)
        while low < high:
            middle = (low + high) // 2
            if history[middle].version <= version:
                low = middle + 1
            else:
                high = middle
        return history[low:]

    def floor(self, resource: ServedResource) -> int:
        """The oldest version from which a watch can start."""
        return self._floor.get(resource.id, self._first)

    def compact(self, resource: ServedResource | None = None) -> None:
        """Forget all history, as etcd's compaction does: older watches get 410."""
        names = [resource.id] if resource else list(self._objects)
        for name in names:
            self._history[name] = []
            self._floor[name] = self.version

    def listen(self, resource: ServedResource, callback: Callable[[ObjectChange], None]) -> None:
        """Tell a controller about every change of that resource, synchronously."""
        self._listeners.setdefault(resource.id, []).append(callback)

    def watch(self, callback: Callable[[ObjectChange], None]) -> Callable[[], None]:
        """Tell a watch stream about every change; the returned function ends it."""
        self._watchers.append(callback)
        return lambda: self._watchers.remove(callback) if callback in self._watchers else None

    def _commit(self, kind: str, resource: ServedResource, obj: Object, old: Object | None) -> Object:
        self.version += 1
        kept = self._objects.setdefault(resource.id, {})
        obj = {**obj, "metadata": {**obj["metadata"], "resourceVersion": str(self.version)}}
        if kind == "DELETED":
            kept.pop(_key(obj), None)
        else:
            kept[_key(obj)] = obj
        change = ObjectChange(self.version, kind, resource, obj, old)
        history = self._history.setdefault(resource.id, [])
        history.append(change)
        if len(history) > HISTORY:
            self._floor[resource.id] = history[HISTORY // 2 - 1].version
            del history[: HISTORY // 2]
        for listener in self._listeners.get(resource.id, ()):
            listener(change)
        for watcher in tuple(self._watchers):
            watcher(change)
        return obj


def _key(obj: Object) -> StoreKey:
    meta = obj["metadata"]
    return meta.get("namespace", ""), meta["name"]


def private(obj: Object) -> Object:
    """A deep copy that may be changed."""
    return copy.deepcopy(obj)


def spec_changed(old: Object, new: Object) -> bool:
    """Whether anything but metadata and status differs: what moves `generation`."""
    skip = ("metadata", "status", "apiVersion", "kind")
    return {k: v for k, v in old.items() if k not in skip} != {k: v for k, v in new.items() if k not in skip}
