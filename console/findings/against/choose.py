"""Which run an application is compared with: one that is named, else the last good one of the same line of runs."""

from __future__ import annotations

from collections.abc import Sequence

from console.apps.model import SparkApp
from console.findings.against.compare import Comparison, compared
from console.findings.against.masks import masked
from console.findings.against.run import ended_well, picture
from console.findings.case import Case, ClusterView
from console.findings.model import Finding
from console.timing.former import run_name

SCHEDULED = "sparkoperator.k8s.io/scheduled-app-name"
SHOWN = 10
"""Changes that are shown; the others are counted."""
_OTHERS = 4
"""Further good runs by which is learnt what differs in each of them."""


def line_of_runs(app: SparkApp) -> tuple[str, str]:
    """What the runs of one recurring application have in common."""
    return app.namespace, app.labels.get(SCHEDULED) or masked(run_name(app.conf.get("spark.app.name") or app.name))


def good_runs(view: ClusterView, app: SparkApp) -> list[Case]:
    """Good runs of the same line, the newest first, that began before it."""
    mine = line_of_runs(app)
    found = [
        case
        for case in view.cases
        if case.app.key != app.key and line_of_runs(case.app) == mine and ended_well(case) and _before(case.app, app)
    ]
    return sorted(found, key=lambda case: -(case.app.started or 0.0))


def _before(one: SparkApp, other: SparkApp) -> bool:
    return one.started is None or other.started is None or one.started <= other.started


def named_run(view: ClusterView, run: str, app: SparkApp | None = None) -> Case | None:
    """The application called `run` (its name, `namespace/name` or Spark's id). Where `run` is empty, of other evidence:
    the one of the same line as `app`, else the only one."""
    if run:
        return next((c for c in view.cases if run in (c.app.key, c.app.name, c.app.app_id)), None)
    alike = [c for c in view.cases if app is not None and line_of_runs(c.app) == line_of_runs(app)]
    return alike[-1] if alike else view.cases[0] if len(view.cases) == 1 else None


def against(case: Case, good: Case, findings: Sequence[Finding], others: Sequence[Case] = ()) -> Comparison:
    """A run compared with a good one; `others` are further good runs."""
    mine = [f for f in findings if f.app == case.app.key]
    return compared(picture(case), picture(good), mine, [picture(one) for one in others[:_OTHERS]])


def by_itself(view: ClusterView, app: SparkApp, findings: Sequence[Finding]) -> Comparison | None:
    """The same with the last good run of its line, where one is among the same facts."""
    case, known = view.case_of(app.key), good_runs(view, app)
    return against(case, known[0], findings, known[1:]) if case is not None and known else None


def lines(comparison: Comparison) -> list[str]:
    """A comparison as plain text."""
    from console.base.clock import rfc3339

    both = len(comparison.read) + len(comparison.unread)
    ended = f", ended {rfc3339(comparison.ended)}" if comparison.ended is not None else ""
    how = "" if comparison.good else ", which is not known to have ended well"
    unread = f"; not: {', '.join(comparison.unread)}" if comparison.unread else ""
    run = comparison.run.strip("/") or comparison.app_id
    out = [f"against {run}{ended}{how}: {len(comparison.read)} of {both} parts readable of both{unread}"]
    for number, change in enumerate(comparison.changes[:SHOWN], 1):
        out.append(f"  {number:>2}  {change.line}" + (f" ({change.because})" if change.because else ""))
    if more := len(comparison.changes) - SHOWN:
        out += [f"      and {more} more changes"] if more > 0 else []
    return out if comparison.changes else [*out, "      nothing that can be read is otherwise than it was then"]
