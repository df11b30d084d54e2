"""Values of patches in the form that their reader wants: JVM sizes of Spark, and operations of JSON Patch."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from jinja2 import nodes

from console.actions import patches
from console.base.errors import did_you_mean
from console.base.shapes import is_number
from console.base.units import jvm_size_text, parse_quantity
from console.runbook import template
from console.runbook.model import Runbook, Step

OPERATIONS = ("add", "remove", "replace", "move", "copy", "test")
JVM = re.compile(r"\d+\s*[kmgtp]b?", re.IGNORECASE)
JVM_FIELD = re.compile(
    r"/spec(/template)?/((driver|executor|server)/memory(Overhead)?"
    r"|sparkConf/spark\.(driver|executor)\.memory(Overhead)?)"
)
"""Fields that become an option of the JVM, or a size of Spark's configuration."""
_BYTES = ("to_bytes", "round", "int", "float", "abs", "max", "min", "sum")
_ARITHMETIC = (nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Neg)


class UnfitValue(NamedTuple):
    """What is wrong with a value, at a pointer of the patch or at an operation of it."""

    code: str
    at: tuple[str | int, ...]
    message: str
    hint: str


def unfit(runbook: Runbook, step: Step) -> Iterator[UnfitValue]:
    """Everything that is wrong with the values of a patch, whatever the object is."""
    patch = step.settings.get("patch")
    if step.settings.get("patch_type") == "json":
        for index, one in enumerate(patch if isinstance(patch, list) else []):
            yield from _operation(runbook, index, one)
        return
    for pointer in patches.touched(patch, "merge"):
        yield from _size(runbook, ("patch", *patches.parts(pointer)), pointer, patches.get(patch, pointer))


def _operation(runbook: Runbook, index: int, one: Any) -> Iterator[UnfitValue]:
    at = ("patch", index)
    if not isinstance(one, dict) or "op" not in one or "path" not in one:
        said = "an operation of a JSON Patch has `op` and `path`"
        yield UnfitValue("unknown-operation", at, said, "{op: replace, path: /spec/replicas, value: 1}")
        return
    if one["op"] not in OPERATIONS:
        hint = did_you_mean(str(one["op"]), OPERATIONS)
        yield UnfitValue("unknown-operation", (*at, "op"), f"JSON Patch has no operation {str(one['op'])!r}", hint)
    elif one["op"] in ("add", "replace", "test") and "value" not in one:
        yield UnfitValue("unknown-operation", at, f"`{one['op']}` needs a value", "add `value`")
    elif not str(one["path"]).startswith("/"):
        said = f"{str(one['path'])!r} is no JSON pointer"
        yield UnfitValue("unknown-operation", (*at, "path"), said, "write it like /spec/replicas")
    yield from _size(runbook, (*at, "value"), str(one["path"]), one.get("value"))


def _size(runbook: Runbook, at: tuple[str | int, ...], pointer: str, value: Any) -> Iterator[UnfitValue]:
    if not JVM_FIELD.fullmatch(pointer) or value is None:
        return
    name = pointer.rpartition("/")[2]
    if isinstance(value, str) and "{" in value:
        if (inner := template.single(value)) is not None and _is_bytes(runbook, inner):
            said = f"{name} is set to a number of bytes, which Spark reads as MiB"
            yield UnfitValue("no-jvm-size", at, said, "end the expression with `|jvm_size`")
        return
    if isinstance(value, str) and not JVM.fullmatch(value.strip()):
        yield UnfitValue("no-jvm-size", at, f"{name}: {value!r} is no size of a JVM", _instead(value))
    elif is_number(value):
        yield UnfitValue("no-jvm-size", at, f"{name}: {value} is no size of a JVM", _instead(str(value)))


def _instead(value: str) -> str:
    try:
        return f"write {jvm_size_text(int(parse_quantity(value)))}"
    except ValueError:
        return "write it like 4g or 512m"


def _is_bytes(runbook: Runbook, text: str) -> bool:
    """Whether an expression comes to a plain number: arithmetic, a filter to bytes, a value that is one."""
    try:
        node: nodes.Node = template.parse_expression(text)
    except template.TemplateError:
        return False
    match node:
        case nodes.Filter(name=name):
            return name in _BYTES
        case nodes.Call(node=nodes.Name(name=name)):
            return name.startswith("round") or name in ("max", "min", "ceil", "floor")
        case nodes.Getattr(node=nodes.Name(name="values"), attr=name) if name in runbook.values:
            return _is_bytes(runbook, runbook.values[name])
    return isinstance(node, _ARITHMETIC)
