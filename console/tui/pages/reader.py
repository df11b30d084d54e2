"""Something to read, whole: a step, a question, a message. It scrolls; escape goes back."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from console.tui.hub import Hub
from console.tui.keys import KeyBinding
from console.tui.lines import FixedLines, Line, Lines, Span, line, span
from console.tui.pages.base import Page


class ReaderPage(Page):
    """A text over another page.

    Args:
        title: its word in the trail.
        lines: the text in so many cells; asked anew whenever something changes.
        read: called when its last line has been in sight.
    """

    name = "text"

    def __init__(
        self, hub: Hub, title: str, lines: Callable[[int], list[Line]], read: Callable[[], None] = lambda: None
    ) -> None:
        super().__init__(hub)
        self._title, self._lines, self._read = title, lines, read

    @property
    def trail(self) -> tuple[str, ...]:
        return (self._title,)

    @property
    def own_digits(self) -> bool:
        return True

    def offers(self) -> tuple[tuple[str, str], ...]:
        return (("esc", "back"),)

    def show(self, width: int, height: int) -> Lines:
        return FixedLines(self._lines(width) or [line(span(" there is nothing to read here any more", "dim"))])

    def scrolled(self, below: int) -> None:
        if not below:
            self._read()

    def digit(self, number: int) -> bool:
        self.hub.host.say(f"{number} does nothing here: esc goes back, :{number} to the page")
        return True


class PasteReader(ReaderPage):
    """A text that is meant for somewhere else: `C` sends it, as it is, to the clipboard of the terminal."""

    name = "to paste"
    keys: ClassVar[tuple[KeyBinding, ...]] = (
        KeyBinding("C", "copy_all", "copy all", "The whole text to the clipboard of your terminal."),
    )

    def __init__(self, hub: Hub, title: str, text: str) -> None:
        super().__init__(hub, title, lambda width: [line(Span(" "), span(part)) for part in text.splitlines()])
        self._text = text

    def do_copy_all(self) -> None:
        self.hub.host.copy(self._text)
