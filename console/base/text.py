"""Hostile text: what a cluster, a log or a YAML file says is shown only after it was cleaned here."""

from __future__ import annotations

import re
import unicodedata

_ESCAPE = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[PX^_][^\x1b]*(?:\x1b\\)?|[ -/]*[0-~])"
    r"|\x9b[0-?]*[ -/]*[@-~]"
)
_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c")
_ZERO_WIDTH = frozenset("\u200b\u200c\u200d\u2060\ufeff\u00ad")


def clean(text: str, *, lines: bool = False) -> str:
    """Text that is safe on a terminal: no escapes, no control characters, no direction overrides.

    Args:
        text: anything.
        lines: keep line feeds (and tabs as blanks); otherwise line breaks become blanks.
    """
    if text.isascii() and text.isprintable():
        return text
    text = _ESCAPE.sub("", text).replace("\r\n", "\n").replace("\r", "\n")
    out: list[str] = []
    for char in text:
        if char == "\n":
            out.append("\n" if lines else " ")
        elif char == "\t":
            out.append("    " if lines else " ")
        elif char in _BIDI or char in _ZERO_WIDTH:
            continue
        elif unicodedata.category(char) in ("Cc", "Cs", "Co", "Cn"):
            out.append("\ufffd")
        elif char in ("\u2028", "\u2029"):
            out.append("\n" if lines else " ")
        else:
            out.append(char)
    return "".join(out)


def shorten(text: str, width: int, *, middle: bool = False) -> str:
    """At most `width` characters, with an ellipsis where something was cut."""
    if len(text) <= width:
        return text
    if width <= 1:
        return text[:width]
    if middle:
        head = (width - 1) // 2
        return text[:head] + "…" + text[len(text) - (width - 1 - head) :]
    return text[: width - 1] + "…"


def plural(count: int, noun: str, many: str | None = None) -> str:
    """`1 pod`, `2 pods`."""
    return f"{count} {noun if count == 1 else many or noun + 's'}"
