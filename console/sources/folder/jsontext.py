"""JSON of saved evidence → its documents: one value, concatenated values, lines, a list that was cut off."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from console.base.jsontext import bounded, decode_tree, elements
from console.base.text import utf8

MAX_DOCUMENTS = 200_000
MAX_CUT = 400_000
"""Characters of a single object that is looked at again where it was cut off."""
CUT = "cut off in its first value: only what stands before the cut was read"
_DECODER = json.JSONDecoder()


def documents(text: str) -> tuple[list[Any], str]:
    """(values, what was wrong). Values that are complete are kept even where the text breaks off."""
    stripped = text.lstrip("\ufeff \t\r\n")
    try:
        return [decode_tree(stripped)], ""
    except msgspec.DecodeError:
        pass
    out: list[Any] = []
    at, size = 0, len(stripped)
    while at < size and len(out) < MAX_DOCUMENTS:
        while at < size and stripped[at] in " \t\r\n,\x1e":
            at += 1
        if at >= size:
            return out, ""
        try:
            value, at = _DECODER.raw_decode(stripped, at)
        except RecursionError:
            sound = _sound_elements(stripped[at:])
            return (
                out + sound,
                f"nested too deeply; {len(sound)} items of it were read" if sound else "nested too deeply",
            )
        except (ValueError, OverflowError):
            following = stripped.find("\n{", at)
            if out and following > 0 and "\n" not in stripped[at:following].strip()[:1]:
                rescued, why = _after_bad_line(stripped, at)
                return out + rescued, why
            rescued = _elements(stripped, at)
            if rescued:
                return out + rescued, f"cut off after {len(rescued)} items"
            if not out and (value := _closed(stripped)) is not None:
                return [value], CUT
            return (
                out,
                f"cut off or damaged after {len(out)} documents" if out else "no JSON, or cut off in its first value",
            )
        out.append(bounded(value))
    return out, "" if at >= size else f"more than {MAX_DOCUMENTS} documents"


def _sound_elements(text: str) -> list[Any]:
    """The elements of a list of which one is nested too deeply."""
    out: list[Any] = []
    kind = _list_kind(text[:2_000])
    try:
        found = elements(utf8(text).encode(), "items" if text.startswith("{") else "", cut_off=True)
    except msgspec.DecodeError:
        return out
    for one in found:
        try:
            value = decode_tree(one)
        except msgspec.DecodeError:
            continue
        if kind and isinstance(value, dict):
            value.setdefault("kind", kind)
        out.append(value)
    return out


def _after_bad_line(text: str, at: int) -> tuple[list[Any], str]:
    """Lines of JSON with bad ones among them."""
    out: list[Any] = []
    bad = 0
    for line in text[at:].splitlines():
        line = line.strip()
        if not line:
            continue
        try:
            out.append(decode_tree(line))
        except msgspec.DecodeError:
            bad += 1
    return out, f"{bad} damaged or cut lines were left out" if bad else ""


def _elements(text: str, at: int) -> list[Any]:
    """The complete elements of a list that was cut off: `[…` or `{…"items": […`."""
    start = text.find("[", at)
    if text[at] == "{":
        named = text.find('"items"', at, at + 4_000_000)
        start = text.find("[", named) if named >= 0 else -1
    elif text[at] != "[":
        return []
    if start < 0:
        return []
    out: list[Any] = []
    kind = _list_kind(text[at:start])
    position = start + 1
    while True:
        while position < len(text) and text[position] in " \t\r\n,":
            position += 1
        if position >= len(text) or text[position] == "]":
            break
        try:
            value, position = _DECODER.raw_decode(text, position)
        except (ValueError, RecursionError, OverflowError):
            break
        if kind and isinstance(value, dict):
            value.setdefault("kind", kind)
        out.append(bounded(value))
    return out if text[at] == "{" or not out else [out]


def _closed(text: str) -> dict[str, Any] | None:
    """An object that was cut off, ended after its last whole member; None where too little is left of it."""
    if not text.startswith("{") or len(text) > MAX_CUT:
        return None
    stack: list[str] = []
    quoted = escaped = False
    whole = 0
    ends: list[str] = []
    for at, letter in enumerate(text):
        if quoted:
            if escaped:
                escaped = False
            elif letter == "\\":
                escaped = True
            elif letter == '"':
                quoted = False
        elif letter == '"':
            quoted = True
        elif letter in "{[":
            stack.append("}" if letter == "{" else "]")
        elif letter in "}]":
            if not stack or stack.pop() != letter:
                return None
            whole, ends = at + 1, list(stack)
        elif letter == ",":
            whole, ends = at, list(stack)
    if not whole or not ends:
        return None
    try:
        value = decode_tree(text[:whole] + "".join(reversed(ends)))
    except msgspec.DecodeError:
        return None
    return value if isinstance(value, dict) else None


def _list_kind(head: str) -> str:
    found = head.find('List"')
    start = head.rfind('"', 0, found) if found > 0 else -1
    return head[start + 1 : found] if start >= 0 else ""
