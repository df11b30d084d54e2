"""The program `console`: the command line, and the terminal UI behind it."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, NoReturn

from console.base.errors import Exit
from console.cli import main as command_line
from console.cli import ui

if TYPE_CHECKING:
    from console.live import Live, Opening


def show(live: Live, first: Opening | None) -> int:
    """Run the terminal UI over `live` until the user leaves; the exit code."""
    from console.sources.files.runbooks import Library
    from console.tui.app import ConsoleApp, mouse_wanted

    settings = live.plan.settings
    library = Library.read(settings.folders("runbook_paths"))
    app = ConsoleApp(live, library.runbooks, actor=live.plan.actor, first=first, index=settings.workstreams_index)
    app.run(mouse=mouse_wanted())
    return app.return_code or 0


def main() -> NoReturn:
    """Run one command and exit with its code."""
    ui.face = show
    try:
        command_line.main()
    except SystemExit as leaving:
        leave(leaving.code)


def leave(code: str | int | None) -> NoReturn:
    """End at once: what had to be kept is on disk, and nobody waits for memory to be taken down or threads to return.

    Taking down a simulated cluster, or a picture of ten thousand pods, object by object takes up to half a minute.
    """
    number = code if isinstance(code, int) else int(Exit.UNHEALTHY if code else Exit.OK)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BrokenPipeError:
            pass  # who read it has gone
        except (OSError, ValueError):
            number = number or int(Exit.UNHEALTHY)
    os._exit(number)


if __name__ == "__main__":
    main()
