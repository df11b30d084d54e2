"""Walks: runs of runbooks, open and ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from console.live.shown import age
from console.timeline.prose import outcome
from console.tui.keys import KeyBinding
from console.tui.lines import Cell, FixedLines, Line, Lines, Span, TableColumn, cut, header, line, row, span, told
from console.tui.pages.approval import ApprovalPage
from console.tui.pages.takeup import TAKE_UP, ListsWalks
from console.tui.pages.walk import WalkPage
from console.tui.views.walk import present

if TYPE_CHECKING:
    from console.operate.approvals.request import ApprovalRequest

COLUMNS = (
    TableColumn("RUNBOOK", 18),
    TableColumn("ON", 0, least=18, names=True),
    TableColumn("STATUS", 22),
    TableColumn("STEP", 20, drop=2),
    TableColumn("CHANGES", 7, "right", drop=1),
    TableColumn("AGE", 6, "right"),
    TableColumn("BY", 12, drop=3),
)


class WalksPage(ListsWalks):
    name = "walks"
    root = True
    root_key = KeyBinding(
        "6", "walks", "walks", "Walks: runs of runbooks, open and ended, with their timelines.", False
    )
    keys: ClassVar[tuple[KeyBinding, ...]] = (
        KeyBinding("enter", "open", "open", "Open the walk, or what somebody else asks a second person for."),
        TAKE_UP,
        KeyBinding("t", "timeline", "timeline", "Write its timeline as Markdown and say where it lies."),
    )

    def show(self, width: int, height: int) -> Lines:
        board = self.hub.board
        asked = [self._asked(one, width) for one in self.hub.situation.requests]
        unread = self.hub.situation.walks_unread
        unknown = [part for id, why in unread for part in told(f"walks unknown, {id}: {why}", width, "warn")]
        if not self.hub.situation.walks:
            words = (
                "your state folder holds no walk on this cluster (people take each other's up where they work as one "
                "account): r on a finding walks the runbook that fits, 4 shows all"
            )
            return FixedLines([*asked, *(unknown or told(words, width))])
        out: list[Line] = [*asked, header(COLUMNS, width)]
        for walk in self.hub.situation.walks:
            waits = walk.id in self.hub.situation.questions
            ended = walk.status == "ended"
            word = outcome(walk) if ended else self.hub.situation.walk_state(walk)
            cells: list[Cell] = [
                span(walk.runbook),
                span(walk.about),
                span(word, "accent" if waits else "text"),
                span("" if ended else present(walk), "dim"),
                str(len(walk.writes)),
                age(board, walk.started),
                span(walk.actor, "dim"),
            ]
            out.append(row(COLUMNS, cells, width, key=f"walk:{walk.id}"))
        return FixedLines([*out, *unknown])

    @staticmethod
    def _asked(request: ApprovalRequest, width: int) -> Line:
        """What somebody else asks a second person for."""
        words = f"{request.walker} asks for a second person: {request.preview.effect.title}"
        about = f"  {request.preview.effect.about}, digest {request.short}"
        made = cut(line(Span(" ! ", "crit"), span(words, "warn"), span(about, "dim")), width)
        return made._replace(key=f"request:{request.digest}")

    def opened(self, key: str) -> None:
        if key.startswith("request:"):
            self.hub.host.push(ApprovalPage(self.hub, key.removeprefix("request:")))
            return
        self.hub.host.push(WalkPage(self.hub, key.removeprefix("walk:")))

    def opens(self) -> tuple[str, tuple[KeyBinding, ...]]:
        return ("walk", WalkPage.keys) if self.selected.startswith("walk:") else ("request", ApprovalPage.keys)

    def why_timeline(self) -> str:
        return "" if self.selected.startswith("walk:") else "there is no walk here"

    def do_timeline(self) -> None:
        walk = self.selected.removeprefix("walk:")
        self.hub.host.when_done(
            self.hub.source.timeline(walk), lambda text: self.hub.host.export(f"{walk}.md", str(text))
        )
