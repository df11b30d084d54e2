"""The command palette: go anywhere by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from console.tui.hub import Hub
from console.tui.lines import FixedLines, Line, Lines, Span, fit, line, span
from console.tui.pages.base import Page


class Destination(NamedTuple):
    """Somewhere to go. `word` is what is typed, `what` its kind, `number` what a root page is also called."""

    word: str
    what: str
    go: Callable[[], None]
    number: str = ""


class CommandPage(Page):
    name = "command"

    def __init__(self, hub: Hub, places: Callable[[], list[Destination]]) -> None:
        super().__init__(hub)
        self._places = places
        self._typed = ""

    def fitting(self) -> list[Destination]:
        """Places that fit what was typed, the nearest first."""
        wanted = self.wanted.lower().split()
        numbered = [p for p in self._places() if p.number and [p.number] == wanted]
        if numbered:
            return numbered
        found = [p for p in self._places() if all(w in f"{p.word} {p.what}".lower() for w in wanted)]
        if not wanted:
            return sorted(found, key=lambda p: p.what != "page")[:200]
        return sorted(found, key=lambda p: (self._far(p.word), p.what, p.word))[:200]

    def _far(self, word: str) -> int:
        """How far a word is from what was typed: it is it, it ends or begins so, it has it somewhere."""
        wanted, said = self.wanted.lower(), word.lower()
        if said == wanted or said.endswith(f"/{wanted}"):
            return 0
        return 1 if said.startswith(wanted) else 2

    def show(self, width: int, height: int) -> Lines:
        out: list[Line] = []
        for place in self.fitting():
            out.append(
                line(
                    Span(" "),
                    span(fit(f"{place.what} {place.number}", 10), "dim"),
                    span(place.word),
                    key=f"{place.what}:{place.word}",
                )
            )
        return FixedLines(out or [line(span(f" nothing is called {self.wanted!r}", "dim"))])

    def moves_to(self) -> str:
        """The nearest fit whenever something else was typed: a cursor that stays on an older one would open that."""
        if self.wanted == self._typed:
            return ""
        self._typed = self.wanted
        return next((f"{place.what}:{place.word}" for place in self.fitting()), "")

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
