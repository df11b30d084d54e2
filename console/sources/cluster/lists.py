"""Lists of objects as the API server gives them, read object by object where one of them is not as it should be."""

from __future__ import annotations

import re
from typing import Any

import msgspec
from msgspec import Raw, Struct, field

from console.base.jsontext import decode_json, decode_tree, elements
from console.facts.notjudged import not_judged

_NAME = re.compile(rb'"name"\s*:\s*"([^"\\]{1,253})"')
_NAMESPACE = re.compile(rb'"namespace"\s*:\s*"([^"\\]{1,63})"')
_LOOKED_AT = 20_000
"""Bytes of an object that cannot be decoded in which its name is looked for."""


class ListMeta(Struct, gc=False):
    """Metadata of a list."""

    resourceVersion: str = ""


class _ListHead(Struct):
    metadata: ListMeta = field(default_factory=ListMeta)
    items: Raw = Raw()


def loose_page(body: bytes, kind: str) -> tuple[str, list[Any]]:
    """resourceVersion of a list, and each of its objects as a plain tree; `NotJudged` for one that is no JSON.

    Raises:
        msgspec.DecodeError: it is no list.
    """
    out: list[Any] = []
    for raw in elements(body, "items"):
        try:
            out.append(decode_tree(raw))
        except msgspec.DecodeError as error:
            out.append(not_judged(subject_in(raw, kind), f"decoding {kind}", error))
    try:
        version = decode_json(body, _ListHead).metadata.resourceVersion
    except msgspec.DecodeError:
        found = re.search(rb'"resourceVersion"\s*:\s*"(\d+)"', body[:_LOOKED_AT])
        version = found.group(1).decode() if found else ""
    return version, out


def named(tree: Any) -> bool:
    """Whether this is an object that has a name."""
    meta = tree.get("metadata") if isinstance(tree, dict) else None
    return isinstance(meta, dict) and isinstance(meta.get("name"), str) and bool(meta["name"])


def uid_of(tree: Any) -> str:
    """What an object is kept under: its uid, else namespace and name."""
    meta = tree.get("metadata") or {}
    return str(meta.get("uid") or f"{meta.get('namespace') or ''}/{meta.get('name') or ''}")


def subject_of(tree: Any, kind: str) -> str:
    """`kind/namespace/name` of a plain tree, as far as it says so."""
    meta = tree.get("metadata") if isinstance(tree, dict) else None
    meta = meta if isinstance(meta, dict) else {}
    return f"{kind}/{meta.get('namespace') or ''}/{meta.get('name') or '?'}"


def subject_in(raw: bytes, kind: str) -> str:
    """`kind/namespace/name` of an object that cannot be decoded, as far as its beginning says so."""
    start = max(0, raw.find(b'"metadata"'))
    name, space = (p.search(raw, start, start + _LOOKED_AT) for p in (_NAME, _NAMESPACE))
    said = [found.group(1).decode("utf-8", "replace") if found else "" for found in (space, name)]
    return f"{kind}/{said[0]}/{said[1] or '?'}"
