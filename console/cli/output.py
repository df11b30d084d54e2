"""What commands print: one JSON document with `apiVersion`, or plain aligned columns. No colour, no markup."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import click
import msgspec

import console
from console.base.clock import rfc3339
from console.base.errors import Exit
from console.base.jsontext import json_text
from console.base.redact import redact_short, redact_value
from console.base.shapes import is_number
from console.base.text import clean
from console.board.model import Board
from console.facts.leftout import LeftOut
from console.findings.model import Finding

if TYPE_CHECKING:
    from console.live import Situation
    from console.runbook.walk import Walk
    from console.runbook.watching import SinceChange, Watching

_TIMES = frozenset(
    {"at", "since", "started", "ended", "created", "deleted", "measured_at", "first", "last", "entered", "left"}
    | {"finished", "observed", "rollback_at", "idle_since", "measured", "peaks_at", "memory_at", "tasks_at"}
)


def plain(value: Any) -> Any:
    """A value as JSON-like data: structs become objects, times RFC 3339."""
    return _times(msgspec.to_builtins(value))


def _times(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: rfc3339(v) if k in _TIMES and is_number(v) else _times(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_times(v) for v in value]
    return value


def left_out_json(left_out: Iterable[LeftOut]) -> list[dict[str, Any]]:
    """The published form of what bounds left out."""
    return [{**plain(one), "words": clean(one.words)} for one in left_out]


def left_out_lines(left_out: Iterable[LeftOut]) -> list[str]:
    """The same for a page of text."""
    return [f"not all  {clean(one.said)}" for one in left_out]


def print_json(payload: dict[str, Any]) -> None:
    """Print `payload` as one document; `apiVersion` stands first."""
    print_document({"apiVersion": console.API_VERSION, **payload})


def print_document(document: Any) -> None:
    """Print JSON of a form that others have laid down (a schema, SARIF). All JSON on stdout passes here: without
    secrets, and without a character that a terminal would obey."""
    ascii_only = (sys.stdout.encoding or "utf-8").lower().replace("-", "") != "utf8"
    sys.stdout.write(json_text(redact_value(msgspec.to_builtins(document)), ascii_only=ascii_only) + "\n")


def finding_json(situation: Situation, finding: Finding) -> dict[str, Any]:
    """The published form of a finding, with the runbooks that fit it."""
    from console.live.shown import runbook_names

    return {
        "key": finding.key,
        "code": finding.code,
        "class": finding.class_,
        "severity": finding.severity,
        "subject": finding.subject,
        "since": rfc3339(finding.since),
        "confidence": finding.confidence,
        "evidence": [{k: e[k] for k in ("source", "locator", "excerpt", "at")} for e in plain(list(finding.evidence))],
        "ruled_out": plain(list(finding.ruled_out)),
        "runbooks": list(runbook_names(situation, finding)),
        "title": finding.title,
        "detail": finding.detail,
        "open_questions": list(finding.open_questions),
        "causes": list(finding.causes),
        "app": finding.app,
        "data": plain(finding.data),
    }


def handed(walk: Walk) -> dict[str, Any] | None:
    """Who left a walk to somebody else, as scripts read it; None where nobody did, or where it was taken up."""
    left = walk.handed
    return None if left is None else {"at": rfc3339(left.at), "by": left.by, "text": left.text}


def watched_of(situation: Situation, walk: Walk) -> Watching | None:
    """The verification that an open walk is in, where it is in one."""
    from console.runbook.watching import stored_runbook, watching

    if walk.status == "ended" or not walk.text:
        return None
    runbook = stored_runbook(walk)
    samples = situation.history.get(walk.subject, ())
    return watching(situation.board, walk, runbook, samples, situation.looked.get(walk.id))


def since_change_of(situation: Situation, app: str) -> SinceChange | None:
    """How an application goes since a walk changed it; None where none did."""
    from console.runbook.watching import since_change

    return since_change(situation.board, situation.walks, app)


def verification(situation: Situation, walk: Walk) -> dict[str, Any] | None:
    """The same, as scripts read it."""
    from console.runbook.watching import document

    watched = watched_of(situation, walk)
    return None if watched is None else document(watched)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Left-aligned columns, two blanks apart; every cell is cleaned, and has no secrets."""
    body = [[clean(redact_short(str(cell))) for cell in row] for row in rows]
    widths = [len(h) for h in head]
    for row in body:
        for index, cell in enumerate(row):
            widths[index] = max(widths[index], len(cell))
    lines = [
        "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in [list(head), *body]
    ]
    return "\n".join(lines)


def say(text: str) -> None:
    """A line of data, or several, on stdout."""
    put(text + "\n")


def put(text: str) -> None:
    """Text on stdout as it is, but for what a terminal would obey. All text on stdout passes here."""
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(clean(text, lines=True).encode(encoding, "replace").decode(encoding))


def page(text: str) -> None:
    """A document on stdout: through the reader's pager (PAGER, else less) where a terminal is shorter than it."""
    terminal = sys.stdin.isatty() and sys.stdout.isatty()
    if not terminal or text.count("\n") + 1 < shutil.get_terminal_size().lines:
        say(text)
        return
    os.environ.setdefault("LESS", "FRX")
    click.echo_via_pager(clean(text, lines=True) + "\n", color=False)


def narrate(text: str) -> None:
    """A line of narration on stderr."""
    sys.stderr.write(clean(text, lines=True) + "\n")


def exit_for(board: Board) -> Exit:
    """0 when all is well and known, 1 when something is unhealthy or nothing is known."""
    return Exit.OK if board.verdict == "OK" else Exit.UNHEALTHY
