"""Every rule that was tried, told once for all that it says the same of."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from console.facts.leftout import LeftOut, bounded
from console.findings.rule import Trial

MOST_ANSWERS = 5
"""Different reasons for which one rule does not hold that are told; those of sick subjects first."""


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
