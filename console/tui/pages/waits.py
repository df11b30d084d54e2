"""Waits: every application that somebody has not let in."""

from __future__ import annotations

from typing import ClassVar

from console.tui.keys import KeyBinding
from console.tui.lines import FixedLines, Lines
from console.tui.pages.base import FILTER, Page
from console.tui.views import waits as view


class WaitsPage(Page):
    name = "waits"
    root = True
    filters = True
    keys: ClassVar[tuple[KeyBinding, ...]] = (
        KeyBinding("enter", "open", "open", "Open the application that waits."),
        FILTER,
    )

    def show(self, width: int, height: int) -> Lines:
        return FixedLines(view.lines(self.hub.board, self.wanted, self.selected, width))

    def opened(self, key: str) -> None:
        self.hub.host.open_app(key)
