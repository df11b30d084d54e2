"""What takes longer than in former runs of the same application, and whether its input grew with it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from console.apps.model import SparkApp
from console.base.text import shorten
from console.base.units import human_bytes, human_duration
from console.facts.rest import RestView, num, text
from console.timing.items import Slow
from console.timing.run import ObservedRun, union

MARGIN = 0.25
"""Share by which something must exceed its slowest former run."""
GREW = 1.2
"""Times its former median from which an input has grown."""
LEAST_RUNS = 2
_STAMP = re.compile(r"[-_ ]?\d{4}-?\d{2}-?\d{2}.*$|[-_ ]?\d{6,}.*$")


def recurring(app: SparkApp, rest: RestView) -> str:
    """What a recurring application is called without the stamp of its run."""
    return run_name(text(rest.application, "name") or app.name)


def run_name(name: str) -> str:
    return _STAMP.sub("", name)


@dataclass
class CallSite:
    """A call site or query of one run: wall time, bytes and rows it read, tasks, and its costliest stage."""

    spans: list[tuple[float, float]]
    read: float = 0.0
    rows: float = 0.0
    tasks: float = 0.0
    where: str = ""
    stage: tuple[int, int] | None = None
    sql: int | None = None
    longest: float = 0.0

    @property
    def took(self) -> float:
        return union(self.spans)


def parts(run: ObservedRun) -> dict[str, CallSite]:
    """Stages by call site, and by their query where the call site is Spark's own."""
    out: dict[str, CallSite] = {}
    for stage in run.stages.values():
        if stage.wall is None or text(stage.row, "status") == "FAILED" or stage.ended is None:
            continue
        sql = run.sql_of(stage.id, stage.attempt)
        query = text(run.rest.sql.get(sql, {}), "description") if sql is not None else ""
        name = f"{shorten(query, 200)} · {stage.name}" if query and query != stage.name else stage.name
        part = out.setdefault(name, CallSite([]))
        part.spans.append((stage.ended - stage.wall, stage.ended))
        part.read += num(stage.row, "inputBytes") + num(stage.row, "shuffleReadBytes")
        part.rows += num(stage.row, "inputRecords") + num(stage.row, "shuffleReadRecords")
        part.tasks += num(stage.row, "numTasks")
        if stage.wall >= part.longest:
            part.longest, part.where = stage.wall, run.where(stage)
            part.stage, part.sql = (stage.id, stage.attempt), sql
    return out


def slower(rest: RestView, former: Sequence[RestView], jobs: float) -> list[Slow]:
    """Parts that take longer than in every former run, the costliest first."""
    if len(former) < LEAST_RUNS or jobs <= 0:
        return []
    before = [parts(ObservedRun(one)) for one in former]
    out = []
    for name, part in parts(ObservedRun(rest)).items():
        known = [b[name] for b in before if name in b]
        times = [k.took for k in known]
        if len(known) < LEAST_RUNS or part.took <= max(times) * (1 + MARGIN):
            continue
        lost = part.took - median(times)
        grown, words = _input(part, known)
        out.append(
            Slow(
                "more-input" if grown >= (part.took / median(times)) ** 0.5 and grown >= GREW else "slower-than-before",
                lost,
                min(1.0, lost / jobs),
                f"took {human_duration(part.took)}, before {human_duration(min(times))} to "
                f"{human_duration(max(times))} in {len(known)} runs; {words}",
                part.where,
                "where the rows come from: is the growth wanted, do resources grow with it"
                if grown >= GREW
                else "what changed beside the input: code and plan, Spark version, executors, nodes, other load",
                part.stage,
                largest=part.took,
                usual=median(times),
                sql=part.sql,
            )
        )
    return sorted(out, key=lambda i: -i.lost)


def _input(part: CallSite, known: Sequence[CallSite]) -> tuple[float, str]:
    """(times the input grew, words)."""
    rows, read = median(k.rows for k in known), median(k.read for k in known)
    grown = max(part.rows / rows if rows else 0.0, part.read / read if read else 0.0)
    if not grown:
        return 0.0, "its input is not counted by Spark"
    size = f"{human_bytes(part.read)}, before {human_bytes(read)}" if read else f"{part.rows:,.0f} rows"
    if grown >= GREW:
        return grown, f"its input grew {grown:.1f} times ({size})"
    return grown, f"its input is the same ({size})"
