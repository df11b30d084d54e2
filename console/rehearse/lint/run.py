"""Lint of drills: each file against its world, and against the runbook that it is a drill of."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from console.base.document import parse
from console.base.errors import DocumentError, did_you_mean
from console.drill.scenario.files import read
from console.rehearse.lint import against_book, against_world
from console.rehearse.lint.report import DrillReport
from console.runbook.language.link import link
from console.runbook.lint.problems import LintProblem, of_error
from console.runbook.model import Runbook


def lint_file(file: Path, books: Mapping[str, Runbook]) -> tuple[LintProblem, ...]:
    """Every problem of a drill's file. One that does not load has the one that keeps it from that."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        return (of_error(DocumentError(f"the drill cannot be read: {error}", file=str(file))),)
    return lint_text(text, str(file), books)


def lint_text(text: str, file: str, books: Mapping[str, Runbook]) -> tuple[LintProblem, ...]:
    """Every problem of a drill. `books`: the runbooks that it may be a drill of, by id."""
    try:
        scenario = read(text, file)
    except DocumentError as error:
        return (of_error(error),)
    report = DrillReport(parse(text, file))
    book = books.get(scenario.runbook)
    if book is None:
        said = f"there is no runbook {scenario.runbook!r}"
        report.add("unknown-runbook", ("runbook",), said, did_you_mean(scenario.runbook, books))
    else:
        against_book.check(report, scenario, link(book, books))
    against_world.check(report, scenario)
    if all(case.breaks for case in scenario.cases.values()) and book is not None and not book.on_demand:
        said = "no case shows that nothing is changed where nothing is wrong"
        hint = "healthy: {title: Nothing is wrong, expect: {outcomes: [not_applicable], writes: 0}}"
        report.add("no-healthy-case", ("cases",), said, hint, "warning")
    return report.done()
