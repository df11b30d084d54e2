"""Lint of figures: `finding.data.limt` is an error where the family of the finding says which figures it has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import pytest

from console.findings import figures
from console.findings.figures import Figures
from console.runbook import schema
from console.runbook.lint import shape
from console.runbook.lint.problems import LintProblem
from console.runbook.lint.run import lint
from tests.runbook.player import LIBRARY


class Limited(Figures, frozen=True, kw_only=True):
    """What these tests call a family."""

    CODES: ClassVar = ("too-small", "far-too-small")

    limit: float | None
    sizes: dict[str, float]


class Counted(Figures, frozen=True, kw_only=True):
    CODES: ClassVar = ("too-many",)

    count: int


@pytest.fixture(autouse=True)
def two_families(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    known = {code: kind for kind in (Limited, Counted) for code in kind.CODES}
    monkeypatch.setattr("console.runbook.lint.shape.families", lambda: known)
    monkeypatch.setattr("console.runbook.lint.known.codes", lambda: frozenset({*known, "not-typed-yet"}))
    monkeypatch.setattr("console.runbook.lint.shape.figures_of", lambda code: known.get(code, Figures))
    _forget()
    yield
    _forget()


def _forget() -> None:
    """What lint has worked out once of the real families."""
    shape._found.cache_clear()
    shape.figures.cache_clear()


BOOK = """\
apiVersion: console/v1
kind: Runbook
id: book
version: 1.0.0
title: Book
owner: me
what: x
when_not_to_use: x
reviewed: 2026-11-24
match: {match}
inputs:
  size: {{type: float, required: false, from: [{source}, default], default: 1}}
steps:
  - id: look
    kind: check
    title: Look
    branches: [{{when: "{when}", goto: end, because: "{{{{ inputs.size }}}}"}}]
    else: {{goto: end}}
  - {{id: end, kind: end, title: E, outcome: resolved}}
"""
ONE, BOTH, OPEN = (
    "{findings: [too-small]}",
    "{findings: [too-small, too-many]}",
    "{findings: [too-small, not-typed-yet]}",
)


def problems(
    when: str = "app.live", *, match: str = ONE, source: str = "finding.data.limit"
) -> tuple[LintProblem, ...]:
    book = schema.load(BOOK.format(match=match, when=when, source=source), "book.yaml")
    return lint(book, scripts={}, catalogue=LIBRARY.catalogue, today="2026-11-25")


def said(*args: str, **kwargs: str) -> list[tuple[str, str, str]]:
    return [(p.code, p.message, p.hint) for p in problems(*args, **kwargs)]


def test_a_figure_that_the_family_has_is_none() -> None:
    assert said("finding.data.limit > 1") == []
    assert said("finding.data.current and 'a' in finding.data.pods") == [], "every family has these"
    assert said("finding.data.sizes.heap > 1") == [], "keys of a mapping are not known"


def test_a_mistyped_figure_is_an_error_with_the_nearest_name() -> None:
    assert said("finding.data.limt > 1") == [
        ("unknown-name", "finding.data has no 'limt'", "did you mean 'limit'?"),
    ]
    assert said("finding.data.limit.heap > 1")[0][:2] == ("unknown-name", "finding.data.limit has no 'heap'")


def test_a_finding_has_the_figures_of_every_code_that_leads_here() -> None:
    assert said("finding.data.limit > 1 and finding.data.count > 1", match=BOTH) == []
    assert said("finding.data.count > 1")[0][1] == "finding.data has no 'count'"


@pytest.mark.parametrize("match", [OPEN, "{classes: [I01]}", "{findings: [too-small], classes: [I01]}", "{slos: [x]}"])
def test_nothing_is_wrong_where_a_code_has_no_family_or_any_code_may_come(match: str) -> None:
    assert said("finding.data.limt > 1", match=match, source="finding.data.anything") == []


def test_a_code_that_is_named_has_the_figures_of_its_own_family() -> None:
    assert said("found['too-many'].data.count > 1") == []
    assert said("found['too-many'].data.limit > 1")[0][1] == "found.too-many.data has no 'limit'"
    assert said("found['not-typed-yet'].data.limit > 1") == []


def test_an_input_takes_only_figures_that_there_are() -> None:
    (problem,) = problems(source="finding.data.limt")
    assert (problem.code, problem.key) == ("unknown-figure", "inputs.size.from[0]")
    assert (problem.message, problem.hint) == ("finding.data has no 'limt'", "did you mean 'limit'?")
    assert problem.line == 12
    assert said(source="finding.data.sizes.heap") == []
    assert said(source="finding.data.limit.heap")[0][2] == "finding.data.limit is one value without fields"


def test_the_families_of_the_package_are_read_as_they_are() -> None:
    assert all(issubclass(kind, Figures) for kind in figures.families().values())
