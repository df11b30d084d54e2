"""Several queries in one: joined where the server takes it, taken apart until the one it refuses stands alone."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from urllib.parse import quote_plus

from console.wire.http import PLAIN

ASK = "console_query"
LIMIT = 7_600
"""Characters of one query as it travels in a URL: proxies stop at 8 kB, the path to a Service among them."""
_WRAP = 80


def join(queries: Sequence[tuple[str, str]]) -> str:
    """One query for several (name, expression): each series carries its name in the label `ASK`. One stays as it is."""
    if len(queries) == 1:
        return queries[0][1]
    return " or ".join(f'label_replace(({expr}), "{ASK}", "{name}", "", "")' for name, expr in queries)


@lru_cache(maxsize=1024)
def _travelling(expr: str) -> int:
    """How long an expression is in a URL."""
    return len(quote_plus(expr, safe=PLAIN))


def batches(queries: Sequence[tuple[str, str]], alone: frozenset[str] = frozenset()) -> list[list[tuple[str, str]]]:
    """Groups of queries whose joined text stays below `LIMIT`; expressions in `alone` get a group of their own."""
    groups: list[list[tuple[str, str]]] = []
    size = LIMIT
    for name, expr in queries:
        length = _travelling(expr) + len(name) + _WRAP
        if expr in alone:
            groups.insert(0, [(name, expr)])
            continue
        if size + length > LIMIT or not groups:
            groups.append([])
            size = 0
        groups[-1].append((name, expr))
        size += length
    return groups


def halves(group: list[tuple[str, str]]) -> list[list[tuple[str, str]]]:
    """A refused group in two, to find the culprit."""
    middle = len(group) // 2
    return [group[:middle], group[middle:]]
