"""Facts and applications → findings: the cause first, its consequences after it; and why other rules did not hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from console.apps.assemble import Assembler
from console.apps.census import Census
from console.apps.groups import identical
from console.apps.model import SparkApp
from console.facts.counted import CountedAttempts
from console.facts.culprits import Aside
from console.facts.leftout import LeftOut, bounded
from console.facts.model import Event, Facts
from console.facts.notjudged import Isolation, NotJudged
from console.findings.case import Case, ClusterView, Home
from console.findings.joined import TextCache
from console.findings.model import Finding
from console.findings.order import CausesKept, linked, ordered
from console.findings.proof import honest
from console.findings.rule import Answer, Rule, Trial, WorldRule
from console.findings.rules import all_rules
from console.findings.surroundings import QuestionKey, parts_of, still_true, unchanged
from console.findings.unjudged import findings_of
from console.gpu.model import Fleet

MOST_ANSWERS = 5
"""Different reasons for which one rule does not hold that are told; those of sick subjects first."""


class Judgement(Struct, frozen=True):
    """Applications and findings of one moment.

    Attributes:
        not_judged: what Console failed at, which its findings name.
        counted: how often each application was tried, for the facts of the next look.
    """

    apps: tuple[SparkApp, ...]
    findings: tuple[Finding, ...]
    gpus: Fleet = Fleet()
    not_judged: tuple[NotJudged, ...] = ()
    counted: Mapping[str, CountedAttempts] = {}


def diagnose(facts: Facts, apps: Sequence[SparkApp]) -> tuple[Finding, ...]:
    """Every finding, ordered: what is worst first, each followed by its consequences. It remembers nothing, as `Engine`
    does for whoever looks again and again: both say the same."""
    failed = Isolation()
    failed.keep(*facts.not_judged)
    view = ClusterView(facts, apps)
    found = _of_all(view, failed, {})
    for case in view.cases:
        of_app = Isolation()
        found.extend(_judged(case, of_app))
        failed.keep(*of_app.failed)
    return ordered(linked([*found, *findings_of(failed.failed)], all_rules()[0]))


def explain(facts: Facts, apps: Sequence[SparkApp]) -> tuple[Trial, ...]:
    """Every rule that was tried on every application and on the world, and why it held or did not."""
    mine, over_all = all_rules()
    view, failed = ClusterView(facts, apps), Isolation()
    trials = [trial for rule in over_all for trial in _trials(rule, "", _checked_over_all(rule, view, failed, {}))]
    for case in view.cases:
        for rule in mine:
            held = _checked(rule, case, failed)
            case.so_far.extend(_taken(held))
            trials.extend(_trials(rule, case.subject, held))
    return tuple(trials)


def gathered(trials: Sequence[Trial]) -> tuple[tuple[Trial, ...], tuple[LeftOut, ...]]:
    """The trials in fewer lines, and what was left out of them.

    What held stands as it is. A rule that does not hold of many for the same reason stands once, with the first of them
    (one that something is wrong with, if there is one) and the number of the others.
    """
    sick = {trial.subject for trial in trials if trial.held}
    by_rule: dict[str, list[Trial]] = {}
    for trial in trials:
        by_rule.setdefault(trial.rule, []).append(trial)
    told: list[Trial] = []
    left_out: list[Trial] = []
    for tried in by_rule.values():
        answers = _answers([one for one in tried if not one.held], sick)
        told += [one for one in tried if one.held] + answers[:MOST_ANSWERS]
        left_out += answers[MOST_ANSWERS:]
    _, said = bounded(
        [*told, *left_out],
        len(told),
        source="rules",
        what="answers of rules are told",
        first="those of the sick first",
        name=lambda one: f"{one.rule} of {one.subject or 'all'}",
    )
    return tuple(told), said


def _answers(failed: Sequence[Trial], sick: set[str]) -> list[Trial]:
    """One trial for each reason, those of the sick first."""
    found: dict[str, Trial] = {}
    for trial in sorted(failed, key=lambda one: one.subject not in sick):
        known = found.get(trial.because)
        found[trial.because] = trial if known is None else replace(known, also=known.also + 1)
    return list(found.values())


@dataclass(frozen=True)
class _Judged:
    """What was found about one application, and everything that it was judged from.

    Attributes:
        home, events: the application with its objects, logs, REST answers and events, compared by identity: facts are
            immutable.
        seen: what its rules asked of everything else, with the answers, and `parts`: of which parts of the facts.
        failed: rules that failed at it.
    """

    home: Home
    events: Sequence[Event]
    seen: dict[QuestionKey, Any]
    parts: frozenset[str]
    findings: list[Finding]
    failed: tuple[NotJudged, ...]

    def holds(self, home: Home, view: ClusterView, same: frozenset[str]) -> bool:
        """Whether every rule would read the same again. `same`: parts of the facts that did not change."""
        return (
            self.home.same(home)
            and ("events" in same or identical(self.events, home.events(view.events)))
            and (self.parts <= same or still_true(self.seen, view, same))
        )


class Engine:
    """Judges a stream of facts: an application is judged again when anything changed that one of its rules read.

    A rule that fails at an application, and an object that breaks what is judged over all, are set aside and said in
    findings of Console's own; everything else is judged.
    """

    def __init__(self) -> None:
        self._assembler = Assembler()
        self._census = Census()
        self._judged: dict[str, _Judged] = {}
        self._facts = Facts(at=0.0)
        self._indexes: dict[str, dict[str, Any]] = {}
        """What `_judged` was judged from, and its indexes by the part of the facts that they follow from."""
        self._texts: TextCache = {}
        self._aside = Aside()
        self._aside_of: dict[str, Aside] = {}
        self._causes = CausesKept()

    def judge(self, facts: Facts) -> Judgement:
        """Applications, their attempts named with their causes, and what `diagnose` says of these facts."""
        failed = Isolation()
        failed.keep(*facts.not_judged)
        said = self._aside.work(self._of_sound, facts, failed, "what is judged over all")
        self._forget_texts(facts)
        failed.keep(*said.not_judged)
        found = [*said.findings, *findings_of(failed.failed)]
        all_found = ordered(linked(found, all_rules()[0]))
        return Judgement(
            self._causes.name(said.apps, all_found), all_found, said.gpus, tuple(failed.failed), said.counted
        )

    def _of_sound(self, facts: Facts) -> Judgement:
        """What is found, in no order yet. Raises where an object breaks what is read over all of them."""
        failed = Isolation()
        same = unchanged(self._facts, facts)
        view = ClusterView(
            facts, (), self._texts, self._census.take(facts), [self._indexes.get(part, {}) for part in same]
        )
        apps = self._assembler.assemble(facts, found=view.groups, attached=view.attached, failed=failed)
        view.apps = apps
        found = _of_all(view, failed, self._aside_of)
        judged: dict[str, _Judged] = {}
        for home in view.homes:
            known = self._judged.get(home.app.key)
            if known is None or not known.holds(home, view, same):
                known = _judged_anew(home, view.case_at(home))
            judged[home.app.key] = known
            found.extend(known.findings)
            if known.failed:
                failed.keep(*known.failed)
        self._judged, self._facts, self._indexes = judged, facts, view.indexes()
        return Judgement(apps, tuple(found), view.gpus.fleet, tuple(failed.failed), dict(self._assembler.counted))

    def _forget_texts(self, facts: Facts) -> None:
        if self._texts:
            alive = {id(log) for log in facts.logs}
            for key in [key for key in self._texts if key not in alive]:
                del self._texts[key]


def _of_all(view: ClusterView, failed: Isolation, aside: dict[str, Aside]) -> list[Finding]:
    return [one for rule in all_rules()[1] for one in _taken(_checked_over_all(rule, view, failed, aside))]


def _checked_over_all(rule: WorldRule, view: ClusterView, failed: Isolation, aside: dict[str, Aside]) -> Answer:
    """What a rule over all answers; of the facts without those that it fails at, where there are such."""
    part = f"rule {rule.code}"
    if rule.code not in aside:
        try:
            return rule.check(view)
        except Exception as error:
            first = error
    else:
        first = None
    try:
        held = aside.setdefault(rule.code, Aside())
        return held.work(lambda facts: rule.check(ClusterView(facts, view.apps)), view.facts, failed, part)
    except Exception as error:
        failed.note("everything", part, first or error)
        return f"not judged: {type(error).__name__}"


def _judged_anew(home: Home, case: Case) -> _Judged:
    failed = Isolation()
    findings = [] if _calm(case, failed) else _judged(case, failed)
    seen = case.world.seen
    return _Judged(home, case.events, seen, parts_of(seen), findings, tuple(failed.failed))


def _calm(case: Case, failed: Isolation) -> bool:
    return failed.run(lambda: case.calm, False, subject=case.app.key, part="a first look", app=case.app.key)


def _judged(case: Case, failed: Isolation) -> list[Finding]:
    """Every rule in turn; later ones see what earlier ones found."""
    for rule in all_rules()[0]:
        case.so_far.extend(_taken(_checked(rule, case, failed)))
    return case.so_far


def _checked(rule: Rule, case: Case, failed: Isolation) -> Answer:
    """What a rule answers about one application; that it could not be judged where it fails."""
    try:
        return rule.check(case)
    except Exception as error:
        failed.note(case.subject, f"rule {rule.code}", error, app=case.app.key)
        return f"not judged: {type(error).__name__}"


def _taken(said: Answer) -> list[Finding]:
    return [] if isinstance(said, str) else [honest(one) for one in said]


def _trials(rule: Rule | WorldRule, subject: str, said: Answer) -> list[Trial]:
    if isinstance(said, str):
        return [Trial(rule.code, rule.class_, subject, False, said)]
    return [Trial(f.code, f.class_, f.subject or subject, True, f.title) for f in said]
