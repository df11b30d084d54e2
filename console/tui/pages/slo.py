"""SLO: objectives with their arithmetic."""

from __future__ import annotations

from console.tui.hub import Hub
from console.tui.lines import Fixed, Lines
from console.tui.pages.base import Page
from console.tui.views import slo as view


class SloPage(Page):
    name = "slo"

    def __init__(self, hub: Hub, selected: str = "") -> None:
        super().__init__(hub)
        self.selected = selected

    def show(self, width: int, height: int) -> Lines:
        return Fixed(view.lines(self.hub.situation, width))
