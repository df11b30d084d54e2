"""Every application that waits for somebody to let it in, whoever that is: a queue, a scheduler, a quota, a person."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from console.base.units import human_duration
from console.board.model import Board
from console.findings.figures.waits import WaitFigures
from console.findings.model import Finding
from console.findings.waits.model import line_of


class AppWait(Struct, frozen=True):
    """One application that waits.

    Attributes:
        finding: key of the finding that tells it.
        line: all of it in one line.
        since: epoch seconds; None where nothing says it.
    """

    app: str
    state: str
    finding: str
    line: str
    since: float | None
    told: WaitFigures


def wait_of(board: Board, app: str) -> AppWait | None:
    """What an application waits for; None where it does not wait."""
    mine = [f for f in board.findings_of(app) if isinstance(f.data, WaitFigures) and f.data.keeper]
    return _waiting(board, mine)


def waits_of(board: Board) -> tuple[AppWait, ...]:
    """Those that wait, the longest first; each once, by the finding that explains most."""
    by_app: dict[str, list[Finding]] = {}
    for one in board.findings:
        if isinstance(one.data, WaitFigures) and one.data.keeper and one.app:
            by_app.setdefault(one.app, []).append(one)
    found = [said for mine in by_app.values() if (said := _waiting(board, mine)) is not None]
    return tuple(sorted(found, key=lambda w: (w.since if w.since is not None else board.at, w.app)))


def _waiting(board: Board, findings: Sequence[Finding]) -> AppWait | None:
    """What one application waits for, by the finding that says most."""
    best: tuple[tuple[bool, bool, bool], Finding, WaitFigures] | None = None
    for one in findings:
        if isinstance(told := one.data, WaitFigures):
            says = (bool(told.holders), bool(told.missing), told.keeper != "scheduler")
            if best is None or says > best[0]:
                best = says, one, told
    if best is None:
        return None
    _, one, told = best
    app = board.app(one.app)
    state = app.state if app is not None else ""
    return AppWait(one.app, state, one.key, said_of(told, one, board.at), one.since, told)


def lacks(told: WaitFigures) -> str:
    """What is missing in few words; `-` where it is not known."""
    if told.never:
        return f"never fits: {told.resource}" if told.resource else "never fits"
    return f"{told.missing} {told.resource}".strip() or "-"


def said_of(told: WaitFigures, finding: Finding, now: float) -> str:
    """The wait in one line, with since when and what would let it in."""
    since = f"; for {human_duration(now - finding.since)}" if finding.since is not None else ""
    helps = f"; let in by {told.lets_in}" if told.lets_in else ""
    return f"{line_of(told)}{since}{helps}"
