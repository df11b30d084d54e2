"""A drill against its runbook: steps, ends, answers and inputs that the runbook does not have or cannot come to."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from console.base.document import Path
from console.base.errors import did_you_mean
from console.base.text import listed
from console.drill.scenario.model import Scenario, ScenarioCase
from console.rehearse.lint.report import DrillReport
from console.runbook import graph
from console.runbook.catalogue.codes import classes, codes
from console.runbook.inputs import ABOUT
from console.runbook.language.ends import RETURN
from console.runbook.model import Runbook, Step, turn_of
from console.runbook.types import convert

ANSWERED = frozenset({"ask", "manual", "note", "escalate", "change", "script", "verify"})
"""Kinds of steps at which a person is asked: of a verification, whether to roll back what did not help."""


def check(report: DrillReport, scenario: Scenario, book: Runbook) -> None:
    """Add what the cases expect of the runbook, and it cannot do."""
    ways = BookWays(book)
    for name, case in scenario.cases.items():
        at: Path = ("cases", name)
        _path(report, (*at, "expect"), case, ways)
        _outcomes(report, (*at, "expect"), case, ways)
        _writes(report, (*at, "expect"), case, ways)
        _answers(report, (*at, "answers"), case, ways)
        _inputs(report, (*at, "inputs"), case, book)
        _findings(report, at, case)


class BookWays:
    """Which steps a runbook has, and which lie beyond which."""

    def __init__(self, book: Runbook) -> None:
        self.book, self.ids = book, [step.id for step in book.steps]
        self.reachable = graph.reachable(book)

    def step(self, id: str) -> Step | None:
        return self.book.step(turn_of(id)[0])

    def beyond(self, id: str) -> frozenset[str]:
        """Steps that may come after a step. What runs at last returns to the end from which it came."""
        found = graph.beyond(self.book, turn_of(id)[0]) if id else self.reachable
        return found | {step.id for step in self.book.steps if step.kind == "end"} if RETURN in found else found

    def ends(self, beyond: str = "") -> list[Step]:
        """Ends that a walk can come to, once it has passed a step."""
        there = self.beyond(beyond)
        return [step for step in self.book.steps if step.kind == "end" and step.outcome and step.id in there]


def _path(report: DrillReport, at: Path, case: ScenarioCase, ways: BookWays) -> None:
    """Steps that there are, each on some way from the one before it, and an end beyond them."""
    before = ""
    wanted: list[tuple[Path, str]] = [(("path", index), id) for index, id in enumerate(case.expect.path)]
    wanted += [(("end",), case.expect.end)] if case.expect.end else []
    for key, id in wanted:
        here = (*at, *key)
        step = ways.step(id)
        if step is None:
            said = f"the runbook {ways.book.id!r} has no step {id!r}"
            report.add("unknown-step", here, said, did_you_mean(id, ways.ids))
            continue
        if step.id not in ways.beyond(before) and not (key == ("end",) and turn_of(before)[0] == step.id):
            said = f"no way leads from {before!r} to {id!r}" if before else f"no way leads to {id!r}"
            report.add("no-such-way", here, said, _next_steps(ways, before))
        if key == ("end",):
            _end(report, here, case, step)
        before = id


def _next_steps(ways: BookWays, before: str) -> str:
    step = ways.step(before) if before else None
    if step is None:
        return ""
    return f"from there it leads to {listed(dict.fromkeys(to for _, to in graph.successors(ways.book, step) if to), 5)}"


def _end(report: DrillReport, at: Path, case: ScenarioCase, step: Step) -> None:
    if step.kind != "end":
        report.add("no-end", at, f"{step.id!r} is a {step.kind}, and no walk ends there", "name a step of kind end")
    elif step.outcome not in case.expect.outcomes:
        said = f"{step.id!r} ends {step.outcome}, which is none of the expected outcomes"
        report.add("end-of-other-outcome", at, said, f"outcomes: [{step.outcome}]")


def _outcomes(report: DrillReport, at: Path, case: ScenarioCase, ways: BookWays) -> None:
    last = next((id for id in reversed(case.expect.path) if ways.step(id) is not None), "")
    step = ways.step(last) if last else None
    there = {str(end.outcome) for end in ways.ends(last)}
    there |= {str(step.outcome)} if step is not None and step.kind == "end" and step.outcome else set()
    for index, outcome in enumerate(case.expect.outcomes):
        if outcome not in there:
            beyond = f" beyond {last!r}" if last else ""
            said = f"the runbook {ways.book.id!r} cannot end {outcome}{beyond}"
            hint = f"it can end {listed(sorted(there), 5)}"
            report.add("no-such-end", (*at, "outcomes", index), said, hint)


def _writes(report: DrillReport, at: Path, case: ScenarioCase, ways: BookWays) -> None:
    if not case.expect.writes:
        return
    if not any(step.writes and step.id in ways.reachable for step in ways.book.steps):
        said = f"the runbook {ways.book.id!r} changes nothing, so there are no writes"
        report.add("no-writes", (*at, "writes"), said, "writes: 0")
    elif not case.accepted:
        said = "changes are expected, and none is accepted, so the case can never pass"
        hint = "name them: `accepted: [{resource: deployments.apps, name: NAME, fields: [spec.replicas]}]`"
        report.add("nothing-accepted", (*at, "writes"), said, hint)


def _answers(report: DrillReport, at: Path, case: ScenarioCase, ways: BookWays) -> None:
    asking = [step.id for step in ways.book.steps if step.kind in ANSWERED]
    for id, said in case.answers.items():
        step = ways.step(str(id))
        if step is None:
            text = f"the runbook {ways.book.id!r} has no step {id!r}"
            report.add("unknown-step", (*at, id), text, did_you_mean(str(id), asking))
        elif step.kind not in ANSWERED:
            text = f"step {id!r} is a {step.kind} and asks nothing"
            hint = f"these ask: {listed(asking, 6)}" if asking else "no step of this runbook asks anything"
            report.add("asks-nothing", (*at, id), text, hint)
        else:
            _choices(report, (*at, id), step, said)


def _choices(report: DrillReport, at: Path, step: Step, said: Any) -> None:
    words = [choice.value for choice in step.choices]
    for index, one in enumerate(said if isinstance(said, list) else [said]):
        word = {True: "yes", False: "no"}.get(one, str(one)) if isinstance(one, bool) else str(one)
        here = (*at, index) if isinstance(said, list) else at
        if words:
            report.known("no-such-answer", here, word, words, f"step {step.id!r} has no answer {word!r}")


def _inputs(report: DrillReport, at: Path, case: ScenarioCase, book: Runbook) -> None:
    known = {item.name: item for item in book.inputs}
    names = [*known, *([ABOUT] if book.about else [])]
    for name, value in case.inputs.items():
        said = f"the runbook {book.id!r} has no input {name!r}"
        if not report.known("unknown-input", (*at, name), name, names, said) or name == ABOUT:
            continue
        if known[name].type == "spark_app":
            continue  # a name alone is enough where one application has it
        try:
            convert(known[name], str(value))
        except ValueError as error:
            report.add("bad-input", (*at, name), f"input {name!r}: {error}")


def _findings(report: DrillReport, at: Path, case: ScenarioCase) -> None:
    for key, listed_codes in (("findings", case.expect.findings), ("others", case.expect.others)):
        _codes(report, (*at, "expect", key), listed_codes)
    incident = case.truth.incident
    if incident and incident not in classes():
        report.add("unknown-class", (*at, "truth", "incident"), f"there is no incident class {incident}", "I01 to I30")


def _codes(report: DrillReport, at: Path, said: Iterable[str]) -> None:
    for index, code in enumerate(said):
        report.known("unknown-finding", (*at, index), code, codes(), f"no rule finds {code!r}")
