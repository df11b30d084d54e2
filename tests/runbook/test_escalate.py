"""A step that calls somebody: whom, why, what to paste, by when, and what comes of it."""

from __future__ import annotations

import pytest

from console.base.errors import DocumentError
from console.runbook import graph, schema, steps
from console.runbook.authors import checklist
from console.runbook.language import expanded
from console.runbook.lint.run import lint
from console.runbook.model import Runbook
from console.runbook.walk import Entered, Started, Walk, decode, encode, fold
from console.timeline.prose import escalations, sentence
from console.timeline.stats import figures
from tests.runbook.player import LIBRARY

HEAD = """apiVersion: console/v1
kind: Runbook
id: volume
title: A volume is full
owner: platform on-call
reviewed: 2026-12-01
what: Says whose it is.
when_not_to_use: Never.
about: app
on_demand: true
changes: none
steps:
"""
TIMED = """- id: call
  escalate: the storage team
  because: Only they can make it larger.
  paste: |
    claim data is full
    {{ walk.happened }}
  within: 15m
  else: platform
- id: platform
  escalate: the platform team
"""
CTX = {"walk": {"happened": "Nothing was changed."}, "finding": {"title": "the claim is full"}}
BEGAN = Started(100.0, "w", "volume", "1.0.0", "", "", {}, {}, {}, "jobs/etl", "ada", "test")


def book(steps: str = TIMED) -> Runbook:
    return schema.load(HEAD + steps, "volume.yaml")


def called(runbook: Runbook, at: float = 200.0) -> tuple[Walk, list]:  # type: ignore[type-arg]
    step = runbook.step("call")
    assert step is not None
    events = [BEGAN, Entered(at, "call"), steps.escalated(runbook, step, CTX, at)]
    return fold(events), events


def test_it_is_a_kind_of_step_of_its_own_that_says_whom_why_what_to_paste_and_by_when() -> None:
    walk, events = called(book())
    one = walk.escalated
    assert one is not None and one.whom == "the storage team" and one.because == "Only they can make it larger."
    assert one.paste == "claim data is full\nNothing was changed." and one.due == 200.0 + 900.0
    assert isinstance(steps.todo(book(), walk), steps.AwaitAnswer)
    assert sentence(events[-1]) == (
        "the storage team was to be called, to be answered by 00:18:20Z: Only they can make it larger."
    )
    assert [decode(encode(event)) for event in events] == events, "the journal keeps it"


@pytest.mark.parametrize("said", ["Ben", "taken by Ben", "Taken by Ben"])
def test_who_took_it_is_recorded_and_the_walk_is_handed_over(said: str) -> None:
    runbook = book()
    walk, events = called(runbook)
    step = runbook.step("call")
    assert step is not None
    answer = steps.escalation_answered(runbook, step, walk, said, "ada", 300.0)
    after = fold([*events, answer])
    assert (answer.answer, answer.who, answer.by, answer.goto) == ("taken", "Ben", "ada", "handed-over")
    assert sentence(answer) == "Ben took it, by the word of ada" and after.escalated is None
    [told] = escalations(after)
    assert (told["answer"], told["who"], told["due"]) == ("taken", "Ben", "1970-01-01T00:18:20Z")


def test_where_nobody_answers_in_time_else_leads_on_and_the_page_says_that_the_deadline_passed() -> None:
    runbook = book()
    _, events = called(runbook)
    step = runbook.step("call")
    assert step is not None
    late = steps.unanswered(runbook, step, 1100.0)
    after = fold([*events, late])
    assert late.goto == "platform" and steps.todo(runbook, after) == steps.Enter("platform")
    assert after.steps[-1].words == "the deadline passed: no answer of the storage team was recorded by 00:18:20Z"


def test_without_else_it_stays_handed_over() -> None:
    runbook = book("- id: call\n  escalate: x y\n  within: 5m\n")
    step = runbook.step("call")
    assert step is not None and steps.unanswered(runbook, step, 1.0).goto == "handed-over"


def test_without_a_deadline_it_behaves_as_a_note_that_ends_handed_over() -> None:
    runbook = book("- id: call\n  escalate: the storage team\n")
    walk, _ = called(runbook)
    step = runbook.step("call")
    assert step is not None and walk.escalated is not None and walk.escalated.due is None
    assert walk.escalated.paste == "the claim is full\nNothing was changed."
    answer = steps.escalation_answered(runbook, step, walk, "", "ada", 300.0)
    assert (answer.answer, answer.goto) == ("told", "handed-over")
    assert [reason for reason, _ in graph.successors(runbook, step)] == ["next"]


def test_the_long_form_says_the_same_and_the_checklist_tells_it() -> None:
    runbook = book()
    again = schema.load(expanded.text(runbook), "volume.yaml")
    for id in ("call", "platform"):
        one, other = runbook.step(id), again.step(id)
        assert one is not None and other is not None
        keys = ("kind", "whom", "text", "paste", "answer_within", "on_unanswered", "next")
        assert [getattr(one, key) for key in keys] == [getattr(other, key) for key in keys]
    said = checklist.text(checklist.checklist(runbook))
    assert "HAND OVER: Call the storage team" in said and "| claim data is full" in said
    assert "answered within 15m" in said and "If nobody answers in time: step 2" in said


@pytest.mark.parametrize(
    ("steps", "line"),
    [
        ("- escalate: ' '\n", 13),
        ("- escalate: somebody\n  paste: ' '\n", 14),
        ("- escalate: somebody\n  within: soon\n", 14),
    ],
)
def test_what_says_nothing_is_refused_at_its_line(steps: str, line: int) -> None:
    with pytest.raises(DocumentError) as raised:
        book(steps)
    assert raised.value.line == line


@pytest.mark.parametrize(
    ("steps", "code", "line"),
    [
        ("- escalate: somebody\n  within: 0m\n", "no-deadline", 14),
        ("- escalate: somebody\n  else: handed over\n", "late-without-deadline", 14),
    ],
)
def test_lint_names_a_deadline_that_is_none_and_a_way_that_nothing_leads_to(steps: str, code: str, line: int) -> None:
    found = lint(book(steps), scripts={}, catalogue=LIBRARY.catalogue, today="2026-12-02")
    assert (code, line) in [(one.code, one.line) for one in found]
    assert not lint(book(), scripts={}, catalogue=LIBRARY.catalogue, today="2026-12-02")


def test_figures_count_who_was_called_and_who_did_not_answer() -> None:
    runbook = book()
    _, events = called(runbook)
    step = runbook.step("call")
    assert step is not None
    late = [*events, steps.unanswered(runbook, step, 1100.0)]
    [one] = figures([(fold(events), events), (fold(late), late)])
    assert (one.escalations, one.unanswered) == (2, 1)
