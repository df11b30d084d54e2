"""The plan of a SQL execution with its metrics, from REST (text like `total (min, …)\\n6.2 s (…)`) or event log."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from console.base.shapes import is_number, mappings
from console.facts.rest import Row, num, text

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
    pipeline: PlanNode | None = None
    """The compiled pipeline (WholeStageCodegen) that it runs in, with that one's `duration`."""

    def get(self, metric: str) -> float:
        return self.metrics.get(metric, 0.0)

    @property
    def rows(self) -> float:
        """Rows that come out of it: of the nearest operator at or under it that counts them."""
        node = self
        for _ in range(20):
            if (found := node.get("number of output rows")) or len(node.children) != 1:
                return found
            node = node.children[0]
        return 0.0

    @property
    def busy(self) -> float:
        """Seconds of task time of the pipeline that it runs in, or that takes its rows; 0 where none is known."""
        return self.pipeline.get("duration") if self.pipeline is not None else 0.0

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
    if is_number(value):
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
    for row in mappings(execution.get("nodes")):
        metrics = {}
        for metric in mappings(row.get("metrics")):
            value = total(metric.get("value"))
            if value is not None:
                metrics[text(metric, "name")] = value
        key = int(num(row, "nodeId"))
        made[key] = PlanNode(key, text(row, "nodeName"), text(row, "description") or text(row, "desc"), metrics)
    for edge in mappings(execution.get("edges")):
        child, parent = made.get(int(num(edge, "fromId"))), made.get(int(num(edge, "toId")))
        if child is not None and parent is not None and child is not parent:
            parent.children.append(child)
    clusters = {node.name: node for node in made.values() if node.name.startswith("WholeStageCodegen")}
    for row in mappings(execution.get("nodes")):
        number = row.get("wholeStageCodegenId")
        cluster = clusters.get(f"WholeStageCodegen ({number})") if isinstance(number, int) else None
        if cluster is not None:
            made[int(num(row, "nodeId"))].pipeline = cluster
    _pipelines(list(made.values()))
    return list(made.values())


def _pipelines(nodes: list[PlanNode]) -> None:
    """Operators take the pipeline of what stands above them; a shuffle or broadcast begins anew."""
    below = {id(child) for node in nodes for child in node.children}
    waiting: list[tuple[PlanNode, PlanNode | None]] = [(node, None) for node in nodes if id(node) not in below]
    seen: set[int] = set()
    while waiting:
        node, above = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if node.name.startswith("WholeStageCodegen"):
            node.pipeline = node
        elif node.pipeline is None and "Exchange" not in node.name:
            node.pipeline = above
        under = None if "Exchange" in node.name else node.pipeline
        waiting.extend((child, under) for child in node.children)
