"""YAML that people save from kubectl → its documents."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import yaml

from console.base.text import shorten

MAX_YAML = 8_000_000


def is_yaml(text: str) -> bool:
    head = text.lstrip()[:4_000]
    return bool(re.match(r"(?:---\s*\n|#[^\n]*\n)*\s*(?:- )?(?:apiVersion|kind|items|metadata)\s*:", head))


def yaml_documents(text: str) -> tuple[list[Any], str]:
    """(documents, what was wrong). Aliases are refused: a few lines of them can stand for gigabytes."""
    if len(text) > MAX_YAML:
        return [], f"YAML of more than {MAX_YAML // 1_000_000} MB"
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    out: list[Any] = []
    try:
        for event in yaml.parse(text, Loader=loader):
            if isinstance(event, yaml.AliasEvent):
                return [], "YAML with aliases"
        for document in yaml.load_all(text, Loader=loader):
            out.append(_plain(document))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        why = f"no clean YAML: {shorten(str(error).splitlines()[0], 100)}"
        rescued = _items(text, loader) if not out else []
        return out + rescued, f"{why}; {len(rescued)} items of it were read" if rescued else why
    return out, ""


_ITEM = re.compile(r"(?m)^-[ ](?=apiVersion:|metadata:|kind:)|^---\s*$")


def _items(text: str, loader: Any) -> list[Any]:
    """The sound items of a damaged list, and the sound ones of several documents."""
    out: list[Any] = []
    for part in _ITEM.split(text):
        body = part if part.startswith(("apiVersion", "kind")) else f"  {part}"
        try:
            value = _plain(yaml.load("\n".join(_outdented(body)), Loader=loader))  # noqa: S506
        except (yaml.YAMLError, ValueError, RecursionError):
            continue
        if isinstance(value, dict) and isinstance(value.get("metadata"), dict):
            out.append(value)
    return out


def _outdented(item: str) -> Iterator[str]:
    """Lines of a list's item as a document of their own; what follows the list is left out."""
    for number, line in enumerate(item.splitlines()):
        if number and line and line[0] not in " \t":
            return
        yield line[2:] if number else line.lstrip()


def _plain(value: Any) -> Any:
    """YAML turns bare times into datetimes; facts want their text."""
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_plain(v) for v in value]
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return value
