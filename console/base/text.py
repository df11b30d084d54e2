"""Hostile text: what a cluster, a log or a YAML file says is shown only after it was cleaned here."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

_ESCAPE = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b\r\n\u2028\u2029]*(?:\x07|\x1b\\)?"
    r"|[PX^_][^\x1b\r\n\u2028\u2029]*(?:\x1b\\)?|[ -/]*[0-~])"
    r"|\x9b[0-?]*[ -/]*[@-~]"
)
"""Terminal escapes. None goes beyond its line, so that one that never ends hides no other line."""
_SURROGATE = re.compile("[\ud800-\udfff]")
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
    return _UNUSUAL.sub(_kept_line if lines else _one_line, text)


_UNUSUAL = re.compile("[^\x20-\x7e]")


def _one_line(found: re.Match[str]) -> str:
    return _harmless(found.group(), lines=False)


def _kept_line(found: re.Match[str]) -> str:
    return _harmless(found.group(), lines=True)


@lru_cache(maxsize=8_192)
def _harmless(char: str, *, lines: bool) -> str:
    """What stands for a character that is not plain ASCII: itself where it is a letter or a sign."""
    if char in ("\n", "\u2028", "\u2029"):
        return "\n" if lines else " "
    if char == "\t":
        return "    " if lines else " "
    if char in _BIDI or char in _ZERO_WIDTH:
        return ""
    return "\ufffd" if is_unseen(char) else char


def is_unseen(char: str) -> bool:
    """Whether a character is no sign: a control, a direction mark, half of a pair, one that nobody has assigned."""
    return unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


_UNSEEN = re.compile(f"[{''.join(sorted(_BIDI | _ZERO_WIDTH))}]")


def seen(text: str) -> str:
    """`text` without what a terminal shows nothing of: escapes, direction marks, characters of no width.

    Control characters stay; `clean` is what makes a text safe to show.
    """
    if "\x1b" in text or "\x9b" in text:
        text = _ESCAPE.sub("", text)
    return text if text.isascii() else _UNSEEN.sub("", text)


def utf8(text: str) -> str:
    """`text` as UTF-8 can hold it: bytes of a file's name that are no UTF-8, which Python keeps as surrogates, are
    shown as U+FFFD. Open the file by its own name, show and encode this one."""
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


_ROUND = re.compile(r"(?<=\d)0{6,}(?=\D|$)")
"""The nanoseconds in the stamp of a scheduled run, which are none and tell no run from another."""


def told_apart(name: str) -> str:
    """A name that does not fit, without what tells it from no other."""
    return _ROUND.sub("…", name)


def shorten(text: str, width: int, *, middle: bool = False) -> str:
    """At most `width` characters, with an ellipsis where something was cut."""
    if len(text) <= width:
        return text
    if width <= 1:
        return text[:width]
    if middle:
        text = told_apart(text)
        if len(text) <= width:
            return text
        head = (width - 1) // 2
        return text[:head] + "…" + text[len(text) - (width - 1 - head) :]
    return text[: width - 1] + "…"


def listed(names: Iterable[str], most: int, by: str = ", ") -> str:
    """The first `most` of them, and how many more there are: `a, b and 4 more`."""
    every = list(names)
    more = len(every) - most
    return by.join(every[:most]) + (f" and {more} more" if more > 0 else "")


def joined(*parts: str, sep: str = ": ") -> str:
    """The parts that say something, so that no sentence ends in front of a detail that is not there."""
    return sep.join(part for part in parts if part)


def plural(count: int, noun: str, many: str | None = None) -> str:
    """`1 pod`, `2 pods`."""
    return f"{count} {noun if count == 1 else many or noun + 's'}"
