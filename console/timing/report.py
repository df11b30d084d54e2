"""Why an application is slow: where its wall time went that it need not have, by tasks and stages of REST or event log.

No threshold without a share of time: each cause is given with the seconds of wall time it costs, estimated as what the
run would be shorter without it. A skewed stage of two seconds is nothing.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from console.apps.model import SparkApp
from console.base.shapes import mappings
from console.facts.rest import RestView, num, text
from console.timing.former import recurring, slower
from console.timing.items import Slow, TimeReport
from console.timing.path import critical
from console.timing.run import ObservedRun
from console.timing.skew import of_skew, slow_executors
from console.timing.sql import of_plans
from console.timing.stage import of_stage
from console.timing.tasks import StageTasks
from console.timing.whole import gaps, idle_executors, retries, slots

LEAST, SHARE = 2.0, 0.05
"""Seconds, and share of the wall time of all jobs, below which lost time is not worth a word."""
LONG_GAP = 5.0
"""Seconds between jobs below which a driver only plans and loads its classes."""
PAID_SHARE = 0.25
"""Share of the executors' time from which idle executors are worth a word."""
_SUMMED = frozenset({"gc", "shuffle-wait", "spill", "scheduler-delay", "too-many-tasks", "too-few-tasks", "python-udf"})
"""Kinds that many stages share: told once, with their sum."""


def analyse(rest: RestView, *, now: float | None = None) -> TimeReport:
    """The causes of lost wall time, the costliest first. What costs less than a few seconds or than a twentieth of the
    time is left out."""
    run = ObservedRun(rest, now)
    items: list[Slow] = []
    if run.jobs > 0:
        sick = slow_executors(run)
        items += sick
        names = {name for item in sick for name in item.executors}
        for stage in run.stages.values():
            if stage.wall is not None:
                items += of_stage(run, stage)
                skew = of_skew(run, stage, names)
                items += [skew] if skew is not None else []
        items += [*retries(run), *slots(run), *of_plans(run), *gaps(run)]
        items = _merged(items, run.jobs)
        items += idle_executors(run)
    busy = sum(num(s.row, "executorRunTime") for s in run.stages.values()) / 1000
    idle = max(0.0, 1 - busy / (run.slots * run.jobs)) if run.jobs > 0 and run.slots > 0 else None
    kept = sorted(filter(worth, items), key=lambda i: (-i.lost, -i.paid))
    return TimeReport(run.span, run.jobs, run.slots, tuple(kept), critical(run), idle, _missing(run))


def worth(item: Slow) -> bool:
    """Whether it costs enough to be told."""
    if item.kind == "idle-executors":
        return item.share >= PAID_SHARE
    return item.lost >= (LONG_GAP if item.kind == "driver-gap" else LEAST) and item.share >= SHARE


def _merged(items: Iterable[Slow], jobs: float) -> list[Slow]:
    """One item for each cause that many stages share; its place is the costliest one."""
    out: list[Slow] = []
    groups: dict[str, list[Slow]] = {}
    for item in items:
        groups.setdefault(item.kind if item.kind in _SUMMED else f"{item.kind} {item.where}", []).append(item)
    for found in groups.values():
        worst = max(found, key=lambda i: i.lost)
        lost = min(jobs, sum(i.lost for i in found))
        others = [i for i in found if i is not worst and i.lost >= 0.05 * lost]
        where = worst.where + (f" and {len(others)} more" if others else "")
        if worst.kind != "driver-gap":
            share = min(1.0, lost / jobs)
            out.append(replace(worst, lost=lost, share=share, where=where, count=max(worst.count, len(others) + 1)))
        else:
            out.append(worst)
    return out


def _missing(run: ObservedRun) -> tuple[str, ...]:
    """What the answers do not hold, so that its absence is no comfort."""
    return tuple(words for words in (_unknown_tasks(run), _broken_off(run), *_unknown_plans(run)) if words)


def _unknown_tasks(run: ObservedRun) -> str:
    """Stages whose tasks were not all read; one that still runs is read as far as it is."""
    ran = [s for s in run.stages.values() if num(s.row, "numTasks") > 0 and s.wall is not None]
    bare = [s for s in ran if not s.complete and not _followed(s)]
    if not bare:
        return ""
    spent = sum(num(s.row, "executorRunTime") for s in bare)
    whole = sum(num(s.row, "executorRunTime") for s in ran) or 1.0
    return f"tasks of {len(bare)} of {len(ran)} stages are not known ({spent / whole:.0%} of the task time)"


def _broken_off(run: ObservedRun) -> str:
    """An event log that ends before its application does."""
    open_jobs = sorted(key for key, job in run.rest.jobs.items() if job.get("status") == "RUNNING")
    return f"what is known ends while job {open_jobs[0]} runs" if open_jobs and not run.now else ""


def _unknown_plans(run: ObservedRun) -> list[str]:
    out = []
    nodes = [n for row in run.rest.sql.values() for n in mappings(row.get("nodes"))]
    if run.rest.sql and not any(row.get("nodes") for row in run.rest.sql.values()):
        out.append("plans of the SQL executions are not known")
    if len(run.rest.sql) > 1 and nodes and not any(n.get("description") or n.get("desc") for n in nodes):
        out.append(
            "this version's REST does not say what operators do, so repeated work is not seen; its event log does"
        )
    return out


def _followed(stage: StageTasks) -> bool:
    """Whether a stage still runs and what it did so far is known."""
    return text(stage.row, "status") == "ACTIVE" and len(stage.done) >= 0.9 * num(stage.row, "numCompleteTasks")


def reports(read: Iterable[tuple[SparkApp, RestView]], now: float) -> list[tuple[SparkApp, TimeReport]]:
    """A report for every application whose stages are known; earlier runs of the same name are its measure.

    Args:
        read: applications with what their REST API or event log says.
        now: epoch seconds.
    """
    told = [(app, rest) for app, rest in read if rest.stages]
    out = []
    for app, rest in told:
        former = [
            other
            for one, other in told
            if one is not app
            and one.namespace == app.namespace
            and recurring(one, other) == recurring(app, rest)
            and (one.started or 0.0) < (app.started or 0.0)
        ]
        out.append((app, compared(rest, former, now=now if app.live else None)))
    return out


def compared(rest: RestView, former: Iterable[RestView], *, now: float | None = None) -> TimeReport:
    """The report of one run, with what takes longer than in `former` runs of the same name."""
    report = analyse(rest, now=now)
    more = [i for i in slower(rest, list(former), report.jobs) if worth(i)]
    return replace(report, items=(*report.items, *more)) if more else report
