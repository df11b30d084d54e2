"""The program `console`: the command line, and the terminal UI behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

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


def main() -> None:
    """Run one command and exit with its code."""
    ui.face = show
    command_line.main()


if __name__ == "__main__":
    main()
