"""What somebody else asks a second person for: the change, what is made of it here, and a yes that is typed."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from console.base.units import human_duration
from console.tui.hub import Hub
from console.tui.keys import KeyBinding
from console.tui.lines import Line, Span, cut, line, span, wrap
from console.tui.pages.reader import ReaderPage
from console.tui.views import question as question_view

if TYPE_CHECKING:
    from console.operate.person import Question, Reply


class ApprovalPage(ReaderPage):
    name = "approval"
    keys: ClassVar[tuple[KeyBinding, ...]] = (
        KeyBinding("y", "yes", "approve", "Approve what is shown, as the second person: its name is typed."),
    )

    def __init__(self, hub: Hub, digest: str) -> None:
        super().__init__(hub, "second person", self._shown, self._was_read)
        self._digest, self._seen = digest, False
        self._asked: Question | None = None
        self.hub.host.when_done(hub.source.asked_of_me(digest), self._got)

    def _got(self, question: Question) -> None:
        self._asked = question
        self.hub.host.refresh_page()

    def _was_read(self) -> None:
        self._seen = self._asked is not None

    @property
    def _open(self) -> bool:
        return any(one.digest == self._digest for one in self.hub.situation.requests)

    def _shown(self, width: int) -> list[Line]:
        if not self._open:
            return [line(span(" nobody waits for it any more", "warn"))]
        if self._asked is None:
            return [line(span(" the change is worked out from the cluster", "dim"))]
        asked, shown = self._asked, self._asked.preview
        told = [line(Span(" "), span(p, "title")) for text in asked.text.splitlines() for p in wrap(text, width - 2)]
        last = f" approves it on {asked.cluster} (type {asked.expect})"
        return [
            *(line(span(f" {part}", "head")) for part in wrap(asked.title, width - 2)),
            *(question_view.preview(shown, width) if shown is not None else ()),
            *told,
            cut(line(Span(" "), Span("y", "key"), span(last)), width),
        ]

    def why_yes(self) -> str:
        if not self._open or self._asked is None:
            return "nothing is asked"
        return "" if self._seen else "read to its end first"

    def do_yes(self) -> None:
        asked = self._asked
        if asked is None:
            return

        def typed(text: str | None) -> None:
            if text:
                future = self.hub.source.approve(self._digest, AtTheTerminal(self.hub.actor, text))
                self.hub.host.when_done(future, self._approved)

        self.hub.host.ask(f"type {asked.expect} to approve it on {asked.cluster} (esc: back): ", typed, draft=False)

    def _approved(self, seconds: int) -> None:
        self.hub.host.pop()
        self.hub.host.say(f"approved for {human_duration(seconds)}: it goes on where it is walked")


class AtTheTerminal:
    """The person of this screen, who has typed an answer already."""

    def __init__(self, name: str, typed: str) -> None:
        self.name, self._typed = name, typed

    async def answer(self, question: Question) -> Reply | None:
        from console.operate.person import Reply

        return Reply("yes", self.name, self._typed, terminal=True)  # a page is opened at a terminal only
