"""Whether objectives burn more than when a walk began: what its next change has to be worth. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from console.base.text import clean
from console.base.units import human_duration
from console.board.model import Board
from console.runbook.context.objectives import answered_for
from console.runbook.model import Runbook
from console.runbook.walk import Walk
from console.slo import words
from console.slo.model import SloStatus

NOISE = 1.25
"""A burn rate that has risen by less says nothing."""
_TROUBLE = ("burning", "exhausted")


def worse(walk: Walk, board: Board, runbook: Runbook | None) -> str:
    """What got worse since the walk began, in words; `` where nothing did, or nothing is known of it.

    Only a walk that has changed something is asked: what grew before that, no change of it has done.
    """
    return "; ".join(_grown(walk, board, runbook)) if walk.writes else ""


def _grown(walk: Walk, board: Board, runbook: Runbook | None) -> Iterator[str]:
    ours = {slo.id for slo in answered_for(board.slos, walk, runbook)}
    for slo in board.slos:
        was = walk.slo_before.get(slo.id)
        if not isinstance(was, dict):
            continue
        rose = _rose(was, slo) if slo.id in ours else ""
        began = str(was.get("state") or "")
        if began == "good" and slo.state in _TROUBLE:
            yield f"{clean(slo.title)} is {slo.state} and was good when this walk began"
        elif rose:
            yield f"{clean(slo.title)} burns {rose}"


def _rose(was: dict[str, Any], slo: SloStatus) -> str:
    """The shortest window that was measured then and now, where it burns more than the budget bears and than then."""
    then = was.get("burn")
    rates = then if isinstance(then, dict) else {}
    for burn in sorted(slo.burns, key=lambda one: one.window):
        before = rates.get(f"{burn.window:g}")
        if burn.rate is None or not isinstance(before, int | float):
            continue
        if burn.rate > max(1.0, before * NOISE):
            return (
                f"{words.rate(burn.rate)} over {human_duration(burn.window)}, {words.rate(before)} when this walk began"
            )
        return ""
    return ""
