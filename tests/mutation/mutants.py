"""Small changes of a module, each of which some test should notice.

The changes are those of mutmut (its operators work on libcst trees), with two of our own that matter most where code
guards: a condition is turned round, and a statement that only acts or refuses (a call, an `await`, a `raise`) is left
out. What only words would notice is no mutant (annotations, docstrings, texts that people read), nor is what only
the type checker and the linter look after (`frozen=` of a class, `strict=` of a `zip`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import libcst as cst
import libcst.matchers as m
from libcst.metadata import MetadataWrapper, ParentNodeProvider, PositionProvider
from mutmut.mutation.mutators import mutation_operators


@dataclass(frozen=True)
class Mutant:
    """One change.

    Attributes:
        module: path from the root of the repository.
        line: where the changed code begins.
        function: qualified name of the outermost function that holds the change; empty where a module, a class, a
            default or a decorator does, which are evaluated only once.
        change: the changed lines, before and after.
        source: the whole module with the change.
    """

    module: str
    line: int
    function: str
    change: str
    source: str

    @property
    def key(self) -> str:
        """What names this mutant as long as its line stays what it is."""
        return f"{self.module} {self.function or 'module'}: {self.change}"


@dataclass(frozen=True)
class Site:
    """A node, and what stands there instead."""

    line: int
    function: str
    node: cst.CSTNode
    instead: cst.CSTNode
    statement: int


@dataclass
class Source:
    """A module as a tree, and the texts of its statements, so that one of them can be written anew."""

    module: str
    tree: MetadataWrapper

    def __post_init__(self) -> None:
        module = self.tree.module
        self.code = module.code
        self._pieces = [module.code_for_node(statement) for statement in module.body]
        self._head = len(self.code) - len("".join(self._pieces)) if self._pieces else 0

    def changed(self, site: Site) -> str:
        """The code of the module with the change."""
        module = self.tree.module
        new = module.body[site.statement].deep_replace(site.node, site.instead)
        start = self._head + sum(map(len, self._pieces[: site.statement]))
        end = start + len(self._pieces[site.statement])
        text = module.code_for_node(new) if isinstance(new, cst.CSTNode) else ""
        return self.code[:start] + text + self.code[end:]


def sites(source: Source) -> list[Site]:
    """All changes of a module, in the order of the file."""
    finder = _Finder()
    source.tree.visit(finder)
    return sorted(finder.found, key=lambda site: site.line)


def read(module: str) -> Source:
    return Source(module, MetadataWrapper(cst.parse_module(Path(module).read_text())))


def mutant(source: Source, site: Site) -> Mutant | None:
    """The mutant of a site; None where the change is none, or is no Python."""
    after = source.changed(site)
    try:
        compile(after, source.module, "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return None
    change = _change(source.code, after)
    return Mutant(source.module, site.line, site.function, change, after) if change else None


def _change(before: str, after: str) -> str:
    """`old => new` of the lines that differ, without their indentation."""
    old, new = before.splitlines(), after.splitlines()
    while old and new and old[0] == new[0]:
        del old[0], new[0]
    while old and new and old[-1] == new[-1]:
        del old[-1], new[-1]
    return f"{_joined(old)} => {_joined(new)}" if old or new else ""


def _joined(lines: list[str]) -> str:
    return " ".join(line.strip() for line in lines)


class _Finder(cst.CSTVisitor):
    METADATA_DEPENDENCIES = (PositionProvider, ParentNodeProvider)

    def __init__(self) -> None:
        self.found: list[Site] = []
        self._names: list[str] = []
        self._function: list[str] = []
        self._statement = -1

    def on_visit(self, node: cst.CSTNode) -> bool:
        parent = self.get_metadata(ParentNodeProvider, node, None)
        if isinstance(parent, cst.Module) and node in parent.body:
            self._statement = parent.body.index(node)
        if _is_left_alone(node):
            return False
        if isinstance(node, cst.ClassDef | cst.FunctionDef):
            self._names.append(node.name.value)
        if isinstance(parent, cst.FunctionDef) and node is parent.body and not self._function:
            self._function.append(".".join(self._names))
        elif self._function:
            self._function.append(self._function[0])
        if isinstance(node, cst.Expr) and isinstance(node.value, cst.SimpleString | cst.ConcatenatedString):
            self._leave()
            return False
        for instead in () if _is_option(node, parent) else self._instead(node):
            self._note(node, instead)
        return True

    def on_leave(self, node: cst.CSTNode) -> None:
        if _is_left_alone(node):
            return
        if isinstance(node, cst.Expr) and isinstance(node.value, cst.SimpleString | cst.ConcatenatedString):
            return
        self._leave()
        if isinstance(node, cst.ClassDef | cst.FunctionDef):
            self._names.pop()

    def _leave(self) -> None:
        if self._function:
            self._function.pop()

    def _note(self, node: cst.CSTNode, instead: cst.CSTNode) -> None:
        line = self.get_metadata(PositionProvider, node).start.line
        function = self._function[0] if self._function else ""
        self.found.append(Site(line, function, node, instead, self._statement))

    def _instead(self, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
        inside = bool(self._function)
        if isinstance(node, cst.SimpleString) and _is_prose(node):
            return
        if isinstance(node, cst.Assign | cst.AnnAssign) and (not inside or _is_prose(node.value)):
            return
        if isinstance(node, cst.Call):
            yield from _arguments(node)
        for kind, operator in mutation_operators:
            if not isinstance(node, kind) or operator.__name__ in _REPLACED:
                continue
            found = list(operator(node))
            yield from found[:1] if isinstance(node, cst.SimpleString) else found
        if isinstance(node, cst.If):
            yield node.with_changes(test=_not(node.test))
        if isinstance(node, cst.CompIf):
            yield node.with_changes(test=_not(node.test))
        if isinstance(node, cst.Expr) and inside and isinstance(node.value, cst.Call | cst.Await):
            yield cst.Pass()
        if isinstance(node, cst.Raise) and inside:
            yield cst.Pass()


_REPLACED = ("operator_arg_removal",)  # two mutants for each argument, of which one only fails to be called


def _arguments(call: cst.Call) -> Iterator[cst.Call]:
    """An argument by name left out, one by place None."""
    for i, argument in enumerate(call.args):
        if argument.star or _is_prose(argument.value) or _is_nothing(argument) or _is_option(argument, call):
            continue
        others = [*call.args[:i], *call.args[i + 1 :]]
        if argument.keyword is not None:
            yield call.with_changes(args=others)
        else:
            without = argument.with_changes(value=cst.Name("None"))
            yield call.with_changes(args=[*call.args[:i], without, *call.args[i + 1 :]])


def _not(test: cst.BaseExpression) -> cst.UnaryOperation:
    bare = test.with_changes(lpar=[*test.lpar, cst.LeftParen()], rpar=[*test.rpar, cst.RightParen()])
    return cst.UnaryOperation(cst.Not(), bare)


def _is_left_alone(node: cst.CSTNode) -> bool:
    """Nothing in it runs, or it is there for the type checker (`assert`, `raise AssertionError("unreachable")`)."""
    if isinstance(node, cst.Assign) and m.matches(node.targets[0].target, m.Name("__all__")):
        return True
    if isinstance(node, cst.Raise) and isinstance(node.exc, cst.Call):
        return m.matches(node.exc.func, m.Name("AssertionError"))
    return isinstance(node, cst.Annotation | cst.ImportFrom | cst.Import | cst.Decorator | cst.Pass | cst.Assert)


def _is_option(node: cst.CSTNode, parent: cst.CSTNode | None) -> bool:
    """`frozen=True` of a class, `strict=True` of a `zip`, and their values."""
    if isinstance(parent, cst.Arg) and parent.keyword is not None and parent.keyword.value in ("frozen", "strict"):
        return True
    return isinstance(node, cst.Arg) and node.keyword is not None and node.keyword.value in ("frozen", "strict")


def _is_nothing(argument: cst.Arg) -> bool:
    """None by place would change nothing: it is None, or true or false, whose opposite is a mutant of its own."""
    return argument.keyword is None and m.matches(argument.value, m.Name("None") | m.Name("True") | m.Name("False"))


def _is_prose(node: cst.BaseExpression | None) -> bool:
    """A text that people read: several words, or a text made of parts."""
    if isinstance(node, cst.FormattedString | cst.ConcatenatedString):
        return True
    return isinstance(node, cst.SimpleString) and " " in node.value.strip("'\" ")
