"""The sandbox: Jinja over plain data, with a closed list of what a template may say, and caps on what it may cost.

A template is refused before it runs when its syntax tree holds anything but literals, names, data access, listed
filters, tests and functions, `if` and `for`. While it runs, every loop turn and every character of output is counted.
What a template prints is text: it is never read as a template again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NoReturn

import jinja2
from jinja2 import nodes
from jinja2.environment import TemplateExpression
from jinja2.parser import Parser
from jinja2.runtime import LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment

from console.base.errors import ConsoleError, did_you_mean
from console.base.shapes import is_number
from console.base.text import shorten
from console.runbook import filters
from console.runbook.budget import BUDGET, MAX_TEXT, Budget, TooMuchError, capped, short

MAX_SOURCE = 16_000
MAX_DEPTH = 60
MAX_LITERAL = 10**18
RESERVED = frozenset({"self", "super", "caller", "varargs", "kwargs", "namespace"})
LOOP_FIELDS = frozenset({"index", "index0", "first", "last", "length"})
_FILLED_IN = re.compile(r"\{\{-?\s*([\w.]*).*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)


class TemplateError(ConsoleError):
    """A template or expression is wrong, or costs too much. `place` says where it stands."""

    def __init__(self, message: str, *, place: str = "", hint: str | None = None) -> None:
        super().__init__(f"{place}: {message}" if place else message, hint=hint)
        self.place, self.bare = place, message


class MissingData(TemplateError):
    """Data that the template needs is not there: the answer is unknown, not false."""


class _Undefined(jinja2.StrictUndefined):
    """Names what is missing; `is defined` is the only thing that may be asked about it."""

    def _fail_with_undefined_error(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise _UnknownError(self._undefined_name or "a value")

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = _fail_with_undefined_error
    __rtruediv__ = __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = __pos__ = __neg__ = _fail_with_undefined_error
    __lt__ = __le__ = __gt__ = __ge__ = __int__ = __float__ = __iter__ = __str__ = __len__ = _fail_with_undefined_error
    __eq__ = __ne__ = __bool__ = __hash__ = __contains__ = __call__ = __getitem__ = _fail_with_undefined_error


class _UnknownError(Exception):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class _Sandbox(ImmutableSandboxedEnvironment):
    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "%", "**"})

    def __init__(self) -> None:
        super().__init__(undefined=_Undefined, autoescape=False, optimized=False, finalize=_printable)
        self.filters = dict(filters.FILTERS)
        self.tests = dict(filters.TESTS)
        self.globals = dict(filters.FUNCTIONS)

    def getattr(self, obj: Any, attribute: str) -> Any:
        return self._field(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        return self._field(obj, argument)

    def _field(self, obj: Any, key: Any) -> Any:
        if isinstance(obj, jinja2.Undefined):
            return self.undefined(name=shorten(f"{obj._undefined_name}.{key}", 200))
        if isinstance(obj, LoopContext):
            if key in LOOP_FIELDS:
                return getattr(obj, key)
        elif isinstance(obj, dict):
            if isinstance(key, str | int) and key in obj:
                return obj[key]
        elif (
            isinstance(obj, list | tuple | str)
            and isinstance(key, int | slice)
            and (isinstance(key, slice) or -len(obj) <= key < len(obj))
        ):
            return obj[key]
        return self.undefined(name=shorten(str(key), 80))

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        for side in (left, right):
            if isinstance(side, jinja2.Undefined):
                raise _UnknownError(side._undefined_name or "a value")
        if is_number(left) and is_number(right) and operator != "**":
            result = super().call_binop(context, operator, left, right)
            if abs(result) > MAX_LITERAL:
                raise TemplateError(f"the result of {operator!r} is too large")
            return result
        if operator == "+" and isinstance(left, str) and isinstance(right, str):
            return capped(left + right)
        if operator == "+" and isinstance(left, list) and isinstance(right, list):
            return short(left + right)
        kinds = f"{type(left).__name__} and {type(right).__name__}"
        raise TemplateError(f"{operator!r} does not work on {kinds}")


def _printable(value: Any) -> Any:
    """Only text and numbers are printed; `[1, 2]` or a mapping in a text is a mistake of the runbook."""
    if isinstance(value, jinja2.Undefined):
        raise _UnknownError(value._undefined_name or "a value")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return int(value)
    if isinstance(value, str | int | float):
        return value
    raise TemplateError(f"a {type(value).__name__} cannot be printed", hint="use join, tojson or one of its fields")


_ALLOWED: tuple[type[nodes.Node], ...] = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const, nodes.List, nodes.Tuple,
    nodes.Dict, nodes.Pair, nodes.Keyword, nodes.Getattr, nodes.Getitem, nodes.Slice, nodes.Filter, nodes.Test,
    nodes.Call, nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.Add, nodes.Sub, nodes.Mul,
    nodes.Div, nodes.FloorDiv, nodes.Mod, nodes.Neg, nodes.Pos, nodes.CondExpr, nodes.If, nodes.For,
)  # fmt: skip
_WORDS = {
    nodes.Pow: "'**'", nodes.Concat: "'~' (use +, or join)", nodes.Assign: "'set'", nodes.AssignBlock: "'set'",
    nodes.Include: "'include'", nodes.Import: "'import'", nodes.FromImport: "'import'", nodes.Extends: "'extends'",
    nodes.Block: "'block'", nodes.Macro: "'macro'", nodes.CallBlock: "'call'", nodes.FilterBlock: "'filter' blocks",
    nodes.With: "'with'", nodes.Break: "'break'", nodes.Continue: "'continue'",
}  # fmt: skip
_SANDBOX = _Sandbox()


def parse(text: str, place: str = "") -> nodes.Template:
    """The checked syntax tree of a text with `{{ … }}` and `{% … %}`."""
    tree: nodes.Template = _parsed(text, place, lambda: Parser(_SANDBOX, text).parse())
    return tree


def parse_expression(text: str, place: str = "") -> nodes.Expr:
    """The checked syntax tree of an expression without braces."""

    def read() -> nodes.Expr:
        parser = Parser(_SANDBOX, text, state="variable")
        expression = parser.parse_expression()
        if not parser.stream.eos:
            raise TemplateError(f"unexpected {shorten(str(parser.stream.current), 40)!r} after the expression")
        return expression

    tree: nodes.Expr = _parsed(text, place, read)
    return tree


def _parsed(text: str, place: str, read: Callable[[], Any]) -> Any:
    if len(text) > MAX_SOURCE:
        raise TemplateError(f"the template is longer than {MAX_SOURCE} characters", place=place)
    try:
        tree = read()
        _check(tree, 0)
    except jinja2.TemplateSyntaxError as error:
        raise TemplateError(error.message or "this is no template", place=place) from None
    except ValueError as error:
        raise TemplateError(shorten(str(error), 200), place=place) from None
    except (RecursionError, MemoryError):
        raise TemplateError("the template is nested too deeply", place=place) from None
    except TemplateError as error:
        raise TemplateError(error.bare, place=place, hint=error.hint) from None
    return tree


def _check(node: nodes.Node, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise TemplateError("the template is nested too deeply")
    if not isinstance(node, _ALLOWED):
        raise TemplateError(f"{_WORDS.get(type(node), type(node).__name__)} is not allowed in runbooks")
    _check_word(node)
    _check_call(node)
    for child in node.iter_child_nodes():
        _check(child, depth + 1)


def _check_word(node: nodes.Node) -> None:
    """Names and numbers that may not stand in a template."""
    match node:
        case nodes.Name(name=name) if name.startswith("_") or name in RESERVED:
            raise TemplateError(f"the name {name!r} is not allowed")
        case nodes.Getattr(attr=attr) if attr.startswith("_"):
            raise TemplateError(f"the name {attr!r} is not allowed")
        case nodes.Const(value=value) if is_number(value) and abs(value) > MAX_LITERAL:
            raise TemplateError("the number is too large")


def _check_call(node: nodes.Node) -> None:
    """Only what is listed can be called, with arguments that are spelled out."""
    match node:
        case nodes.Filter(node=None):
            raise TemplateError("'filter' blocks are not allowed in runbooks")
        case nodes.Filter(name=name) if name not in filters.FILTERS:
            raise TemplateError(f"there is no filter {name!r}", hint=did_you_mean(name, filters.FILTERS))
        case nodes.Test(name=name) if name not in filters.TESTS:
            raise TemplateError(f"there is no test {name!r}", hint=did_you_mean(name, filters.TESTS))
        case nodes.Call(node=called, dyn_args=extra, dyn_kwargs=more):
            name = called.name if isinstance(called, nodes.Name) else ""
            if name not in filters.FUNCTIONS or extra or more:
                callable_ = ", ".join(sorted(filters.FUNCTIONS))
                raise TemplateError(f"only these can be called: {callable_}", hint="or use a filter: x | name")
        case nodes.For(recursive=True):
            raise TemplateError("'recursive' is not allowed in runbooks")
    if isinstance(node, nodes.Filter | nodes.Test) and (node.dyn_args or node.dyn_kwargs):
        raise TemplateError("'*' and '**' arguments are not allowed in runbooks")


def _count(tree: nodes.Template) -> nodes.Template:
    """Let every loop pay for its turns before it begins, and what looks through a value for its size: membership,
    comparison, slices, filters and tests of texts."""

    def called(name: str, value: nodes.Node) -> Any:
        return nodes.Call(nodes.Name(name, "load"), [value], [], None, None).set_lineno(value.lineno)

    for loop in tree.find_all(nodes.For):
        loop.iter = called("__turns__", loop.iter)
    for compared in tree.find_all(nodes.Compare):
        compared.expr = called("__sized__", compared.expr)
        for operand in compared.ops:
            operand.expr = called("__sized__", operand.expr)
    for part in tree.find_all(nodes.Getitem):
        if isinstance(part.arg, nodes.Slice):
            part.node = called("__sized__", part.node)
    for filtered in tree.find_all((nodes.Filter, nodes.Test)):
        if isinstance(filtered.node, nodes.Expr):
            filtered.node = called("__read__", filtered.node)
    return tree


@lru_cache(maxsize=2048)
def _text_template(text: str) -> jinja2.Template:
    return _SANDBOX.from_string(_count(parse(text)))


@lru_cache(maxsize=2048)
def _expression(text: str) -> TemplateExpression:
    body = [nodes.Assign(nodes.Name("result", "store", lineno=1), parse_expression(text), lineno=1)]
    return TemplateExpression(_SANDBOX.from_string(_count(nodes.Template(body, lineno=1))), undefined_to_none=False)


def render(text: str, ctx: Mapping[str, Any], place: str = "") -> str:
    """The text with its expressions filled in.

    Raises:
        TemplateError: it is no allowed template, or costs too much; Missing: data is not there.
    """
    if "{" not in text:
        return text

    def run(names: dict[str, Any]) -> str:
        out: list[str] = []
        size = 0
        for piece in _text_template(text).generate(names):
            size += len(piece)
            if size > MAX_TEXT:
                raise TemplateError(f"the text is longer than {MAX_TEXT} characters")
            out.append(piece)
        return "".join(out)

    result: str = _guarded(run, ctx, place)
    return result


def outline(text: str) -> str:
    """A template in words; what it would fill in is named: `Raise <setting> to <size>`."""
    return " ".join(_FILLED_IN.sub(lambda found: f"<{found[1].split('.')[-1]}>" if found[1] else " ", text).split())


def evaluate(expr: str, ctx: Mapping[str, Any], place: str = "") -> Any:
    """The value of an expression, as plain data of its own type. Errors as `render`."""

    def run(names: dict[str, Any]) -> Any:
        value = _expression(expr.strip())(names)
        if isinstance(value, jinja2.Undefined):
            raise _UnknownError(value._undefined_name or "a value")
        return value

    return _guarded(run, ctx, place)


def fill(tree: Any, ctx: Mapping[str, Any], place: str = "") -> Any:
    """A tree of plain data with every text rendered. A text that is one `{{ expression }}` keeps its value's type."""
    if isinstance(tree, dict):
        return {
            render(str(key), ctx, place): fill(value, ctx, f"{place}.{key}" if place else str(key))
            for key, value in tree.items()
        }
    if isinstance(tree, list | tuple):
        return [fill(value, ctx, f"{place}[{index}]") for index, value in enumerate(tree)]
    if not isinstance(tree, str):
        return tree
    inner = single(tree)
    return render(tree, ctx, place) if inner is None else evaluate(inner, ctx, place)


