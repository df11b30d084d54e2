"""Shapes of data: which fields there are, and which words a field can hold."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

Shape = Any
"""A dict of shapes by field (`*` for any other key), a one-item list for a list, LEAF, or ANY."""
LEAF, ANY = "leaf", "any"


class Words(str):
    """A LEAF that is one of few words."""

    words: tuple[str, ...]

    def __new__(cls, *words: str) -> Words:
        made = super().__new__(cls, LEAF)
        made.words = words
        return made


class Partial(dict[str, Shape]):
    """Fields of which only some are known: another one is wrong only where it looks like a mistyped known one."""


def near(key: str, known: Iterable[str]) -> str:
    """The known name that `key` is mistyped from, `` where it is more likely another one."""
    return next(iter(difflib.get_close_matches(key, list(known), n=1, cutoff=0.82)), "")
