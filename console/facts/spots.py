"""Many words looked for in a log at once: the lines that hold them, records of level INFO and stack frames left out."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from functools import lru_cache

from console.facts.logs import Text, is_head

MAX_PLACES = 6
"""Places of one word that are kept per log: the first ones; more add nothing to a verdict."""
_SMALL = 100_000


def telling(text: Text) -> tuple[str, list[int], list[int]]:
    """Lines that may say what went wrong, joined; where each starts, and its index in the whole."""
    body, starts, lines = text.unusual
    if "\n\tat " not in body:
        return body, starts, lines
    kept: list[str] = []
    out_starts: list[int] = []
    out_lines: list[int] = []
    at = 0
    for line, index in zip(body.split("\n"), lines, strict=True):
        if line.startswith("\tat "):
            continue
        kept.append(line)
        out_starts.append(at)
        out_lines.append(index)
        at += len(line) + 1
    return "\n".join(kept), out_starts, out_lines


def places(text: Text, words: Iterable[str]) -> dict[str, list[int]]:
    """Word → indexes (from 0) of the lines that hold it, at most `MAX_PLACES`; words without any are left out.

    In a large log a word is only searched for where its own words occur at all.
    """
    body, starts, lines = telling(text)
    if not body.strip():
        return {}
    known = set(body.split()) if len(body) > _SMALL else None
    out: dict[str, list[int]] = {}
    for word in words:
        if known is not None and not _inner(word) <= known:
            continue
        at = -1
        found: list[int] = []
        while len(found) < MAX_PLACES and (at := body.find(word, at + 1)) >= 0:
            index = lines[bisect_right(starts, at) - 1]
            if not found or found[-1] != index:
                found.append(index)
        if found:
            out[word] = found
    return out


@lru_cache(maxsize=4_096)
def _inner(word: str) -> frozenset[str]:
    """Words of a text that must occur whole where it occurs: those that do not touch its ends."""
    return frozenset(word.split(" ")[1:-1]) - {""}


def whole(text: Text, index: int) -> str:
    """The record that begins with the line `index`, further than a hit keeps it: to the cause below a long plan."""
    out, size = [text.line(index)], 0
    for ahead in range(index + 1, min(index + 600, len(text.starts))):
        line = text.line(ahead)
        if is_head(line) or size > 60_000:
            break
        out.append(line)
        size += len(line)
    return "\n".join(out)