def single(text: str) -> str | None:
    """The expression of a text that is exactly one `{{ … }}`, else None."""
    stripped = text.strip()
    if not (stripped.startswith("{{") and stripped.endswith("}}")):
        return None
    inner = stripped[2:-2].strip(" -+")
    return None if "{{" in inner or "}}" in inner else inner


def _guarded(run: Callable[[dict[str, Any]], Any], ctx: Mapping[str, Any], place: str) -> Any:
    budget = Budget()
    token = BUDGET.set(budget)
    try:
        return run({**ctx, "__turns__": budget.turns, "__sized__": budget.sized, "__read__": budget.read})
    except _UnknownError as error:
        raise MissingData(f"no data on {error.name!r}", place=place) from None
    except jinja2.UndefinedError as error:
        raise MissingData(shorten(str(error), 200), place=place) from None
    except TooMuchError as error:
        raise TemplateError(str(error), place=place) from None
    except TemplateError as error:
        raise type(error)(error.bare, place=error.place or place, hint=error.hint) from None
    except ZeroDivisionError:
        raise MissingData("what it divides by is 0", place=place) from None
    except (TypeError, ValueError, KeyError, IndexError, OverflowError, AttributeError) as error:
        raise TemplateError(f"the template cannot be worked out: {shorten(str(error), 200)}", place=place) from None
    except (jinja2.TemplateError, RecursionError, MemoryError, SyntaxError) as error:
        raise TemplateError(
            f"the template cannot be worked out: {type(error).__name__} {shorten(str(error), 200)}", place=place
        ) from None
    finally:
        BUDGET.reset(token)
