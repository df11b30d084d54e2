"""The plan of a SQL execution with its metrics, from REST (text like `total (min, …)\\n6.2 s (…)`) or event log."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from console.health.restview import Row, num, rows, text

_NUMBER = re.compile(r"^\s*(-?[\d,]*\.?\d+)\s*(B|[KMGTP]iB|ns|µs|us|ms|s|m|h|)(?=[\s(]|$)")
_UNITS = {
    "": 1.0,
    "B": 1.0,
    "KiB": 2.0**10,
    "MiB": 2.0**20,
    "GiB": 2.0**30,
    "TiB": 2.0**40,
    "PiB": 2.0**50,
    "ns": 1e-9,
    "µs": 1e-6,
    "us": 1e-6,
    "ms": 1e-3,
    "s": 1.0,
    "m": 60.0,
    "h": 3600.0,
}


@dataclass(slots=True)
class PlanNode:
    """One operator. `metrics` are totals: bytes, seconds, counts."""

    id: int
    name: str
    words: str
    metrics: dict[str, float]
    children: list[PlanNode] = field(default_factory=list)

    def get(self, metric: str) -> float:
        return self.metrics.get(metric, 0.0)

    def below(self) -> Iterator[PlanNode]:
        """Itself and everything under it, the nearest first."""
        waiting = [self]
        seen: set[int] = set()
        while waiting:
            node = waiting.pop(0)
            if node.id not in seen:
                seen.add(node.id)
                yield node
                waiting.extend(node.children)


def total(value: object) -> float | None:
    """A metric's total in base units; None where it is no number."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, str):
        return None
    found = _NUMBER.match(value.rpartition("\n")[2])
    if found is None:
        return None
    return float(found.group(1).replace(",", "")) * _UNITS[found.group(2)]


def nodes_of(execution: Row) -> list[PlanNode]:
    """The operators of an execution, joined as the edges say."""
    made: dict[int, PlanNode] = {}
    for row in rows(execution.get("nodes")):
        metrics = {}
        for metric in rows(row.get("metrics")):
            value = total(metric.get("value"))
            if value is not None:
                metrics[text(metric, "name")] = value
        key = int(num(row, "nodeId"))
        made[key] = PlanNode(key, text(row, "nodeName"), text(row, "description"), metrics)
    for edge in rows(execution.get("edges")):
        child, parent = made.get(int(num(edge, "fromId"))), made.get(int(num(edge, "toId")))
        if child is not None and parent is not None and child is not parent:
            parent.children.append(child)
    return list(made.values())
