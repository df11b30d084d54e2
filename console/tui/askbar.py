"""Where a line is read from the person: above the keys, its question on a line of its own where that is long."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Input, Static


class AskBar(Vertical):
    """Hidden until `open`. The answer comes as the `Input.Submitted` of its input."""

    DEFAULT_CSS = """
    AskBar { height: auto; display: none; }
    AskBar.shown { display: block; }
    AskBar #about { height: auto; max-height: 4; padding: 0 1; display: none; }
    AskBar #about.shown { display: block; }
    AskBar Horizontal { height: 1; }
    AskBar #label { width: auto; height: 1; padding: 0 0 0 1; }
    AskBar #input { width: 1fr; height: 1; border: none; padding: 0; background: transparent; }
    AskBar #input:focus { border: none; }
    """
    BINDINGS: ClassVar[list[BindingType]] = []

    def compose(self) -> ComposeResult:
        yield Static("", id="about", markup=False)
        with Horizontal():
            yield Static("", id="label", markup=False)
            answer = Input(id="input", compact=True)
            answer.cursor_blink = False
            yield answer

    def open(self, label: str, value: str, width: int) -> None:
        """Ask; a label that would leave the answer less than half of `width` stands above it."""
        above = len(label) > width // 2
        self.query_one("#about", Static).update(label.rstrip(" :") if above else "")
        self.query_one("#about").set_class(above, "shown")
        self.query_one("#label", Static).update("> " if above else label)
        answer = self.query_one("#input", Input)
        with self.screen.prevent(Input.Changed):
            answer.value = value
            answer.cursor_position = len(value)
        self.set_class(True, "shown")
        answer.focus()

    def close(self) -> None:
        self.set_class(False, "shown")
