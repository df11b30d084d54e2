"""How a walk sees the world. `console.live` implements it."""

from __future__ import annotations

from typing import Any, Protocol

from msgspec import Struct

from console.board.model import Board
from console.facts.model import Sample


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


def slo_snapshot(board: Board) -> dict[str, Any]:
    """Objective → how it stands, as walks keep it before and after."""
    return {
        slo.id: {
            "title": slo.title,
            "state": slo.state,
            "budget_left": slo.budget_left,
            "burn": {f"{burn.window:g}": burn.rate for burn in slo.burns},
        }
        for slo in board.slos
    }
