"""What every page has.

Each module of this folder holds pages; the number keys, `:`, the help and the README's key table find them there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, ClassVar

from console.base.errors import ConsoleError
from console.tui.hub import Hub
from console.tui.keys import KeyBinding
from console.tui.lines import FixedLines, Line, Lines


class Page:
    """One page.

    Attributes:
        name: its word in the trail and after `:`.
        keys: what it adds to the global keys.
        root: whether it is opened from anywhere, by its name. Such a page is made from the hub alone.
        root_key: the key that opens it from anywhere, where it has one.
        wanted: the filter, where it has one.
        selected: the key under the cursor, kept by the host.
    """

    name: ClassVar[str] = ""
    keys: ClassVar[tuple[KeyBinding, ...]] = ()
    filters: ClassVar[bool] = False
    root: ClassVar[bool] = False
    root_key: ClassVar[KeyBinding | None] = None

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.wanted = ""
        self.selected = ""

    @property
    def trail(self) -> tuple[str, ...]:
        return (self.name,)

    @property
    def place(self) -> tuple[str, ...]:
        """The trail; a filter belongs to it, because less is shown than there is."""
        return (*self.trail, f"only {self.wanted!r}") if self.filters and self.wanted else self.trail

    def show(self, width: int, height: int) -> Lines:
        """The lines below the verdict."""
        return FixedLines(())

    def pinned(self, width: int, room: int) -> tuple[Sequence[Line], Sequence[Line]]:
        """Lines that stay in sight above and below those of `show`, of `room` lines in all."""
        return (), ()

    @property
    def own_digits(self) -> bool:
        """Whether digits mean something here and never lead elsewhere."""
        return False

    @property
    def marked_elsewhere(self) -> bool:
        """Whether what is marked now stands among the pinned lines."""
        return False

    def steer(self, step: int) -> bool:
        """The cursor is to move by -1 or 1. True where the page moved something itself."""
        return False

    def touched(self) -> None:
        """The person moves the cursor or scrolls."""

    def clear(self) -> bool:
        """Escape was pressed: take a filter back. False where there is none, so that the page is left."""
        had = bool(self.wanted and self.filters)
        self.wanted = "" if had else self.wanted
        return had

    def moves_to(self) -> str:
        """A key that the cursor should go to now, once; `` to leave it where it is."""
        return ""

    def scrolled(self, below: int) -> None:
        """`below` lines follow those in sight."""

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

    def digit(self, number: int) -> bool:
        """A digit was pressed. True where the page has a use for it; else it opens a root page."""
        return False

    def offers(self) -> tuple[tuple[str, str], ...]:
        """What the foot offers before the keys of the page: (keys, what they do)."""
        return ()

    def why_not(self, key: KeyBinding) -> str:
        """Why `key` does nothing now, or ``."""
        reason = getattr(self, f"why_{key.action}", None)
        return str(reason()) if reason is not None else ""

    def why_open(self) -> str:
        return "" if self.selected else "there is nothing to open here"

    def opens(self) -> tuple[str, tuple[KeyBinding, ...]]:
        """What enter opens where the cursor stands, as a noun, and the keys that work there."""
        return "", ()

    def unknown(self, key: str) -> str:
        """What to say of a key that does nothing on this page."""
        noun, keys = self.opens()
        if any(k.label == key for k in keys):
            return f"{key} is a key of the {noun}: enter opens it"
        return f"{key} does nothing here: ? shows the keys that do"

    def send_text(
        self,
        label: str,
        send: Callable[[str], Future[Any]],
        done: Callable[[], None],
        empty: str,
        refused: tuple[str, str] | None = None,
    ) -> None:
        """Read a line and send it. One that is refused is not lost: it stands there to be sent again.

        Args:
            empty: what to say where nothing was typed: then nothing is sent.
            refused: a text that was refused as something else, and why.
        """

        def read(text: str | None) -> None:
            if text is None:
                return
            if not text.strip():
                self.hub.host.say(f"nothing was done: {empty}")
                return
            self.hub.host.when_done(send(text), lambda _: done(), lambda error: again(text, error))

        def again(text: str, error: ConsoleError) -> bool:
            self.hub.host.ask_again(label, read, text, error.message)
            return True

        if refused is not None:
            self.hub.host.ask_again(label, read, *refused)
        else:
            self.hub.host.ask(label, read)

    def do_filter(self, label: str = "/") -> None:
        """Read a filter; every keystroke narrows the list."""

        def done(text: str | None) -> None:
            self.wanted = "" if text is None else text
            self.hub.host.refresh_page()

        self.hub.host.ask(label, done, value=self.wanted, live=True)


FILTER = KeyBinding("slash", "filter", "filter", "Narrow the list: every word must fit, !word must not.")
