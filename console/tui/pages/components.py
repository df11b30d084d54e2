"""Components: the systems of the platform, the preset that they should keep to, and the presets that fit them."""

from __future__ import annotations

from typing import ClassVar

from console.tui.hub import Hub
from console.tui.keys import KeyBinding
from console.tui.lines import FixedLines, Lines
from console.tui.pages.base import FILTER, Page
from console.tui.views import components as view


class ComponentsPage(Page):
    name = "components"
    root = True
    root_key = KeyBinding(
        "5", "components", "components", "Components: the systems of the platform and whether they work.", False
    )
    filters = True
    keys: ClassVar[tuple[KeyBinding, ...]] = (
        KeyBinding("h", "health", "health", "Whether each system works, with what was seen."),
        KeyBinding(
            "p", "preset", "preset", "What the preset declares against what runs, and what it promises and cannot do."
        ),
        KeyBinding("m", "match", "match", "Which presets fit what runs, and why."),
        FILTER,
    )

    def __init__(self, hub: Hub) -> None:
        super().__init__(hub)
        self.panel = "health"
        self._beside = False

    @property
    def trail(self) -> tuple[str, ...]:
        return ("components", self.panel)

    def show(self, width: int, height: int) -> Lines:
        situation = self.hub.situation
        beside, self._beside = self._beside, False
        found = situation.conformance
        if self.panel == "preset":
            return FixedLines(view.conformance(found, width, self.selected))
        if self.panel == "match":
            present = found.preset if found is not None and found.expects else ""
            return FixedLines(view.detection(situation.detection, present, width, self.selected))
        return FixedLines(view.health(situation, width, self.wanted, self.selected, beside=beside))

    def side(self, width: int) -> Lines | None:
        if self.panel != "health":
            return None
        self._beside = True
        known = self.hub.board.components
        one = next((c for c in known if f"component:{c.id}" == self.selected), next(iter(known), None))
        return None if one is None else FixedLines(view.detail(self.hub.board, one, width))

    def do_health(self) -> None:
        self._turn("health")

    def do_preset(self) -> None:
        self._turn("preset")

    def do_match(self) -> None:
        self._turn("match")

    def why_filter(self) -> str:
        return "" if self.panel == "health" else "only the table of components is filtered"

    def _turn(self, panel: str) -> None:
        self.panel = panel
        self.hub.host.turn_panel()
