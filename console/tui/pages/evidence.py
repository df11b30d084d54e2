"""Evidence of what belongs to no single application: a node, an operator, a component, trouble that many share."""

from __future__ import annotations

from console.board.overview import causes
from console.tui.hub import Hub
from console.tui.lines import FixedLines, Lines, line, span
from console.tui.pages.base import Page
from console.tui.views import app as view


class EvidencePage(Page):
    name = "evidence"

    def __init__(self, hub: Hub, finding: str) -> None:
        super().__init__(hub)
        self.finding = finding

    def show(self, width: int, height: int) -> Lines:
        found = tuple(f for f in self.hub.board.findings if f.key == self.finding)
        if not found:
            return FixedLines([line(span(" this finding is over", "ok"))])
        return FixedLines(view.evidence(self.hub.situation, found, width))


class CausePage(Page):
    """One cause of many findings: what speaks for it and against it, and the evidence of each."""

    name = "one cause"

    def __init__(self, hub: Hub, cause: str) -> None:
        super().__init__(hub)
        self.cause = cause

    def show(self, width: int, height: int) -> Lines:
        found = next((c for c in causes(self.hub.board) if c.key == self.cause), None)
        if found is None:
            return FixedLines([line(span(" this is over, or it is not one cause any more", "ok"))])
        return FixedLines(view.cause(self.hub.situation, found, width))
