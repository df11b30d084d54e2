"""The attempts of one application as one story: which died of what, is it the same again, does it get worse."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from msgspec import Struct

from console.apps.model import Attempt, SparkApp
from console.apps.states import SUCCEEDED
from console.base.units import human_duration
from console.findings.model import Finding

CHANGE = 0.25
"""Share by which the time until death must change to be called worse or better."""


_NO_CAUSE = frozenset({"unknown", "max-executor-failures"})
"""Kinds of a driver's death that say nothing about what it died of: its executors know that."""


class Story(Struct, frozen=True):
    """Attributes:
    lines: one line for each attempt, the first one first.
    same: whether the last two that failed died of the same; None where that is not known.
    trend: `worse` when it dies ever sooner, `better` when ever later, `same`, or `` where too little is known.
    words: the whole in one sentence.
    """

    lines: tuple[str, ...] = ()
    same: bool | None = None
    trend: str = ""
    words: str = ""


def story(app: SparkApp, findings: Iterable[Finding]) -> Story:
    """What the attempts tell. Empty for an application that was tried once."""
    if len(app.attempts) < 2:
        return Story()
    titles = {f.key: f for f in findings if f.app == app.key}
    failed = [a for a in app.attempts if a.failed]
    causes = [_cause(a, titles) for a in failed]
    lines = tuple(_line(a, titles) for a in app.attempts)
    same = None if len(causes) < 2 or "" in causes[-2:] else causes[-1] == causes[-2]
    trend = _trend(failed)
    seen = "" if app.attempt == len(app.attempts) and app.attempt_exact else f", {len(app.attempts)} of them seen"
    words = f"{'' if app.attempt_exact else 'at least '}{app.attempt} attempts{seen}, {len(failed)} failed"
    if app.state.upper() in SUCCEEDED:
        return Story(lines, same, trend, f"{words}; the last one completed" if failed else words)
    if same is not None:
        words += ": the same cause again" if same else ": another cause than before"
    if trend == "worse":
        words += ", and sooner each time"
    elif trend == "better":
        words += ", and later each time"
    return Story(lines, same, trend, words)


def _cause(attempt: Attempt, titles: dict[str, Finding]) -> str:
    found = titles.get(attempt.cause)
    if found is not None:
        return found.code
    kind = attempt.death.kind if attempt.death is not None else ""
    return "" if kind in _NO_CAUSE else kind


def _lasted(attempt: Attempt) -> float | None:
    if attempt.started is None or attempt.ended is None or attempt.ended < attempt.started:
        return None
    return attempt.ended - attempt.started


def _line(attempt: Attempt, titles: dict[str, Finding]) -> str:
    lasted = _lasted(attempt)
    how = attempt.death.words if attempt.death is not None else attempt.state
    found = titles.get(attempt.cause)
    why = f", because: {found.title}" if found is not None else ""
    after = f" after {human_duration(lasted)}" if lasted is not None else ""
    return f"attempt {attempt.number}: {how}{after}{why}"


def _trend(failed: list[Attempt]) -> str:
    times = [t for a in failed if (t := _lasted(a)) is not None]
    if len(times) < 2 or len(times) < len(failed):
        return ""
    pairs = list(pairwise(times))
    if all(b < a * (1 - CHANGE) for a, b in pairs):
        return "worse"
    if all(b > a * (1 + CHANGE) for a, b in pairs):
        return "better"
    return "same"
