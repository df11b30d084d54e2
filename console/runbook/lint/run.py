"""Lint: everything about a runbook that can be known to be wrong before it is needed at night.

`lint` runs the checks of three modules: ways and writes (here), templates and names (`templates`), queries,
objects and scripts (`world`). A consequence of a broken way is not reported beside its cause.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date

from console.actions import verb_of
from console.base.document import Path
from console.base.errors import did_you_mean
from console.runbook import graph
from console.runbook.catalogue import Catalogue
from console.runbook.language.before import is_before
from console.runbook.lint import constants, habits, known, others, people, templates, world
from console.runbook.lint.problems import LintProblem, LintReport
from console.runbook.lint.shape import down, own_figures
from console.runbook.model import SIZED, Input, Runbook, Step
from console.runbook.scripts import ScriptSpec
from console.runbook.types import convert

STALE_DAYS = 365
CONSENT = ("confirm", "approve", "force", "yes", "sure", "agree", "apply", "go_ahead", "proceed", "allow", "accept")
YES = ("true", "yes", "y", "on", "ok", "go", "go-ahead")
BROKEN_WAYS = ("undefined-step", "decide-without-else", "no-way-on", "verdict-without-way", "no-way-after-no")


def lint(
    runbook: Runbook,
    *,
    scripts: Mapping[str, ScriptSpec],
    catalogue: Catalogue,
    today: str = "",
    runbooks: Mapping[str, Runbook] | None = None,
) -> tuple[LintProblem, ...]:
    """Every problem, in the order of the lines.

    Args:
        runbook: what was loaded.
        scripts: the scripts that it may call.
        catalogue: series and fields that exist.
        today: a day (`2026-11-24`) against which the review date is held; `` leaves that out.
        runbooks: all that it may run, by id; None where nobody knows them.
    """
    report = LintReport(runbook)
    _identity(report, today)
    _inputs(report)
    for step in runbook.steps:
        _ways(report, step)
        _consent(report, step)
        if step.writes:
            _write(report, step)
        if step.edit is not None:
            _edit(report, step, step.edit.input)
    if not report.has(*BROKEN_WAYS):
        _reach(report)
    templates.check(report, catalogue)
    constants.check(report)
    known.check(report, catalogue.alerts, catalogue.objectives)
    habits.check(report)
    people.check(report)
    world.check(report, scripts, catalogue)
    others.check(report, runbooks or {}, catalogue.components)
    return report.done()


def _identity(report: LintReport, today: str) -> None:
    runbook = report.runbook
    if not runbook.reviewed:
        report.add("review-missing", (), "nobody says when this was last reviewed", "add `reviewed: YYYY-MM-DD`")
    elif today and (date.fromisoformat(today) - date.fromisoformat(runbook.reviewed)).days > STALE_DAYS:
        report.add(
            "review-stale", ("reviewed",), f"last reviewed on {runbook.reviewed}, over a year ago", severity="warning"
        )
    match = runbook.match
    if not (match.findings or match.classes or match.alerts or match.slos or runbook.on_demand):
        report.add("matches-nothing", ("match",), "no finding, alert or SLO leads to this runbook", severity="warning")
    for index, alert in enumerate(match.alerts):
        for label, wanted in alert.labels.items():
            if wanted.startswith("~"):
                _pattern(report, ("match", "alerts", index, "labels", label), wanted[1:])
    for key in ("what", "when_not_to_use", "owner"):
        if not getattr(runbook, key):
            report.add(
                "not-described", (), f"key {key!r} is empty", "whoever opens it at night reads this first", "warning"
            )


def _pattern(report: LintReport, at: Path, pattern: str) -> None:
    try:
        re.compile(pattern)
    except re.error as error:
        report.add("bad-pattern", at, f"{pattern!r} is no regular expression: {error}")


def _inputs(report: LintReport) -> None:
    for item in report.runbook.inputs:
        at = ("inputs", item.name)
        _pattern(report, (*at, "pattern"), item.pattern)
        _sources(report, item)
        if item.type == "enum" and not item.choices:
            report.add("enum-without-choices", at, f"input {item.name!r} is an enum without choices")
            continue
        if item.default is not None:
            try:
                convert(item, item.default)
            except ValueError as error:
                report.add("bad-default", (*at, "default"), f"the default is wrong: {error}")
        consent = any(word in item.name for word in CONSENT)
        if consent and str(item.default).lower() in YES:
            report.add(
                "yes-by-default",
                (*at, "default"),
                f"input {item.name!r} says yes for the person",
                "no default is ever a yes; ask in a step",
            )


def _sources(report: LintReport, item: Input) -> None:
    """Figures that no finding which leads here can have."""
    for index, source in enumerate(item.sources):
        where, shape = "finding.data", own_figures(report.runbook)
        for key in source.removeprefix("finding.data.").split(".") if source.startswith("finding.data.") else ():
            inner = down(shape, key)
            if inner is None:
                known = list(shape) if isinstance(shape, dict) else []
                hint = did_you_mean(key, known) if known else f"{where} is one value without fields"
                report.add("unknown-figure", ("inputs", item.name, "from", index), f"{where} has no {key!r}", hint)
                break
            where, shape = f"{where}.{key}", inner


def _edit(report: LintReport, step: Step, name: str) -> None:
    """What may be set otherwise is an input that has a size, so that its limits mean something."""
    inputs = {item.name: item for item in report.runbook.inputs}
    at = report.at(step.id, "edit", "input")
    if name not in inputs:
        report.add("unknown-input", at, f"there is no input {name!r}", did_you_mean(name, inputs))
    elif inputs[name].type not in SIZED:
        types = ", ".join(SIZED)
        report.add("no-limits", at, f"input {name!r} of type {inputs[name].type} has no size", f"types: {types}")


def _ways(report: LintReport, step: Step) -> None:
    runbook = report.runbook
    ids = [s.id for s in runbook.steps]
    for key, target in _named_ways(step):
        if target and target not in ids:
            report.add(
                "undefined-step", report.at(step.id, *key), f"there is no step {target!r}", did_you_mean(target, ids)
            )
    if step.kind in ("check", "decide") and not any(b.when == "" for b in step.branches):
        report.add(
            "decide-without-else",
            report.at(step.id),
            f"{step.kind} {step.id!r} has no else",
            "say where the rest leads",
        )
    if step.kind == "verify":
        for verdict in graph.VERDICTS:
            if not getattr(step, f"on_{verdict}"):
                report.add(
                    "verdict-without-way",
                    report.at(step.id),
                    f"verify {step.id!r} does not say where on_{verdict} leads",
                )
    elif step.kind != "end":
        for reason, target in graph.successors(runbook, step):
            if target:
                continue
            code = "no-way-after-no" if reason in ("refused", "failed") else "no-way-on"
            report.add(code, report.at(step.id), f"step {step.id!r} leads nowhere when {_when(reason)}", _cure(reason))


def _when(reason: str) -> str:
    words = {"refused": "the answer is No", "failed": "it fails", "applied": "it was applied", "next": "it is done"}
    return words.get(reason, f"{reason} is taken")


def _cure(reason: str) -> str:
    return "add on_refused" if reason in ("refused", "failed") else "end the runbook with an `end` step"


def _named_ways(step: Step) -> list[tuple[tuple[str | int, ...], str]]:
    """The step ids that a step names, with the key of each."""
    out: list[tuple[tuple[str | int, ...], str]] = [
        ((key,), getattr(step, key))
        for key in ("next", "verify", "on_refused", "on_failed", "on_unanswered", *(f"on_{v}" for v in graph.VERDICTS))
    ]
    for index, branch in enumerate(step.branches):
        out.append((("branches", index, "goto") if branch.when else ("else", "goto"), branch.goto))
    out += [(("choices", index, "goto"), choice.goto) for index, choice in enumerate(step.choices)]
    return out


def _consent(report: LintReport, step: Step) -> None:
    if step.kind == "ask" and len(step.choices) == 1:
        report.add(
            "one-answer", report.at(step.id, "choices"), f"question {step.id!r} has one answer, so it asks nothing"
        )
    values = [c.value for c in step.choices]
    for index, value in enumerate(values):
        if value in values[:index]:
            report.add("answer-twice", report.at(step.id, "choices", index), f"answer {value!r} stands here twice")
    for key in ("on_refused", "on_failed"):
        other = report.runbook.step(getattr(step, key))
        if step.writes and other is not None and other.writes:
            report.add(
                "no-leads-to-write",
                report.at(step.id, key),
                f"after a No, {step.id!r} goes straight to the write {other.id!r}",
                "ask first, or end",
            )
    if step.on_unknown and step.kind in ("check", "decide") and not is_before(step):
        other = report.runbook.step(step.on_unknown)
        if other is not None and other.writes:
            report.add(
                "unknown-leads-to-write",
                report.at(step.id, "on_unknown"),
                f"what cannot be told leads straight to the write {other.id!r}",
                "ask a person, or end",
            )


def _write(report: LintReport, step: Step) -> None:
    verify = report.runbook.step(step.verify)
    if not step.verify:
        report.add(
            "write-without-verify",
            report.at(step.id),
            f"{step.kind} {step.id!r} writes and nothing verifies it",
            "add `verify` with the id of a verify step",
        )
    elif verify is not None and verify.kind != "verify":
        report.add(
            "verify-is-none", report.at(step.id, "verify"), f"{step.verify!r} is a {verify.kind}, not a verify step"
        )
    elif verify is not None and not verify.progress and not verify.rises:
        report.add(
            "vacuous-verify",
            report.at(verify.id),
            f"verify {verify.id!r} is true as soon as nothing happens",
            "add `progress`: what must be seen for `until` to count",
        )
    if not step.rollback and not step.irreversible:
        report.add(
            "write-without-rollback",
            report.at(step.id),
            f"{step.kind} {step.id!r} cannot be undone and does not say why",
            "add `rollback: captured`, or `irreversible` with the reason",
        )
    elif step.rollback and (never := verb_of(step.action).no_way_back(target=step.target is not None)):
        report.add("rollback-impossible", report.at(step.id, "rollback"), *never)


def _reach(report: LintReport) -> None:
    runbook = report.runbook
    seen, ends, circle = graph.reachable(runbook), graph.ending(runbook), graph.spinning(runbook)
    for step in runbook.steps:
        if step.id not in seen:
            if not report.is_written(step.id):
                continue  # what leads to it is told instead
            report.add("unreachable-step", report.at(step.id), f"no way leads to step {step.id!r}")
        elif step.id not in ends:
            report.add("never-ends", report.at(step.id), f"from step {step.id!r} no way leads to an end")
        elif step.id in circle:
            report.add(
                "spins", report.at(step.id), f"step {step.id!r} can come back to itself without waiting for anything"
            )
