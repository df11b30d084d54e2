"""Where one can go: the root pages by number and by name, applications, runbooks and walks by name."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

from console.tui import pages
from console.tui.hub import Hub
from console.tui.keys import KeyBinding
from console.tui.pages.app import AppPage
from console.tui.pages.base import Page
from console.tui.pages.command import Destination
from console.tui.pages.runbooks import RunbookPage
from console.tui.pages.walk import WalkPage


@cache
def page_classes() -> tuple[type[Page], ...]:
    """Every page of the modules in `console.tui.pages`: root pages in order of their numbers, then the others."""
    found: list[type[Page]] = []
    for info in pkgutil.iter_modules(pages.__path__):
        module = import_module(f"{pages.__name__}.{info.name}")
        found += [
            value
            for value in vars(module).values()
            if isinstance(value, type) and issubclass(value, Page) and value.__module__ == module.__name__
        ]
    return tuple(sorted((page for page in found if page.name), key=_order))


def _order(page: type[Page]) -> tuple[bool, str, str]:
    return (not page.root, page.root_key.key if page.root_key else "~", page.name)


def root_pages() -> dict[str, type[Page]]:
    """The pages that are opened from anywhere, by name."""
    return {page.name: page for page in page_classes() if page.root}


def number_keys() -> tuple[KeyBinding, ...]:
    """The keys that open root pages."""
    return tuple(page.root_key for page in root_pages().values() if page.root_key is not None)


def page_numbers() -> str:
    """The numbers of the root pages, as one presses or types them: `1-8`."""
    numbers = [key.key for key in number_keys()]
    return f"{numbers[0]}-{numbers[-1]}"


class Navigator:
    """Keeps one page per root, so that a filter and a selection are still there when one comes back."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._roots: dict[str, Page] = {}

    def root(self, name: str) -> Page:
        if name not in self._roots:
            self._roots[name] = root_pages()[name](self._hub)
        return self._roots[name]

    def places(self) -> list[Destination]:
        """Everything that `:` can go to."""
        hub = self._hub
        out = [
            Destination(name, "page", lambda name=name: hub.host.root(name), page.root_key.key if page.root_key else "")  # type: ignore[misc]
            for name, page in root_pages().items()
        ]
        out += [
            Destination(app.key, "app", lambda key=app.key: hub.host.open_app(key))  # type: ignore[misc]
            for app in hub.board.apps
        ]
        out += [
            Destination(book.id, "runbook", lambda book=book: hub.host.push(RunbookPage(hub, book)))  # type: ignore[misc]
            for book in hub.runbooks.values()
        ]
        out += [
            Destination(f"{w.runbook} {w.subject} {w.id}", "walk", lambda id=w.id: hub.host.push(WalkPage(hub, id)))  # type: ignore[misc]
            for w in hub.situation.walks
        ]
        return out

    def app(self, key: str, panel: str) -> AppPage:
        return AppPage(self._hub, key, panel)
