"""Walks: runs of runbooks, open and ended."""

from __future__ import annotations

from typing import ClassVar

from console.tui.keys import Key
from console.tui.lines import Cell, Column, Fixed, Line, Lines, header, row, span, told
from console.tui.pages.base import Page
from console.tui.words import age

COLUMNS = (
    Column("RUNBOOK", 18),
    Column("ON", 0, least=18),
    Column("STATUS", 14),
    Column("STEP", 20, drop=1),
    Column("CHANGES", 7, "right", drop=2),
    Column("AGE", 6, "right"),
    Column("BY", 12, drop=3),
)


class WalksPage(Page):
    name = "walks"
    keys: ClassVar[tuple[Key, ...]] = (
        Key("enter", "open", "open", "Open the walk."),
        Key("t", "timeline", "timeline", "Write its timeline as Markdown and show where it lies."),
    )

    def show(self, width: int, height: int) -> Lines:
        board = self.hub.board
        if not self.hub.situation.walks:
            words = "no runbook was walked on this cluster yet: r on a finding walks the one that fits, 4 shows all"
            return Fixed(told(words, width))
        out: list[Line] = [header(COLUMNS, width)]
        for walk in self.hub.situation.walks:
            waits = walk.id in self.hub.situation.questions
            ended = walk.status == "ended"
            word = (walk.outcome or "ended").replace("_", " ") if ended else self.hub.situation.walk_state(walk)
            cells: list[Cell] = [
                span(walk.runbook),
                span(walk.subject),
                span(word, "accent" if waits else "text"),
                span(walk.current, "dim"),
                str(len(walk.writes)),
                age(board, walk.started),
                span(walk.actor, "dim"),
            ]
            out.append(row(COLUMNS, cells, width, key=f"walk:{walk.id}"))
        return Fixed(out)

    def opened(self, key: str) -> None:
        from console.tui.pages.walk import WalkPage

        self.hub.host.push(WalkPage(self.hub, key.removeprefix("walk:")))

    def why_timeline(self) -> str:
        return "" if self.selected.startswith("walk:") else "there is no walk here"

    def do_timeline(self) -> None:
        walk = self.selected.removeprefix("walk:")
        self.hub.host.when_done(
            self.hub.source.timeline(walk), lambda text: self.hub.host.export(f"timeline-{walk}.md", str(text))
        )
