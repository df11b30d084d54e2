"""`slos` and `recovery`: how the objectives stand, and whether those that a runbook answers for have recovered."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from msgspec import Struct

from console.runbook.context.plain import plain
from console.runbook.model import Runbook
from console.runbook.walk import Walk
from console.slo.model import SloStatus
from console.slo.recovery import recovered, words


class ObjectiveRecovery(Struct, frozen=True):
    """How the objectives of a runbook stand together; `ids` names them, `words` their burn rates."""

    state: Literal["none", "burning", "no data", "recovered"]
    ids: tuple[str, ...]
    words: str


def objective(slo: SloStatus) -> dict[str, Any]:
    """An objective, with the burn rate of each window as `burn_5m`."""
    burns = {f"burn_{_window(b.window)}": b.rate for b in slo.burns}
    return {**plain(slo), **burns}


def recovery(slos: Iterable[SloStatus], walk: Walk | None, runbook: Runbook | None) -> ObjectiveRecovery:
    """How the objectives stand that this runbook answers for."""
    ours = answered_for(tuple(slos), walk, runbook)
    if not ours:
        return ObjectiveRecovery("none", (), "no objective is measured for this")
    changed = walk.changed if walk is not None else None
    over = [recovered(slo) for slo in ours]
    state: Literal["burning", "no data", "recovered"] = "recovered"
    if False in over:
        state = "burning"
    elif None in over:
        state = "no data"
    return ObjectiveRecovery(
        state, tuple(slo.id for slo in ours), "; ".join(f"{slo.id}: {words(slo, changed)}" for slo in ours)
    )


def answered_for(slos: tuple[SloStatus, ...], walk: Walk | None, runbook: Runbook | None) -> list[SloStatus]:
    """Those that the runbook names or that name it; where there are none, those that burned when the walk began."""
    named = set(runbook.match.slos) if runbook is not None else set()
    ours = [s for s in slos if s.id in named or (runbook is not None and runbook.id in s.runbooks)]
    if ours or walk is None:
        return ours
    burned = {id for id, was in walk.slo_before.items() if isinstance(was, dict) and _burned(was)}
    return [s for s in slos if s.id in burned]


def _burned(was: dict[str, Any]) -> bool:
    state = was.get("state")
    if isinstance(state, str):
        return state in ("burning", "exhausted")
    left = was.get("budget_left")
    return isinstance(left, int | float) and left < 0


def _window(seconds: float) -> str:
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= size and seconds % size == 0:
            return f"{int(seconds // size)}{unit}"
    return f"{seconds:g}s"
