"""Patches: JSON Patch, JSON Merge Patch, and the strategic kind as merge with lists by their keys."""

from __future__ import annotations

import copy
from typing import Any

from console.drill.state.objects import StatusError

Object = dict[str, Any]
JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"
_KEYS = {
    "containers": "name",
    "initContainers": "name",
    "volumes": "name",
    "volumeMounts": "mountPath",
    "env": "name",
    "ports": "containerPort",
    "conditions": "type",
    "ownerReferences": "uid",
    "tolerations": "key",
    "taints": "key",
}
REJECTED = "the server rejected our request due to an error in our request"


def rejected() -> StatusError:
    """What the API server says to a JSON Patch that does not apply, a failed `test` included."""
    return StatusError(REJECTED, "Invalid", 422)


def merge(target: Any, patch: Any) -> Any:
    """RFC 7386."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    out = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            out.pop(key, None)
        else:
            out[key] = merge(out.get(key), value)
    return out


def strategic(target: Any, patch: Any, field: str = "") -> Any:
    """Merge where lists with a known key are merged item by item; `$patch: delete` and `replace` are honoured."""
    if isinstance(patch, list):
        key = _KEYS.get(field)
        if key is None or not all(isinstance(item, dict) and key in item for item in patch):
            return copy.deepcopy(patch)
        return _items(target, patch, key)
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    if patch.get("$patch") == "replace":
        return {k: copy.deepcopy(v) for k, v in patch.items() if k != "$patch"}
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if key.startswith("$"):
            continue
        if value is None:
            result.pop(key, None)
        else:
            result[key] = strategic(result.get(key), value, key)
    return result


def _items(target: Any, patch: list[Object], key: str) -> list[Object]:
    """A list whose items are known by `key`, with those of the patch merged in, added or deleted."""
    out = [dict(item) for item in target] if isinstance(target, list) else []
    for item in patch:
        at = next((i for i, old in enumerate(out) if old.get(key) == item[key]), None)
        if item.get("$patch") == "delete":
            if at is not None:
                out.pop(at)
        elif at is None:
            out.append(strategic({}, item))
        else:
            out[at] = strategic(out[at], item)
    return out


def json_patch(target: Any, operations: Any) -> Any:
    """RFC 6902.

    Raises:
        StatusError: 400 for something that is no JSON Patch, 422 when an operation does not apply or a `test` fails.
    """
    if not isinstance(operations, list) or not all(isinstance(op, dict) and "op" in op for op in operations):
        raise StatusError(
            "error decoding patch: json: cannot unmarshal into Go value of type jsonpatch.Patch", "BadRequest", 400
        )
    out = copy.deepcopy(target)
    for operation in operations:
        kind, path = operation["op"], _pointer(operation.get("path", ""))
        if kind == "test":
            if not _holds(out, path, operation.get("value")):
                raise rejected()
        elif kind == "add":
            out = _add(out, path, copy.deepcopy(operation.get("value")))
        elif kind == "replace":
            _get(out, path)
            out = _add(_remove(out, path), path, copy.deepcopy(operation.get("value")))
        elif kind == "remove":
            out = _remove(out, path)
        elif kind in ("move", "copy"):
            source = _pointer(operation.get("from", ""))
            value = copy.deepcopy(_get(out, source))
            if kind == "move":
                out = _remove(out, source)
            out = _add(out, path, value)
        else:
            raise rejected()
    return out


def _pointer(text: str) -> list[str]:
    if text == "":
        return []
    if not text.startswith("/"):
        raise rejected()
    return [part.replace("~1", "/").replace("~0", "~") for part in text[1:].split("/")]


def _index(part: str, size: int) -> int:
    if part == "-":
        return size
    if not part.isdigit() or int(part) > size:
        raise rejected()
    return int(part)


def _get(doc: Any, path: list[str]) -> Any:
    for part in path:
        if isinstance(doc, dict) and part in doc:
            doc = doc[part]
        elif isinstance(doc, list) and part.isdigit() and int(part) < len(doc):
            doc = doc[int(part)]
        else:
            raise rejected()
    return doc


def _holds(doc: Any, path: list[str], value: Any) -> bool:
    """Whether a `test` holds. To the API server, null is also the value of a member that does not exist."""
    if value is None and path and isinstance(parent := _get(doc, path[:-1]), dict):
        return parent.get(path[-1]) is None
    return bool(_get(doc, path) == value)


def _add(doc: Any, path: list[str], value: Any) -> Any:
    if not path:
        return value
    parent, last = _get(doc, path[:-1]), path[-1]
    if isinstance(parent, dict):
        parent[last] = value
    elif isinstance(parent, list):
        parent.insert(_index(last, len(parent)), value)
    else:
        raise rejected()
    return doc


def _remove(doc: Any, path: list[str]) -> Any:
    if not path:
        return None
    parent, last = _get(doc, path[:-1]), path[-1]
    if isinstance(parent, dict) and last in parent:
        del parent[last]
    elif isinstance(parent, list) and last.isdigit() and int(last) < len(parent):
        parent.pop(int(last))
    else:
        raise rejected()
    return doc
