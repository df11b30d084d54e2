"""Keys as data: each page lists its own; help, the footer and the README's table are made from these lists."""

from __future__ import annotations

from typing import NamedTuple


class KeyBinding(NamedTuple):
    """One key.

    Attributes:
        key: as Textual names it (`r`, `slash`, `question_mark`, `escape`, `1`).
        action: name of the page's method `do_ACTION`; `why_ACTION`, where there is one, says why it is off now.
        what: one or two words for the footer.
        tip: a sentence for the help.
        footer: whether it stands in the footer.
        spare: whether it leaves a footer that is too short before others lose their words.
    """

    key: str
    action: str
    what: str
    tip: str
    footer: bool = True
    spare: bool = False

    @property
    def label(self) -> str:
        return LABELS.get(self.key, self.key)


LABELS = {
    "slash": "/", "colon": ":", "question_mark": "?", "escape": "esc", "at": "@", "minus": "-", "space": "space",
    "enter": "enter", "exclamation_mark": "!",
    "ampersand": "&",
}  # fmt: skip

MOVES = (
    KeyBinding("j", "move", "down", "Down one line (also the arrow key).", False),
    KeyBinding("k", "move", "up", "Up one line (also the arrow key).", False),
    KeyBinding("g", "move", "first", "To the first line.", False),
    KeyBinding("G", "move", "last", "To the last line.", False),
    KeyBinding("ctrl+f", "move", "page", "One page down; ctrl+b one page up.", False),
)
"""Handled by the pane itself; listed for the help."""

DIGITS = (
    "A digit opens the page of that number, except where the screen itself is numbered: on an application it opens a "
    "panel, and while a walk is open it answers. There the foot says so, and :1, or : and a name, goes to a page."
)
"""The one rule of digits, for the help and the README."""

GLOBAL = (
    KeyBinding(
        "colon",
        "command",
        "command",
        "Go to a page by name or number (:1), to an application, a runbook or a walk by name.",
        True,
    ),
    KeyBinding("minus", "back_and_forth", "last view", "Back to the view before this one.", False),
    KeyBinding("c", "copy", "copy", "Copy the selected line to the clipboard of your terminal (OSC 52).", False),
    KeyBinding("escape", "back", "back", "Back; clears a filter first.", False),
    KeyBinding("question_mark", "help", "help", "Every key that works here, and why others do not."),
    KeyBinding("q", "quit", "quit", "Leave Console. Walks that wait stay in the journal.", False),
)
"""Work on every page, beside the numbers that open the root pages."""
