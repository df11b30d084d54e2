"""Opening the terminal UI, or plain text where there is no terminal that could show it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from console.base.errors import Exit
from console.cli.options import Where

if TYPE_CHECKING:
    from console.live import Live


def terminal() -> bool:
    """Whether stdin and stdout are a terminal that can be painted on."""
    return sys.stdin.isatty() and sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"


def open_ui(where: Where, first: Callable[[Any], None] | None = None) -> int:
    """Show the cluster until the user leaves; without a terminal, print the status once."""
    if not terminal():
        from console.cli.board import status_text
        from console.cli.connect import settled
        from console.cli.output import exit_for, say

        board = settled(where).board
        say(status_text(board))
        return exit_for(board)
    from console.cli.connect import open_live

    return run_ui(open_live(where), first)


def run_ui(live: Live, first: Callable[[Any], None] | None = None) -> int:
    """Run the terminal UI over `live`."""
    from console.sources.runbooks import Library
    from console.tui.app import ConsoleApp, mouse_wanted

    library = Library.read(live.plan.settings.folders("runbook_paths"))
    app = ConsoleApp(live, library.runbooks, actor=live.plan.actor, first=first)
    app.run(mouse=mouse_wanted())
    return Exit.OK
