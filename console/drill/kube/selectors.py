"""Label and field selectors in the grammar of the API server."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from console.drill.state.objects import StatusError

Object = dict[str, Any]
Match = Callable[[Object], bool]
_SET = re.compile(r"^(!?)\s*([A-Za-z0-9./_-]+)\s*(?:(notin|in)\s*\(([^)]*)\)|(==|!=|=|>|<)\s*([A-Za-z0-9._-]*))?$")
_COMMON = ("metadata.name", "metadata.namespace")
_FIELDS: dict[str, tuple[str, ...]] = {
    "pods": (
        "spec.nodeName",
        "spec.restartPolicy",
        "spec.schedulerName",
        "spec.serviceAccountName",
        "spec.hostNetwork",
        "status.phase",
        "status.podIP",
        "status.nominatedNodeName",
    ),
    "events": (
        "involvedObject.kind",
        "involvedObject.namespace",
        "involvedObject.name",
        "involvedObject.uid",
        "involvedObject.apiVersion",
        "involvedObject.resourceVersion",
        "involvedObject.fieldPath",
        "reason",
        "reportingComponent",
        "source",
        "type",
    ),
    "nodes": ("spec.unschedulable",),
    "namespaces": ("status.phase",),
    "secrets": ("type",),
}


def _split(text: str) -> list[str]:
    parts, depth, current = [], 0, ""
    for char in text:
        if char == "," and depth == 0:
            parts.append(current)
            current = ""
            continue
        depth += (char == "(") - (char == ")")
        current += char
    return [part.strip() for part in [*parts, current]]


def labels(text: str) -> Match:
    """A test for a label selector.

    Raises:
        StatusError: 400, it is none.
    """
    tests: list[Callable[[dict[str, str]], bool]] = []
    for part in _split(text) if text else ():
        found = _SET.match(part)
        if not found or (found.group(1) and (found.group(3) or found.group(5))):
            raise StatusError(
                f"unable to parse requirement: found '{part[:1]}', expected: identifier", "BadRequest", 400
            )
        absent, key, word, listed, sign, value = found.groups()
        tests.append(_label_test(key, bool(absent), word, listed, sign, value))
    if not tests:
        return lambda _obj: True

    def match(obj: Object) -> bool:
        have = obj["metadata"].get("labels") or {}
        return all(test(have) for test in tests)

    return match


def _label_test(
    key: str, absent: bool, word: str | None, listed: str | None, sign: str | None, value: str | None
) -> Callable[[dict[str, str]], bool]:
    if word:
        values = {item.strip() for item in (listed or "").split(",")}
        if word == "in":
            return lambda have: have.get(key) in values
        return lambda have: have.get(key) not in values
    if sign in ("=", "=="):
        return lambda have: have.get(key) == value
    if sign == "!=":
        return lambda have: have.get(key) != value
    if sign in (">", "<"):
        return lambda have: _number(have.get(key), sign, value)
    return (lambda have: key not in have) if absent else (lambda have: key in have)


def _number(have: str | None, sign: str, value: str | None) -> bool:
    try:
        left, right = int(have or ""), int(value or "")
    except ValueError:
        return False
    return left > right if sign == ">" else left < right


def field_value(obj: Object, path: str) -> str:
    """A field as a selector compares it: text, empty where it is missing."""
    value: Any = obj
    if path == "source":
        value = (obj.get("source") or {}).get("component") or obj.get("reportingComponent", "")
    else:
        for part in path.split("."):
            value = value.get(part) if isinstance(value, dict) else None
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None and path in ("spec.unschedulable", "spec.hostNetwork"):
        return "false"
    return "" if value is None else str(value)


def fields(text: str, resource: str) -> Match:
    """A test for a field selector of a resource (the store's id).

    Raises:
        StatusError: 400, the field cannot be selected by.
    """
    known = (*_COMMON, *_FIELDS.get(resource, ()))
    tests: list[tuple[str, bool, str]] = []
    for part in text.split(",") if text else ():
        for sign in ("!=", "==", "="):
            if sign in part:
                path, value = part.split(sign, 1)
                break
        else:
            raise StatusError(f"invalid selector: '{part}'; can't understand '{part}'", "BadRequest", 400)
        if path not in known:
            raise StatusError(f"field label not supported: {path}", "BadRequest", 400)
        tests.append((path, sign != "!=", value))
    if not tests:
        return lambda _obj: True
    return lambda obj: all((field_value(obj, path) == value) is equal for path, equal, value in tests)
