"""What somebody asks about one application: answered from what the loops know, and read where they keep nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.base.errors import UsageError
from console.findings.diagnose import explain
from console.live.connect import Connected
from console.live.loops import Loops

if TYPE_CHECKING:
    from console.advice.model import AdviceReport
    from console.findings.rule import Trial
    from console.live.against import AgainstRead
    from console.live.trends import MemoryTrend


class Questions:
    """Answers for people who look at one application."""

    def __init__(self, at: Connected, loops: Loops) -> None:
        self._at, self._loops = at, loops

    async def memory(self, app: str) -> MemoryTrend | None:
        """How the memory of an application's executors went; None where it is not known."""
        found = self._loops.app(app)
        return await self._loops.focus.memory(found) if found is not None else None

    async def explain(self, app: str) -> tuple[Trial, ...]:
        """Every rule that was tried on `app`; none where it is not known."""
        found = self._loops.app(app)
        return explain(self._loops.facts, (found,)) if found is not None else ()

    async def unread(self, app: str) -> tuple[tuple[str, str], ...]:
        """(what, why) for everything of `app` that could not be read."""
        return self._at.reads.unread(app)

    async def against(self, key: str, run: str) -> AgainstRead:
        """What changed since the run `run` of an application, or since its last good one.

        Raises:
            UsageError: there is no such application.
        """
        from console.live.against import read_against

        app, board = self._loops.app(key), self._loops.situation.board
        if app is None:
            raise UsageError(f"there is no application {key!r}")
        reader, findings = self._at.connection.reader, board.findings_of(key)
        return await read_against(self._loops.facts, board.apps, app, findings, run, reader, self._at.timing)

    async def advise(self, app: str) -> AdviceReport:
        """Advice on one application, or on everything; read anew each time it is asked for."""
        from console.live.advice import report

        return await report(
            self._at.connection.reader,
            self._loops.facts,
            self._at.clock,
            app=app,
            version=self._at.connection.identity.version,
            wide=not self._at.namespaces,
            scope=self._at.namespaces,
        )
