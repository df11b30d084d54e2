"""The command palette: go anywhere by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from console.tui.hub import Hub
from console.tui.lines import Fixed, Line, Lines, Span, fit, line, span
from console.tui.pages.base import Page


class Place(NamedTuple):
    """Somewhere to go. `word` is what is typed, `what` its kind."""

    word: str
    what: str
    go: Callable[[], None]


class CommandPage(Page):
    name = "command"

    def __init__(self, hub: Hub, places: Callable[[], list[Place]]) -> None:
        super().__init__(hub)
        self._places = places

    def fitting(self) -> list[Place]:
        """Places that fit what was typed, the nearest first."""
        wanted = self.wanted.lower().split()
        found = [p for p in self._places() if all(w in f"{p.word} {p.what}".lower() for w in wanted)]
        if not wanted:
            return sorted(found, key=lambda p: p.what != "page")[:200]
        return sorted(found, key=lambda p: (not p.word.lower().startswith(self.wanted.lower()), p.what, p.word))[:200]

    def show(self, width: int, height: int) -> Lines:
        out: list[Line] = []
        for place in self.fitting():
            out.append(
                line(Span(" "), span(fit(place.what, 10), "dim"), span(place.word), key=f"{place.what}:{place.word}")
            )
        return Fixed(out or [line(span(f" nothing is called {self.wanted!r}", "dim"))])

    def opened(self, key: str) -> None:
        place = next((p for p in self.fitting() if f"{p.what}:{p.word}" == key), None)
        self.hub.host.pop()
        if place is not None:
            place.go()

    def entered(self) -> None:
        def done(text: str | None) -> None:
            self.wanted = text or ""
            self.hub.host.refresh_page()

        self.hub.host.ask(":", done, live=True)
