"""Names of the field: finding codes, incident classes, alerts and objectives that a runbook waits for."""

from __future__ import annotations

from collections.abc import Iterable

from jinja2 import nodes

from console.base.document import Path
from console.base.errors import nearest
from console.runbook import template
from console.runbook.catalogue.codes import classes, codes
from console.runbook.lint.names import all_of
from console.runbook.lint.problems import LintReport
from console.runbook.lint.short import is_short, value_at
from console.runbook.lint.templates import places


def check(report: LintReport, alerts: Iterable[str], objectives: Iterable[str]) -> None:
    """Add what nothing will ever say. Alerts and objectives are only held against lists that there are."""
    match = report.runbook.match
    for index, code in enumerate(match.findings):
        _code(report, ("match", "findings", index), code)
    for index, name in enumerate(match.classes):
        if name not in classes():
            at = ("match", "classes", index)
            report.add("unknown-class", at, f"there is no incident class {name}", "classes: I01 to I30")
    for index, alert in enumerate(match.alerts):
        _warn(report, ("match", "alerts", index), "alert", alert.name, set(alerts))
    keys = [key for key in ("slos", "objectives") if value_at(report.document, ("match", key))]
    for key in keys:
        for index, id in enumerate(value_at(report.document, ("match", key))):
            _warn(report, ("match", key, index), "objective", str(id), set(objectives))
    for step in report.runbook.steps:
        if step.id == "applies" or (step.at and not is_short(report.document, step.at) and step.kind == "end"):
            continue
        for place in places(step):
            for code in asked(place.text, expression=place.expression):
                _code(report, report.at(step.id, *place.key), code)


def _code(report: LintReport, at: Path, code: str) -> None:
    if code in codes():
        return
    near = nearest(code, codes())
    hint = f"did you mean {near!r}?" if near else "`console runbooks vocabulary findings` lists all codes"
    report.add("unknown-finding", at, f"no rule finds {code!r}", hint)


def _warn(report: LintReport, at: Path, what: str, name: str, known: set[str]) -> None:
    if not known or name in known:
        return
    near = nearest(name, known)
    if what == "alert" and near is None:
        return  # rules that are somebody's own have alerts of any name
    hint = f"did you mean {near!r}? It is fine where your own rules have it"
    if near is None:
        hint = "`console runbooks vocabulary objectives` lists all; it is fine where a preset of yours has it"
    report.add(f"unknown-{what}", at, f"no {what} of a preset, a rule or a drill is called {name!r}", hint, "warning")


def asked(text: str, *, expression: bool) -> set[str]:
    """Finding codes that a template asks for: in `found`, or compared with the `code` of a finding."""
    try:
        tree: nodes.Node = template.parse_expression(text) if expression else template.parse(text)
    except template.TemplateError:
        return set()
    out: set[str] = set()
    for one in all_of(tree, nodes.Compare):
        right = one.ops[0].expr
        if isinstance(right, nodes.Name) and right.name == "found":
            out |= _texts(one.expr)
        if isinstance(one.expr, nodes.Getattr) and one.expr.attr == "code":
            out |= _texts(right)
    for item in all_of(tree, nodes.Getitem):
        if isinstance(item.node, nodes.Name) and item.node.name == "found":
            out |= _texts(item.arg)
    return out


def _texts(node: nodes.Node) -> set[str]:
    items = node.items if isinstance(node, nodes.List | nodes.Tuple) else [node]
    return {item.value for item in items if isinstance(item, nodes.Const) and isinstance(item.value, str)}
