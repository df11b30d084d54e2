"""Known kinds of failures, found in what processes wrote as they ended, in status and in events."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache

from msgspec import Struct

from console.apps import deaths
from console.apps.evidence import of_event, of_hit, of_pod, of_workload
from console.base.text import shorten
from console.facts.evidence import Evidence
from console.facts.logs import Hit, Text
from console.facts.model import Event
from console.facts.spots import places
from console.findings.case import Case
from console.findings.ends import End, ends_of, outranking
from console.findings.figures.kinds import KindFigures
from console.findings.kinds import FailureKind, special_kinds
from console.findings.model import Confidence, Finding, Severity
from console.findings.rule import Answer, Rule, finding, severity_of

_ANYWHERE = 9
"""Depth of a line that stands in no chain."""
_TITLE = 160


class ToldKind(Struct):
    """A kind, and the best place that tells it. `rank`: 0 the end, 1 an error, 2 a status or event, 3 a warning."""

    kind: FailureKind
    rank: int
    depth: int
    text: str
    proof: list[Evidence]


def known_kinds(case: Case) -> Answer:
    """Kinds of failures that the application's logs, events and status tell."""
    if case.succeeded or case.calm:
        return "the application is well"
    told = _told(case)
    shown = [t for t in told.values() if not any(w in told and told[w].rank <= t.rank for w in t.kind.gives_way)]
    shown = _without_echoes(shown, case)
    if not shown:
        return "nothing that was written is of a known kind"
    return [kind_finding(case, t) for t in shown]


def _without_echoes(shown: list[ToldKind], case: Case) -> list[ToldKind]:
    """Where the end itself is of a known kind, warnings on the way to it are none of their own."""
    best = min((t.rank for t in shown), default=9)
    if best == 0:
        return [t for t in shown if t.rank < 2]
    broke = case.failed or any(end.role != "executor" for end in ends_of(case))
    return [t for t in shown if t.rank < 3 or not t.kind.usual or broke]


def _told(case: Case) -> dict[str, ToldKind]:
    """Code → the kind with the best place that tells it, of ends, of status and events, and of any other line."""
    out: dict[str, ToldKind] = {}
    ends = ends_of(case)
    deciding = next((e for e in ends if not e.what.wrapped and e.role != "executor"), None)
    for end in ends:
        final = end is deciding or (end.role == "executor" and end.sure) or _same(end, deciding)
        if (found := of_chain(end, special_kinds())) is not None:
            kind, depth = found
            _keep(out, ToldKind(kind, 0 if final else 1, depth, end.what.links[depth], [end.proof]))
    for kind, message, proof in _of_objects(case):
        _keep(out, ToldKind(kind, 2, 0, message, [proof]))
    for text in case.texts:
        for kind, hit in _of_lines(text, special_kinds()):
            if (rank := _rank(case, text, hit, ends, deciding, known=kind.code in out)) is not None:
                shown = [of_hit(hit), *([deciding.proof] if kind.ends and deciding is not None else [])]
                _keep(out, ToldKind(kind, 0 if kind.ends and rank == 1 else rank, _ANYWHERE, hit.text, shown))
    return out


def _rank(case: Case, text: Text, hit: Hit, ends: Sequence[End], deciding: End | None, *, known: bool) -> int | None:
    """How much a line counts that holds words of a kind; None where it only repeats a chain of another kind."""
    inside = any(e.log == hit.log.origin.locator and e.lines[0] <= hit.line <= e.lines[1] for e in ends)
    if inside and not known and deciding is not None and of_chain(deciding, special_kinds()) is not None:
        return None
    if hit.record.level == "WARN":
        return 3
    if deciding is None and (case.failed or _bare(text) or hit.log.role == "executor"):
        return 0
    return 1


def _same(end: End, deciding: End | None) -> bool:
    return deciding is not None and end.what.links[:1] == deciding.what.links[:1]


def _bare(text: Text) -> bool:
    """A short text without any record of a logger: what a process printed before it could log."""
    return len(text.starts) < 60 and text.first_time is None


def _keep(out: dict[str, ToldKind], told: ToldKind) -> None:
    old = out.get(told.kind.code)
    if old is None:
        out[told.kind.code] = told
    elif (told.rank, told.depth) < (old.rank, old.depth):
        told.proof.extend(old.proof)
        out[told.kind.code] = told
    elif len(old.proof) < 4:
        old.proof.extend(told.proof)


def of_chain(end: End, kinds: Sequence[FailureKind]) -> tuple[FailureKind, int] | None:
    """The kind of the innermost exception that is of one of these, and how far from the inside it stands."""
    joined = "\n".join(end.what.links)
    for depth, link in enumerate(end.what.links[:4]):
        for kind in kinds:
            if _is(kind, link, end.role, joined):
                return kind, depth
    return None


