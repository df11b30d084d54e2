"""Rules of Prometheus as files hold them, and where an expression is no PromQL. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import yaml
from msgspec import Struct

from console.base.document import Document, parse
from console.base.errors import DocumentError
from console.monitoring import blind

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_RULES = re.compile(r"^groups:", re.MULTILINE)
_EXPRESSIONS = re.compile(r"\bexpr[\"']?\s*:")
_TEXTS = re.compile(r'"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'|`[^`]*`')
_TOKENS = re.compile(
    r"(?P<space>\s+|\#[^\n]*)"
    r"|(?P<text>\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'|`[^`]*`)"
    r"|(?P<number>\d[\w.]*)"
    r"|(?P<name>[A-Za-z_:][\w:]*)"
    r"|(?P<operator>=~|!~|==|!=|>=|<=|[-+*/%^<>=])"
    r"|(?P<open>[(\[{])|(?P<close>[)\]}])|(?P<other>.)",
    re.DOTALL,
)
_SETS = ("and", "or", "unless", "atan2")
_MATCHING = ("on", "ignoring", "group_left", "group_right", "bool")


class WrittenRule(Struct, frozen=True):
    """A rule where it is written.

    Attributes:
        file: key of the ConfigMap; `` in an object of the Prometheus operator.
        line: of its expression in the file, from 1; 0 where it is in no file.
        error: why the file as a whole is none; then there is no rule.
    """

    name: str = ""
    kind: str = "alerting"
    expr: str = ""
    group: str = ""
    file: str = ""
    line: int = 0
    error: str = ""
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}


class ExpressionFault(Struct, frozen=True):
    """What is no PromQL in an expression. `line` and `column` count from 1; 0 where only the whole is known."""

    words: str
    line: int = 0
    column: int = 0


def read(file: str, text: str) -> list[dict[str, Any]] | None:
    """The rules of a file as plain trees of `WrittenRule`; None where it is no file of Prometheus' rules."""
    if not _RULES.search(text) or not _EXPRESSIONS.search(text):
        return None
    try:
        document = parse(text, file)
    except DocumentError as error:
        return [{"file": file, "line": error.line or 0, "error": error.message}] if _torn(text) else None
    if not isinstance(document.data, Mapping):
        return None
    found = list(_in_groups(document.data.get("groups"), document, file))
    return None if not found or any(_of_logs(one["expr"]) for one in found) else found


def _torn(text: str) -> bool:
    """Whether it is no YAML for anybody: aliases and the like are refused here, and not by Prometheus."""
    try:
        for _ in yaml.parse(text, Loader=_LOADER):
            pass
    except yaml.YAMLError:
        return True
    return False


def written(rules: Any) -> tuple[WrittenRule, ...]:
    """The rules that `read` gave."""
    return tuple(msgspec.convert(one, WrittenRule) for one in rules) if isinstance(rules, list) else ()


def of_groups(groups: Any) -> tuple[WrittenRule, ...]:
    """The rules of a PrometheusRule's groups."""
    return written(list(_in_groups(groups, None, "")))


def _in_groups(groups: Any, document: Document | None, file: str) -> Iterator[dict[str, Any]]:
    for i, group in enumerate(groups if isinstance(groups, list) else ()):
        rules = group.get("rules") if isinstance(group, Mapping) else None
        for j, rule in enumerate(rules if isinstance(rules, list) else ()):
            if isinstance(rule, Mapping):
                line = document.line(("groups", i, "rules", j, "expr")) if document is not None else 0
                kind = "alerting" if rule.get("alert") else "recording"
                name = str(rule.get("alert") or rule.get("record") or "")
                expr = str(rule.get("expr") if rule.get("expr") is not None else "")
                yield {
                    "name": name, "kind": kind, "expr": expr, "group": str(group.get("name") or ""), "file": file,
                    "line": line, "labels": _texts(rule.get("labels")), "annotations": _texts(rule.get("annotations")),
                }  # fmt: skip


def _texts(value: Any) -> dict[str, str]:
    return {str(key): str(text) for key, text in value.items()} if isinstance(value, Mapping) else {}


def _of_logs(expr: str) -> bool:
    """Whether it is a query of logs, for which other servers have rules in the same shape."""
    return "|" in _TEXTS.sub("", expr)


def fault(expr: str) -> ExpressionFault | None:
    """Why it is no PromQL, and where; None where it is."""
    said = blind.parsed(expr)
    if not isinstance(said, str):
        return None
    if not expr.strip():
        return ExpressionFault("there is no expression")
    return _place(expr) or ExpressionFault(said)


def _place(expr: str) -> ExpressionFault | None:
    """The first operator that lacks a side, or the first bracket that is not closed."""
    opened: list[tuple[str, int]] = []
    before: re.Match[str] | None = None
    for token in _TOKENS.finditer(expr):
        if token.lastgroup == "space":
            continue
        word = token[0]
        if token.lastgroup == "open":
            opened.append((word, token.start()))
        elif token.lastgroup == "close":
            if not opened or {"(": ")", "[": "]", "{": "}"}[opened.pop()[0]] != word:
                return _at(expr, token.start(), f"{word!r} closes nothing")
        elif _binary(token) and word not in "+-" and _sideless(before) and not any(one == "{" for one, _ in opened):
            return _at(expr, token.start(), f"{word!r} has nothing on its left")
        before = token
    if before is not None and (_binary(before) or before[0] in _MATCHING):
        return _at(expr, before.start(), f"{before[0]!r} has nothing on its right")
    return _at(expr, opened[-1][1], f"{opened[-1][0]!r} is not closed") if opened else None


def _sideless(before: re.Match[str] | None) -> bool:
    """Whether what stands before an operator is no left side."""
    return before is None or before[0] in ("(", ",", "bool") or _binary(before)


def _binary(token: re.Match[str]) -> bool:
    return token.lastgroup == "operator" or (token.lastgroup == "name" and token[0] in _SETS)


def _at(expr: str, offset: int, words: str) -> ExpressionFault:
    line = expr.count("\n", 0, offset) + 1
    return ExpressionFault(words, line, offset - (expr.rfind("\n", 0, offset) + 1) + 1)
