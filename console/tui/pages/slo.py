"""SLO: objectives with their arithmetic."""

from __future__ import annotations

from typing import ClassVar

from console.tui.hub import Hub
from console.tui.keys import KeyBinding
from console.tui.lines import FixedLines, Lines
from console.tui.pages.base import Page
from console.tui.pages.begin import begin
from console.tui.views import slo as view


class SloPage(Page):
    name = "slo"
    root = True
    root_key = KeyBinding("3", "slo", "slo", "SLO: objectives, budgets, burn rates and their arithmetic.")
    keys: ClassVar[tuple[KeyBinding, ...]] = (
        KeyBinding("enter", "open", "open", "Open the objective with everything that is known of it, its queries too."),
        KeyBinding("r", "runbook", "runbook", "Walk the runbook of the objective under the cursor."),
    )

    def __init__(self, hub: Hub, selected: str = "") -> None:
        super().__init__(hub)
        self.selected = selected
        self._beside = False

    def show(self, width: int, height: int) -> Lines:
        beside, self._beside = self._beside, False
        return FixedLines(view.lines(self.hub.situation, width, self.selected, beside=beside))

    def preferred(self) -> str:
        return self.selected

    def side(self, width: int) -> Lines | None:
        self._beside = True
        board = self.hub.board
        slo = view.chosen(board, self.selected)
        return None if slo is None else FixedLines(view.detail(board, slo, width))

    def opened(self, key: str) -> None:
        if key.startswith("slo:"):
            self.hub.host.push(ObjectivePage(self.hub, key.removeprefix("slo:")))

    def why_runbook(self) -> str:
        return "" if self.hub.situation.matches.get(self.selected) else "no runbook fits this objective now"

    def do_runbook(self) -> None:
        begin(self.hub, self.hub.situation.matches[self.selected])


class ObjectivePage(Page):
    name = "objective"

    def __init__(self, hub: Hub, id: str) -> None:
        super().__init__(hub)
        self.id = id

    @property
    def trail(self) -> tuple[str, ...]:
        return ("slo", self.id)

    def show(self, width: int, height: int) -> Lines:
        board = self.hub.board
        slo = next((s for s in board.slos if s.id == self.id), None)
        if slo is None:
            return FixedLines(view.lines(self.hub.situation, width))
        return FixedLines([*view.detail(board, slo, width), *view.queries(slo, width)])
