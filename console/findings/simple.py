"""Rules that are data: one finding with at most one branch, told by the words of logs or by how executors ended.

What decides more than that is a function (`Rule`). Both stand side by side in the `RULES` of a module.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Literal

from msgspec import Struct

from console.apps.evidence import of_hit
from console.facts.logs import Hit, LogRole
from console.findings.case import Case
from console.findings.figures.base import Figures
from console.findings.lost.victims import Victim, count_of
from console.findings.model import Confidence, Severity
from console.findings.rule import Answer, Rule, finding, severity_of


class SimpleRule(Struct, frozen=True, kw_only=True):
    """What both kinds of simple rules say.

    Attributes:
        code: of its finding, and its own name.
        class_: incident class, or None.
        holds_not: what `--explain` prints where it does not hold.
        severity: always this one; None: as bad as what it does to the application (`severity_of`).
        fatal: whether the application cannot live on with it.
        after: codes whose findings may be its cause.
    """

    code: str
    class_: str | None
    holds_not: str
    title: str
    confidence: Confidence
    detail: str = ""
    severity: Severity | None = None
    fatal: bool = False
    ruled_out: tuple[tuple[str, str], ...] = ()
    questions: tuple[str, ...] = ()
    after: tuple[str, ...] = ()

    def check(self, case: Case) -> Answer:
        raise NotImplementedError

    def rule(self) -> Rule:
        return Rule(self.code, self.class_, self.check, after=self.after)

    def severity_in(self, case: Case) -> Severity:
        return self.severity if self.severity is not None else severity_of(case, fatal=self.fatal)


class Variant(Struct, frozen=True):
    """Another title and detail where the line of a place that was found holds one of these words."""

    words: tuple[str, ...]
    title: str
    detail: str = ""


class LogRule(SimpleRule, frozen=True, kw_only=True):
    """These wordings in these roles' logs are this finding.

    Attributes:
        wordings: names of `console/facts/wordings.py`.
        roles: whose logs; none are all.
        unless: wordings in any log of the application that belong to another rule, which then speaks instead.
        counts: whether a place that holds the wording counts.
        pattern: a place counts only where this matches its line or its record; its named groups, as the first place
            has them, replace the braces of title and detail.
        variant: the one branch that a simple rule may have.
        about: the object that the finding is about.
        quoted: how many places are quoted as evidence.
        figures: what the finding tells beside its words, of the places found.
    """

    wordings: tuple[str, ...]
    roles: tuple[LogRole, ...] = ()
    unless: tuple[str, ...] = ()
    counts: Callable[[Hit], bool] | None = None
    pattern: re.Pattern[str] | None = None
    variant: Variant | None = None
    about: Literal["application", "driver"] = "application"
    quoted: int = 3
    figures: Callable[[Case, Sequence[Hit]], Figures] | None = None

    def check(self, case: Case) -> Answer:
        hits = [h for h in case.hits(*self.wordings, roles=self.roles) if self._counts(h)]
        if not hits or (self.unless and case.hits(*self.unless)):
            return self.holds_not
        title, detail = self._words(hits)
        return [
            finding(
                case,
                self.code,
                self.class_,
                self.severity_in(case),
                self.confidence,
                title,
                subject=case.driver_subject if self.about == "driver" else case.subject,
                detail=detail,
                evidence=[of_hit(h) for h in hits[: self.quoted]],
                ruled_out=self.ruled_out,
                questions=self.questions,
                data=self.figures(case, hits) if self.figures is not None else None,
            )
        ]

    def _counts(self, hit: Hit) -> bool:
        return (self.counts is None or self.counts(hit)) and (self.pattern is None or self.match(hit) is not None)

    def match(self, hit: Hit) -> re.Match[str] | None:
        """What `pattern` finds in the line, else in the record."""
        return (self.pattern.search(hit.text) or self.pattern.search(hit.record.body)) if self.pattern else None

    def _words(self, hits: Sequence[Hit]) -> tuple[str, str]:
        title, detail = self.title, self.detail
        if self.variant is not None and any(w in h.text for w in self.variant.words for h in hits):
            title, detail = self.variant.title, self.variant.detail
        found = self.match(hits[0])
        if found is None:
            return title, detail
        return title.format_map(found.groupdict("")), detail.format_map(found.groupdict(""))


class DeathRule(SimpleRule, frozen=True, kw_only=True):
    """Executors that ended like this are this finding.

    In its title and detail `{who}` is which or how many, `{exit_code}` and `{words}` are the last one's.

    Attributes:
        kinds: words of `Victim.kind`.
        figures: what the finding tells beside its words, of the executors found.
    """

    kinds: tuple[str, ...]
    figures: Callable[[Case, Sequence[Victim]], Figures] | None = None

    def check(self, case: Case) -> Answer:
        ended = [v for v in case.victims if v.kind in self.kinds]
        if not ended:
            return self.holds_not
        last = ended[-1]
        words = {"who": count_of(ended), "exit_code": last.exit_code, "words": last.words}
        return [
            finding(
                case,
                self.code,
                self.class_,
                self.severity_in(case),
                self.confidence,
                self.title.format_map(words),
                detail=self.detail.format_map(words),
                evidence=[e for v in ended[-3:] for e in v.evidence],
                ruled_out=self.ruled_out,
                questions=self.questions,
                data=self.figures(case, ended) if self.figures is not None else None,
            )
        ]
