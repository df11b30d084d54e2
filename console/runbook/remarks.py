"""What a person should know of the alert that leads to a walk, before its first step. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from console.apps.alerts import named_by
from console.base.text import clean
from console.base.units import human_duration
from console.board.model import Board
from console.facts.model import Alert
from console.runbook.match import rank, unknown_to
from console.runbook.model import Runbook

MOST = 4
"""Names of alerts that a remark lists."""


def remarks(runbook: Runbook, board: Board, alert: Alert | None, subject: str) -> tuple[str, ...]:
    """Why the alert, the runbook and what is walked may not belong together, a sentence each.

    Args:
        subject: key of the application that is walked, or another word where it is none.
    """
    return () if alert is None else tuple(_remarks(runbook, board, alert, subject))


def _remarks(runbook: Runbook, board: Board, alert: Alert, subject: str) -> Iterator[str]:
    name = clean(alert.name)
    over = alert.ends is not None and alert.ends <= board.at
    if alert.state != "firing" or over:
        ended = f" since {human_duration(board.at - alert.ends)}" if over and alert.ends is not None else ""
        yield f"the alert {name} does not fire: it is {'resolved' if over else clean(alert.state)}{ended}"
    elif _seen_by(board) and not any(a.name == alert.name and a.state == "firing" for a in board.alerts):
        yield f"no alert {name} fires here now"
    if alert.silenced:
        yield f"the alert {name} is silenced"
    if not any(match.alert for match in rank([runbook], board, alert=alert)):
        yield f"runbook {runbook.id} is not written for the alert {name}: it is for {_written_for(runbook)}"
    if board.app(subject) is None:
        return
    named = named_by(alert, board.apps)
    if unknown := unknown_to(alert, board):
        yield f"{unknown}; this walk is on {subject}"
    elif not named.may_mean(subject):
        yield f"the alert {name} is about {', '.join(named.apps) or named.words}; this walk is on {subject}"
    elif not named.apps:
        yield f"the alert {name} names no application; this walk is on {subject}"


def _written_for(runbook: Runbook) -> str:
    names = [rule.name for rule in runbook.match.alerts]
    more = f" and {len(names) - MOST} more" if len(names) > MOST else ""
    return ", ".join(names[:MOST]) + more if names else "no alert"


def _seen_by(board: Board) -> bool:
    return any(s.name == "prometheus" and s.state == "fresh" for s in board.sources)
