"""Lint of steps that call somebody: a deadline that can be kept, and a way that has one."""

from __future__ import annotations

from console.base.units import parse_duration
from console.runbook.lint.problems import LintReport
from console.runbook.model import Step


def check(report: LintReport) -> None:
    """Add deadlines that are over when they begin, and ways that nothing leads to."""
    for step in report.runbook.steps:
        if step.kind == "escalate":
            _escalate(report, step)


def _escalate(report: LintReport, step: Step) -> None:
    if step.on_unanswered and not step.answer_within:
        said = "without a deadline there is no moment at which nobody has answered"
        report.add("late-without-deadline", report.at(step.id, "on_unanswered"), said, "add `within: 15m`")
    if not step.answer_within or "{{" in step.answer_within:
        return
    if parse_duration(step.answer_within) <= 0:
        said = "the deadline has passed when it begins"
        report.add("no-deadline", report.at(step.id, "answer_within"), said, "within: 15m, or leave it out")
