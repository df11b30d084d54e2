"""Which fields of an object a write of a script would change, and which it has not declared. Nothing is sent here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

JSON_PATCH = "application/json-patch+json"
_ITS_OWN = (("apiVersion",), ("kind",), ("status",))
_MOVING = ("name", "namespace", "uid", "resourceVersion", "generation", "creationTimestamp", "managedFields")
_NOTHING: Any = object()


def beyond(
    tree: Any, media_type: str, verb: str, present: dict[str, Any], touches: Iterable[str], stamp: str
) -> tuple[str, ...]:
    """JSON pointers of the fields that the body would change and that lie below none of `touches`.

    Args:
        tree: the body of a patch, or of an update the whole object.
        present: the object as it is.
        stamp: annotation that Console sets itself.
    """
    if media_type == JSON_PATCH:
        changed = [at for operation in tree for at in _of_operation(operation, present)]
    else:
        changed = list(_changed(present, tree, (), whole=verb == "update"))
    free = [*_ITS_OWN, *(("metadata", key) for key in _MOVING), ("metadata", "annotations", stamp)]
    declared = [_parts(one) for one in touches]
    out = [at for at in changed if not any(at[: len(one)] == one for one in (*free, *declared))]
    return tuple(dict.fromkeys(_pointer(at) for at in out))


def _of_operation(operation: dict[str, Any], present: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    op, at = operation.get("op"), _parts(str(operation.get("path", "")))
    if op == "test":
        return
    if op == "move":
        yield _parts(str(operation.get("from", "")))
    if op in ("add", "replace") and "value" in operation:
        yield from _changed(_at(present, at), operation["value"], at, whole=True)
    else:
        yield at


def _changed(old: Any, new: Any, at: tuple[str, ...], *, whole: bool) -> Iterator[tuple[str, ...]]:
    """Where `new` differs from `old`. `whole`: what it leaves out is taken away, else it stays and null takes away."""
    if not isinstance(old, dict) or not isinstance(new, dict):
        if new != old and not (new is None and old is _NOTHING):
            yield at
        return
    for key, value in new.items():
        yield from _changed(old.get(key, _NOTHING), value, (*at, str(key)), whole=whole)
    if whole:
        yield from ((*at, str(key)) for key in old if key not in new)


def _at(obj: Any, at: tuple[str, ...]) -> Any:
    for part in at:
        if isinstance(obj, dict) and part in obj:
            obj = obj[part]
        elif isinstance(obj, list) and part.isdigit() and int(part) < len(obj):
            obj = obj[int(part)]
        else:
            return _NOTHING
    return obj


def _parts(pointer: str) -> tuple[str, ...]:
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:])


def _pointer(at: tuple[str, ...]) -> str:
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in at)
