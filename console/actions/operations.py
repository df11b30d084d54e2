"""A change of fields as JSON Patch operations: what pins it, what it sets, the stamp that it leaves.

Every patch is sent as a JSON Patch whose first operations test the object's UID, its generation and the present values
of the fields that it touches, so that it can only be applied to what was looked at, and only once.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from console.actions import patches
from console.actions.effects import STAMP, Effect
from console.actions.pins import Pin, tests
from console.base.errors import ConsoleError
from console.base.text import clean

_STAMP_POINTER = "/metadata/annotations"


def changes(effect: Effect, obj: dict[str, Any]) -> list[dict[str, Any]]:
    """The operations that make the change on this object, without tests and stamp."""
    if effect.patch_type == "json":
        operations = effect.patch if isinstance(effect.patch, list | tuple) else []
        return [dict(operation) for operation in operations if isinstance(operation, dict)]
    out: list[dict[str, Any]] = []
    _merge(effect.patch, obj, (), out)
    return out


def _merge(patch: Any, obj: Any, path: tuple[str, ...], out: list[dict[str, Any]]) -> None:
    for key, value in patch.items():
        here = (*path, str(key))
        present = obj.get(key, patches.MISSING)
        if value is None:
            if present is not patches.MISSING:
                out.append({"op": "remove", "path": patches.pointer(here)})
        elif isinstance(value, dict) and isinstance(present, dict):
            _merge(value, present, here, out)
        else:
            out.append({"op": "add", "path": patches.pointer(here), "value": _without_nulls(value)})


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without_nulls(v) for k, v in value.items() if v is not None}
    return value


def stamp(effect: Effect, obj: dict[str, Any]) -> list[dict[str, Any]]:
    """The operations that leave the effect's id on the object, after those that make the change."""
    made = any(o.get("path") == _STAMP_POINTER and o.get("op") != "remove" for o in changes(effect, obj))
    if made or isinstance((obj.get("metadata") or {}).get("annotations"), dict):
        return [{"op": "add", "path": _STAMP_POINTER + patches.pointer((STAMP,)), "value": effect.id}]
    return [
        {"op": "test", "path": _STAMP_POINTER, "value": None},
        {"op": "add", "path": _STAMP_POINTER, "value": {STAMP: effect.id}},
    ]


def body(effect: Effect, obj: dict[str, Any], held: Pin) -> list[dict[str, Any]]:
    """The whole JSON Patch."""
    return [*tests(held), *changes(effect, obj), *stamp(effect, obj)]


def locally(effect: Effect, obj: dict[str, Any]) -> dict[str, Any]:
    """The object with the change made on this machine, for a preview where the server may not be asked."""
    out = deepcopy(obj)
    for operation in changes(effect, obj):
        *above, last = patches.parts(str(operation.get("path", "")))
        parent: Any = out
        for part in above:
            parent = parent[int(part)] if isinstance(parent, list) else parent.setdefault(part, {})
        match operation.get("op"), parent:
            case (("add" | "replace"), dict()):
                parent[last] = operation.get("value")
            case "remove", dict():
                parent.pop(last, None)
            case "add", list():
                parent.insert(len(parent) if last == "-" else int(last), operation.get("value"))
            case "replace", list():
                parent[int(last)] = operation.get("value")
            case "remove", list():
                del parent[int(last)]
            case _:
                raise ConsoleError(f"operation {clean(str(operation.get('op')))!r} has no local preview")
    return out


def dropped(effect: Effect, obj: dict[str, Any], after: dict[str, Any]) -> tuple[str, ...]:
    """Pointers of fields that the server would not keep although the change sets them: its kind has no such field."""
    wanted = [str(o.get("path")) for o in changes(effect, obj) if o.get("op") in ("add", "replace")]
    return tuple(at for at in wanted if not at.endswith("/-") and patches.get(after, at) is patches.MISSING)
