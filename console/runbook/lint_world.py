"""Lint against what exists outside: series and labels, fields of objects, scripts and their arguments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jinja2 import nodes

from console.base.document import Path
from console.base.errors import did_you_mean
from console.runbook import patches, promql, template
from console.runbook.catalogue import Catalogue
from console.runbook.model import Argument, Step
from console.runbook.problems import Report
from console.runbook.scripts import ScriptSpec

STAND_INS = ("x", "1", "5m")
"""What a template expression inside a query may stand for: text, a number, a duration."""


def check(report: Report, scripts: Mapping[str, ScriptSpec], catalogue: Catalogue) -> None:
    """Add what is wrong with queries, changes and scripts."""
    for item in report.runbook.inputs:
        if item.type == "promql" and isinstance(item.default, str):
            _query(report, ("inputs", item.name, "default"), item.default, catalogue)
    for step in report.runbook.steps:
        if step.query:
            _query(report, report.at(step.id, "query"), step.query, catalogue)
        if step.kind == "change":
            _change(report, step, catalogue)
        if step.kind == "script":
            _script(report, step, scripts, catalogue)


def _query(report: Report, at: Path, text: str, catalogue: Catalogue) -> None:
    try:
        tree = template.parse(text)
    except template.TemplateError:
        return
    if any(True for _ in tree.find_all((nodes.If, nodes.For))):
        report.add("query-with-blocks", at, "a query may hold {{ … }}, but no {% … %}", "use two steps")
        return
    complaints: tuple[promql.Complaint, ...] = ()
    for stand_in in STAND_INS:
        complaints = promql.check(_stood_in(tree, stand_in), catalogue, report.runbook.metrics)
        if not any(c.code == "promql-syntax" for c in complaints):
            break
    for complaint in complaints:
        severity: Any = complaint.severity
        report.add(complaint.code, at, complaint.message, complaint.hint, severity)


def _stood_in(tree: nodes.Template, stand_in: str) -> str:
    return "".join(
        part.data if isinstance(part, nodes.TemplateData) else stand_in
        for output in tree.find_all(nodes.Output)
        for part in output.nodes
    )


def _change(report: Report, step: Step, catalogue: Catalogue) -> None:
    assert step.target is not None
    kind = _kind(report, step, catalogue)
    if step.action == "delete":
        if step.patch is not None:
            report.add("patch-of-delete", report.at(step.id, "patch"), "a deletion has no patch", "remove it")
        return
    touched = patches.touched(step.patch, step.patch_type)
    if not touched or not isinstance(step.patch, list if step.patch_type == "json" else dict):
        report.add("empty-patch", report.at(step.id), f"change {step.id!r} changes nothing", "write `patch`")
        return
    if kind is None:
        return
    for pointer in touched:
        path = patches.parts(pointer)
        value = _literal(patches.get(step.patch, pointer)) if step.patch_type == "merge" else ...
        wrong = catalogue.wrong_field(*kind, path, value)
        if wrong is not None:
            at = report.at(step.id, "patch", *(path if step.patch_type == "merge" else ()))
            report.add("unknown-field", at, wrong)


def _kind(report: Report, step: Step, catalogue: Catalogue) -> tuple[str, str] | None:
    """The object kind of a target, or None where it is a template or not known."""
    assert step.target is not None
    api_version, kind = step.target.api_version, step.target.kind
    if "{" in api_version + kind:
        return None
    if catalogue.kind(api_version, kind) is None:
        report.add(
            "unknown-kind",
            report.at(step.id, "target", "kind"),
            f"nothing is known about the fields of {api_version} {kind}",
            did_you_mean(f"{api_version} {kind}", catalogue.kinds),
        )
        return None
    return api_version, kind


def _literal(value: Any) -> Any:
    """A value that can be judged now: a template may become anything that fits its braces."""
    if not isinstance(value, str) or "{" not in value:
        return value
    return ... if template.single(value) is not None else "text"


def _script(report: Report, step: Step, scripts: Mapping[str, ScriptSpec], catalogue: Catalogue) -> None:
    spec = scripts.get(step.script)
    if spec is None:
        report.add(
            "unknown-script",
            report.at(step.id, "script"),
            f"there is no script {step.script!r}",
            did_you_mean(step.script, scripts),
        )
        return
    if spec.effect != step.effect:
        report.add(
            "script-effect",
            report.at(step.id, "effect"),
            f"script {spec.name!r} is declared as {spec.effect}, the step says {step.effect}",
        )
    given = {a.name: a for a in step.arguments}
    for name, argument in given.items():
        _argument(report, step, spec, name, argument)
    for name, wanted in spec.arguments.items():
        if wanted.required and name not in given:
            report.add(
                "argument-missing", report.at(step.id, "arguments"), f"script {spec.name!r} needs the argument {name!r}"
            )
    if step.target is not None and (kind := _kind(report, step, catalogue)) is not None:
        for index, pointer in enumerate(step.touches):
            wrong = catalogue.wrong_field(*kind, patches.parts(pointer), ...)
            if wrong is not None:
                report.add("unknown-field", report.at(step.id, "touches", index), wrong)


def _argument(report: Report, step: Step, spec: ScriptSpec, name: str, argument: Argument) -> None:
    wanted = spec.arguments.get(name)
    at = report.at(step.id, "arguments", name)
    if wanted is None:
        hint = did_you_mean(name, spec.arguments)
        report.add("unknown-argument", at, f"script {spec.name!r} has no argument {name!r}", hint)
    elif wanted.type != argument.type:
        message = f"argument {name!r} of {spec.name!r} is of type {wanted.type}, not {argument.type}"
        report.add("argument-type", (*at, "type"), message)
    elif argument.flag != spec.flag(name):
        message = f"argument {name!r} of {spec.name!r} stands after {spec.flag(name) or 'no flag'}"
        report.add("argument-flag", (*at, "flag"), message)
