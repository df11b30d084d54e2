"""Lint of templates: syntax, names and fields that do not exist, outputs and inputs that may not be there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from console.base.document import Path, walk
from console.runbook import graph, template
from console.runbook.catalogue import Catalogue
from console.runbook.lint import names
from console.runbook.lint.names import Trail
from console.runbook.lint.problems import LintReport
from console.runbook.lint.shape import context
from console.runbook.lint.words import ANY, Shape
from console.runbook.model import Runbook, Step

EXPRESSIONS = ("when", "until", "progress", "completed", "fails", "worse", "rises", "each")
TEXTS = ("title", "text", "question", "irreversible", "restarts", "loses", "hold", "deadline", "duration", "query",
         "whom", "paste", "answer_within")  # fmt: skip


class StepTemplate(NamedTuple):
    """One template of a step: its key, its text, and the texts whose `is defined` protects it."""

    key: Path
    text: str
    expression: bool = False
    behind: tuple[str, ...] = ()


def places(step: Step) -> Iterator[StepTemplate]:
    """Every template of a step."""
    for key in EXPRESSIONS:
        if value := getattr(step, key):
            yield StepTemplate((key,), value, True)
    for key in TEXTS:
        if value := getattr(step, key):
            yield StepTemplate((key,), value)
    for index, line in enumerate(step.shows):
        yield StepTemplate(("shows", index), line)
    yield from _branches(step)
    yield from _choices(step)
    yield from _target(step)
    for path, value in walk(step.settings):
        if isinstance(value, str):
            yield StepTemplate(path, value)
    for key in ("value", "minimum", "maximum") if step.edit is not None else ():
        yield StepTemplate(("edit", key), getattr(step.edit, key))
    for name, value in step.saves.items():
        yield StepTemplate(("saves", name), value, True)
    for name, value in step.given.items():
        yield StepTemplate(("given", name), value)
    for argument in step.arguments:
        yield StepTemplate(("arguments", argument.name, "value"), argument.value)


def _branches(step: Step) -> Iterator[StepTemplate]:
    if step.kind == "each":
        return
    for index, branch in enumerate(step.branches):
        at: Path = ("branches", index) if branch.when else ("else",)
        if branch.when:
            yield StepTemplate((*at, "when"), branch.when, True)
        if branch.because:
            yield StepTemplate((*at, "because"), branch.because, False, (branch.when,) if branch.when else ())


def _choices(step: Step) -> Iterator[StepTemplate]:
    for index, choice in enumerate(step.choices):
        yield StepTemplate(("choices", index, "label"), choice.label)
        if choice.hint:
            yield StepTemplate(("choices", index, "hint"), choice.hint)


def _target(step: Step) -> Iterator[StepTemplate]:
    fields = {"apiVersion": "api_version", "kind": "kind", "name": "name", "namespace": "namespace"}
    for key, field in fields.items() if step.target is not None else ():
        if value := getattr(step.target, field):
            yield StepTemplate(("target", key), value)


def check(report: LintReport, catalogue: Catalogue) -> None:
    """Add what is wrong with the templates of all steps."""
    runbook = report.runbook
    sure = graph.certain(runbook) if not report.has("undefined-step") else {}
    left = {id: frozenset(s for s in before if not _may_skip(runbook, s)) for id, before in sure.items()}
    used: set[str] = set()
    for name, expression in runbook.values.items():
        used |= _value(report, name, expression)
    for step in runbook.steps:
        guards = _guards(runbook, step, (step.when,))
        shape = context(runbook, step, catalogue)
        for place in places(step):
            found = _uses(report, step, place, shape)
            if found is None:
                continue
            used |= {t[1] for t in names.prefixes(found.trails, "inputs")}
            guarded = found.guarded | guards | _guards(runbook, step, place.behind)
            for message, hint in found.problems:
                report.add("unknown-name", report.at(step.id, *place.key), message, hint)
            if step.id in left:
                _outputs(report, step, place, found.trails, guarded, left[step.id])
            _optional_inputs(report, step, place, found.trails, guarded)
    for item in runbook.inputs:
        if item.name not in used and item.type != "spark_app":
            report.add("unused-input", ("inputs", item.name), f"no step reads input {item.name!r}", severity="warning")


def _value(report: LintReport, name: str, expression: str) -> set[str]:
    """Check a named expression, which may read those above it; the inputs that it reads."""
    order = list(report.runbook.values)
    shape = context(report.runbook, None)
    shape["values"] = dict.fromkeys(order[: order.index(name)], ANY)
    try:
        found = names.uses(expression, shape, expression=True)
    except template.TemplateError as error:
        report.add("template", ("values", name), error.bare, error.hint)
        return set()
    for message, hint in found.problems:
        report.add("unknown-name", ("values", name), message, hint)
    return {t[1] for t in names.prefixes(found.trails, "inputs")}


def _may_skip(runbook: Runbook, id: str) -> bool:
    step = runbook.step(id)
    return step is None or bool(step.when)


def _uses(report: LintReport, step: Step, place: StepTemplate, shape: Mapping[str, Shape]) -> names.Uses | None:
    at = report.at(step.id, *place.key)
    try:
        found = names.uses(place.text, shape, expression=place.expression)
    except template.TemplateError as error:
        report.add("template", at, error.bare, error.hint)
        return None
    if place.expression and place.text.strip().startswith("{{"):
        report.add("template", at, "an expression stands here without braces", "remove {{ and }}")
        return None
    return found


def _guards(runbook: Runbook, step: Step, expressions: tuple[str, ...]) -> set[Trail]:
    out: set[Trail] = set()
    for expression in expressions:
        try:
            out |= names.uses(expression, context(runbook, step), expression=True).guarded if expression else set()
        except template.TemplateError:
            continue
    return out


def _outputs(
    report: LintReport, step: Step, place: StepTemplate, trails: set[Trail], guarded: set[Trail], sure: frozenset[str]
) -> None:
    by_name = {s.id.replace("-", "_"): s.id for s in report.runbook.steps}
    for trail in names.prefixes(trails, "steps"):
        id = by_name.get(trail[1].replace("-", "_"))
        if id is None or id in sure or names.careful(trail, _spelled(guarded)) or names.careful(trail, guarded):
            continue
        report.add(
            "output-maybe-missing",
            report.at(step.id, *place.key),
            f"not every way to step {step.id!r} has passed {id!r}",
            f"ask `steps.{trail[1]} is defined` first, or give a default",
        )


def _spelled(guarded: set[Trail]) -> set[Trail]:
    return {tuple(part.replace("-", "_") if i == 1 else part for i, part in enumerate(g)) for g in guarded}


def _optional_inputs(
    report: LintReport, step: Step, place: StepTemplate, trails: set[Trail], guarded: set[Trail]
) -> None:
    optional = {i.name for i in report.runbook.inputs if not i.required and i.default is None}
    for trail in names.prefixes(trails, "inputs"):
        if trail[1] in optional and not names.careful(trail, guarded):
            report.add(
                "input-maybe-missing",
                report.at(step.id, *place.key),
                f"input {trail[1]!r} is not required and has no default",
                f"ask `inputs.{trail[1]} is defined` first, or give a default",
            )
