"""What the operators' own logs tell: restarts, rights, flags, certificates, panics, and errors that no kind knows."""

from __future__ import annotations

import re

from msgspec import Struct

from console.apps.evidence import of_hit
from console.base.text import plural, shorten
from console.facts.logs import Hit, Text
from console.facts.operatorlogs import errors
from console.findings.case import ClusterView
from console.findings.figures.kinds import KindFigures
from console.findings.kinds import FailureKind, operator_kinds
from console.findings.model import Finding
from console.findings.rule import Answer, WorldRule, finding

_OTHERS_SAY = re.compile(
    r"leader election lost|problem running manager|failed to run spark-submit|[Ff]ailed to submit|"
    r"object has been modified|"
    r"denied the request|exceeded quota|SparkApplicationSubmissionFailed"
)
"""Lines that other rules judge, and conflicts of two writers that are normal."""
_STOPPED = "leader election lost"
"""It stopped for want of its lease: another rule tells that."""
_BY_ITSELF = re.compile(r"\d+|0x[0-9a-f]+|[0-9a-f]{8}-[0-9a-f-]{27}")


class LogTrouble(Struct):
    """A kind of trouble in one log: where it is told, and how often."""

    kind: FailureKind
    hits: list[Hit]
    text: str
    times: int = 1


def operator_logs(world: ClusterView) -> Answer:
    """LogTrouble of the operators themselves, by their logs."""
    out: list[Finding] = []
    for text in world.shared:
        if text.log.role == "operator":
            out.extend(_of_log(text))
    return out or "no operator's log tells of trouble of its own"


def _of_log(text: Text) -> list[Finding]:
    found: dict[str, LogTrouble] = {}
    unknown: dict[str, tuple[int, str]] = {}
    for at, line, warned in errors(text.text):
        kind = next((k for k in operator_kinds() if _is(k, line)), None)
        if _OTHERS_SAY.search(line) is not None and kind is None:
            continue
        index = text.line_of(at)
        if kind is None:
            if not warned:
                unknown[_BY_ITSELF.sub("#", line)[40:160]] = index, line
            continue
        known = found.get(kind.code)
        if known is None:
            found[kind.code] = LogTrouble(kind, [_hit(text, index, line)], line)
        else:
            known.times += 1
            if len(known.hits) < 3:
                known.hits.append(_hit(text, index, line))
    if _STOPPED in text.text:
        found.pop("operator-lease-shaky", None)
    out = [_told(text, one) for one in found.values()]
    if not out and unknown:
        out.append(_untold(text, list(unknown.values())))
    return out


def _is(kind: FailureKind, line: str) -> bool:
    return (
        any(word in line for word in kind.words)
        and not any(word in line for word in kind.never)
        and (not kind.pattern or re.search(kind.pattern, line) is not None)
    )


def _hit(text: Text, index: int, line: str) -> Hit:
    return Hit("", text.log, index + 1, line, text.record(index))


def _subject(text: Text) -> str:
    return text.log.subject or "Component//spark-operator"


def _told(text: Text, trouble: LogTrouble) -> Finding:
    kind = trouble.kind
    found = re.search(kind.pattern, trouble.text) if kind.pattern else None
    groups = found.groupdict("") if found is not None else {}
    why = next((v for v in groups.values() if v), "?").strip()
    times = f" ({trouble.times} times)" if trouble.times > 1 else ""
    return finding(
        None,
        kind.code,
        kind.class_,
        kind.ceiling,
        kind.confidence,
        shorten(" ".join(kind.title.format_map({"why": why}).split()), 200, middle=True) + times,
        subject=_subject(text),
        detail=f"{kind.means}; for the {kind.owner}: {kind.step}",
        evidence=[of_hit(h) for h in trouble.hits],
        ruled_out=kind.like,
        questions=[kind.decide],
        data=KindFigures(owner=kind.owner, step=kind.step, line=shorten(trouble.text, 600, middle=True)),
    )


def _untold(text: Text, places: list[tuple[int, str]]) -> Finding:
    """Errors that no kind knows, (index, line) of the last of each: counted, and the newest quoted first."""
    hits = [_hit(text, index, line) for index, line in sorted(places, reverse=True)[:3]]
    ask = "the application or object that the quoted line names, and whether later lines tell of work again"
    return finding(
        None,
        "operator-error",
        "I19",
        "warning",
        "low",
        shorten(
            f"the operator's log tells of {plural(len(places), 'error')}: {hits[0].text.strip()}", 260, middle=True
        ),
        subject=_subject(text),
        evidence=[of_hit(h) for h in hits],
        questions=[ask],
        data=KindFigures(owner="platform", step=ask, line=shorten(hits[0].text, 600, middle=True)),
    )


RULES = [WorldRule("operator-logs", "I19", operator_logs)]
