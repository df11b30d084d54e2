"""Runbooks: the library, and one of them to read."""

from __future__ import annotations

from typing import ClassVar

from console.live.shown import apps_for, apps_named
from console.runbook.model import Runbook
from console.tui.hub import Hub
from console.tui.keys import KeyBinding
from console.tui.lines import FixedLines, Lines
from console.tui.pages.base import FILTER, Page
from console.tui.pages.begin import start
from console.tui.views import runbooks as view


class RunbooksPage(Page):
    name = "runbooks"
    root = True
    root_key = KeyBinding("4", "runbooks", "runbooks", "Runbooks: the library; those that fit the present stand first.")
    filters = True
    keys: ClassVar[tuple[KeyBinding, ...]] = (
        KeyBinding("enter", "open", "read", "Read the runbook before walking it."),
        KeyBinding("r", "runbook", "walk", "Walk it on the application that fits, or on one that you name."),
        FILTER,
    )

    def show(self, width: int, height: int) -> Lines:
        return FixedLines(view.library(self.hub.situation, self.hub.runbooks.values(), self.wanted, width))

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
    keys: ClassVar[tuple[KeyBinding, ...]] = (
        KeyBinding("r", "runbook", "walk", "Walk it on the application that fits, or on one that you name."),
    )

    def __init__(self, hub: Hub, book: Runbook) -> None:
        super().__init__(hub)
        self.book = book

    @property
    def trail(self) -> tuple[str, ...]:
        return ("runbooks", self.book.id)

    def show(self, width: int, height: int) -> Lines:
        return FixedLines(view.page(self.book, width))

    def do_runbook(self) -> None:
        walk_somewhere(self.hub, self.book)


def walk_somewhere(hub: Hub, book: Runbook) -> None:
    """Walk `book` on the one application that fits, else ask for its name."""
    apps = apps_for(hub.situation, book.id)
    if len(apps) == 1:
        start(hub, book.id, app=apps[0])
        return

    label = "on which application (namespace/name): "

    def named(text: str | None) -> None:
        if not text:
            return
        found = apps_named(hub.board, text)
        if len(found) == 1:
            start(hub, book.id, app=found[0].key)
            return
        several = f"{text!r} is in several namespaces: " + " or ".join(a.key for a in found)
        hub.host.ask_again(label, named, text, several if found else f"no application {text!r} is known here")

    hub.host.ask(label, named, value=apps[0] if apps else "")
