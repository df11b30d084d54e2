"""What no runbook answers for, and runbooks that nothing leads to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from console.base import decode
from console.base.document import Document
from console.runbook.catalogue.codes import codes
from console.runbook.model import Runbook


class CoverageGap(Struct, frozen=True):
    """`what`: finding, alert, objective, component, runbook. `waived`: the reason why it may stay so."""

    what: str
    name: str
    because: str
    waived: str = ""


def waivers(document: Document) -> dict[str, str]:
    """Name → reason. Raises DocumentError where one has no reason."""
    found: dict[str, str] = decode.decode(document, dict[str, str])
    for name, reason in found.items():
        if not reason.strip():
            raise document.error((name,), f"{name!r} is waived without a reason", hint="say why it may stay so")
    return found


def gaps(
    runbooks: Iterable[Runbook],
    *,
    alerts: Iterable[str],
    objectives: Iterable[str],
    components: Iterable[str],
    waived: Mapping[str, str],
) -> tuple[CoverageGap, ...]:
    """Everything that is not covered, either way."""
    books = list(runbooks)
    led = {
        "finding": {code for book in books for code in book.match.findings},
        "alert": {alert.name for book in books for alert in book.match.alerts},
        "objective": {slo for book in books for slo in book.match.slos},
        "component": {about.of for book in books for about in book.about if about.kind == "component"},
    }
    there = {"finding": codes(), "alert": alerts, "objective": objectives, "component": components}
    out = [
        CoverageGap(what, name, f"no runbook is for this {what}")
        for what, names in there.items()
        for name in sorted(set(names) - led[what])
    ]
    run = {step.runs for book in books for step in book.steps}
    out += [
        CoverageGap("runbook", book.id, "nothing leads to it")
        for book in books
        if not (book.on_demand or book.id in run or _is_reached(book, codes(), set(alerts), set(objectives)))
    ]
    return tuple(CoverageGap(g.what, g.name, g.because, waived.get(g.name, "")) for g in out)


def _is_reached(book: Runbook, found: frozenset[str], alerts: set[str], objectives: set[str]) -> bool:
    match = book.match
    named = {alert.name for alert in match.alerts} & alerts
    return bool(match.classes or named or set(match.findings) & found or set(match.slos) & objectives)
