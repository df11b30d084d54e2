"""Ends that no kind and no other rule knows: quoted as they were written, with who could say what they mean."""

from __future__ import annotations

from collections.abc import Iterable

from console.apps.evidence import of_pod
from console.base.text import shorten
from console.findings.case import Case
from console.findings.ends import End, ends_of, last_words, outranking
from console.findings.figures.kinds import KindFigures
from console.findings.kinds import general_kinds, special_kinds
from console.findings.model import Finding
from console.findings.rule import Answer, Rule, finding, severity_of
from console.findings.rules.kinds import ToldKind, kind_finding, of_chain, warned_of
from console.findings.whose import who_decides

CONSEQUENCES = frozenset(
    {"max-executor-failures", "executor-start-failed", "unschedulable", "driver-failed", "unregistered"}
)
"""Codes that only tell what follows; whatever ended the processes is their cause."""
ASIDE = frozenset({"watcher-saw-no-driver"})
"""Codes of what a tool beside the job met: they explain no end of the job's own processes."""
_TITLE = 220


def unknown(case: Case) -> Answer:
    """An end that no rule explains: the innermost line as it was written, and who could say what it means."""
    if case.succeeded or case.calm or _explained(case.so_far):
        return "another finding explains it"
    end = next((e for e in ends_of(case) if _ended_with(case, e) and not _aside(e)), None) or last_words(case)
    if end is None:
        return "no process wrote why it ended"
    if (held := of_chain(end, general_kinds())) is not None:
        return [kind_finding(case, ToldKind(held[0], 0, held[1], end.what.links[held[1]], [end.proof]))]
    if end.what.wrapped and (told := warned_of(case, general_kinds(), end.role)) is not None:
        return [kind_finding(case, told)]
    whose, ask = who_decides(end.what)
    outranked = outranking(case)
    if (part := end.what.part) and not outranked and not end.what.wrapped:
        return [_thrown_in(case, end, part)]
    return [
        finding(
            case,
            "unknown-failure",
            None,
            severity_of(case, fatal=end.sure),
            "low",
            shorten(f"not known what is behind it: {' '.join(end.what.line.split())}", _TITLE, middle=True),
            detail=f"the innermost error that was written; {whose} could say what it means",
            evidence=[end.proof, *([of_pod(case.driver)] if case.driver is not None else [])],
            questions=[ask, *([f"the pod itself: {outranked}"] if outranked else [])],
            data=KindFigures(owner=whose, step=ask, line=shorten(" ".join(end.what.line.split()), 600, middle=True)),
        )
    ]


def _thrown_in(case: Case, end: End, part: str) -> Finding:
    """An error that no kind knows, thrown within something that was put into Spark, by its frames."""
    line = " ".join(end.what.line.split())
    step = f"the quoted line among known issues of {part}, with its version and that of Spark"
    return finding(
        case,
        "part-failed",
        None,
        severity_of(case, fatal=end.sure),
        "medium",
        shorten(f"{part} fails: {line}", _TITLE, middle=True),
        detail=f"it was thrown inside {part}, below the job's own code; for the owner of the job: {step}",
        evidence=[end.proof, *([of_pod(case.driver)] if case.driver is not None else [])],
        questions=["whether it can do what was asked of it (types, options, versions), or what it talks to refuses"],
        data=KindFigures(owner="owner of the job", step=step, line=shorten(line, 600, middle=True)),
    )


def _explained(found: Iterable[Finding]) -> bool:
    return any(
        f.severity != "info"
        and f.confidence in ("high", "medium")
        and f.code not in CONSEQUENCES | ASIDE
        and (not isinstance(f.data, KindFigures) or f.severity == "critical" or f.confidence == "high")
        for f in found
    )


def _aside(end: End) -> bool:
    """Whether an end is that of a tool which only watches the job."""
    held = of_chain(end, special_kinds())
    return held is not None and held[0].code in ASIDE


def _ended_with(case: Case, end: End) -> bool:
    """Whether a process surely ended with it, or the application failed and nothing else was written."""
    if end.role == "object":
        return case.app.state.upper() not in ("RUNNING", "SUBMITTED", "COMPLETED", "")
    return end.sure or case.failed or case.job_failed or _nothing_after(case, end)


def _nothing_after(case: Case, end: End) -> bool:
    """Whether only logs are at hand, and none tells of work or of an orderly end after this error."""
    if case.group is not None or end.warned or case.hits("stopping", roles=("driver",)):
        return False
    text = next((t for t in case.texts if t.log.origin.locator == end.log), None)
    if text is None or (end.role == "executor" and case.texts_of("driver")):
        return False
    return len(text.starts) - end.lines[1] < _FEW_LINES


_FEW_LINES = 30
"""Lines after an error at the end of a log that change nothing of it."""


RULES = [Rule("unknown-failure", None, unknown, last=True)]
