"""Advice: what could be set better or safer. Read when the page is opened, and again when it is asked for."""

from __future__ import annotations

from concurrent.futures import Future
from typing import ClassVar

from console.advice.model import Advice, AdviceReport
from console.base.errors import ConsoleError
from console.live.situation import Situation
from console.tui.filters import fits
from console.tui.hub import Hub
from console.tui.keys import KeyBinding
from console.tui.lines import FixedLines, Line, Lines, line, span
from console.tui.pages.base import FILTER, Page
from console.tui.views import advice as view


class AdvicePage(Page):
    """On everything in scope, or on one application and its namespace."""

    name = "advice"
    root = True
    filters = True
    keys: ClassVar[tuple[KeyBinding, ...]] = (
        KeyBinding("enter", "open", "open", "Open the application that the advice is about."),
        KeyBinding("r", "again", "read again", "Read roles, policies, drivers and images anew."),
        FILTER,
    )

    def __init__(self, hub: Hub, app: str = "") -> None:
        super().__init__(hub)
        self.app_key = app
        self.report: AdviceReport | None = None
        self._asked: Future[AdviceReport] | None = None
        self._side = False

    @property
    def trail(self) -> tuple[str, ...]:
        return ("apps", self.app_key.rpartition("/")[2], "advice") if self.app_key else ("advice",)

    def entered(self) -> None:
        if self.report is None and self._asked is None:
            self.hub.host.once(self._ask_when_live)

    def _ask_when_live(self, situation: Situation) -> bool:
        if self._asked is None and situation.phase in ("live", "lost"):
            self._ask()
        return self._asked is not None

    def _ask(self) -> None:
        try:
            self._asked = self.hub.source.advise(self.app_key)
        except ConsoleError as error:
            self._asked = Future()
            self._asked.set_exception(error)
        self.hub.host.when_done(self._asked, self._came)
        self.hub.host.refresh_page()

    def _came(self, report: AdviceReport) -> None:
        self.report = report
        self.hub.host.refresh_page()

    def items(self) -> list[Advice]:
        """What the filter leaves."""
        items = self.report.items if self.report is not None else ()
        return [i for i in items if fits(self.wanted, i.id, i.family, i.priority, i.subject, i.statement)]

    def show(self, width: int, height: int) -> Lines:
        if self.report is None:
            return FixedLines(self._waiting())
        inline, self._side = not self._side, False
        head = self._waiting() if self._asked is not None and not self._asked.done() else []
        return FixedLines([*head, *view.lines(self.report, self.items(), self.selected, width, inline=inline)])

    def side(self, width: int) -> Lines | None:
        """The reason of the selected row. The host asks for it before the page, where there is room beside it."""
        if self.report is None or not self.report.items:
            return None
        self._side = True
        chosen = next((i for i in self.items() if i.key == self.selected), None)
        return FixedLines(view.page(chosen, width) if chosen is not None else ())

    def preferred(self) -> str:
        return next((i.key for i in self.items()), "")

    def _waiting(self) -> list[Line]:
        if self._asked is not None and self._asked.done() and (error := self._asked.exception()) is not None:
            hint = getattr(error, "hint", None)
            return [
                line(span(f" advice could not be read: {error}", "crit")),
                *([line(span(f" {hint}", "dim"))] if hint else []),
            ]
        return [line(span(" reading roles, policies, and what drivers and servers say of themselves …", "dim"))]

    def why_open(self) -> str:
        return "" if self._app_of_selected() else "this advice is about no single application"

    def _app_of_selected(self) -> str:
        item = next((i for i in self.items() if i.key == self.selected), None)
        return item.app if item is not None and self.hub.board.app(item.app) is not None else ""

    def opened(self, key: str) -> None:
        app = self._app_of_selected()
        if app and app != self.app_key:
            self.hub.host.open_app(app)
        elif app:
            self.hub.host.pop()

    def why_again(self) -> str:
        return "it is being read" if self._asked is not None and not self._asked.done() else ""

    def do_again(self) -> None:
        self._ask()
