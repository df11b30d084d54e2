"""Secrets are taken out where text comes in (`sources`), so that no later place can forget it, and once more where
something is stored or printed that was not read there (diffs, argv, journal).

What was redacted is for reading and judging. Nothing that is written to a cluster is made of it: changes are made of
objects as the server has them, and a text that holds `MARK` is refused (`console.runbook.changes`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from console.base.secretkeys import is_no_secret, is_password_key, is_secret_key, looks_random
from console.base.secretlines import RedactedLines, suspect_lines
from console.base.secretshapes import MARK
from console.base.text import seen

__all__ = [
    "MARK", "LineRedactor", "is_secret_key", "redact", "redact_argv", "redact_labels", "redact_short", "redact_value",
]  # fmt: skip


def redact(text: str) -> str:
    """`text` without the values of keys that name a secret, token shapes, passwords in URLs, private keys.

    Lines stay lines, so that places in a log stay true. Terminal escapes and characters without width are taken out
    first where they could hide a key. Redacting twice is redacting once; the time is linear in the length.
    """
    text = _unhidden(text)
    if "\n" not in text:
        return RedactedLines().line(text)
    numbers = suspect_lines(text.lower())
    if not numbers:
        return text
    lines, state = text.split("\n"), RedactedLines()
    for number, following in zip(numbers, [*numbers[1:], len(lines)], strict=True):
        while True:
            lines[number] = state.line(lines[number])
            number += 1
            if number >= following or not state.open:
                break
    return "\n".join(lines)


def _unhidden(text: str) -> str:
    """`text` without what hides the letters of a key from a search and shows nothing on a terminal."""
    return text if text.isascii() and "\x1b" not in text else seen(text)


class LineRedactor:
    """Lines that come one after the other, as `redact` would have them together."""

    def __init__(self) -> None:
        self._lines = RedactedLines()

    def line(self, text: str) -> str:
        """The next line without secrets."""
        return self._lines.line(_unhidden(text))


_SHORT = 160


_cached = lru_cache(maxsize=8_192)(redact)


def redact_short(text: str) -> str:
    """`redact` of a text that comes again and again where it is short: a label, a reason, a host."""
    return _cached(text) if len(text) < _SHORT else redact(text)


def redact_labels(labels: Mapping[str, str]) -> dict[str, str]:
    """Labels without secrets, in their names and in their values."""
    return {
        redact_short(k): MARK if v and is_secret_key(k) and not is_no_secret(v, k) else redact_short(v)
        for k, v in labels.items()
    }


def redact_value(value: Any, key: str = "") -> Any:
    """A JSON-like value without secrets: values under secret keys, and what `redact` finds anywhere.

    `{"name": "DB_PASSWORD", "value": "x"}` (an environment variable), `["x.password", "y"]` (a property) and
    `["--password", "x"]` (arguments) are understood as pairs. The `data` of a Kubernetes Secret is emptied of values.
    """
    if isinstance(value, dict):
        return _mapping(value)
    if isinstance(value, list | tuple):
        return _sequence(value, key)
    if isinstance(value, str):
        if not value:
            return value
        if key and is_secret_key(key):
            return value if is_no_secret(value, key) else MARK
        return redact_short(value)
    if key and isinstance(value, int) and not isinstance(value, bool) and is_password_key(key):
        return MARK
    return value


def _mapping(value: dict[Any, Any]) -> dict[Any, Any]:
    if value.get("kind") == "Secret":
        value = {
            k: (dict.fromkeys(v, MARK) if k in ("data", "stringData") and isinstance(v, dict) else v)
            for k, v in value.items()
        }
    name = value.get("name", value.get("key", value.get("Name")))
    pair = isinstance(name, str) and ("value" in value or "Value" in value) and is_secret_key(name)
    out: dict[Any, Any] = {}
    for k, v in value.items():
        if pair and k in ("value", "Value"):
            out[k] = v if isinstance(v, str) and is_no_secret(v, str(name)) else MARK
        else:
            shown = redact_short(k) if isinstance(k, str) else k
            out[shown if shown == k or shown not in out else f"{shown} {len(out)}"] = redact_value(v, str(k))
    return out


def _sequence(value: list[Any] | tuple[Any, ...], key: str) -> list[Any]:
    if len(value) == 2 and isinstance(value[0], str) and isinstance(value[1], str) and not value[0].startswith("-"):
        first, second = value
        named = not any(map(str.isspace, first)) and ("." in first or "_" in first or looks_random(second))
        if named and is_secret_key(first) and not is_secret_key(second) and not is_no_secret(second, first):
            return [first, MARK]
    if any(isinstance(item, str) and item.startswith("-") for item in value):
        return _arguments(value, key)
    return [redact_value(item, key) for item in value]


def _arguments(words: Iterable[Any], key: str = "") -> list[Any]:
    out: list[Any] = []
    flag = ""
    for word in words:
        if flag and isinstance(word, str) and not word.startswith("-"):
            out.append(word if is_no_secret(word, flag) else MARK)
            flag = ""
            continue
        flag = (
            word if isinstance(word, str) and word.startswith("-") and "=" not in word and is_secret_key(word) else ""
        )
        out.append(redact_value(word, "" if flag else key))
    return out


def redact_argv(argv: list[str]) -> list[str]:
    """A command line without secrets: `--password x`, `--token=x`, `-H 'Authorization: …'`."""
    return _arguments(argv)
