"""Lost time that only the plan of a SQL execution shows: small files, joins without broadcast, Python workers."""

from __future__ import annotations

from msgspec.structs import replace

from console.base.text import shorten
from console.base.units import human_bytes
from console.facts.rest import Row, num, text
from console.timing.items import Slow
from console.timing.plans import of_node, repeated
from console.timing.run import ObservedRun
from console.timing.sqlplan import PlanNode, nodes_of

SMALL_FILE = 8 * 2**20
MANY_FILES = 100
READ_RATE = 100 * 2**20
"""Bytes a second and slot that reading larger files would reach at least."""
BROADCAST_LIMIT = 64 * 2**20
_PYTHON = frozenset(
    {
        "BatchEvalPython",
        "ArrowEvalPython",
        "ArrowAggregatePython",
        "MapInPandas",
        "MapInArrow",
        "PythonMapInArrow",
        "FlatMapGroupsInPandas",
        "FlatMapCoGroupsInPandas",
        "AggregateInPandas",
        "WindowInPandas",
    }
)
_JOINS = ("SortMergeJoin", "ShuffledHashJoin")


def of_plans(run: ObservedRun) -> list[Slow]:
    """What every SQL execution lost, as far as its plan's metrics tell."""
    out: list[Slow] = []
    rest, slots, jobs = run.rest, run.slots, run.jobs
    plans = {key: nodes_of(row) for key, row in rest.sql.items()}
    for key, nodes in plans.items():
        row = rest.sql[key]
        where = _where(key, row)
        for node in nodes:
            for maker in (_small_files, _python, _no_broadcast):
                item = maker(node, slots, jobs, where)
                if item is not None:
                    out.append(replace(item, sql=key))
            out += of_node(node, slots, jobs, where, key)
        out += _unmeasured_python(run, key, nodes, where)
    return out + repeated(plans, rest, slots, jobs)


def _where(key: int, row: Row) -> str:
    description = text(row, "description")
    return f"SQL execution {key}" + (f": {shorten(description, 80)}" if description else "")


def _small_files(node: PlanNode, slots: float, jobs: float, where: str) -> Slow | None:
    if not node.name.startswith("Scan") and "FileScan" not in node.name and not node.name.startswith("BatchScan"):
        return None
    files, size = node.get("number of files read"), node.get("size of files read")
    if files < MANY_FILES or size <= 0 or size / files >= SMALL_FILE:
        return None
    reading = node.get("scan time")
    lost = max(0.0, reading - size / READ_RATE) / slots + node.get("metadata time")
    return Slow(
        "small-files",
        lost,
        lost / jobs,
        f"{files:.0f} files of {human_bytes(size / files)} on average are read: opening them takes longer than reading",
        f"{where}, {node.name}",
        "the files' sizes in the table's folder; compaction, or a writer with fewer tasks, must level it",
    )


def _python(node: PlanNode, slots: float, jobs: float, where: str) -> Slow | None:
    if node.name not in _PYTHON:
        return None
    spent = node.get("time to run Python workers")
    started = node.get("time to start Python workers") + node.get("time to initialize Python workers")
    if spent <= 0:
        return None
    lost = max(spent, started) / slots
    rows = node.get("number of output rows")
    return Slow(
        "python-udf",
        lost,
        lost / jobs,
        f"{spent:.0f} s of task time in Python workers" + (f" for {rows:,.0f} rows" if rows else ""),
        f"{where}, {node.name}",
        "the same in Spark's own functions, or a pandas UDF instead of one call for each row",
    )


def _unmeasured_python(run: ObservedRun, sql: int, nodes: list[PlanNode], where: str) -> list[Slow]:
    """Before 4.0 no operator says how long Python took: what its stages did neither on the CPU nor waiting."""
    found = [n for n in nodes if n.name in _PYTHON]
    if not found or any(n.get("time to run Python workers") for n in found):
        return []
    blocked = 0.0
    for stage in run.stages.values():
        if run.sql_of(stage.id, stage.attempt) == sql:
            row = stage.row
            known = num(row, "executorCpuTime") / 1e9 + num(row, "jvmGcTime") / 1e3
            known += num(row, "shuffleFetchWaitTime") / 1e3 + num(row, "shuffleWriteTime") / 1e9
            blocked += max(0.0, num(row, "executorRunTime") / 1e3 - known)
    lost = blocked / run.slots
    words = f"{blocked:.0f} s of task time outside the JVM, for {found[0].rows:,.0f} rows"
    confirm = "the same in Spark's own functions, or a pandas UDF instead of one call for each row"
    return [Slow("python-udf", lost, lost / run.jobs, words, f"{where}, {found[0].name}", confirm, sql=sql)]


def _no_broadcast(node: PlanNode, slots: float, jobs: float, where: str) -> Slow | None:
    """A join that shuffles and sorts a large side although the other is small."""
    if not node.name.startswith(_JOINS) or len(node.children) != 2:
        return None
    sides = [s for s in (_shuffle(child, node) for child in node.children) if s is not None]
    if len(sides) != 2:
        return None
    small, large = sorted(sides)
    if small[0] > BROADCAST_LIMIT or large[0] < 10 * max(small[0], 1.0):
        return None
    lost = (small[1] + large[1]) / slots
    return Slow(
        "broadcast-candidate",
        lost,
        lost / jobs,
        f"{human_bytes(large[0])} are shuffled and sorted to join them with {human_bytes(small[0])}",
        f"{where}, {node.name}",
        "a broadcast hint for the small side; the join must become BroadcastHashJoin",
    )


def _shuffle(side: PlanNode, join: PlanNode) -> tuple[float, float] | None:
    """(bytes, seconds of task time) of the exchange that feeds one side of a join; None where there is none."""
    spent = 0.0
    for node in side.below():
        if node.pipeline is not join.pipeline:
            spent = max(spent, node.busy)
        if node.name.startswith("Sort"):
            spent = max(spent, node.get("sort time"))
        if node.name == "Exchange":
            size = node.get("data size")
            return (size, spent + node.get("shuffle write time") + node.get("fetch wait time")) if size > 0 else None
        if node.name.startswith(_JOINS):
            return None
    return None
