"""What every page has."""

from __future__ import annotations

from typing import ClassVar

from console.tui.hub import Hub
from console.tui.keys import Key
from console.tui.lines import Fixed, Lines


class Page:
    """One page.

    Attributes:
        name: its word in the trail and after `:`.
        keys: what it adds to the global keys.
        wanted: the filter, where it has one.
        selected: the key under the cursor, kept by the host.
    """

    name: ClassVar[str] = ""
    keys: ClassVar[tuple[Key, ...]] = ()
    filters: ClassVar[bool] = False

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.wanted = ""
        self.selected = ""

    @property
    def trail(self) -> tuple[str, ...]:
        return (self.name,)

    def show(self, width: int, height: int) -> Lines:
        """The lines below the verdict."""
        return Fixed(())

    def preferred(self) -> str:
        """The key that the cursor should stand on first; `` for the first that there is."""
        return ""

    def side(self, width: int) -> Lines | None:
        """Lines of the side pane of a wide terminal, or None."""
        return None

    def entered(self) -> None:
        """The page came to the front."""

    def left(self) -> None:
        """Another page stands in front of it now."""

    def opened(self, key: str) -> None:
        """Enter was pressed on `key`."""

    def moved(self, key: str) -> None:
        """The cursor stands on `key` now."""
        self.selected = key

    def offers(self) -> tuple[tuple[str, str], ...]:
        """What the foot offers before the keys of the page: (keys, what they do)."""
        return ()

    def why_not(self, key: Key) -> str:
        """Why `key` does nothing now, or ``."""
        reason = getattr(self, f"why_{key.action}", None)
        return str(reason()) if reason is not None else ""

    def do_filter(self) -> None:
        """Read a filter; every keystroke narrows the list."""

        def done(text: str | None) -> None:
            self.wanted = "" if text is None else text
            self.hub.host.refresh_page()

        self.hub.host.ask("/", done, value=self.wanted, live=True)


FILTER = Key("slash", "filter", "filter", "Narrow the list: every word must fit, !word must not.")
