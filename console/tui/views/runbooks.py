"""Runbooks: the library, those that fit the present first, and one of them to read before it is walked."""

from __future__ import annotations

from collections.abc import Iterable

from console.base.redact import redact, redact_short
from console.live.situation import Situation
from console.runbook.model import Runbook
from console.tui.filters import fits
from console.tui.lines import BLANK, Cell, Line, Span, TableColumn, header, line, row, rule, span, wrap
from console.tui.views.walk import plain_title

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


def page(book: Runbook, width: int) -> list[Line]:
    """One runbook to read."""
    out = [
        line(
            Span(" "),
            span(redact_short(book.title), "title"),
            span(f"  {book.id} {book.version} · {book.owner}", "dim"),
        )
    ]
    for name, text in (
        ("what", book.what), ("use it", book.when_to_use), ("do not", book.when_not_to_use),
        ("reach", book.blast_radius), ("takes", book.expected_duration),
    ):  # fmt: skip
        if text:
            texts = wrap(" ".join(redact(text).split()), width - 10)
            out.append(line(Span(f" {name:<8}", "head"), span(texts[0])))
            out += [line(Span(" " * 9), span(part)) for part in texts[1:]]
    out.append(rule("steps", width))
    for number, step in enumerate(book.steps, 1):
        kind = "writes" if step.writes else step.kind
        out.append(
            line(
                span(f" {number:>2} "),
                span(f"{kind:<8}", "warn" if step.writes else "dim"),
                span(redact_short(plain_title(step))),
                key=f"step:{step.id}",
            )
        )
    return [*out, BLANK]
