"""Expressions and templates in words: what a checklist says of a condition, of a list, and of what is filled in."""

from __future__ import annotations

import re
from typing import Any

from jinja2 import nodes

from console.runbook import template

_COMPARED = {
    "eq": "is", "ne": "is not", "gteq": "is at least", "lteq": "is at most", "gt": "is above", "lt": "is below",
}  # fmt: skip
_SIGNS = {nodes.Add: "+", nodes.Sub: "-", nodes.Mul: "×", nodes.Div: "/", nodes.Mod: "modulo", nodes.FloorDiv: "/"}
_SIGNS_OF_WHERE = {"!=": " not", ">": " above", "<": " below", ">=": " at least", "<=": " at most"}
_OWN = {
    "values": "{}",
    "inputs": "the given {}",
    "saved": "the kept {}",
    "before": "{} before",
    "after": "{} afterwards",
}


def words(expression: str) -> str:
    """A condition, or a list, as a sentence; what cannot be said stays as it is written."""
    text = " ".join(expression.split())
    try:
        return _holds(template.parse_expression(text))
    except (template.TemplateError, _UnsaidError):
        return text.replace("'", "")


def noun(expression: str) -> str:
    """An expression as a thing: a list, a value."""
    text = " ".join(expression.split())
    try:
        return _thing(template.parse_expression(text))
    except (template.TemplateError, _UnsaidError):
        return text.replace("'", "")


def plain(text: str) -> str:
    """A text with what is filled in named in angle brackets: `Restart <app.name>`."""
    out = re.sub(r"\{#.*?#\}|\{%.*?%\}", " ", text, flags=re.DOTALL)
    out = re.sub(r"\{\{-?\s*(.*?)\s*-?\}\}", lambda m: f"<{_filled(m[1])}>", out, flags=re.DOTALL)
    return " ".join(out.split())


def _filled(expression: str) -> str:
    """What is filled in, without the filters that only shape it."""
    bare = re.sub(r"\|\s*[a-z_]+(\((?:[^()]|\([^()]*\))*\))?", "", expression)
    return re.sub(r"['{}]", "", bare).strip()


class _UnsaidError(Exception):
    """There are no words for this."""


def _holds(node: nodes.Node) -> str:
    """A condition."""
    match node:
        case nodes.And():
            return f"{_holds(node.left)} and {_holds(node.right)}"
        case nodes.Or():
            return f"{_holds(node.left)} or {_holds(node.right)}"
        case nodes.Not():
            return _not(node.node)
        case nodes.Compare() if len(node.ops) == 1:
            return _compared(node.expr, node.ops[0].op, node.ops[0].expr)
        case nodes.Test():
            said = {"defined": "is known", "undefined": "is not known", "none": "is nothing"}.get(node.name)
            if said is None:
                raise _UnsaidError
            return f"{_thing(node.node)} {said}"
        case nodes.Filter(name="length"):
            return f"there are {_thing(node.node)}"
        case nodes.Getattr(attr="wrote", node=nodes.Name(name="walk")):
            return "something was changed"
        case nodes.Getattr() | nodes.Getitem() | nodes.Name():
            return f"{_thing(node)} is true"
        case nodes.Filter(name="default") | nodes.Filter(name="first"):
            return _holds(node.node) if node.node is not None else _thing(node)
    return _thing(node)


def _not(node: nodes.Node) -> str:
    match node:
        case nodes.Compare() if len(node.ops) == 1 and node.ops[0].op in ("in", "notin"):
            turned = "notin" if node.ops[0].op == "in" else "in"
            return _compared(node.expr, turned, node.ops[0].expr)
        case nodes.Test(name="defined"):
            return f"{_thing(node.node)} is not known"
        case nodes.Getattr() | nodes.Getitem() | nodes.Name():
            return f"{_thing(node)} is not true"
        case nodes.Filter(name="length"):
            return f"there are no {_thing(node.node)}"
        case nodes.Filter(name="default") | nodes.Filter(name="first") if node.node is not None:
            return _not(node.node)
        case nodes.Add() | nodes.Filter():
            return f"there are no {_thing(node)}"
    return f"it is not so that {_holds(node)}"


def _compared(left: nodes.Node, op: str, right: nodes.Node) -> str:
    if op in ("in", "notin"):
        return _within(left, right, "" if op == "in" else "not ")
    if changed := _changed(left):
        return f"{changed} was changed in the last {_thing(right)}"
    if isinstance(left, nodes.Filter) and left.name == "length" and left.node is not None:
        what, bound = _thing(left.node), right.value if isinstance(right, nodes.Const) else None
        if (op, bound) in (("gt", 0), ("gteq", 1), ("ne", 0)):
            return f"there are {what}"
        if (op, bound) in (("eq", 0), ("lt", 1)):
            return f"there are no {what}"
        return f"the number of {what} {_COMPARED[op]} {_thing(right)}"
    if _seen(left):
        return f"{_seen(left)} {_COMPARED[op]} {_thing(right)}"
    return f"{_thing(left)} {_COMPARED[op]} {_thing(right)}"


