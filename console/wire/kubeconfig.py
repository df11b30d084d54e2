"""Kubeconfig files merged as kubectl merges them: the first file that says something wins."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from console.base.document import Document, parse
from console.base.errors import ConsoleError, UsageError

_MAX_FILE = 4_000_000


@dataclass(frozen=True)
class Entry:
    """A named entry of one of the lists `clusters`, `contexts`, `users`."""

    document: Document
    path: tuple[str | int, ...]
    body: dict[str, Any]

    def error(self, key: str, message: str, hint: str | None = None) -> ConsoleError:
        return self.document.error((*self.path, key) if key else self.path, message, hint=hint)

    def text(self, key: str) -> str:
        value = self.body.get(key)
        if value is None:
            return ""
        if not isinstance(value, str | int | float) or isinstance(value, bool):
            raise self.error(key, f"{key} must be text")
        return str(value)

    def flag(self, key: str) -> bool:
        value = self.body.get(key)
        if value is not None and not isinstance(value, bool):
            raise self.error(key, f"{key} must be true or false")
        return bool(value)


class Merged:
    """Several kubeconfig files as one."""

    def __init__(self, paths: list[Path]) -> None:
        self.current = ""
        self.entries: dict[str, dict[str, Entry]] = {"clusters": {}, "contexts": {}, "users": {}}
        for path in paths:
            self._add(path)

    def _add(self, path: Path) -> None:
        try:
            if path.stat().st_size > _MAX_FILE:
                raise UsageError(f"{path} is too large for a kubeconfig file")
            text = path.read_text(encoding="utf-8")
        except OSError as error:
            raise UsageError(f"cannot read {path}: {error.strerror or error}") from None
        except UnicodeDecodeError:
            raise UsageError(f"{path} is no UTF-8 text") from None
        document = parse(text, str(path))
        if document.data is None:
            return
        if not isinstance(document.data, dict):
            raise document.error((), "this is no kubeconfig file: a mapping is wanted")
        current = document.data.get("current-context")
        if not self.current and isinstance(current, str):
            self.current = current
        for section, singular in (("clusters", "cluster"), ("contexts", "context"), ("users", "user")):
            items = document.data.get(section) or []
            if not isinstance(items, list):
                raise document.error((section,), f"{section} must be a list")
            for index, item in enumerate(items):
                at = (section, index)
                name = item.get("name") if isinstance(item, dict) else None
                if not isinstance(name, str | int):
                    raise document.error(at, f"an entry of {section} needs a name")
                body = item.get(singular) or {}
                if not isinstance(body, dict):
                    raise document.error((*at, singular), f"{singular} must be a mapping")
                self.entries[section].setdefault(str(name), Entry(document, (*at, singular), body))


def pem(entry: Entry, key: str) -> bytes:
    """PEM of `<key>-data` (base64), else of the file `<key>`, relative to its kubeconfig."""
    if data := entry.text(f"{key}-data"):
        try:
            return base64.b64decode(data, validate=False)
        except (binascii.Error, ValueError):
            raise entry.error(f"{key}-data", f"{key}-data is no base64") from None
    if name := entry.text(key):
        path = Path(entry.document.file).resolve().parent / Path(name).expanduser()
        try:
            return path.read_bytes()
        except OSError as error:
            raise entry.error(key, f"cannot read {path}: {error.strerror or error}") from None
    return b""
