"""All of a question, over its walk: it is answered here as it is there."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Protocol

from console.tui.hub import Hub
from console.tui.keys import KeyBinding
from console.tui.lines import Line
from console.tui.pages.reader import ReaderPage

UNREAD = "first read"
"""How the reason begins why there is no yes yet."""


class AnsweredPage(Protocol):
    """The page that the question belongs to, as far as it answers it."""

    def offers(self) -> tuple[tuple[str, str], ...]: ...
    def why_yes(self) -> str: ...
    def why_no(self) -> str: ...
    def why_edit(self) -> str: ...
    def why_copy_paste(self) -> str: ...
    def do_copy_paste(self) -> None: ...
    def do_yes(self) -> None: ...
    def do_no(self) -> None: ...
    def do_edit(self) -> None: ...
    def answers(self, number: int) -> bool: ...


class QuestionReader(ReaderPage):
    name = "question"
    keys: ClassVar[tuple[KeyBinding, ...]] = (
        KeyBinding("y", "yes", "yes", "The same as on the walk, once the end was in sight."),
        KeyBinding("N", "no", "no", "Refuse the change that is shown."),
        KeyBinding("v", "edit", "value", "Set the proposed value otherwise, within the runbook's limits."),
        KeyBinding("C", "copy_paste", "copy", "Copy what is to be pasted to whoever is called.", False),
    )

    def __init__(
        self, hub: Hub, asked: AnsweredPage, lines: Callable[[int], list[Line]], read: Callable[[], None]
    ) -> None:
        super().__init__(hub, "before the answer", lines, read)
        self._asked = asked

    def offers(self) -> tuple[tuple[str, str], ...]:
        return (*super().offers(), *self._asked.offers())

    def digit(self, number: int) -> bool:
        if not self._asked.answers(number):
            return super().digit(number)
        self.hub.host.pop()
        return True

    def why_yes(self) -> str:
        reason = self._asked.why_yes()
        return "read to its end first" if reason.startswith(UNREAD) else reason

    def why_no(self) -> str:
        return self._asked.why_no()

    def why_edit(self) -> str:
        return self._asked.why_edit()

    def why_copy_paste(self) -> str:
        return self._asked.why_copy_paste()

    def do_copy_paste(self) -> None:
        self._asked.do_copy_paste()

    def do_yes(self) -> None:
        self.hub.host.pop()
        self._asked.do_yes()

    def do_no(self) -> None:
        self.hub.host.pop()
        self._asked.do_no()

    def do_edit(self) -> None:
        self.hub.host.pop()
        self._asked.do_edit()
