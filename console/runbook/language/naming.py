"""Ids of steps that have none: made of what they say, so that a journal and a person can name them."""

from __future__ import annotations

import re
from collections.abc import Iterable

LONGEST = 40
_SMALL = frozenset({"a", "an", "the", "is", "are", "does", "do", "did", "of", "its", "it", "to", "in", "for", "was"})


def slug(text: str) -> str:
    """`can-image-be-pulled` of `Can its image be pulled?`; templates in it are left out."""
    words = re.findall(r"[a-z0-9]+", re.sub(r"\{[{%].*?[%}]\}", " ", text).lower())
    kept = [word for word in words if word not in _SMALL] or words or ["step"]
    out = kept[0] if kept[0][0].isalpha() else f"step-{kept[0]}"
    for word in kept[1:]:
        if len(out) + 1 + len(word) > LONGEST:
            break
        out = f"{out}-{word}"
    return out


def unique(wanted: str, taken: Iterable[str]) -> str:
    """`wanted`, with a number behind it where it is taken."""
    known, number, name = set(taken), 2, wanted
    while name in known:
        name, number = f"{wanted}-{number}", number + 1
    return name
