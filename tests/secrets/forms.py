"""The two lists."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_DATA = Path(__file__).parents[1] / "data" / "secrets"
_ESCAPE = re.compile(r"\\(u[0-9a-f]{4}|.)")
_SECRET = re.compile("«([^»]*)»?", re.DOTALL)
_PLAIN = {"n": "\n", "t": "\t", "e": "\x1b", "\\": "\\"}


@dataclass(frozen=True)
class Form:
    """A text with secrets in it. `line` is where it stands in the list."""

    line: int
    text: str
    secrets: tuple[str, ...]

    def leaks(self, shown: str) -> list[str]:
        """Which of its secrets stand in what is shown, whole or in the words that they consist of."""
        parts = {part for secret in self.secrets for part in (secret, *re.split(r"[\s\x1b]+", secret))}
        return [part for part in parts if len(part) >= 3 and part in shown]


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(lambda m: chr(int(m.group(1)[1:], 16)) if m.group(1)[0] == "u" else _PLAIN[m.group(1)], text)


def _lines(name: str) -> list[tuple[int, str]]:
    lines = (_DATA / name).read_text(encoding="utf-8").splitlines()
    return [(n, _unescaped(line)) for n, line in enumerate(lines, 1) if line and not line.startswith("# ")]


@cache
def planted() -> tuple[Form, ...]:
    """Every form of a secret."""
    return tuple(Form(n, re.sub("[«»]", "", text), tuple(_SECRET.findall(text))) for n, text in _lines("planted.txt"))


@cache
def harmless() -> tuple[str, ...]:
    """Texts that speak of secrets and hold none."""
    return tuple(text for _, text in _lines("harmless.txt"))
