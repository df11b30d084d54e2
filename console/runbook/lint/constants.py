"""Conditions that ask nothing: whatever is seen, they hold, or they never do."""

from __future__ import annotations

import re

import jinja2
from jinja2 import nodes

from console.runbook import template
from console.runbook.lint.live import SEEN
from console.runbook.lint.problems import LintReport
from console.runbook.model import Step

_CONSTANT = nodes.EvalContext(jinja2.Environment(autoescape=False))  # noqa: S701  # it folds literals, it renders nothing
_COUNTS = re.compile(r"(replicas|restarts|restartCount|number(Scheduled|Available|Ready|Unavailable))$", re.IGNORECASE)
"""Fields that count."""
ASKED = ("when", "until", "fails", "worse", "completed")


def check(report: LintReport) -> None:
    """Add the conditions of all steps that are constant, and branches that an earlier one always takes."""
    for step in report.runbook.steps:
        for key in ASKED:
            found = verdict(getattr(step, key))
            if found is not None:
                report.add("constant-condition", report.at(step.id, key), _said(getattr(step, key), found), _CURE)
        if step.kind in ("check", "decide"):
            _branches(report, step)


_CURE = "ask for something that is seen, like `operator.status.availableReplicas >= 1`"


def _said(text: str, holds: bool) -> str:
    return f"`{' '.join(text.split())}` is always {'true' if holds else 'false'}, so it asks nothing"


def _branches(report: LintReport, step: Step) -> None:
    seen: list[str] = []
    for index, branch in enumerate(step.branches):
        found = verdict(branch.when)
        at = report.at(step.id, "branches", index, "when")
        if found is not None:
            report.add("constant-condition", at, _said(branch.when, found), _CURE)
        elif branch.when and branch.when in seen:
            report.add("branch-twice", at, "an earlier branch asks the same, so this one is never taken", "remove one")
        seen.append(branch.when)


def verdict(text: str) -> bool | None:
    """Whether an expression always holds (True), never does (False), or depends on what is seen (None)."""
    if not text:
        return None
    try:
        return _verdict(template.parse_expression(text))
    except template.TemplateError:
        return None


def _verdict(node: nodes.Node) -> bool | None:
    match node:
        case nodes.Const(value=value):
            return bool(value)
        case nodes.Not(node=inner):
            found = _verdict(inner)
            return None if found is None else not found
        case nodes.And(left=left, right=right):
            return False if _opposed(left, right) else _joined(_verdict(left), _verdict(right), False)
        case nodes.Or(left=left, right=right):
            return True if _opposed(left, right) else _joined(_verdict(left), _verdict(right), True)
        case nodes.Compare(expr=left, ops=[nodes.Operand(op=op, expr=right)]):
            return _compared(left, op, right)
    return None


_TURNED = {"gt": "lt", "lt": "gt", "gteq": "lteq", "lteq": "gteq", "eq": "eq", "ne": "ne"}
_NEGATED = {"gt": "lteq", "lt": "gteq", "eq": "ne", "in": "notin"}
_NEGATED |= {op: one for one, op in _NEGATED.items()}


def _opposed(left: nodes.Expr, right: nodes.Expr) -> bool:
    """Whether one is what the other is not: `a` and `not a`, `a == b` and `a != b`."""
    for one, other in ((left, right), (right, left)):
        if isinstance(other, nodes.Not) and other.node == one:
            return True
    if not (isinstance(left, nodes.Compare) and isinstance(right, nodes.Compare)):
        return False
    if left.expr != right.expr or len(left.ops) != 1 or len(right.ops) != 1:
        return False
    one_op, other_op = left.ops[0], right.ops[0]
    return one_op.expr == other_op.expr and _NEGATED.get(one_op.op) == other_op.op


def _joined(left: bool | None, right: bool | None, decides: bool) -> bool | None:
    if decides in (left, right):
        return decides
    return None if None in (left, right) else not decides


def _compared(left: nodes.Expr, op: str, right: nodes.Expr) -> bool | None:
    if left == right:
        return op in ("eq", "gteq", "lteq") if op not in ("in", "notin") else None
    if _literal(left) and _literal(right):
        try:
            return bool(nodes.Compare(left, [nodes.Operand(op, right)]).as_const(_CONSTANT))
        except nodes.Impossible:
            return None
    if isinstance(left, nodes.Const | nodes.Neg) and op in _TURNED:
        left, op, right = right, _TURNED[op], left
    if isinstance(right, nodes.List | nodes.Tuple) and op in ("in", "notin") and (known := _states(left)):
        listed = {item.value for item in right.items if isinstance(item, nodes.Const)}
        return op == "in" if known <= listed else None
    if isinstance(right, nodes.Const | nodes.Neg):
        figure = right.as_const(_CONSTANT)
        if _answers(left) and isinstance(figure, int | float):
            return _of_count(op, figure - 1)  # an answer without samples has no `samples`
        return _of_count(op, figure) if _counts(left) else None
    return None


def _states(node: nodes.Expr) -> frozenset[str]:
    """All words that an expression can be, where it is one of few."""
    match node:
        case nodes.Getattr(attr="state", node=nodes.Getattr(node=nodes.Name(name="seen"))):
            return frozenset(SEEN)
        case nodes.Getattr(attr="state", node=nodes.Name(name="query")):
            return frozenset({"ok", "empty", "error"})
    return frozenset()


def _answers(node: nodes.Expr) -> bool:
    """Whether an expression counts the samples of the step's query."""
    match node:
        case nodes.Filter(name="length" | "count", node=nodes.Getattr(node=nodes.Name(name="query"), attr="samples")):
            return True
    return False


def _literal(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Const | nodes.List | nodes.Tuple | nodes.Neg) and not list(node.find_all(nodes.Name))


def _counts(node: nodes.Node | None) -> bool:
    """Whether an expression counts things: the length of a list, or a field that is a count."""
    match node:
        case nodes.Filter(name="length" | "count"):
            return True
        case nodes.Filter(name="abs"):
            return True
        case nodes.Filter(name="default" | "int" | "round", node=inner):
            return _counts(inner)
        case nodes.Add(left=left, right=right) | nodes.Mul(left=left, right=right):
            return all(_counts(part) or isinstance(part, nodes.Const) for part in (left, right))
        case nodes.Getattr(attr=attr):
            return _COUNTS.search(attr) is not None
    return False


def _of_count(op: str, figure: object) -> bool | None:
    """A count is never below 0."""
    if not isinstance(figure, int | float) or figure > 0:
        return None
    below = figure < 0
    if op in ("gteq", "gt", "ne"):
        return True if op == "gteq" or below else None
    if op in ("lt", "lteq", "eq"):
        return False if op == "lt" or below else None
    return None
