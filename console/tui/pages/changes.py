"""What changed since the last good run of one application: read when the page is opened, and when it is asked for."""

from __future__ import annotations

from concurrent.futures import Future
from typing import ClassVar

from console.base.errors import ConsoleError
from console.live.against import AgainstRead
from console.live.situation import Situation
from console.tui.hub import Hub
from console.tui.keys import KeyBinding
from console.tui.lines import FixedLines, Line, Lines, line, span
from console.tui.pages.base import Page
from console.tui.views import changes as view


class ChangesPage(Page):
    """Against the last good run that is known, or against one that is named."""

    name = "changes"
    keys: ClassVar[tuple[KeyBinding, ...]] = (
        KeyBinding("r", "again", "read again", "Read both runs anew."),
        KeyBinding("g", "run", "other run", "Compare with another run: a name, or an id of Spark."),
    )

    def __init__(self, hub: Hub, app: str) -> None:
        super().__init__(hub)
        self.app_key, self.run = app, ""
        self.found: AgainstRead | None = None
        self._asked: Future[AgainstRead] | None = None

    @property
    def trail(self) -> tuple[str, ...]:
        return ("apps", self.app_key.rpartition("/")[2], "changes")

    def entered(self) -> None:
        if self.found is None and self._asked is None:
            self.hub.host.once(self._ask_when_live)

    def _ask_when_live(self, situation: Situation) -> bool:
        if self._asked is None and situation.phase in ("live", "lost"):
            self._ask()
        return self._asked is not None

    def _ask(self) -> None:
        try:
            self._asked = self.hub.source.against(self.app_key, self.run)
        except ConsoleError as error:
            self._asked = Future()
            self._asked.set_exception(error)
        self.hub.host.when_done(self._asked, self._came)
        self.hub.host.refresh_page()

    def _came(self, found: AgainstRead) -> None:
        self.found = found
        self.hub.host.refresh_page()

    def show(self, width: int, height: int) -> Lines:
        if self.found is None:
            return FixedLines(self._waiting())
        return FixedLines(view.lines(self.found, width))

    def _waiting(self) -> list[Line]:
        asked = self._asked
        if asked is not None and asked.done() and (error := asked.exception()) is not None:
            return [line(span(f" {error}", "crit"))]
        return [line(span(" reading both runs: the cluster, the driver, the History Server …", "dim"))]

    def do_again(self) -> None:
        self._ask()

    def do_run(self) -> None:
        def done(text: str | None) -> None:
            if text:
                self.run, self.found = text.strip(), None
                self._ask()

        self.hub.host.ask("compare with run: ", done, value=self.run)
