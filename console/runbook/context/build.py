"""The whole context of one evaluation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from console.board.model import Board
from console.facts.model import Alert
from console.runbook.about import findings_of
from console.runbook.context.after import since_the_change
from console.runbook.context.app import application
from console.runbook.context.findings import parts
from console.runbook.context.happened import happened, saved
from console.runbook.context.nodes import node_part
from console.runbook.context.objectives import objective, recovery
from console.runbook.context.plain import plain, without_none
from console.runbook.context.subject import general
from console.runbook.context.values import named_values
from console.runbook.inputs import the_finding
from console.runbook.model import Runbook
from console.runbook.walk import Walk


def build(
    board: Board,
    *,
    app: str,
    walk: Walk | None,
    inputs: Mapping[str, Any],
    alert: Alert | None = None,
    now: float,
    runbook: Runbook | None = None,
) -> dict[str, Any]:
    """The context of one evaluation.

    Args:
        board: the present picture.
        app: what it is about: key of an application (`namespace/name`), of another subject, or ``.
        walk: the walk so far, or None before it starts.
        inputs: resolved inputs.
        alert: the alert that led here.
        now: epoch seconds.
        runbook: decides which finding is `finding` and which objectives count for `recovery`.
    """
    one = board.app(app)
    findings = findings_of(board, app)
    chosen = the_finding(runbook, board, app, alert) if runbook is not None else next(iter(findings), None)
    outputs = walk.outputs if walk is not None else {}
    tree: dict[str, Any] = without_none(
        {
            "now": now,
            "app": application(one),
            **parts(board, app, chosen, runbook),
            "inputs": dict(inputs),
            "steps": {**{id.replace("-", "_"): o for id, o in outputs.items()}, **outputs},
            "slos": {s.id.replace("-", "_"): objective(s) for s in board.slos},
            "recovery": plain(recovery(board.slos, walk, runbook)),
            "alert": plain(alert) if alert is not None else {},
            "cluster": plain(board.cluster),
            "nodes": [node_part(n) for n in board.nodes],
            "sources": {s.name: plain(s) for s in board.sources},
            "after": plain(since_the_change(one, walk)) if walk is not None else {},
            "walk": happened(walk) if walk is not None else {},
            "saved": saved(outputs),
            **(general(board, app, runbook, alert) if runbook is not None and runbook.about else {}),
        }
    )
    tree["values"] = named_values(runbook, tree) if runbook is not None else {}
    return tree
