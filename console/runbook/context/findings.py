"""`finding`, `findings`, `found` and `elsewhere`: what is wrong with the application, and with others."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from console.board.model import Board
from console.findings.model import Finding
from console.runbook.about import concerns, findings_of
from console.runbook.context.plain import plain
from console.runbook.model import Runbook


def finding_part(finding: Finding) -> dict[str, Any]:
    """A finding with its key."""
    return {**plain(finding), "key": finding.key}


def parts(board: Board, app: str, chosen: Finding | None, runbook: Runbook | None) -> dict[str, Any]:
    """The findings of the application (of all where there is none), by code, and those of others that match."""
    mine = findings_of(board, app)
    codes = set(runbook.match.findings) if runbook is not None else set()
    tree: dict[str, Any] = {
        "findings": [finding_part(f) for f in mine],
        "found": by_code(mine),
        "elsewhere": [
            finding_part(f) for f in board.findings if f.app and f.code in codes and not concerns(f, app, board)
        ],
    }
    return tree if chosen is None else {**tree, "finding": finding_part(chosen)}


def by_code(findings: Iterable[Finding]) -> dict[str, Any]:
    """Code → its finding; of several, one of the present attempt, else the first."""
    out: dict[str, Finding] = {}
    for finding in findings:
        there = out.get(finding.code)
        if there is None or (not there.data.current and finding.data.current):
            out[finding.code] = finding
    return {code: finding_part(f) for code, f in out.items()}
