"""`subject` and `applies`: what the walk is about, and whether it shows what the runbook is for."""

from __future__ import annotations

from typing import Any

from console.base.errors import did_you_mean
from console.base.text import clean
from console.board.model import Board
from console.facts.model import Alert
from console.runbook import about
from console.runbook.context.objectives import answered_for
from console.runbook.context.plain import plain
from console.runbook.match import rank
from console.runbook.model import Runbook


def general(board: Board, key: str, runbook: Runbook, alert: Alert | None) -> dict[str, Any]:
    """What a walk knows beside an application: its subject, whether the runbook is for it, components by id."""
    return {
        "subject": subject_part(key, board),
        "applies": applies(runbook, board, key, alert),
        "components": {c.id.replace("-", "_"): plain(c) for c in board.components},
    }


def subject_part(key: str, board: Board) -> dict[str, Any]:
    """`key`, `kind`, `namespace`, `name` and `words` of the subject."""
    app = board.app(key)
    if app is not None:
        kind, namespace, name = app.kind, app.namespace, app.name
    elif key.count("/") == 2:
        kind, namespace, name = key.split("/")
    else:
        kind, (namespace, _, name) = "", key.rpartition("/")
    return {"key": key, "kind": kind, "namespace": namespace, "name": name, "words": about.words_of(key)}


def applies(runbook: Runbook, board: Board, key: str, alert: Alert | None) -> dict[str, Any]:
    """`now` and `because`; without `now` where it cannot be told."""
    if board.verdict in ("UNKNOWN", "LOADING"):
        return {"because": f"the cluster cannot be seen: {clean(board.because)}"}
    because = _seen(runbook, board, key, alert) or _burning(board, runbook)
    if because:
        return {"now": True, "because": because}
    id, there = about.component_of(key), [c.id for c in board.components]
    if id and id not in there:
        return {"now": False, "because": f"there is no component {id!r} here; {did_you_mean(id, there)}"}
    wanted = ", ".join((*runbook.match.findings, *(a.name for a in runbook.match.alerts)))
    shows = f"none of {wanted}" if wanted else "nothing that this runbook is for"
    return {"now": False, "because": f"{about.words_of(key)} shows {shows}"}


def _seen(runbook: Runbook, board: Board, key: str, alert: Alert | None) -> str:
    """The finding or the alert about the subject that the runbook is for, in words; `` where there is none."""
    named = [f for f in about.findings_of(board, key) if f.code in runbook.match.findings]
    if named:
        return clean(named[0].title)
    general = board.app(key) is None
    for match in rank([runbook], board, app="" if general else key, alert=alert):
        if match.alert and (general or match.app in ("", key)):
            return f"{match.because} fires"
        mine = (f for f in board.findings if f.key == match.finding)
        if match.finding and any(about.means(f, key, runbook, board) for f in mine):
            return match.because
    return ""


def _burning(board: Board, runbook: Runbook) -> str:
    """The objective that the runbook answers for and that burns: one that it names, or that names it."""
    ours = answered_for(board.slos, None, runbook)
    return next((f"the objective {s.id} is {s.state}" for s in ours if s.state in ("burning", "exhausted")), "")
