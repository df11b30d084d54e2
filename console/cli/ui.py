"""Opening the terminal UI, or plain text where there is no terminal that could show it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from console.cli.options import Where

if TYPE_CHECKING:
    from console.live import Live, Opening

face: Callable[[Live, Opening | None], int] | None = None
"""The terminal UI, set by the program; it returns the exit code. The command line itself does not know it."""


def terminal() -> bool:
    """Whether there is a terminal UI, and a terminal that can be painted on (it is painted through stderr)."""
    streams = (sys.stdin, sys.stdout, sys.stderr)
    painted = all(stream.isatty() for stream in streams) and os.environ.get("TERM", "dumb") != "dumb"
    return face is not None and painted


def open_ui(where: Where, first: Opening | None = None) -> int:
    """Show the cluster until the user leaves; without a terminal, print the status once."""
    if not terminal():
        from console.cli.board.status import status_text
        from console.cli.connect import settled
        from console.cli.output import exit_for, say

        situation = settled(where)
        say(status_text(situation))
        return exit_for(situation.board)
    from console.cli.connect import open_live

    return run_ui(open_live(where), first)


def run_ui(live: Live, first: Opening | None = None) -> int:
    """Run the terminal UI over `live`, and say at the end which walks wait to be gone on with."""
    from console.cli.output import narrate

    assert face is not None
    code = face(live, first)
    situation = live.situation
    if situation.board.cluster.kind != "simulated":  # a drill's cluster is gone with its window
        for walk in situation.walks:
            if walk.status != "ended":
                narrate(f"{walk.runbook} on {walk.about} has not ended: console runbook --resume {walk.id}")
    return code
