"""Names in templates: which data a template reads, whether it can exist, and whether it is asked for carefully."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from jinja2 import nodes

from console.base.errors import did_you_mean
from console.runbook import filters, template
from console.runbook.lint.shape import down
from console.runbook.lint.words import ANY, LEAF, Shape, Words, near

Trail = tuple[str, ...]
NodeT = TypeVar("NodeT", bound=nodes.Node)


@dataclass
class Uses:
    """What one template reads.

    Attributes:
        trails: paths of data (`app`, `name`), the longest that are spelled out.
        guarded: paths that the template asks `is defined` of, or gives a default for.
        problems: (message, hint) of paths that cannot exist.
    """

    trails: set[Trail] = field(default_factory=set)
    guarded: set[Trail] = field(default_factory=set)
    problems: list[tuple[str, str]] = field(default_factory=list)


def uses(text: str, shape: Mapping[str, Shape], *, expression: bool = False) -> Uses:
    """The data that a text (or an expression without braces) reads. Raises TemplateError where it is no template."""
    tree: nodes.Node = template.parse_expression(text) if expression else template.parse(text)
    found = Uses()
    _TrailReader(found, dict(shape)).read(tree)
    return found


class _TrailReader:
    def __init__(self, found: Uses, scope: dict[str, Shape]) -> None:
        self.found, self.scope = found, scope

    def read(self, node: nodes.Node) -> Shape:
        match node:
            case nodes.Name() | nodes.Getattr() | nodes.Getitem():
                return self.path(node)
            case nodes.For():
                return self.loop(node)
            case nodes.Test(name="defined" | "undefined", node=inner):
                return self.guard(inner)
            case nodes.Filter(name="default", node=nodes.Expr() as inner):
                self.guard(inner)
                for extra in node.args:
                    self.read(extra)
                return ANY
            case nodes.Filter(node=nodes.Expr() as inner):
                return self.filtered(node, inner)
            case nodes.Compare():
                return self.compared(node)
            case nodes.Call(args=args):
                for arg in args:
                    self.read(arg)
                return LEAF
            case nodes.CondExpr(expr1=one, expr2=two, test=test):
                self.read(test)
                shape = self.read(one)
                if two is not None:
                    self.read(two)
                return shape
            case nodes.Const() | nodes.TemplateData():
                return LEAF
        for child in node.iter_child_nodes():
            self.read(child)
        return ANY

    def compared(self, node: nodes.Compare) -> Shape:
        shape = self.read(node.expr)
        for operand in node.ops:
            self.words(node.expr, shape, operand.expr)
            self.read(operand.expr)
        return LEAF

    def words(self, left: nodes.Node, shape: Shape, right: nodes.Node) -> None:
        """A word that a state is compared with, and that it never is."""
        if not isinstance(shape, Words):
            return
        for option in _constants(right):
            if isinstance(option, nodes.Const) and isinstance(option.value, str):
                where = left.value if isinstance(left, nodes.Const) else ".".join(_trail(left))
                self.word(where or "it", shape, option.value)

    def word(self, where: str, shape: Words, word: str) -> None:
        known = [w for w in shape.words if w != "*"]
        if word in known or word in (w.upper() for w in known):
            return
        if "*" not in shape.words or near(word, known):
            self.found.problems.append((f"{where} is never {word!r}", did_you_mean(word, known)))

    def loop(self, node: nodes.For) -> Shape:
        items = self.read(node.iter)
        inner = items[0] if isinstance(items, list) else LEAF if isinstance(items, dict) else ANY
        names = _stored(node.target)
        bound = {names[0]: inner} if len(names) == 1 else dict.fromkeys(names, ANY)
        reader = _TrailReader(self.found, {**self.scope, **bound, "loop": dict.fromkeys(template.LOOP_FIELDS, LEAF)})
        for part in (node.test, *node.body):
            if part is not None:
                reader.read(part)
        for part in node.else_:
            self.read(part)
        return ANY

    def guard(self, node: nodes.Node) -> Shape:
        trail = _trail(node)
        if trail:
            self.found.guarded.add(trail)
        self.read(node)
        return LEAF

    def filtered(self, node: nodes.Filter, inner: nodes.Expr) -> Shape:
        shape = self.read(inner)
        for arg in (*node.args, *(k.value for k in node.kwargs)):
            self.read(arg)
        if node.name in ("where", "without", "pick") and node.args and isinstance(shape, list):
            first = node.args[0]
            if isinstance(first, nodes.Const) and isinstance(first.value, str):
                field = self.fields(shape[0], first.value.split("."), "each item")
                if node.name != "pick" and len(node.args) == 3:
                    self.words(first, field, node.args[2])
                return [field] if node.name == "pick" else shape
        if node.name in ("first", "last"):
            return shape[0] if isinstance(shape, list) else ANY
        if node.name in ("sort", "unique", "where", "without"):
            return shape
        return ANY

    def fields(self, shape: Shape, keys: list[str], where: str) -> Shape:
        for key in keys:
            inner = down(shape, key)
            if inner is None:
                self.unknown(where, key, shape)
                return ANY
            where, shape = f"{where}.{key}", inner
        return shape

    def path(self, node: nodes.Name | nodes.Getattr | nodes.Getitem) -> Shape:
        trail = _trail(node)
        if not trail:
            base = self.read(node.node) if isinstance(node, nodes.Getattr | nodes.Getitem) else ANY
            if isinstance(node, nodes.Getitem):
                self.read(node.arg)
            if isinstance(node, nodes.Getitem):
                return base[0] if isinstance(base, list) else ANY
            if isinstance(node, nodes.Getattr) and base != ANY:
                return self.fields(base, [node.attr], "it")
            return ANY
        root, *rest = trail
        if root not in self.scope:
            known = [*self.scope, *filters.FUNCTIONS]
            self.found.problems.append((f"there is no {root!r} in templates", did_you_mean(root, known)))
            return ANY
        self.found.trails.add(trail)
        return self.fields(self.scope[root], rest, root)

    def unknown(self, where: str, key: str, shape: Shape) -> None:
        known = [k for k in shape if not k.endswith("*")] if isinstance(shape, dict) else []
        hint = did_you_mean(key, known) if known else f"{where} is one value without fields"
        self.found.problems.append((f"{where} has no {key!r}", hint))


def all_of(tree: nodes.Node, kind: type[NodeT]) -> Iterator[NodeT]:
    """Every node of a kind, the root too."""
    if isinstance(tree, kind):
        yield tree
    yield from tree.find_all(kind)


def _constants(node: nodes.Node) -> list[nodes.Node]:
    return list(node.items) if isinstance(node, nodes.List | nodes.Tuple) else [node]


def _stored(target: nodes.Node) -> list[str]:
    if isinstance(target, nodes.Name):
        return [target.name]
    return [n for child in target.iter_child_nodes() for n in _stored(child)]


def _trail(node: nodes.Node) -> Trail:
    """The path that a chain of names spells out, or () where it starts from anything else."""
    parts: list[str] = []
    while True:
        match node:
            case nodes.Getattr(node=inner, attr=attr):
                parts.append(attr)
                node = inner
            case nodes.Getitem(node=inner, arg=nodes.Const(value=str() as key)):
                parts.append(key)
                node = inner
            case nodes.Name(name=name):
                return (name, *reversed(parts))
            case _:
                return ()


def careful(trail: Trail, guarded: set[Trail]) -> bool:
    """Whether some part of a path was asked for with `is defined` or has a default."""
    return any(trail[: len(g)] == g for g in guarded)


def prefixes(trails: set[Trail], root: str) -> Iterator[Trail]:
    """The trails below a name."""
    return (t for t in sorted(trails) if t[0] == root and len(t) > 1)