def _is(kind: FailureKind, text: str, role: str, around: str = "") -> bool:
    if kind.roles and role not in kind.roles and role != "object":
        return False
    if not any(word in text for word in kind.words):
        return False
    if any(word in (around or text) for word in kind.never):
        return False
    return not kind.pattern or re.search(kind.pattern, text) is not None


def _of_objects(case: Case) -> Iterator[tuple[FailureKind, str, Evidence]]:
    """Kinds that messages of pods, containers and events tell."""
    texts: list[tuple[str, Evidence]] = []
    for pod in (*case.drivers[-1:], *case.executors[-8:]):
        end = deaths.ending(pod)[1]
        waits = pod.main.waiting_message if pod.main is not None else ""
        for message in (end.message if end is not None else "", pod.message, waits):
            if message:
                texts.append((message, of_pod(pod, message)))
    if case.app.message and case.group is not None and case.group.cr is not None:
        said = "\n".join(one for one in case.app.message.splitlines() if " INFO " not in one)[-4_000:]
        texts.append((said, of_workload(case.group.cr, f"state {case.app.state}: {said}")))
    texts.extend((e.message, of_event(e)) for e in case.events if e.type == "Warning" and not _past(case, e))
    for message, proof in texts:
        for kind in special_kinds():
            if _is(kind, message, "object"):
                yield kind, message, proof
                break


def warned_of(case: Case, kinds: tuple[FailureKind, ...], role: str) -> ToldKind | None:
    """The last line of a kind in the logs of a role, for an end that says nothing of its cause; only ever a guess."""
    told = [(hit, kind) for text in case.texts_of(role) for kind, hit in _of_lines(text, kinds)]
    if not told:
        return None
    hit, kind = max(told, key=lambda pair: (pair[0].at or 0.0, pair[0].line))
    return ToldKind(kind, 3, _ANYWHERE, hit.text, [of_hit(hit)])


def _past(case: Case, event: Event) -> bool:
    """Whether a pod got its network after all: nodes that begin often refuse it once."""
    if event.reason != "FailedCreatePodSandBox":
        return False
    pod = next((p for p in case.pods if p.key == event.about), None)
    return pod is not None and (pod.phase != "Pending" or deaths.over(pod))


def _of_lines(text: Text, kinds: tuple[FailureKind, ...]) -> Iterator[tuple[FailureKind, Hit]]:
    """Kinds whose words stand anywhere in a log."""
    if text.log.role not in ("driver", "submit", "executor", "other"):
        return
    found = places(text, _words(kinds))
    if not found:
        return
    for kind in kinds:
        if kind.roles and text.log.role not in kind.roles:
            continue
        for index in sorted({i for word in kind.words for i in found.get(word, ())})[:8]:
            record = text.record(index)
            line = text.line(index)
            if record.level in ("INFO", "DEBUG", "TRACE") or not _is(kind, f"{line}", text.log.role, record.body):
                continue
            yield kind, Hit("", text.log, index + 1, line, record)
            break


@cache
def _words(kinds: tuple[FailureKind, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word for kind in kinds for word in kind.words))


def kind_finding(case: Case, told: ToldKind) -> Finding:
    kind = told.kind
    outranked = outranking(case)
    severity: Severity = severity_of(case, fatal=told.rank == 0 and kind.ceiling == "critical")
    confidence: Confidence = kind.confidence
    if confidence == "high" and (told.rank > 0 or 0 < told.depth < _ANYWHERE):
        confidence = "medium"  # something else stands below it, or it is not the end
    if told.rank == 1:
        severity = "warning"
    if outranked or (told.rank == 3 and kind.usual):
        confidence, severity = "low", "warning"
    if kind.ceiling == "warning" and severity == "critical":
        severity = "warning"
    return finding(
        case,
        kind.code,
        kind.class_,
        severity,
        confidence,
        titled(kind, told.text),
        detail=f"{kind.means}; for the {kind.owner}: {kind.step}",
        evidence=told.proof,
        ruled_out=kind.like if confidence != "low" else (),
        questions=[kind.decide, *([f"the pod itself: {outranked}; that comes first"] if outranked else [])],
        data=KindFigures(owner=kind.owner, step=kind.step, line=_short(told.text)),
    )


def titled(kind: FailureKind, text: str) -> str:
    """The title of a kind, with the names that a text gives."""
    found = re.search(kind.pattern, text) if kind.pattern else None
    groups = found.groupdict("") if found is not None else {}
    named = {word: next((v for k, v in groups.items() if k.startswith(word) and v), "?").strip() for word in _NAMES}
    return shorten(" ".join(kind.title.format_map(named).split()), _TITLE, middle=True)


_NAMES = ("why", "what", "host", "condition", "file", "who")


def _short(text: str) -> str:
    return shorten(" ".join(text.split()), 600, middle=True)


RULES = [Rule("known-kinds", None, known_kinds)]
