"""`writers` and `changed_by`: who wrote which fields of a live object, and when, as its field managers say."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from console.actions.owners import called
from console.base.clock import parse_time
from console.base.shapes import mappings
from console.base.text import clean, shorten

MOST_FIELDS = 500
"""Fields of one manager that are listed."""


def writers(obj: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Managers in the order in which they wrote last: `manager`, `at` (left out where it is not known), `fields`.

    The status and what controllers write of it is left out. Every level of a field is listed: `spec`, `spec.replicas`.
    """
    out = []
    for entry in mappings((obj.get("metadata") or {}).get("managedFields")):
        if not isinstance(entry, dict) or entry.get("subresource") == "status":
            continue
        fields = entry.get("fieldsV1")
        name = called(str(entry.get("manager") or "?"))
        at = parse_time(entry["time"]) if isinstance(entry.get("time"), str) else None
        listed = [path for path, _ in zip(_paths(fields), range(MOST_FIELDS), strict=False)]
        out.append({"manager": name, "fields": listed, **({} if at is None else {"at": at})})
    return sorted(out, key=lambda one: one.get("at", 0.0))


def changed_by(obj: Mapping[str, Any]) -> str:
    """Who changed the object last, in words; `` where nothing says it."""
    known = [one for one in writers(obj) if "at" in one]
    return str(known[-1]["manager"]) if known else ""


def _paths(fields: Any, above: str = "", depth: int = 0) -> Iterator[str]:
    for key, inner in fields.items() if isinstance(fields, dict) and depth < 20 else ():
        path = _below(above, str(key))
        if path:
            yield path
            yield from _paths(inner, path, depth + 1)


def _below(above: str, key: str) -> str:
    """`spec.containers[spark]` of what managers call `f:spec`, `f:containers`, `k:{"name":"spark"}`."""
    kind, _, name = key.partition(":")
    if kind == "f":
        return f"{above}.{clean(name)}" if above else clean(name)
    if kind != "k":
        return ""
    try:
        named = json.loads(name)
    except ValueError:
        return ""
    said = ",".join(str(value) for value in named.values()) if isinstance(named, dict) else str(named)
    return f"{above}[{clean(shorten(said, 60))}]"
