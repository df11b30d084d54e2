"""What a walk works with: how it sees the world (`console.live` implements that), and what it writes and asks by."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import msgspec
from msgspec import Struct
from msgspec.structs import replace as change

from console.base.clock import Clock
from console.board.impact import impact_of
from console.board.model import Board
from console.facts.model import Alert, Sample
from console.operate.ahead.rights import RightsAnswers
from console.operate.journal import Journal
from console.operate.policy import ChangeRules
from console.runbook import about
from console.runbook.catalogue import Catalogue
from console.runbook.context.after import youngest
from console.runbook.scripts import ScriptSpec
from console.runbook.walk import AnyEvent, Applied, HandedOver, Intent, Walk, WalkLeft
from console.slo.recovery import still_burns
from console.wire.connection import Connection
from console.wire.writer import Writer


class Queried(Struct, frozen=True):
    """The answer to a query. `samples` is None where it could not be asked; `error` says why, or what was partial."""

    samples: tuple[Sample, ...] | None
    error: str = ""


class WalkView(Protocol):
    """What a walk looks at. Nothing here changes anything."""

    def board(self) -> Board:
        """The latest board."""
        ...

    async def refreshed(self, *, after: float | None = None) -> Board:
        """A board whose facts are not older than `after` (epoch seconds of the walk's clock).

        Where sources are late, the latest board after a bounded wait; its `sources` say so.
        """
        ...

    async def query(self, expr: str) -> Queried:
        """A PromQL expression, now."""
        ...


@dataclass(frozen=True)
class WalkEnvironment:
    """What every walk of a desk works with. `writer` is None in a read-only context."""

    connection: Connection
    writer: Writer | None
    journal: Journal
    rules: ChangeRules
    clock: Clock
    world: WalkView
    scripts: dict[str, ScriptSpec]
    catalogue: Catalogue
    actor: str
    folder: Path
    """Where locks and short-lived files lie."""
    rights: RightsAnswers = field(default_factory=RightsAnswers)


def slo_snapshot(board: Board, changed: float | None = None) -> dict[str, Any]:
    """Objective → how it stands, as walks keep it before and after.

    Args:
        changed: when the walk changed something last.
    """
    return {
        slo.id: {
            "title": slo.title,
            "state": slo.state,
            "budget_left": slo.budget_left,
            "burn": {f"{burn.window:g}": burn.rate for burn in slo.burns},
            "objective": slo.objective,
            "period": slo.period,
            "bad": slo.bad,
            "total": slo.total,
            "still": still_burns(slo, changed),
        }
        for slo in board.slos
    }


def impact_snapshot(
    board: Board, subject: str, alert: Alert | None = None, changed: tuple[float, ...] = ()
) -> dict[str, Any]:
    """What the trouble has cost so far, as walks keep it before and after."""
    id = about.component_of(subject)
    objects = next((about.objects_of(one) for one in board.components if one.id == id), (subject,))
    seen = impact_of(board, subject, alert, changed, about=about.findings_of(board, subject), objects=objects)
    found: dict[str, Any] = msgspec.to_builtins(seen)
    return found


def costed(event: AnyEvent, board: Board, walk: Walk) -> AnyEvent:
    """`event` with what the trouble had cost by then, where a change was made or somebody leaves the walk; and, where
    one is about to be sent, with the pods that were made last before it.

    That is never a reason why a change that was made is not recorded.
    """
    if isinstance(event, Intent):
        app = board.app(walk.subject)
        return change(event, youngest=youngest(app)) if app is not None else event
    if isinstance(event, Applied):
        intent = walk.pending or walk.in_doubt
        wanted = event.ok and intent is not None and intent.effect.writes
    else:
        wanted = isinstance(event, HandedOver | WalkLeft)
    if wanted and not getattr(event, "impact", None):
        with contextlib.suppress(Exception):
            return change(event, impact=impact_at_end(board, walk))
    return event


def impact_at_end(board: Board, walk: Walk) -> dict[str, Any]:
    """The same on an occasion of a walk, and at its end."""
    under_way = walk.pending or walk.in_doubt
    changed = (*walk.sent, *((under_way.at,) if under_way is not None and under_way.effect.writes else ()))
    return impact_snapshot(board, walk.subject, walk.alert, changed)
