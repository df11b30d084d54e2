"""What Console failed at, as findings of its own: one for each subject, with the file that says where."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from console.base.text import plural
from console.facts.evidence import Evidence
from console.facts.notjudged import NotJudged
from console.findings.model import Finding
from console.findings.rule import finding

CODE = "not-judged"
_NAMED = 4


def findings_of(failed: Iterable[NotJudged]) -> list[Finding]:
    """One finding for each subject. An application that was judged in part only is a warning: what was not seen of it
    may be what is wrong. An object that belongs to none is told, and changes nothing for those who read the rest."""
    by_subject: dict[tuple[str, str], dict[str, NotJudged]] = {}
    for one in failed:
        by_subject.setdefault((one.app, one.subject), {}).setdefault(one.part, one)
    return [_finding(app, subject, list(parts.values())) for (app, subject), parts in by_subject.items()]


def _finding(app: str, subject: str, parts: list[NotJudged]) -> Finding:
    said = "; ".join(f"{part.part} failed with {part.error} ({part.reference})" for part in parts[:_NAMED])
    more = f"; and {plural(len(parts) - _NAMED, 'more part')}" if len(parts) > _NAMED else ""
    one = finding(
        None,
        CODE,
        None,
        "warning" if app else "info",
        "high",
        f"Console could not judge {subject}" + (" in full" if app else ""),
        subject=subject,
        detail=f"{said}{more}: a fault of Console, not of what it is about; everything else was judged",
        evidence=[Evidence("console", one.reference, f"{one.part}: {one.error}") for one in parts],
    )
    return replace(one, app=app)
