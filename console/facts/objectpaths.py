"""Paths into the plain trees of objects."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

_STEP = re.compile(r"^(?P<name>[^\[\]]*)(?:\[(?P<key>[^=\]]+)=(?P<value>[^\]]*)\])?$")


def walk(value: Any, path: str) -> Iterable[Any]:
    """The values at a path: names, indexes, `*` and `list[key=value]`, or a JSON pointer; none where absent."""
    at = [value]
    if path.startswith("/"):
        for part in path[1:].split("/"):
            at = [inner for item in at for inner in _step(item, part.replace("~1", "/").replace("~0", "~"))]
        return at
    for part in path.split("."):
        found = _STEP.match(part)
        if found is None:
            return ()
        at = [inner for item in at for inner in _step(item, found["name"])]
        if found["key"]:
            rows = [row for item in at for row in (item if isinstance(item, list) else [item])]
            at = [row for row in rows if isinstance(row, Mapping) and str(row.get(found["key"])) == found["value"]]
    return at


def _step(value: Any, name: str) -> Iterable[Any]:
    if name == "*":
        if isinstance(value, Mapping):
            return list(value.values())
        return list(value) if isinstance(value, list) else []
    if isinstance(value, Mapping) and name in value:
        return [value[name]]
    if isinstance(value, list) and name.isdigit() and int(name) < len(value):
        return [value[int(name)]]
    return []
