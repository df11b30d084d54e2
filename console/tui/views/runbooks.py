"""Runbooks: the library, those that fit the present first, and one of them to read before it is walked."""

from __future__ import annotations

from collections.abc import Iterable

from console.base.redact import redact_short
from console.live.situation import Situation
from console.runbook.authors import checklist
from console.runbook.model import Runbook
from console.tui.filters import fits
from console.tui.lines import BLANK, Cell, Line, Span, TableColumn, TextRole, header, line, row, span, wrap

COLUMNS = (
    TableColumn("RUNBOOK", 22),
    TableColumn("FITS", 5),
    TableColumn("WRITES", 6, drop=1),
    TableColumn("STEPS", 5, "right", drop=2),
    TableColumn("TITLE", 0, least=24),
)


def library(situation: Situation, runbooks: Iterable[Runbook], wanted: str, width: int) -> list[Line]:
    """Every runbook; those that fit a finding now stand first."""
    fitting = {matched.runbook for found in situation.matches.values() for matched in found}
    shown = [r for r in runbooks if fits(wanted, r.id, r.title, *r.tags)]
    out = [header(COLUMNS, width)]
    for book in sorted(shown, key=lambda r: (r.id not in fitting, r.id)):
        cells: list[Cell] = [
            span(book.id, "title" if book.id in fitting else "text"),
            span("now" if book.id in fitting else "", "accent"),
            span("yes" if book.writes else "no", "warn" if book.writes else "dim"),
            str(len(book.steps)),
            redact_short(book.title),
        ]
        out.append(row(COLUMNS, cells, width, key=f"runbook:{book.id}"))
    return out if len(out) > 1 else [line(span(" no runbook fits", "dim"))]


STYLES: dict[str, TextRole] = {"title": "title", "head": "head", "step": "accent", "change": "warn", "text": "text"}


def page(book: Runbook, width: int) -> list[Line]:
    """One runbook to read: the same checklist as on the command line."""
    out: list[Line] = []
    seen = ""
    for part in checklist.checklist(book):
        if part.look == "head" or (part.look in ("step", "change") and seen != "head"):
            out.append(BLANK)
        first, rest = part.mark or " " * part.indent, " " * part.indent
        for number, text in enumerate(wrap(part.text, width - 1 - max(part.indent, len(part.mark)))):
            key = f"step:{part.step}" if part.step and part.look in ("step", "change") and number == 0 else ""
            out.append(line(Span(f" {first if number == 0 else rest}"), span(text, STYLES[part.look]), key=key))
        seen = part.look
    return [*out, BLANK]
