"""Lost time that plans show beside their scans and shuffles: rows made or read for nothing, writes, repeated parts."""

from __future__ import annotations

import re
from collections.abc import Iterator

from console.base.text import shorten
from console.base.units import human_bytes
from console.facts.rest import RestView
from console.timing.items import Slow
from console.timing.sqlplan import PlanNode

RATE = 100 * 2**20
"""Bytes a second and slot that writing larger files would reach at least."""
SMALL_FILE, MANY_FILES = 8 * 2**20, 100
EXPLODES = 10.0
"""Times its input from which an operator's output is an explosion."""
KEPT = 0.1
"""Share of the scanned rows below which a filter throws nearly everything away."""
MANY_ROWS = 1_000_000.0
LARGE_BROADCAST = 16 * 2**20
_CROSS = ("BroadcastNestedLoopJoin", "CartesianProduct")
_GROWING = ("SortMergeJoin", "ShuffledHashJoin", "BroadcastHashJoin", "Generate", "Expand")
_IDS = re.compile(r"#\d+L?|\[plan_id=\d+\]|\(\d+\)|plan_id=\d+|isFinalPlan=\w+|BroadcastQueryStage \d+|QueryStage \d+")


def of_node(node: PlanNode, slots: float, jobs: float, where: str, sql: int) -> Iterator[Slow]:
    """What one operator lost."""
    for found in (_writes(node, slots), _cross(node, slots), _exploded(node, slots), _unpruned(node, slots)):
        if found is not None and found[1] > 0:
            kind, lost, words, confirm = found
            yield Slow(kind, lost, lost / jobs, words, f"{where}, {node.name.strip()}", confirm, sql=sql)
    if node.name == "BroadcastExchange" and node.get("data size") >= LARGE_BROADCAST:
        lost = sum(node.get(f"time to {step}") for step in ("collect", "build", "broadcast"))
        words = f"{human_bytes(node.get('data size'))} ({node.rows:,.0f} rows) are collected by the driver and sent out"
        confirm = "broadcast the other side, or none (hint merge); autoBroadcastJoinThreshold; the driver's memory"
        yield Slow("large-broadcast", lost, lost / jobs, words, f"{where}, {node.name}", confirm, sql=sql)


Found = tuple[str, float, str, str]


def _writes(node: PlanNode, slots: float) -> Found | None:
    files, size = node.get("number of written files"), node.get("written output")
    if files < MANY_FILES or size / files >= SMALL_FILE:
        return None
    busy = max([n.busy for n in node.below() if n.busy] or [0.0])
    lost = max(node.get("task commit time"), busy - size / RATE) / slots + node.get("job commit time")
    words = f"{files:.0f} files of {human_bytes(size / files)} on average are written"
    return "small-writes", lost, words, "repartition by the partition columns before the write; then fewer files"


def _cross(node: PlanNode, slots: float) -> Found | None:
    if not node.name.startswith(_CROSS):
        return None
    sides = [child.rows for child in node.children if child.rows]
    product = sides[0] * sides[1] if len(sides) == 2 else 0.0
    words = f"{product:,.0f} pairs of rows are compared" if product else "every row is compared with every other one"
    return "cross-join", node.busy / slots, words, "a condition with = makes it a hash or merge join"


def _exploded(node: PlanNode, slots: float) -> Found | None:
    if not node.name.startswith(_GROWING):
        return None
    taken = max((child.rows for child in node.children), default=0.0)
    if taken <= 0 or node.rows < MANY_ROWS or node.rows < EXPLODES * taken:
        return None
    lost = node.busy / slots * (1 - taken / node.rows)
    words = f"{node.rows:,.0f} rows are made of {taken:,.0f}"
    return "row-explosion", lost, words, "duplicates of the join key on both sides; filter before explode"


def _unpruned(node: PlanNode, slots: float) -> Found | None:
    if node.name != "Filter" or not node.children:
        return None
    scan = next((n for n in node.below() if "Scan" in n.name), None)
    between = [n for n in node.below() if n is not node]
    if scan is None or any("Exchange" in n.name or "Join" in n.name for n in between):
        return None
    read, kept = scan.get("number of output rows"), node.get("number of output rows")
    if read < MANY_ROWS or kept > KEPT * read or scan.get("number of files read") <= 0:
        return None
    lost = max(node.busy, scan.get("scan time")) / slots * (1 - kept / read)
    words = f"{read:,.0f} rows ({human_bytes(scan.get('size of files read'))} of files) are read, {kept:,.0f} are kept"
    confirm = "partition or cluster the table by the filter's columns; PartitionFilters and PushedFilters of the scan"
    return "unpruned-scan", lost, words, confirm


def repeated(plans: dict[int, list[PlanNode]], rest: RestView, slots: float, jobs: float) -> list[Slow]:
    """Parts of plans that an earlier execution computed already; only where the plans name what each operator does."""
    first: dict[str, int] = {}
    again: dict[str, list[tuple[int, PlanNode]]] = {}
    for key in sorted(plans):
        mine: set[str] = set()
        waiting = _roots(plans[key])
        seen: set[int] = set()
        while waiting:
            node = waiting.pop()
            if node.id in seen or node.name.startswith(("InMemoryTableScan", "Reused")):
                continue
            seen.add(node.id)
            name = _signature(node)
            if name and first.get(name, key) != key:
                again.setdefault(name, []).append((key, node))
                continue
            if name:
                mine.add(name)
            waiting.extend(node.children)
        for name in mine:
            first.setdefault(name, key)
    out = []
    for name, found in again.items():
        lost = sum(_spent(node) for _, node in found) / slots
        key, node = found[0]
        words = f"computed in SQL execution {first[name]} and {len(found)} times again"
        described = rest.sql.get(key, {}).get("description")
        where = (
            f"SQL execution {key}"
            + (f": {shorten(str(described), 60)}" if described else "")
            + f", {node.name.strip()}"
        )
        confirm = "cache() or write the shared part; then the later executions must read it"
        out.append(Slow("repeated-work", lost, lost / jobs, words, where, confirm, sql=key, count=len(found)))
    return out


def _roots(nodes: list[PlanNode]) -> list[PlanNode]:
    below = {id(child) for node in nodes for child in node.children}
    return [node for node in nodes if id(node) not in below]


def _signature(node: PlanNode) -> str:
    """The same for the same work; empty where it is too little, or not described."""
    parts: list[str] = []
    for one in node.below():
        if not one.words or len(parts) > 200:
            return ""
        if one.name.startswith(("InMemoryTableScan", "LocalTableScan", "Scan OneRowRelation")):
            return ""
        parts.append(_IDS.sub("", one.words))
    return "\n".join(parts) if len(parts) >= 2 else ""


def _spent(node: PlanNode) -> float:
    """Seconds of task time in it and everything under it."""
    known = {id(n.pipeline): n.pipeline.get("duration") for n in node.below() if n.pipeline is not None}
    own = sum(n.get("scan time") for n in node.below() if n.pipeline is None)
    return sum(known.values()) + own
