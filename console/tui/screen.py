"""The one screen: two lines above, the page, one line below. It hosts pages and turns keys into their actions."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.events import Key as KeyEvent
from textual.events import Resize
from textual.screen import Screen
from textual.timer import Timer

from console.base.errors import ConsoleError
from console.base.paths import short
from console.live.situation import Focus, Situation
from console.tui.askbar import AskBar, Done
from console.tui.clipboard import copy_sequence
from console.tui.exports import default_path, written
from console.tui.hub import Hub
from console.tui.keys import GLOBAL, LABELS, MOVES, KeyBinding
from console.tui.lines import FixedLines, Line, Span, TextRole, line, span
from console.tui.navigation import Navigator, number_keys, page_numbers
from console.tui.pages.base import Page
from console.tui.pages.command import CommandPage, Destination
from console.tui.pages.help import HelpPage
from console.tui.palette import Palette
from console.tui.pane import Pane, SideLines, StatusLine
from console.tui.views import ending, frame

MOVING = frozenset(key.key for key in MOVES if len(key.key) == 1)
"""Keys of the pane."""
SIDE_FROM = 130
"""Width from which a page's side pane is shown."""
NOTICE_SECONDS = 6.0


class MainScreen(Screen[None]):
    """Hosts the pages."""

    DEFAULT_CSS = """
    MainScreen { layout: vertical; } MainScreen #body { height: 1fr; } MainScreen #side { display: none; }
    MainScreen #side.shown { display: block; width: 40%; }
    MainScreen #above, MainScreen #below { height: 0; } MainScreen #keys.hidden { display: none; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+c", "app.interrupt", show=False, priority=True),
        Binding("ctrl+z", "app.suspend_process", show=False, priority=True),
    ]
    AUTO_FOCUS = "#main"

    def __init__(self, hub: Hub, palette: Palette) -> None:
        super().__init__()
        self.hub, self.palette = hub, palette
        hub.host = self
        self.go = Navigator(hub)
        self.everywhere = (*number_keys(), *GLOBAL)
        self._pages: list[Page] = [self.go.root("now")]
        self._last: list[Page] = []
        self._notice: Line | None = None
        self._timer: Timer | None = None
        self._placed: Page | None = None
        self._stands = ""  # where a page put the cursor that nobody has moved since
        self.turned: Callable[[], None] = lambda: None
        self._until: list[Callable[[Situation], bool]] = []

    # layout

    def compose(self) -> ComposeResult:
        yield StatusLine(self.palette, id="where")
        yield StatusLine(self.palette, id="verdict")
        yield Pane(self.palette, id="above", cursor=False)
        with Horizontal(id="body"):
            yield Pane(self.palette, id="main")
            yield Pane(self.palette, id="side", cursor=False)
        yield Pane(self.palette, id="below", cursor=False)
        yield AskBar(id="ask")
        yield StatusLine(self.palette, id="keys")

    def on_mount(self) -> None:
        for fixed in ("#side", "#above", "#below"):
            self.query_one(fixed).can_focus = False
        main = self.query_one("#main", Pane)
        main.steer = lambda step: self.page.steer(step)
        main.touched = self._touched
        self.page.entered()
        self.refresh_page()

    def _touched(self) -> None:
        """The person moves the cursor: no page puts it elsewhere any more."""
        self._placed, self._stands = self.page, ""
        self.page.touched()

    def on_resize(self, event: Resize) -> None:
        self.call_after_refresh(self.refresh_page)

    @property
    def page(self) -> Page:
        return self._pages[-1]

    # values arrive

    def arrived(self, situation: Situation) -> None:
        """A new situation; only what it changed is painted."""
        self.hub.situation = situation
        self._until = [act for act in self._until if not act(situation)]
        self.refresh_page()

    def once(self, act: Callable[[Situation], bool]) -> None:
        if not act(self.hub.situation):
            self._until.append(act)

    def focus_came(self, focus: Focus) -> None:
        self.hub.focus = focus
        self.refresh_page()

    def refresh_page(self, back: str = "") -> None:
        """Show the page anew; `back` is where the cursor stood before the page was left, if it was."""
        if not self.is_mounted:
            return
        width = self.size.width
        main = self.query_one("#main", Pane)
        page = self.page
        side = page.side(max(40, int(width * 0.4) - 2)) if width >= SIDE_FROM else None
        beside = self.query_one("#side", Pane)
        if beside.has_class("shown") != (side is not None):
            beside.set_class(side is not None, "shown")
            self.call_after_refresh(self.refresh_page)
        if side is not None:
            beside.show(SideLines(side))
        inner = main.size.width or width
        main.cursor_elsewhere = page.marked_elsewhere
        main.show(page.show(inner, self._pin(page, width)))
        if page is not self._placed and (wanted := page.preferred()):
            self._placed, self._stands = page, wanted
            main.select(wanted)
        elif page is self._placed and self._stands and not main.has(self._stands):
            self._stands = page.preferred()
            main.select(self._stands)
        elif wanted := page.moves_to() or back:
            main.select(wanted)
        page.scrolled(main.below)
        self.query_one("#where", StatusLine).show(frame.where(self.hub.situation, page.place, width))
        self.query_one("#verdict", StatusLine).show(frame.verdict(self.hub.situation, self.size.width))
        self._show_keys()

    def _pin(self, page: Page, width: int) -> int:
        """Show what a page keeps in sight whatever scrolls between it; the lines that are left for the rest."""
        room = max(0, self.size.height - 2 - self.query_one("#ask").size.height - self.query_one("#keys").size.height)
        above, below = page.pinned(width, room)
        for name, lines in (("#above", above), ("#below", below)):
            pane = self.query_one(name, Pane)
            if pane.styles.height is None or pane.styles.height.value != len(lines):
                pane.styles.height = len(lines)
            pane.show(FixedLines(lines))
        return max(0, room - len(above) - len(below))

    def select(self, key: str) -> None:
        self.query_one("#main", Pane).select(key)

    def at_last(self) -> bool:
        return self.query_one("#main", Pane).at_last

    def turn_panel(self, *, follow: bool = False) -> None:
        main = self.query_one("#main", Pane)
        main.follows = follow
        main.to_top()
        self.refresh_page()
        if follow:
            main.to_end()

    def _show_keys(self) -> None:
        bar = self.query_one("#keys", StatusLine)
        bar.set_class(self._bar.asking and self._notice is None, "hidden")
        if self._notice is not None:
            bar.show(self._notice)
            return
        offered = [k for k in self.page.keys if k.footer and not self.page.why_not(k)]
        pairs = [*self.page.offers(), *((k.label, k.what) for k in offered)]
        own = len(pairs) - sum(k.spare for k in offered)
        pairs += [(k.label, k.what) for k in self.beside(self.page) if k.footer]
        if self.page.own_digits:
            pairs = [(f":{page_numbers()}", "pages") if pair[0] == ":" else pair for pair in pairs]
        bar.show(frame.keys(pairs, self.size.width, self.query_one("#main", Pane).below, own))

    def beside(self, page: Page) -> tuple[KeyBinding, ...]:
        """The keys that work everywhere, without those that `page` has a use of its own for."""
        own = {k.key for k in page.keys}
        return tuple(k for k in self.everywhere if k.key not in own and not (page.own_digits and k.key.isdigit()))

    # pages

    def push(self, page: Page) -> None:
        self.page.left()
        self._last = list(self._pages)
        self._pages.append(page)
        self._turn()

    def pop(self) -> None:
        if len(self._pages) > 1:
            self.page.left()
            self._last = list(self._pages)
            self._pages.pop()
            self._turn()

    def open_app(self, key: str, panel: str = "executors") -> None:
        self.push(self.go.app(key, panel))

    def root(self, name: str) -> None:
        self.page.left()
        self._last = list(self._pages)
        self._pages = [self.go.root(name)]
        self._turn()

    def _turn(self) -> None:
        if self._bar.asking:
            self._bar.close()
            self._asked()
        self._notice = None
        main = self.query_one("#main", Pane)
        selected = self.page.selected
        main.reset()
        main.follows = False
        self.page.entered()
        self.turned()
        self._stands = ""
        if selected:
            self._placed = self.page
        self.refresh_page(selected)

    def on_pane_cursor_moved(self, event: Pane.CursorMoved) -> None:
        if event.pane.id == "main" and type(event) is Pane.CursorMoved:
            self.page.moved(event.key)
            self.refresh_page()

    def on_pane_resized(self, event: Pane.Resized) -> None:
        if event.pane.id == "main":
            self.refresh_page()

    def on_pane_scrolled(self, event: Pane.Scrolled) -> None:
        if event.pane.id == "main":
            self.page.scrolled(event.pane.below)
            self._show_keys()

    def on_pane_opened(self, event: Pane.Opened) -> None:
        self.page.opened(event.key)

    # keys

    def on_key(self, event: KeyEvent) -> None:
        if self._bar.asking:
            if event.key in ("down", "up") and self._bar.live:
                event.stop()
                self.query_one("#main", Pane).action_move(1 if event.key == "down" else -1)
            return
        self._forget()
        if event.key.isdigit() and self.page.digit(int(event.key)):
            event.stop()
            return
        for key in (*self.page.keys, *self.everywhere):
            if key.key == event.key:
                event.stop()
                self._press(key)
                return
        if event.is_printable and event.key not in MOVING:
            self.say(self.page.unknown(LABELS.get(event.key, str(event.character))))

    def _press(self, key: KeyBinding) -> None:
        if reason := self.page.why_not(key) if key in self.page.keys else "":
            self.say(f"{key.label}: {reason}")
            return
        action = getattr(self.page if key in self.page.keys else self, f"do_{key.action}", None)
        if action is not None:
            try:
                action()
            except ConsoleError as error:
                self.say(error.message, bad=True)
        elif key.action == "open":
            self.query_one("#main", Pane).action_open()
        else:
            self.root(key.action)

    def do_back(self) -> None:
        if self.page.clear():
            self.refresh_page()
        else:
            self.pop()

    def do_back_and_forth(self) -> None:
        if self._last:
            self.page.left()
            self._pages, self._last = self._last, list(self._pages)
            self._turn()

    def do_help(self) -> None:
        if not isinstance(self.page, HelpPage):
            self.push(HelpPage(self.hub, self.page, self.beside(self.page)))

    def do_command(self) -> None:
        own = [Destination("help", "page", self.do_help), Destination("quit", "page", self.do_quit)]
        self.push(CommandPage(self.hub, lambda: [*self.go.places(), *own]))

    def do_quit(self) -> None:
        if loses := ending.loses(self.hub.situation):
            return self.ask(loses, lambda text: self.app.exit() if text is not None else None, draft=False)
        self.app.exit()

    def do_copy(self) -> None:
        self.copy(self.query_one("#main", Pane).selected_text())

    def copy(self, text: str) -> None:
        sequence, driver = copy_sequence(text, os.environ) if text else None, self.app._driver
        if sequence is None or driver is None:
            why = "too long for the terminal's clipboard" if text else "there is nothing to copy here"
            return self.say(why, bad=bool(text))
        driver.write(sequence)
        self.say("sent to the clipboard of your terminal")

    # asking and telling

    @property
    def _bar(self) -> AskBar:
        return self.query_one("#ask", AskBar)

    def ask(self, label: str, done: Done, *, value: str = "", live: bool = False, draft: bool = True) -> None:
        self._bar.ask(label, done, value=value, live=live, draft=draft, width=self.size.width)
        self._asked()

    def ask_again(self, label: str, done: Done, text: str, why: str) -> None:
        self.say(why, bad=True)
        self._bar.keep(label, text)
        if not self._bar.asking:
            self.ask(label, done)

    def _asked(self) -> None:
        """The place where a line is read was opened or closed."""
        if not self._bar.asking:
            self.query_one("#main", Pane).focus()
        self._show_keys()
        self.call_after_refresh(self.refresh_page)

    def on_ask_bar_typed(self, event: AskBar.Typed) -> None:
        self._asked()
        if isinstance(self.page, CommandPage):
            self.pop() if event.text is None else self.query_one("#main", Pane).action_open()
            return
        if event.kept:
            self.say("not sent; what you typed stands there when you press that key again")
        event.done(event.text)

    def say(self, text: str, bad: bool = False) -> None:
        role: TextRole = "crit" if bad else "info"
        self._notice = line(Span(" ! " if bad else " ", role), span(text, role))
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(NOTICE_SECONDS, self._forget)
        self._show_keys()

    def _forget(self) -> None:
        self._notice = None
        self._show_keys()

    def when_done(
        self,
        future: Future[Any],
        done: Callable[[Any], None],
        failed: Callable[[ConsoleError], bool] = lambda error: False,
    ) -> None:
        def finish() -> None:
            self._finish(future, done, failed)

        future.add_done_callback(lambda _: self.app.post_to_ui(finish))  # type: ignore[attr-defined]

    def _finish(
        self, finished: Future[Any], done: Callable[[Any], None], failed: Callable[[ConsoleError], bool]
    ) -> None:
        error = finished.exception()
        if error is None:
            done(finished.result())
        elif isinstance(error, ConsoleError) and failed(error):
            return
        elif isinstance(error, ConsoleError):
            self.say(f"{error.message}{f' ({error.hint})' if error.hint else ''}", bad=True)
        else:
            self.say(f"{type(error).__name__}: {error}", bad=True)

    def export(self, name: str, text: str) -> None:
        self.say(*written(text, default_path(name), overwrite=True))

    def export_as(self, name: str, text: str) -> None:
        def done(path: str | None) -> None:
            if path:
                self.say(*written(text, Path(path).expanduser(), overwrite=False))

        self.ask("write it into: ", done, value=short(default_path(name)))
