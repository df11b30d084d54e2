"""Apps: the list of applications."""

from __future__ import annotations

from typing import ClassVar

from console.tui.hub import Hub
from console.tui.keys import KeyBinding
from console.tui.lines import FixedLines, Lines
from console.tui.pages.app import AppPage
from console.tui.pages.base import FILTER, Page
from console.tui.pages.begin import begin
from console.tui.pages.waits import WaitsPage
from console.tui.views.apps import AppLines, empty
from console.tui.views.leftout import left_out


class AppsPage(Page):
    name = "apps"
    root = True
    root_key = KeyBinding("2", "apps", "apps", "Apps: every Spark application.")
    filters = True
    keys: ClassVar[tuple[KeyBinding, ...]] = (
        KeyBinding("enter", "open", "open", "Open the application."),
        FILTER,
        KeyBinding("r", "runbook", "runbook", "Walk the runbook that fits the selected application."),
        KeyBinding("l", "logs", "logs", "The driver's log of the selected application."),
        KeyBinding("w", "waits", "waits", "Those that wait: for whom, how much is missing, who holds it.", False),
        KeyBinding("y", "yaml", "yaml", "The application's object as YAML.", False),
        KeyBinding("space", "mark", "mark", "Mark the line, to find it again.", False),
    )

    def __init__(self, hub: Hub) -> None:
        super().__init__(hub)
        self.marked: frozenset[str] = frozenset()

    def show(self, width: int, height: int) -> Lines:
        foot = left_out(self.hub.board.left_out, width)
        lines = AppLines(self.hub.board, self.wanted, self.marked, foot)
        return lines if lines.apps else FixedLines([*empty(self.hub.situation, self.wanted, width), *foot])

    def opens(self) -> tuple[str, tuple[KeyBinding, ...]]:
        return "application", AppPage.keys

    def opened(self, key: str) -> None:
        self._open("executors")

    def _open(self, panel: str) -> None:
        if self.selected:
            self.hub.host.open_app(self.selected, panel)

    def why_logs(self) -> str:
        return "" if self.selected else "there is no application here"

    why_yaml = why_mark = why_logs

    def do_logs(self) -> None:
        self._open("logs")

    def do_yaml(self) -> None:
        self._open("yaml")

    def do_waits(self) -> None:
        self.hub.host.push(WaitsPage(self.hub))

    def do_mark(self) -> None:
        self.marked = self.marked ^ {self.selected}
        self.hub.host.refresh_page()

    def why_runbook(self) -> str:
        return "" if self.hub.situation.matches.get(f"app:{self.selected}") else "no runbook fits this application"

    def do_runbook(self) -> None:
        begin(self.hub, self.hub.situation.matches[f"app:{self.selected}"], app=self.selected)
