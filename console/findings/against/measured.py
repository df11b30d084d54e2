"""What a run read and by which plan, as Spark's REST tells it: of what came to its end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from console.base.shapes import mappings
from console.facts.rest import text
from console.findings.against.masks import masked, plan_word
from console.findings.case import Case
from console.timing.former import parts
from console.timing.run import ObservedRun

_PLUMBING = (
    "WholeStageCodegen",
    "InputAdapter",
    "AQEShuffleRead",
    "ShuffleQueryStage",
    "BroadcastQueryStage",
    "ResultQueryStage",
)


def read_by(case: Case) -> Iterator[tuple[str, float]]:
    """Rows and bytes of call sites that came to their end, and what scans read."""
    run = ObservedRun(case.rest)
    for name, part in parts(run).items():
        if part.read:
            yield f"{name}: bytes", part.read
        if part.rows:
            yield f"{name}: rows", part.rows
    for query in _whole_queries(case):
        for node in mappings(query.get("nodes")):
            name = text(node, "nodeName")
            if not name.startswith(("Scan", "BatchScan", "FileScan")):
                continue
            for metric in mappings(node.get("metrics")):
                if text(metric, "name") in ("number of files read", "number of output rows", "size of files read"):
                    value = _amount(text(metric, "value"))
                    if value is not None:
                        yield f"{masked(name)}: {text(metric, 'name')}", value


def _amount(written: str) -> float | None:
    """A metric as Spark's UI writes it: `1,234` or `1.5 GiB`, the total where it has several lines."""
    words = written.strip().splitlines()[-1].split("(")[0].split() if written.strip() else []
    units = {"B": 1.0, "KiB": 2.0**10, "MiB": 2.0**20, "GiB": 2.0**30, "TiB": 2.0**40}
    try:
        return float(words[0].replace(",", "")) * units.get(words[1] if len(words) > 1 else "B", 1.0)
    except (ValueError, IndexError):
        return None


def _whole_queries(case: Case) -> Iterator[Mapping[str, Any]]:
    for query in case.rest.sql.values():
        if text(query, "status") == "COMPLETED":
            yield query


def plans_of(case: Case) -> Iterator[tuple[str, str]]:
    """How often each operator stands in the final plans, by the name of their query."""
    counted: dict[str, dict[str, int]] = {}
    for query in case.rest.sql.values():
        nodes = [plan_word(text(n, "nodeName")) for n in mappings(query.get("nodes"))]
        mine = counted.setdefault(masked(text(query, "description"))[:80], {})
        for name in nodes:
            if name and not name.startswith(_PLUMBING):
                mine[name] = mine.get(name, 0) + 1
    for query_name, operators in counted.items():
        if operators:
            yield query_name or "query", ", ".join(f"{count} {name}" for name, count in sorted(operators.items()))
