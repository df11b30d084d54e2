"""The runbooks that fit what the board shows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from console.board.model import Board
from console.facts.model import Alert
from console.facts.notjudged import Isolation
from console.runbook.match import Matched, rank
from console.runbook.model import Runbook


def matches(
    runbooks: Sequence[Runbook], shown: Board, alerts: Iterable[Alert], failed: Isolation | None = None
) -> dict[str, tuple[Matched, ...]]:
    """Runbooks for each finding, alert, objective and application that has any. What is only said, such as losses that
    an application has survived, is no trouble that a runbook ends: none is offered for it.

    Args:
        failed: takes runbooks of which it cannot be said whether they fit; the others are matched.
    """
    out: dict[str, tuple[Matched, ...]] = {}
    failed = Isolation() if failed is None else failed
    ranked = _ranked(runbooks, shown, None, failed)
    for finding in shown.findings:
        fitting = tuple(m for m in ranked if m.finding == finding.key and finding.severity != "info")
        if fitting:
            out[finding.key] = fitting
            if finding.app:
                out.setdefault(f"app:{finding.app}", fitting)
    for slo in shown.slos:
        fitting = tuple(m for m in ranked if m.slo == slo.id)
        if fitting:
            out[f"slo:{slo.id}"] = fitting
    for alert in alerts:
        fitting = tuple(_ranked(runbooks, shown, alert, failed))
        if fitting:
            out[f"alert:{alert.key}"] = fitting
    return out


def _ranked(runbooks: Sequence[Runbook], shown: Board, alert: Alert | None, failed: Isolation) -> list[Matched]:
    """All that fit, best first; where one fails, those that fit among the others."""
    try:
        return list(rank(runbooks, shown, alert=alert))
    except Exception as error:
        if len(runbooks) == 1:
            failed.note(f"runbook {runbooks[0].id}", "matching", error)
            return []
    sound = [one for one in runbooks if _fits_without_failing(one, shown, alert, failed)]
    return list(rank(sound, shown, alert=alert))


def _fits_without_failing(runbook: Runbook, shown: Board, alert: Alert | None, failed: Isolation) -> bool:
    before = len(failed.failed)
    _ranked((runbook,), shown, alert, failed)
    return len(failed.failed) == before
