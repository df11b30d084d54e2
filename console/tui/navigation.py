"""Where one can go: the root pages, applications, runbooks and walks, by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from console.tui.hub import Hub
from console.tui.pages.advice import AdvicePage
from console.tui.pages.app import AppPage
from console.tui.pages.apps import AppsPage
from console.tui.pages.base import Page
from console.tui.pages.command import Place
from console.tui.pages.components import ComponentsPage
from console.tui.pages.gpu import GpuPage
from console.tui.pages.now import NowPage
from console.tui.pages.runbooks import RunbookPage, RunbooksPage
from console.tui.pages.slo import SloPage
from console.tui.pages.walk import WalkPage
from console.tui.pages.walks import WalksPage
from console.tui.pages.workstreams import WorkstreamsPage

if TYPE_CHECKING:
    from console.tui.screen import MainScreen

ROOTS: dict[str, Callable[[Hub], Page]] = {
    "now": NowPage,
    "apps": AppsPage,
    "slo": SloPage,
    "runbooks": RunbooksPage,
    "components": ComponentsPage,
    "gpu": GpuPage,
    "walks": WalksPage,
    "workstreams": WorkstreamsPage,
    "advice": AdvicePage,
}


class Navigator:
    """Keeps one page per root, so that a filter and a selection are still there when one comes back."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._roots: dict[str, Page] = {}

    def root(self, name: str) -> Page:
        if name not in self._roots:
            self._roots[name] = ROOTS[name](self._hub)
        return self._roots[name]

    def places(self, screen: MainScreen) -> list[Place]:
        """Everything that `:` can go to."""
        hub = self._hub
        out = [Place(name, "page", lambda name=name: screen.root(name)) for name in ROOTS]  # type: ignore[misc]
        out += [
            Place(app.key, "app", lambda key=app.key: screen.push(AppPage(hub, key)))  # type: ignore[misc]
            for app in hub.board.apps
        ]
        out += [
            Place(book.id, "runbook", lambda book=book: screen.push(RunbookPage(hub, book)))  # type: ignore[misc]
            for book in hub.runbooks.values()
        ]
        out += [
            Place(f"{w.runbook} {w.subject} {w.id}", "walk", lambda id=w.id: screen.push(WalkPage(hub, id)))  # type: ignore[misc]
            for w in hub.situation.walks
        ]
        out += [Place("help", "page", screen.do_help), Place("quit", "page", screen.do_quit)]
        return out
