"""Runbooks: the library, and one of them to read."""

from __future__ import annotations

from typing import ClassVar

from console.runbook.model import Runbook
from console.tui.hub import Hub
from console.tui.keys import Key
from console.tui.lines import Fixed, Lines
from console.tui.pages.base import FILTER, Page
from console.tui.views import runbooks as view


class RunbooksPage(Page):
    name = "runbooks"
    filters = True
    keys: ClassVar[tuple[Key, ...]] = (
        Key("enter", "open", "read", "Read the runbook before walking it."),
        Key("r", "runbook", "walk", "Walk it on the application that fits, or on one that you name."),
        FILTER,
    )

    def show(self, width: int, height: int) -> Lines:
        return Fixed(view.library(self.hub.situation, self.hub.runbooks.values(), self.wanted, width))

    @property
    def book(self) -> Runbook | None:
        return self.hub.runbooks.get(self.selected.removeprefix("runbook:"))

    def opened(self, key: str) -> None:
        if self.book is not None:
            self.hub.host.push(RunbookPage(self.hub, self.book))

    def why_runbook(self) -> str:
        return "" if self.book else "the cursor stands on no runbook"

    def do_runbook(self) -> None:
        if self.book is not None:
            walk_somewhere(self.hub, self.book)


class RunbookPage(Page):
    name = "runbook"
    keys: ClassVar[tuple[Key, ...]] = (
        Key("r", "runbook", "walk", "Walk it on the application that fits, or on one that you name."),
    )

    def __init__(self, hub: Hub, book: Runbook) -> None:
        super().__init__(hub)
        self.book = book

    @property
    def trail(self) -> tuple[str, ...]:
        return ("runbooks", self.book.id)

    def show(self, width: int, height: int) -> Lines:
        return Fixed(view.page(self.book, width))

    def do_runbook(self) -> None:
        walk_somewhere(self.hub, self.book)


def walk_somewhere(hub: Hub, book: Runbook) -> None:
    """Walk `book` on the one application that fits, else ask for its name."""
    from console.tui.pages.begin import start

    found = {f.app for f in hub.board.findings for m in hub.situation.matches.get(f.key, ()) if m.runbook == book.id}
    apps = sorted(app for app in found if app)
    if len(apps) == 1:
        start(hub, book.id, app=apps[0])
        return

    def named(text: str | None) -> None:
        if text:
            app = next((a.key for a in hub.board.apps if text in (a.key, a.name)), "")
            if app:
                start(hub, book.id, app=app)
            else:
                hub.host.say(f"no application {text!r} is known here", bad=True)

    hub.host.ask("on which application (namespace/name): ", named, value=apps[0] if apps else "")
