"""Evidence of a finding that belongs to no application: a node, an operator, a component."""

from __future__ import annotations

from console.tui.hub import Hub
from console.tui.lines import Fixed, Lines, line, span
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
            return Fixed([line(span(" this finding is over", "ok"))])
        return Fixed(view.evidence(self.hub.board, found, width))
