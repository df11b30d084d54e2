"""Whether a PromQL expression can ever give anything, from which series exist. Pure.

`or` gives something when either side does, `absent()` when its series are missing; all else needs every part of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

import promql_parser

IDENTITY = re.compile(
    r"^(exported_)?(job|namespace|container|service|endpoint|app|application|component|deployment|statefulset"
    r"|daemonset|cronjob|cluster|container_name|pod_name|kubernetes_namespace|kubernetes_name)$|^label_"
)
"""Labels that say where series come from. Others (reason, phase, code, pod …) come and go with what happens."""
SPARK_CONTAINERS = ("spark-kubernetes-driver", "spark-kubernetes-executor")
PASSING = frozenset({"ALERTS", "ALERTS_FOR_STATE"})
"""Series that exist only while something is wrong."""
_WORDS = {"MatchOp.Equal": "=", "MatchOp.NotEqual": "!=", "MatchOp.Re": "=~", "MatchOp.NotRe": "!~"}


@lru_cache(maxsize=2_048)
def parsed(query: str) -> Any:
    """The tree of an expression; the words of the refusal where it is no PromQL that is known here."""
    try:
        return promql_parser.parse(query)
    except ValueError as error:
        return str(error).splitlines()[0]


def silence(query: str, why: Callable[[Any], str]) -> tuple[str, ...]:
    """Why the expression gives nothing whatever happens; empty where it can, or is not understood.

    Args:
        why: for a vector selector, why it gives nothing, or ``.
    """
    tree = parsed(query)
    return () if isinstance(tree, str) else tuple(dict.fromkeys(_silent(tree, why)))


def _silent(node: Any, why: Callable[[Any], str]) -> list[str]:
    if isinstance(node, promql_parser.VectorSelector):
        reason = why(node)
        return [reason] if reason else []
    if isinstance(node, promql_parser.BinaryExpr):
        sides = [_silent(side, why) for side in (node.lhs, node.rhs)]
        word = str(node.op)
        if word == "or":
            return sides[0] + sides[1] if all(sides) else []
        return sides[0] if word == "unless" else sides[0] + sides[1]
    if isinstance(node, promql_parser.Call) and str(node.func.name).startswith("absent"):
        return []
    return [reason for child in _children(node) for reason in _silent(child, why)]


def selected(query: str) -> Iterator[Any]:
    """The vector selectors of an expression, those under `absent()` among them."""
    tree = parsed(query)
    if not isinstance(tree, str):
        yield from _selectors(tree)


def _selectors(node: Any) -> Iterator[Any]:
    if isinstance(node, promql_parser.VectorSelector):
        yield node
        return
    for child in _children(node):
        yield from _selectors(child)


def _children(node: Any) -> Iterator[Any]:
    for name in ("lhs", "rhs", "expr", "vector_selector", "param"):
        child = getattr(node, name, None)
        if hasattr(child, "prettify"):
            yield child
    yield from getattr(node, "args", None) or ()


def name_of(selector: Any) -> str:
    """The metric name of a selector; `` where it is a pattern or missing."""
    if selector.name:
        return str(selector.name)
    exact = [m.value for m in selector.matchers.matchers if m.name == "__name__" and str(m.op) == "MatchOp.Equal"]
    return str(exact[0]) if exact else ""


def family(name: str) -> str:
    """The first two words of a metric name: what one exporter's series share."""
    parts = name.split("_")
    return "_".join(parts[:2]) if len(parts) > 2 else name


def of_family(name: str, other: str) -> bool:
    """Whether `other` has the same first words as `name`."""
    head = family(name)
    return other == head or other.startswith(f"{head}_")


def identity(selector: Any) -> str:
    """The selector with only the matchers that say where series come from; `` where it has none, or is passing."""
    name = name_of(selector)
    if not name or name in PASSING:
        return ""
    kept = [
        f'{m.name}{_WORDS[str(m.op)]}"{_escaped(m.value)}"'
        for m in selector.matchers.matchers
        if IDENTITY.match(m.name) and not _spark(m) and not _anything(m)
    ]
    return f"{name}{{{', '.join(sorted(kept))}}}" if kept else ""


def widened(selector: str) -> str:
    """An identity over every series of its family: an event that has not happened yet is no missing source."""
    name, brace, rest = selector.partition("{")
    head = family(name)
    pattern = f'__name__="{name}"' if head == name else f'__name__=~"{head}(_.+)?"'
    return f"{{{pattern}, {rest}" if brace else selector


def _spark(matcher: Any) -> bool:
    """Whether it names containers that are there only while an application runs."""
    if matcher.name not in ("container", "exported_container"):
        return False
    word = str(matcher.op)
    if word == "MatchOp.Equal":
        return matcher.value in SPARK_CONTAINERS
    if word != "MatchOp.Re":
        return True
    try:
        return any(re.fullmatch(matcher.value, name) for name in SPARK_CONTAINERS)
    except re.error:
        return True


def _anything(matcher: Any) -> bool:
    word = str(matcher.op)
    return (word == "MatchOp.Re" and matcher.value in (".*", ".+")) or (word == "MatchOp.Equal" and not matcher.value)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
