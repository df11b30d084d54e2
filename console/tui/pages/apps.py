"""Apps: the list of applications."""

from __future__ import annotations

from typing import ClassVar

from console.tui.hub import Hub
from console.tui.keys import Key
from console.tui.lines import Fixed, Lines
from console.tui.pages.base import FILTER, Page
from console.tui.views.apps import AppLines, empty


class AppsPage(Page):
    name = "apps"
    filters = True
    keys: ClassVar[tuple[Key, ...]] = (
        Key("enter", "open", "open", "Open the application."),
        FILTER,
        Key("r", "runbook", "runbook", "Walk the runbook that fits the selected application."),
        Key("l", "logs", "logs", "The driver's log of the selected application."),
        Key("y", "yaml", "yaml", "The application's object as YAML.", False),
        Key("space", "mark", "mark", "Mark the line, to find it again.", False),
    )

    def __init__(self, hub: Hub) -> None:
        super().__init__(hub)
        self.marked: frozenset[str] = frozenset()

    def show(self, width: int, height: int) -> Lines:
        lines = AppLines(self.hub.board, self.wanted, self.marked)
        return lines if lines.apps else Fixed(empty(self.hub.situation, self.wanted, width))

    def opened(self, key: str) -> None:
        self._open("executors")

    def _open(self, panel: str) -> None:
        from console.tui.pages.app import AppPage

        if self.selected:
            self.hub.host.push(AppPage(self.hub, self.selected, panel=panel))

    def why_logs(self) -> str:
        return "" if self.selected else "there is no application here"

    why_yaml = why_mark = why_logs

    def do_logs(self) -> None:
        self._open("logs")

    def do_yaml(self) -> None:
        self._open("yaml")

    def do_mark(self) -> None:
        self.marked = self.marked ^ {self.selected}
        self.hub.host.refresh_page()

    def why_runbook(self) -> str:
        return "" if self.hub.situation.matches.get(f"app:{self.selected}") else "no runbook fits this application"

    def do_runbook(self) -> None:
        from console.tui.pages.begin import begin

        begin(self.hub, self.hub.situation.matches[f"app:{self.selected}"], app=self.selected)
