"""What commands print: one JSON document with `apiVersion`, or plain aligned columns. No colour, no markup."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

import console
from console.base.clock import rfc3339
from console.base.errors import Exit
from console.base.redact import redact_value
from console.base.text import clean
from console.health.model import Board, Finding

_TIMES = frozenset(
    {"at", "since", "started", "ended", "created", "deleted", "measured_at", "first", "last", "entered", "left"}
    | {"finished", "observed", "rollback_at", "idle_since", "measured"}
)


def plain(value: Any) -> Any:
    """A value as JSON-like data: structs become objects, times RFC 3339, secrets are redacted."""
    return redact_value(_times(msgspec.to_builtins(value)))


def _times(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            k: rfc3339(v) if k in _TIMES and isinstance(v, int | float) and not isinstance(v, bool) else _times(v)
            for k, v in value.items()
        }
    if isinstance(value, list | tuple):
        return [_times(v) for v in value]
    return value


def print_json(payload: dict[str, Any]) -> None:
    """Print `payload` as one document; `apiVersion` stands first."""
    document = {"apiVersion": console.API_VERSION, **payload}
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n")


def finding_json(finding: Finding) -> dict[str, Any]:
    """The published form of a finding."""
    return {
        "code": finding.code,
        "class": finding.class_,
        "severity": finding.severity,
        "subject": finding.subject,
        "since": rfc3339(finding.since),
        "confidence": finding.confidence,
        "evidence": [{k: e[k] for k in ("source", "locator", "excerpt")} for e in plain(list(finding.evidence))],
        "ruled_out": plain(list(finding.ruled_out)),
        "runbooks": list(finding.runbooks),
        "title": finding.title,
        "detail": finding.detail,
        "open_questions": list(finding.open_questions),
        "causes": list(finding.causes),
        "app": finding.app,
        "data": plain(finding.data),
    }


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Left-aligned columns, two blanks apart; every cell is cleaned."""
    body = [[clean(str(cell)) for cell in row] for row in rows]
    widths = [len(h) for h in head]
    for row in body:
        for index, cell in enumerate(row):
            widths[index] = max(widths[index], len(cell))
    lines = [
        "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in [list(head), *body]
    ]
    return "\n".join(lines)


def say(text: str) -> None:
    """A line of data on stdout."""
    sys.stdout.write(text + "\n")


def narrate(text: str) -> None:
    """A line of narration on stderr."""
    sys.stderr.write(clean(text, lines=True) + "\n")


def exit_for(board: Board) -> Exit:
    """0 when all is well and known, 1 when something is unhealthy or nothing is known."""
    return Exit.OK if board.verdict == "OK" else Exit.UNHEALTHY
