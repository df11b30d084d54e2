"""What no runbook answers for, and runbooks that nothing leads to, by severity and owner."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from console.findings.kinds import all_kinds, operator_kinds
from console.runbook.authors.waivers import Coverable, Waiver
from console.runbook.catalogue.codes import codes
from console.runbook.model import Runbook

ORDER = ("critical", "warning", "info", "")
"""Severities, the gravest first; `` is what only the moment says."""


class CoverageGap(Struct, frozen=True):
    """`thing` is not covered, `because`. `waived`: the reason why it may stay so."""

    thing: Coverable
    because: str
    waived: str = ""

    @property
    def group(self) -> tuple[int, str]:
        """By severity, then by who has to write it."""
        known = ORDER.index(self.thing.severity) if self.thing.severity in ORDER else len(ORDER)
        return known, self.thing.owner


def findings() -> list[Coverable]:
    """Every finding. Who can mend it, and how bad it gets at most, is known of those that are kinds."""
    kinds = {kind.code: kind for kind in (*all_kinds(), *operator_kinds())}
    known = {code: (kind.ceiling, kind.owner) for code, kind in kinds.items()}
    return [Coverable("finding", code, *known.get(code, ("", ""))) for code in sorted(codes())]


def runbooks(books: Iterable[Runbook]) -> list[Coverable]:
    """The runbooks themselves."""
    return [Coverable("runbook", book.id, book.severity, book.owner) for book in books]


def gaps(books: Iterable[Runbook], things: Iterable[Coverable], waivers: Iterable[Waiver]) -> tuple[CoverageGap, ...]:
    """Everything that is not covered, either way: the gravest first, then by owner.

    Args:
        things: all that a runbook can be for, and the runbooks.
    """
    library, everything, waiving = list(books), list(things), list(waivers)
    led = {
        "finding": {code for book in library for code in book.match.findings},
        "alert": {alert.name for book in library for alert in book.match.alerts},
        "objective": {slo for book in library for slo in book.match.slos},
        "component": {about.of for book in library for about in book.about if about.kind == "component"},
        "runbook": _reached(library, everything),
    }
    out = []
    for thing in everything:
        if thing.name in led[thing.what]:
            continue
        because = "nothing leads to it" if thing.what == "runbook" else f"no runbook is for this {thing.what}"
        waived = next((waiver.because for waiver in waiving if waiver.fits(thing)), "")
        out.append(CoverageGap(thing, because, waived))
    return tuple(sorted(out, key=lambda gap: (*gap.group, gap.thing.what, gap.thing.name)))


def _reached(books: list[Runbook], things: Iterable[Coverable]) -> set[str]:
    """Runbooks that something leads to: what they match, another runbook, or somebody who asks for one."""
    run = {step.runs for book in books for step in book.steps}
    there = {(str(thing.what), thing.name) for thing in things}
    return {book.id for book in books if book.on_demand or book.id in run or _is_matched(book, there)}


def _is_matched(book: Runbook, there: set[tuple[str, str]]) -> bool:
    match = book.match
    named = [
        *(("finding", code) for code in match.findings),
        *(("alert", alert.name) for alert in match.alerts),
        *(("objective", slo) for slo in match.slos),
    ]
    return bool(match.classes) or any((what, name) in there for what, name in named)
