"""Which runbook belongs to what is wrong: deterministic scores, every reason said, ties shown and never guessed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from msgspec import Struct
from msgspec.structs import replace

from console.apps.alerts import NamedByAlert, named_by
from console.base.text import clean, listed
from console.board.model import Board
from console.facts.model import Alert
from console.findings.model import SEVERITY_ORDER, Finding
from console.runbook.about import fits, objects_of_component
from console.runbook.model import AlertMatch, Runbook

ALERT, LABEL, PATTERN, LINK, FINDING, NAMED, CLASS, SLO = 100, 10, 5, 90, 60, 50, 30, 20


class Matched(Struct, frozen=True):
    """One runbook for one thing that is wrong.

    Attributes:
        because: the reason in words.
        score: higher is more specific; comparable among matches of one kind of thing.
        finding, alert, slo: what it matches: the finding's key, the alert's name, the SLO's id; two of them are ``.
        app: key of the application that it is about, where that is known.
        tied: another runbook has the same score for the same thing: a person chooses.
    """

    runbook: str
    title: str
    because: str
    score: int
    finding: str = ""
    alert: str = ""
    slo: str = ""
    app: str = ""
    tied: bool = False


def rank(
    runbooks: Iterable[Runbook], board: Board, *, app: str = "", alert: Alert | None = None
) -> tuple[Matched, ...]:
    """Every match, best first.

    Args:
        runbooks: the library.
        board: what is wrong.
        app: only what belongs to this application (`namespace/name`).
        alert: only this alert and the findings of what it names; one that names something unknown has none. What waits
            or fails beside a component is not what an alert of the component is about.
    """
    books = sorted(runbooks, key=lambda r: r.id)
    meant = NamedByAlert((app,)) if app else NamedByAlert() if alert is None else named_by(alert, board.apps)
    order: list[tuple[tuple[int, int, int], Matched]] = []
    alerts = (alert,) if alert is not None else board.alerts
    for book in books:
        for index, item in enumerate(alerts):
            about = app_of_alert(board, item)
            if alert is not None or not app or about == app:
                found = _by_alert(book, item)
                order += [((0, 0, index), replace(found, app=about))] if found else []
        for index, finding in enumerate(board.findings):
            if _means(meant, finding, board) and fits(finding, book, board):
                found = _by_finding(book, finding)
                order += [((1, SEVERITY_ORDER[finding.severity], index), found)] if found else []
        if not app and alert is None:
            order += [((2, 0, index), m) for index, m in enumerate(_by_slo(book, board))]
    order.sort(key=lambda pair: (pair[0][0], -pair[1].score, pair[0][1:], pair[1].runbook))
    matches = [m for _, m in order]
    return tuple(replace(m, tied=any(_ties(m, other) for other in matches)) for m in matches)


def _means(meant: NamedByAlert, finding: Finding, board: Board) -> bool:
    """Whether a finding is about what is meant: an application, or the workload that an alert names, or the component
    that the workload is of."""
    if not meant.workload:
        return meant.may_mean(finding.app)
    keys = (finding.subject, *objects_of_component(finding, board))
    parts = (key.split("/") for key in keys)
    return any(part[1:] in ([meant.namespace, meant.workload], ["", meant.workload]) for part in parts if part)


def _ties(one: Matched, other: Matched) -> bool:
    same = (one.finding, one.alert, one.slo, one.score) == (other.finding, other.alert, other.slo, other.score)
    return same and one.runbook != other.runbook


def _by_alert(book: Runbook, alert: Alert) -> Matched | None:
    best: Matched | None = None
    for rule in book.match.alerts:
        score, words = _score(rule, alert)
        if score and (best is None or score > best.score):
            best = Matched(book.id, book.title, f"alert {words}", score, alert=alert.name)
    if book.id in _linked(alert) and (best is None or best.score < LINK):
        best = Matched(book.id, book.title, "the alert names it as its runbook", LINK, alert=alert.name)
    return best


def _linked(alert: Alert) -> set[str]:
    """Names of runbooks that an alert carries: `runbook` and `runbook_url`, as labels or as annotations."""
    links = (place.get(key, "") for place in (alert.annotations, alert.labels) for key in ("runbook_url", "runbook"))
    stems = {re.split(r"[/#]", link.partition("?")[0].strip().rstrip("/"))[-1] for link in links}
    return {re.sub(r"\.(md|html|ya?ml)$", "", stem) for stem in stems} - {""}


def _score(rule: AlertMatch, alert: Alert) -> tuple[int, str]:
    if rule.name != alert.name:
        return 0, ""
    score, words = ALERT, [rule.name]
    for label, wanted in rule.labels.items():
        there = alert.labels.get(label)
        if wanted.startswith("~"):
            if there is None or not _full_match(wanted[1:], there):
                return 0, ""
            score += PATTERN
        elif there != wanted:
            return 0, ""
        else:
            score += LABEL
        words.append(f"{label}={wanted}")
    return score, " ".join(words)


def _full_match(pattern: str, text: str) -> bool:
    try:
        return re.fullmatch(pattern, text[:1000]) is not None
    except re.error:
        return False


def _by_finding(book: Runbook, finding: Finding) -> Matched | None:
    if finding.code in book.match.findings:
        score, words = FINDING, f"finding {finding.code}"
    elif book.id in finding.runbooks:
        score, words = NAMED, f"{finding.code} names it"
    elif finding.class_ is not None and finding.class_ in book.match.classes:
        score, words = CLASS, f"incident class {finding.class_}"
    else:
        return None
    return Matched(book.id, book.title, words, score, finding=finding.key, app=finding.app)


def _by_slo(book: Runbook, board: Board) -> Iterator[Matched]:
    for slo in board.slos:
        if slo.state in ("burning", "exhausted") and (slo.id in book.match.slos or book.id in slo.runbooks):
            yield Matched(book.id, book.title, f"SLO {slo.id} is {slo.state}", SLO, slo=slo.id)


def app_of_alert(board: Board, alert: Alert) -> str:
    """Key of the application that an alert's labels point at, or `` where none or more than one does."""
    found = named_by(alert, board.apps).apps
    return found[0] if len(found) == 1 else ""


def application_of(alert: Alert | None, board: Board) -> tuple[str | None, str]:
    """Key of the application that an alert means, and where that comes from; None, and why there is none."""
    if alert is None:
        return None, "no alert names an application"
    named = named_by(alert, board.apps)
    if len(named.apps) == 1:
        return named.apps[0], f"alert {alert.name}"
    if named.apps:
        return None, f"alert {alert.name} may mean {listed(named.apps, 5, ' or ')}"
    return None, unknown_to(alert, board) or f"alert {alert.name} names no application"


def unknown_to(alert: Alert, board: Board) -> str:
    """That an alert names what is not known here, in words; `` where it does not."""
    named = named_by(alert, board.apps)
    return f"alert {alert.name} names {clean(named.words)}, which is not known here" if named.unknown else ""
