"""The one verdict: how what was read stands, in one word, and why. Pure.

`OK` is said only where everything that would show trouble was read, is fresh, and shows none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from console.apps.alerts import about_spark
from console.apps.model import SparkApp
from console.base.text import clean
from console.board.model import Board
from console.components.model import Component
from console.facts.model import Alert, SourceState
from console.findings.model import Finding
from console.findings.unjudged import CODE as UNJUDGED
from console.slo.model import SloStatus

VerdictWord = Literal["OK", "DEGRADED", "BURNING", "UNKNOWN", "LOADING"]
TRUSTED = frozenset({"fresh", "absent"})
"""States of a source that leave no doubt: everything is known, or there is no such thing here."""


class BoardVerdict(Struct, frozen=True):
    """One word, and the first reason for it (`` for OK)."""

    word: VerdictWord
    because: str = ""


def verdict(
    findings: Iterable[Finding],
    slos: Sequence[SloStatus],
    components: Iterable[Component],
    alerts: Sequence[Alert],
    sources: Iterable[SourceState],
    lost: Sequence[str] = (),
) -> BoardVerdict:
    """How everything stands.

    BURNING: an objective burns. DEGRADED: something is wrong. LOADING, UNKNOWN: a source was not read yet, or cannot be
    trusted now, or Console failed at something that it read; where there is no Prometheus at all, that objectives are
    unknown is no reason.

    Args:
        alerts: those that count (`firing`).
        sources: the present states, one per name.
        lost: titles of objectives that had data and have none any more.
    """
    findings = tuple(findings)
    unjudged = [finding for finding in findings if finding.code == UNJUDGED]
    for slo in slos:
        if slo.state in ("burning", "exhausted"):
            return BoardVerdict("BURNING", f"{clean(slo.title)} is {slo.state}")
    for finding in findings:
        if finding.severity in ("critical", "warning"):
            return BoardVerdict("DEGRADED", clean(finding.title))
    for component in components:
        if component.expected and component.state in ("down", "degraded"):
            return BoardVerdict("DEGRADED", f"{clean(component.title)} is {component.state}")
    for alert in alerts:
        return BoardVerdict("DEGRADED", f"the alert {clean(alert.name)} fires")
    for finding in unjudged:
        return BoardVerdict("UNKNOWN", clean(finding.title))
    said = _as_far_as_known(slos, sources)
    if said.word == "OK" and lost:
        return BoardVerdict("UNKNOWN", f"{clean(lost[0])} has no data any more")
    return said


def _as_far_as_known(slos: Sequence[SloStatus], sources: Iterable[SourceState]) -> BoardVerdict:
    """Nothing wrong was seen: whether that says anything."""
    known = tuple(sources)
    doubtful = [s for s in known if s.state not in TRUSTED and not unimportant(s)]
    for source in doubtful:
        if source.state != "loading":
            why = f": {clean(source.detail)}" if source.detail else ""
            return BoardVerdict("UNKNOWN", f"{source.name} {source.state}{why}")
    if doubtful:
        return BoardVerdict("LOADING", f"{doubtful[0].name} {doubtful[0].state}")
    measured = any(s.name == "prometheus" and s.state != "absent" for s in known)
    if measured and not any(slo.state != "no data" for slo in slos):
        return BoardVerdict("UNKNOWN", "no objective has data")
    return BoardVerdict("OK")


def untrusted(board: Board, because: str) -> Board:
    """The last board where no new one can be had: what was well then is not known now."""
    if board.verdict not in ("OK", "LOADING"):
        return board
    return replace(board, verdict="UNKNOWN", because=because)


def unimportant(source: SourceState) -> bool:
    """A kind by which only a few components are found, and which may not be read here: they say so themselves."""
    return source.optional and source.state in ("forbidden", "absent")


def firing(alerts: Iterable[Alert], apps: Sequence[SparkApp], slos: Iterable[SloStatus]) -> tuple[Alert, ...]:
    """Alerts that count: they fire now, silenced or not, and are about a Spark workload or an objective."""
    objectives = [slo.id for slo in slos]
    return tuple(a for a in alerts if a.state == "firing" and about_spark(a, apps, objectives))
