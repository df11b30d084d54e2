"""Where a line is read from the person: above the keys, its question on a line of its own where that is long.

What was typed and not sent is kept: it stands there again when the same is asked again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.events import Key as KeyEvent
from textual.message import Message
from textual.widgets import Input, Static

Done = Callable[[str | None], None]


class AskBar(Vertical):
    """Hidden until `ask`. What came of it is told as `Typed`."""

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

    class Typed(Message):
        """The person has answered with `text`, or left with escape (None); `kept`: what was typed is kept."""

        def __init__(self, done: Done, text: str | None, *, kept: bool = False) -> None:
            super().__init__()
            self.done, self.text, self.kept = done, text, kept

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._done: Done | None = None
        self._label, self._value, self._keeps = "", "", False
        self._drafts: dict[str, str] = {}
        self.live = False

    @property
    def asking(self) -> bool:
        return self._done is not None

    def compose(self) -> ComposeResult:
        yield Static("", id="about", markup=False)
        with Horizontal():
            yield Static("", id="label", markup=False)
            answer = Input(id="input", compact=True, select_on_focus=False)
            answer.cursor_blink = False
            yield answer

    def ask(self, label: str, done: Done, *, value: str, live: bool, draft: bool, width: int) -> None:
        """Ask; a label that would leave the answer less than half of `width` stands above it.

        Args:
            value: what is proposed, and replaced by typing; empty: what was typed there before and not sent.
            live: call `done` at every keystroke.
            draft: whether what is not sent is kept.
        """
        self.close()
        self._done, self.live, self._label = done, live, label
        self._keeps = draft and not live
        self._value = value or (self._drafts.pop(label, "") if self._keeps else "")
        above = len(label) > width // 2
        self.query_one("#about", Static).update(label.rstrip(" :") if above else "")
        self.query_one("#about").set_class(above, "shown")
        self.query_one("#label", Static).update("> " if above else label)
        answer = self.query_one("#input", Input)
        with self.screen.prevent(Input.Changed):
            answer.value = self._value
            answer.cursor_position = len(self._value)
        if value:
            answer.action_select_all()
        self.set_class(True, "shown")
        answer.focus()

    def keep(self, label: str, text: str) -> None:
        """Let `text` stand there when `label` is asked the next time."""
        self._drafts[label] = text

    def close(self) -> bool:
        """Ask no more. True where what was typed is kept."""
        self._done, asked = None, self._done
        self.set_class(False, "shown")
        text = self.query_one("#input", Input).value
        kept = asked is not None and self._keeps and bool(text.strip())
        if kept:
            self.keep(self._label, text)
        return kept

    def on_key(self, event: KeyEvent) -> None:
        if event.key == "escape" and (done := self._done) is not None:
            event.stop()
            self.post_message(self.Typed(done, None, kept=self.close()))

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        if self._done is not None and self.live:
            self._done(event.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if (done := self._done) is not None:
            self._keeps = False
            self.close()
            self.post_message(self.Typed(done, event.value))
