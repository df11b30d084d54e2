"""Advice: what could be set better or safer. Read when the page is opened, and again when it is asked for."""

from __future__ import annotations

from concurrent.futures import Future
from typing import ClassVar

from console.base.errors import ConsoleError
from console.health.advice.model import Advice, Report
from console.live.situation import Situation
from console.tui.hub import Hub
from console.tui.keys import Key
from console.tui.lines import Fixed, Line, Lines, line, span
from console.tui.pages.base import FILTER, Page
from console.tui.views import advice as view


class AdvicePage(Page):
    """On everything in scope, or on one application and its namespace."""

    name = "advice"
    filters = True
    keys: ClassVar[tuple[Key, ...]] = (
        Key("enter", "open", "open", "Open the application that the advice is about."),
        Key("r", "again", "read again", "Read roles, policies, drivers and images anew."),
        FILTER,
    )

    def __init__(self, hub: Hub, app: str = "") -> None:
        super().__init__(hub)
        self.app_key = app
        self.report: Report | None = None
        self._asked: Future[Report] | None = None
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

    def _came(self, report: Report) -> None:
        self.report = report
        self.hub.host.refresh_page()

    def items(self) -> list[Advice]:
        """What the filter leaves: every word must fit, `!word` must not."""
        words = self.wanted.lower().split()
        found = []
        for item in self.report.items if self.report is not None else ():
            said = f"{item.id} {item.family} {item.priority} {item.subject} {item.statement}".lower()
            if all((w[1:] not in said) if w.startswith("!") and len(w) > 1 else w in said for w in words):
                found.append(item)
        return found

    def show(self, width: int, height: int) -> Lines:
        if self.report is None:
            return Fixed(self._waiting())
        inline, self._side = not self._side, False
        head = self._waiting() if self._asked is not None and not self._asked.done() else []
        return Fixed([*head, *view.lines(self.report, self.items(), self.selected, width, inline=inline)])

    def side(self, width: int) -> Lines | None:
        """The reason of the selected row. The host asks for it before the page, where there is room beside it."""
        if self.report is None or not self.report.items:
            return None
        self._side = True
        chosen = next((i for i in self.items() if i.key == self.selected), None)
        return Fixed(view.page(chosen, width) if chosen is not None else ())

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
        from console.tui.pages.app import AppPage

        app = self._app_of_selected()
        if app and app != self.app_key:
            self.hub.host.push(AppPage(self.hub, app))
        elif app:
            self.hub.host.pop()

    def why_again(self) -> str:
        return "it is being read" if self._asked is not None and not self._asked.done() else ""

    def do_again(self) -> None:
        self._ask()
