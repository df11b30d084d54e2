"""What a rule is, what it answers, and how findings are made.

A rule looks at one application (`Case`) or at all (`ClusterView`) and answers with findings, or with the reason why it
does not hold. Rules live in `console/findings/rules`, one module per family; a module lists its rules in `RULES`. To
add a class: write a function (or state it as data: `console/findings/simple.py`), add it to `RULES` of its module, add
its test; nothing else knows the rules by name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from msgspec import Struct

from console.facts.evidence import Evidence
from console.findings.case import Case, ClusterView
from console.findings.figures.base import Figures
from console.findings.model import Confidence, Finding, RuledOut, Severity

MAX_EVIDENCE = 8
Answer = list[Finding] | str
"""Findings, or why there are none."""


@dataclass(frozen=True)
class Rule:
    """One rule. `code` names it; a rule may give findings of several codes (`codes`)."""

    code: str
    class_: str | None
    check: Callable[[Case], Answer]
    after: tuple[str, ...] = ()
    """Codes whose findings may be the cause of this one's, where both are about the same application or object."""
    last: bool = False
    """Tried after all others; `case.so_far` holds what they found."""


@dataclass(frozen=True)
class WorldRule:
    """A rule over all applications, nodes and workloads."""

    code: str
    class_: str | None
    check: Callable[[ClusterView], Answer]


class Trial(Struct, frozen=True, rename={"class_": "class"}):
    """One rule that was tried on one subject: whether it held, and why or why not.

    Attributes:
        also: of how many other subjects the rule says the same.
    """

    rule: str
    class_: str | None
    subject: str
    held: bool
    because: str
    also: int = 0


def finding(
    case: Case | None,
    code: str,
    class_: str | None,
    severity: Severity,
    confidence: Confidence,
    title: str,
    *,
    subject: str = "",
    since: float | None = None,
    detail: str = "",
    evidence: Iterable[Evidence] = (),
    ruled_out: Sequence[tuple[str, str]] = (),
    questions: Sequence[str] = (),
    data: Figures | None = None,
) -> Finding:
    """A finding with its evidence made unique and bounded. `since` defaults to the earliest evidence."""
    proof = _unique(evidence)
    times = [e.at for e in proof if e.at is not None]
    return Finding(
        code=code,
        class_=class_,
        severity=severity,
        subject=subject or (case.subject if case is not None else ""),
        since=since if since is not None else min(times, default=None),
        confidence=confidence,
        title=title,
        detail=detail,
        evidence=proof,
        ruled_out=tuple(RuledOut(word, because) for word, because in ruled_out),
        open_questions=tuple(questions),
        app=case.app.key if case is not None else "",
        data=data if data is not None else Figures(),
    )


def _unique(evidence: Iterable[Evidence]) -> tuple[Evidence, ...]:
    out: list[Evidence] = []
    seen: set[tuple[str, str]] = set()
    for item in evidence:
        key = (item.locator, item.excerpt)
        if key not in seen:
            seen.add(key)
            out.append(item)
        if len(out) >= MAX_EVIDENCE:
            break
    return tuple(out)


def severity_of(case: Case, *, current: bool = True, fatal: bool = False) -> Severity:
    """How bad it is now: a cause that killed a present attempt, or one attempt after the other, is critical; one that
    the application survived a warning, one of an attempt that is past an information."""
    if not current and not case.failed and not case.looping:
        return "info"
    if case.succeeded:
        return "info" if not current else "warning"
    if case.failed or fatal or case.looping or (case.job_failed and not case.group):
        return "critical"
    return "warning"
