"""How a good answer is broken: its values, its keys, its bytes."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

DEEP = "@@deep@@"
"""Stands for a value that is nested more deeply than any decoder goes."""
_NESTED = "[" * 1_500 + "]" * 1_500
VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 0.5, 2**31, 2**63, -(2**63) - 1, 10**40, 10**400, -(10**400), 1e300, float("nan"),
    float("inf"), "", " ", "0", "-1", "²", "NaN", "+Inf", "1e999", "9" * 400, "9" * 5_000, "9" * 400 + "Gi", "-5m",
    "1e400", "0x10", "1969-12-31T23:59:59Z", "99999-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2026-02-30T00:00:00Z",
    "0001-01-01T00:00:00Z", "x" * 70_000, "\x00\x1b[31m\u202e\u2028", "\ud800", "a/b\n../..", "%s{}{{ x }}",
    "spark.executor.memory=" + "9" * 400, [], {}, [None], [[]], {"": None}, [{}], {"a": {"b": []}}, DEEP,
)  # fmt: skip


def paths(tree: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where a value stands in a tree: keys and indexes."""
    out = [here] if here else []
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in items:
        out += paths(value, (*here, key))
    return out


def mutated(tree: Any, rng: random.Random) -> Any:
    """A copy of a tree with one to three of its values broken."""
    tree = copy.deepcopy(tree)
    for _ in range(rng.randint(1, 3)):
        places = paths(tree)
        if not places:
            return tree
        *way, last = rng.choice(places)
        holder = tree
        for key in way:
            holder = holder[key]
        change = rng.random()
        if change < 0.7:
            holder[last] = copy.deepcopy(rng.choice(VALUES))
        elif change < 0.85:
            del holder[last]
        elif isinstance(holder, dict):
            holder[rng.choice(("\x1b[2J", "9" * 300, "", "\ud800", "x" * 5_000))] = holder.pop(last)
        else:
            holder.extend([copy.deepcopy(holder[last])] * 3)
    return tree


def text_of(tree: Any) -> bytes:
    """JSON as a careless server writes it: NaN, numbers without end, halves of surrogate pairs."""
    return json.dumps(tree).replace(f'"{DEEP}"', _NESTED).encode()


def torn(data: bytes, rng: random.Random) -> bytes:
    """Bytes that were cut off, or of which some are wrong."""
    if not data or rng.random() < 0.5:
        return data[: rng.randint(0, len(data))]
    out = bytearray(data)
    for _ in range(rng.randint(1, 5)):
        out[rng.randrange(len(out))] = rng.choice((0xFF, 0x00, 0x7B, 0x22, 0x5D, 0x0A, 0xC3))
    return bytes(out)
