"""`console diagnose --against`: what changed since another run, of saved evidence or of the cluster."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from console.base.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from console.apps.model import SparkApp
    from console.facts.model import Facts
    from console.findings.against.compare import Comparison
    from console.findings.case import ClusterView
    from console.findings.model import Finding
    from console.live import Live
    from console.live.against import AgainstRead

WITHIN, UNASKED = 60.0, 15.0
"""Seconds within which the cluster and the History Server must have answered, the second where no run is named."""


def saved_comparisons(
    facts: Facts, apps: Sequence[SparkApp], findings: Sequence[Finding], run: str | None
) -> list[tuple[str, Comparison]]:
    """(key of the application, what changed) for each application of saved evidence that something is wrong with.

    Without `run` only where a good run of it is among the same evidence.

    Raises:
        UsageError: `run` is neither among it nor evidence that can be read.
    """
    from console.findings.against.choose import against, by_itself, named_run
    from console.findings.case import ClusterView as Seen

    view = Seen(facts, apps)
    if run is None:
        sick = [app for app in apps if any(f.app == app.key for f in findings)]
        return [(app.key, found) for app in sick if (found := by_itself(view, app, findings)) is not None]
    path = Path(run).expanduser()
    other = _read(path) if path.exists() else view
    mine = [c for c in view.cases if any(f.app == c.app.key for f in findings)] or view.cases[:1]
    out = []
    for case in mine:
        good = named_run(other, "" if path.exists() else run, case.app)
        if good is None:
            known = [c.app.name for c in other.cases if c.app.key != case.app.key]
            raise UsageError(f"no run {run!r} is known", hint=did_you_mean(run, known))
        if good is not case:
            out.append((case.app.key, against(case, good, findings)))
    return out


def _read(path: Path) -> ClusterView:
    from console.apps.assemble import assemble
    from console.findings.case import ClusterView as Seen
    from console.sources.folder.read import read_folder

    facts = read_folder(path)
    return Seen(facts, assemble(facts))


def live_comparison(live: Live, app: SparkApp, run: str | None) -> AgainstRead | None:
    """The same of an application of the cluster; None where no run is named, and no good one is known."""
    if run is None and not live.situation.board.findings_of(app.key):
        return None
    try:
        found = live.against(app.key, run or "").result(WITHIN if run else UNASKED)
    except TimeoutError:
        if run is None:
            return None
        raise UsageError(f"the run {run!r} was not read within {WITHIN:.0f}s") from None
    if found.comparison is None and run is not None:
        raise UsageError(found.detail)
    return found if found.comparison is not None else None


def comparison_lines(found: Comparison) -> list[str]:
    """What changed, as plain text."""
    from console.findings.against.choose import lines

    return [*lines(found), ""]


def live_comparison_lines(found: AgainstRead | None) -> list[str]:
    """The same with what of the cluster could not be read for it."""
    if found is None or found.comparison is None:
        return []
    return [*comparison_lines(found.comparison)[:-1], *(f"      {what} not read: {why}" for what, why in found.unread)]