def _within(left: nodes.Node, right: nodes.Node, no: str) -> str:
    if isinstance(right, nodes.Name) and right.name == "found" and isinstance(left, nodes.Const):
        return f"{left.value} is {no}found"
    if isinstance(right, nodes.List | nodes.Tuple):
        return f"{_thing(left)} is {'none' if no else 'one'} of {_thing(right)}"
    if isinstance(left, nodes.Const):
        return f"{_thing(right)} does {no}say “{left.value}”" if no else f"{_thing(right)} says “{left.value}”"
    return f"{_thing(left)} is {no}among {_thing(right)}"


def _changed(node: nodes.Node) -> str:
    """`now - changed.operator` → operator."""
    match node:
        case nodes.Sub(left=nodes.Name(name="now"), right=nodes.Getattr(node=nodes.Name(name="changed"), attr=attr)):
            return str(attr)
    return ""


def _seen(node: nodes.Node) -> str:
    """`seen.operator.state` → operator."""
    match node:
        case nodes.Getattr(attr="state", node=nodes.Getattr(node=nodes.Name(name="seen"), attr=attr)):
            return str(attr)
    return ""


def _thing(node: nodes.Node | None) -> str:
    """A value or a list."""
    match node:
        case nodes.Const():
            return _constant(node.value)
        case nodes.Name():
            return str(node.name)
        case nodes.Getattr():
            return _field(node)
        case nodes.Getitem():
            return f"{_thing(node.node)}[{_thing(node.arg)}]"
        case nodes.List() | nodes.Tuple():
            return ", ".join(_thing(item) for item in node.items) or "nothing"
        case nodes.Filter():
            return _filtered(node)
        case nodes.Add() if any(isinstance(n, nodes.Filter | nodes.Add) for n in (node.left, node.right)):
            return f"{_thing(node.left)} and {_thing(node.right)}"
        case nodes.Add() if all(_is_named_value(n) for n in (node.left, node.right)):
            return f"{_thing(node.left)} and {_thing(node.right)}"
        case nodes.BinExpr() if type(node) in _SIGNS:
            return f"{_thing(node.left)} {_SIGNS[type(node)]} {_thing(node.right)}"
        case nodes.Compare() | nodes.And() | nodes.Or() | nodes.Not() | nodes.Test():
            return _holds(node)
        case nodes.CondExpr() if node.expr2 is not None:
            return f"{_thing(node.expr1)} if {_holds(node.test)}, else {_thing(node.expr2)}"
        case nodes.Call(node=nodes.Name(name=name)):
            return f"{name}({', '.join(_thing(one) for one in node.args)})"
    raise _UnsaidError


def _is_named_value(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Getattr) and isinstance(node.node, nodes.Name) and node.node.name == "values"


def _constant(value: Any) -> str:
    if value == "":
        return "empty"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _field(node: nodes.Getattr) -> str:
    inner = node.node
    if isinstance(inner, nodes.Name) and inner.name in _OWN:
        name = str(node.attr)
        if inner.name == "saved" and name.startswith("before_"):
            return f"what {name.removeprefix('before_')} was before"
        return _OWN[inner.name].format(name)
    match inner:
        case nodes.Getattr(attr="data", node=nodes.Name(name="finding")):
            return f"the finding's {node.attr}"
        case nodes.Getattr(attr="data", node=nodes.Getitem(node=nodes.Name(name="found"), arg=nodes.Const(value=code))):
            return f"{code}'s {node.attr}"
    return f"{_thing(inner)}.{node.attr}"


def _filtered(node: nodes.Filter) -> str:
    what = _thing(node.node)
    match node.name, node.args:
        case (("where" | "without"), [nodes.Const(value=key), nodes.Const(value=op), value]):
            how = _SIGNS_OF_WHERE.get(op, " one of" if op == "in" else "")
            again = isinstance(node.node, nodes.Filter) and node.node.name in ("where", "without")
            other = ("and " if again else "") if node.name == "where" else "but those "
            verb = "contains" if op == "contains" else f"is{how}"
            return f"{what} {other}whose {key} {verb} {_thing(value)}"
        case "pick", [nodes.Const(value=key)]:
            return f"the {key} of {what}"
        case "length", _:
            return f"the number of {what}"
        case "first", _:
            return f"the first of {what}"
        case "last", _:
            return f"the last of {what}"
        case "keys", _:
            return f"the keys of {what}"
    return what
