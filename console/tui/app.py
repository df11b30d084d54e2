"""The Textual application: one screen, values from a background thread, signals that end it cleanly."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import os
import signal
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from textual.app import App

from console.live.plan import Opening
from console.live.situation import Focus, Situation
from console.runbook.model import Runbook
from console.tui.hub import Hub, LiveApi
from console.tui.pages.begin import begin_first
from console.tui.palette import Palette, detect
from console.tui.screen import MainScreen


class ConsoleApp(App[None]):
    """The terminal UI over any `Source`.

    Args:
        source: what delivers situations; started when the first frame is painted.
        runbooks: the library, for reading.
        palette: None finds out what the terminal can do.
        first: a walk to begin with.
        index: the configured workstreams index.
    """

    ENABLE_COMMAND_PALETTE = False
    CSS = """
    Screen { background: ansi_default; color: ansi_default; }
    Screen.truecolor, Screen.truecolor #ask, Screen.truecolor Input { background: #11151c; color: #d5d9e0; }
    """

    def __init__(
        self,
        source: LiveApi,
        runbooks: Mapping[str, Runbook],
        *,
        palette: Palette | None = None,
        actor: str = "",
        first: Opening | None = None,
        index: Path | None = None,
    ) -> None:
        self._painter = palette or detect()
        super().__init__(ansi_color=self._painter.depth != "truecolor")
        self.animation_level = "none"
        self._source = source
        self.hub = Hub(source, host=None, runbooks=runbooks, actor=actor)  # type: ignore[arg-type]
        self._first = first
        self._index = index
        self._looking = False
        self._ui: asyncio.AbstractEventLoop | None = None
        self._ui_context: contextvars.Context | None = None
        self._latest: Situation | None = None

    def get_default_screen(self) -> MainScreen:
        screen = MainScreen(self.hub, self._painter)
        screen.set_class(self._painter.depth == "truecolor", "truecolor")
        return screen

    @property
    def main(self) -> MainScreen:
        screen = self.screen_stack[0]
        assert isinstance(screen, MainScreen)
        return screen

    def on_mount(self) -> None:
        self._ui = asyncio.get_running_loop()
        self._ui_context = contextvars.copy_context()
        for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
                self._ui.add_signal_handler(name, self.leave, name)
        self.app_resume_signal.subscribe(self, lambda _: self._repaint())
        self.call_after_refresh(self._begin)

    def leave(self, signum: int) -> None:
        """End as a program does that this signal ended, with the terminal restored."""
        self.exit(return_code=128 + signum)

    def _repaint(self) -> None:
        """The terminal has forgotten everything: somebody else had it."""
        for widget in (self.screen, *self.screen.walk_children()):
            widget.refresh(layout=widget is self.screen)

    def action_suspend_process(self) -> None:
        """Rest as Ctrl-Z wants it. Where no shell could bring it back, the kernel lets it go on, and so does this."""
        if self._driver is None or not self._driver.can_suspend:
            return
        with self.suspend():
            before = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
            os.killpg(os.getpgrp(), signal.SIGTSTP)
            signal.signal(signal.SIGTSTP, before)

    def action_interrupt(self) -> None:
        self.leave(signal.SIGINT)

    def _begin(self) -> None:
        self._source.subscribe(self._situation_came, self._focus_came)
        self._source.start()
        self.hub.situation = self._source.situation
        self.main.refresh_page()
        self.set_interval(1.0, self._watch_workstreams)
        self.main.turned = self._watch_workstreams
        if self._first is not None:
            begin_first(self.hub, self._first)

    def _watch_workstreams(self) -> None:
        """Read the workstreams index while its page is open, in a thread of its own that nobody waits for."""
        if self._looking or not self.main.page.trail[0].startswith("workstreams"):
            return
        if self.hub.workstreams is None:
            from console.tui.workstreams_index import WatchedIndex

            self.hub.workstreams = WatchedIndex(self._index)
        self._looking = True
        threading.Thread(target=self._look, name="console-workstreams", daemon=True).start()

    def _look(self) -> None:
        workstreams = self.hub.workstreams
        try:
            changed = workstreams is not None and workstreams.look()
        finally:
            self._looking = False
        if changed:
            self.post_to_ui(self.main.refresh_page)

    def on_unmount(self) -> None:
        self._source.stop()
        if self.hub.workstreams is not None:
            self.hub.workstreams.close()

    def post_to_ui(self, work: Callable[[], None]) -> None:
        """Run `work` on the UI thread soon. May be called from any thread, also after the end."""
        loop = self._ui
        if loop is not None and not loop.is_closed():
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(work, context=self._ui_context)

    def _situation_came(self, situation: Situation) -> None:
        waiting, self._latest = self._latest is not None, situation
        if not waiting:
            self.post_to_ui(self._show_latest)

    def _show_latest(self) -> None:
        situation, self._latest = self._latest, None
        if situation is not None and self.is_running and self.screen_stack:
            self.main.arrived(situation)

    def _focus_came(self, focus: Focus) -> None:
        self.post_to_ui(lambda: self.main.focus_came(focus) if self.is_running and self.screen_stack else None)


def mouse_wanted(environ: Mapping[str, str] = os.environ) -> bool:
    """Off over SSH, so that the terminal's own selection works."""
    return not environ.get("SSH_CONNECTION")
