"""Keys as data: each page lists its own; help, the footer and the README's table are made from these lists."""

from __future__ import annotations

from typing import NamedTuple


class Key(NamedTuple):
    """One key.

    Attributes:
        key: as Textual names it (`r`, `slash`, `question_mark`, `escape`, `1`).
        action: name of the page's method `do_ACTION`; `why_ACTION`, where there is one, says why it is off now.
        what: one or two words for the footer.
        tip: a sentence for the help.
        footer: whether it stands in the footer.
    """

    key: str
    action: str
    what: str
    tip: str
    footer: bool = True

    @property
    def label(self) -> str:
        return LABELS.get(self.key, self.key)


LABELS = {
    "slash": "/", "colon": ":", "question_mark": "?", "escape": "esc", "at": "@", "minus": "-", "space": "space",
    "enter": "enter", "exclamation_mark": "!",
}  # fmt: skip

MOVES = (
    Key("j", "move", "down", "Down one line (also the arrow key).", False),
    Key("k", "move", "up", "Up one line (also the arrow key).", False),
    Key("g", "move", "first", "To the first line.", False),
    Key("G", "move", "last", "To the last line.", False),
    Key("ctrl+f", "move", "page", "One page down; ctrl+b one page up.", False),
)
"""Handled by the pane itself; listed for the help."""

GLOBAL = (
    Key("1", "now", "now", "Now: what is burning, since when, and what to do."),
    Key("2", "apps", "apps", "Apps: every Spark application."),
    Key("3", "slo", "slo", "SLO: objectives, budgets, burn rates and their arithmetic."),
    Key("4", "runbooks", "runbooks", "Runbooks: the library; those that fit the present stand first."),
    Key("5", "components", "components", "Components: the systems of the platform and whether they work.", False),
    Key("6", "walks", "walks", "Walks: runs of runbooks, open and ended, with their timelines.", False),
    Key("7", "workstreams", "workstreams", "Workstreams: progress, and whether the index tells the truth.", False),
    Key("8", "gpu", "gpu", "GPU: who holds each one, which are broken, which are wasted.", False),
    Key("colon", "command", "command", "Go to a page, an application or a runbook by name.", True),
    Key("minus", "back_and_forth", "last view", "Back to the view before this one.", False),
    Key("c", "copy", "copy", "Copy the selected line to the clipboard of your terminal (OSC 52).", False),
    Key("escape", "back", "back", "Back; clears a filter first.", False),
    Key("question_mark", "help", "help", "Every key that works here, and why others do not."),
    Key("q", "quit", "quit", "Leave Console. Walks that wait stay in the journal.", False),
)
