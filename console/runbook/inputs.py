"""Typed inputs of a runbook: taken from the selection, the alert, the finding or a default, and checked.

Where a value came from is part of the answer: it is shown before the first step and journalled.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from console.base.errors import UsageError, did_you_mean
from console.base.text import clean, listed, shorten
from console.base.units import parse_duration, parse_jvm_size, parse_quantity
from console.board.model import Board
from console.facts.model import Alert
from console.findings.model import Finding
from console.runbook.match import application_of, rank
from console.runbook.model import Input, Runbook

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_DNS = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
MAX_STRING = 4096


class MissingInput(Struct, frozen=True):
    """A required input that no source had. `because` names what was tried, `choices` are those of an enum."""

    name: str
    title: str
    type: str
    because: str
    choices: tuple[str, ...] = ()

    @property
    def asks(self) -> str:
        """What a person is asked: its title, and what is expected."""
        return f"{self.title} ({', '.join(self.choices) or self.type})"


class InputMissing(UsageError):
    """A walk cannot begin: `lacking` is the first input that no source had."""

    def __init__(self, runbook: str, lacking: MissingInput) -> None:
        super().__init__(
            f"runbook {runbook} needs the input {lacking.name!r} ({lacking.type}): {lacking.because}",
            hint=f"say --input {lacking.name}=…, or choose an application",
        )
        self.lacking = lacking


class InputRefused(UsageError):
    """A value that a person gave for the input `name` is not of its type, or outside of its limits."""

    def __init__(self, runbook: str, item: Input, why: str) -> None:
        hint = f"{item.title or item.name} is of type {item.type}"
        super().__init__(f"input {item.name!r} of runbook {runbook}: {why}", hint=hint)
        self.name, self.why = item.name, why


class Resolved(Struct, frozen=True):
    """Values by name, where each came from in words, and what a person still has to give."""

    inputs: dict[str, Any]
    origins: dict[str, str]
    missing: tuple[MissingInput, ...] = ()


def resolve(
    runbook: Runbook, board: Board, *, app: str = "", alert: Alert | None = None, given: Mapping[str, str] | None = None
) -> Resolved:
    """The inputs of a walk.

    Args:
        runbook: what asks for them.
        board: the picture that names are checked against.
        app: the selected application (`namespace/name`), or ``.
        alert: the alert that led here, or None.
        given: values that a person wrote; they win over every source.

    Raises:
        UsageError: a given value has no such input. InputRefused: it is not of its input's type.
    """
    given = given or {}
    known = {i.name: i for i in runbook.inputs}
    for name in given:
        if name not in known:
            raise UsageError(f"runbook {runbook.id} has no input {name!r}", hint=did_you_mean(name, known))
    inputs: dict[str, Any] = {}
    origins: dict[str, str] = {}
    missing: list[MissingInput] = []
    for item in runbook.inputs:
        if item.name in given:
            inputs[item.name], origins[item.name] = _given(runbook, item, given[item.name], board), "given"
            continue
        chosen = next((v for k, v in inputs.items() if known[k].type == "spark_app"), app)
        where = _Situation(runbook, board, app, chosen or app, alert)
        value, words = _taken(item, where)
        if value is not None:
            inputs[item.name], origins[item.name] = value, words
        elif item.required:
            missing.append(
                MissingInput(item.name, item.title or item.name, item.type, words or "no source", item.choices)
            )
    return Resolved(inputs, origins, tuple(missing))


def _given(runbook: Runbook, item: Input, value: str, board: Board) -> Any:
    try:
        return convert(item, value, board)
    except ValueError as error:
        raise InputRefused(runbook.id, item, str(error)) from None


class _Situation(NamedTuple):
    """Where the values of one walk's inputs may come from; `chosen` is the application that an input named already."""

    runbook: Runbook
    board: Board
    selected: str
    chosen: str
    alert: Alert | None


NAMES = frozenset({"spark_app", "node", "namespace", "pod", "k8s_name"})
"""Types that say who is meant: a source that names what is not there is not replaced by the next one."""


def _taken(item: Input, where: _Situation) -> Origin:
    """The first source that has a value, and its words; None where there is none, and what was tried."""
    tried: list[str] = []
    for source in (*item.sources, *(() if "default" in item.sources else ("default",))):
        raw, words = _from(source, item, where)
        if raw is None:
            tried.append(words)
            continue
        try:
            return convert(item, raw, where.board), words
        except ValueError as error:
            tried.append(f"{words}: {error}")
            if item.type in NAMES:
                break
    return None, "; ".join(dict.fromkeys(text for text in tried if text))


Origin = tuple[Any, str]
"""The raw value of a source with its origin in words; None where the source has none."""


def _from(source: str, item: Input, where: _Situation) -> Origin:
    head, _, rest = source.partition(".")
    if head == "default":
        return item.default, "default" if item.default is not None else "no default"
    if head not in _SOURCES:
        return None, f"unknown source {source}"
    return _SOURCES[head](rest, where)


def _of_selection(rest: str, where: _Situation) -> Origin:
    return where.selected or None, "selection" if where.selected else "nothing is selected"


def _of_alert(rest: str, where: _Situation) -> Origin:
    alert = where.alert
    if rest == "app":
        return application_of(alert, where.board)
    label = rest.removeprefix("labels.")
    value = alert.labels.get(label) if alert is not None else None
    return value, f"alert label {label}" if value is not None else f"no alert label {label}"


def _of_finding(rest: str, where: _Situation) -> Origin:
    finding = the_finding(where.runbook, where.board, where.chosen, where.alert)
    if rest == "app":
        if finding is None or not finding.app:
            return None, "no finding names an application"
        if not where.chosen and len(several := _with_a_finding(where)) > 1:
            return None, f"several applications have such a finding: {listed(several, 5)}"
        return finding.app, f"finding {finding.code}"
    field = rest.removeprefix("data.")
    value = _dig(msgspec.to_builtins(finding.data), field) if finding is not None else None
    return value, f"finding {finding.code} {field}" if finding and value is not None else f"no finding has {field}"


def _of_app(rest: str, where: _Situation) -> Origin:
    app = where.board.app(where.chosen)
    value = _dig(msgspec.to_builtins(app), rest) if app is not None else None
    return value, f"application {rest}" if value is not None else f"the application has no {rest}"


_SOURCES: dict[str, Callable[[str, _Situation], Origin]] = {
    "selection": _of_selection, "alert": _of_alert, "finding": _of_finding, "app": _of_app,
}  # fmt: skip


def _dig(tree: Any, path: str) -> Any:
    for part in path.split("."):
        tree = tree.get(part) if isinstance(tree, dict) else None
    return tree


def the_finding(runbook: Runbook, board: Board, app: str, alert: Alert | None = None) -> Finding | None:
    """The finding that the runbook is for: the best match, of the application where one is chosen.

    Of equals, one of the present attempt goes before one of an attempt that is over.
    """
    by_key = {f.key: f for f in board.findings}
    found = [(m.score, by_key[m.finding]) for m in rank([runbook], board, app=app, alert=alert) if m.finding]
    found.sort(key=lambda pair: (-pair[0], pair[1].data.current is False))
    return found[0][1] if found else None


def _with_a_finding(where: _Situation) -> tuple[str, ...]:
    """Keys of the applications with a finding that the runbook is for."""
    ranked = rank([where.runbook], where.board, alert=where.alert)
    return tuple(dict.fromkeys(m.app for m in ranked if m.finding and m.app))


def convert(item: Input, value: Any, board: Board | None = None) -> Any:
    """`value` as the input's type: numbers as numbers, sizes and durations as the text that was written.

    Raises:
        ValueError: it is not of this type, or outside of the input's limits.
    """
    known = item.type == "spark_app" and board is not None and board.app(str(value)) is not None
    # an application outside Kubernetes has a name of its own making
    result = _string(item, value) if known else _TYPES[item.type](item, value)
    if item.type == "spark_app":
        result = _app(result, board)
    elif item.type == "node" and board is not None:
        _is_a_node(result, board)
    _within_limits(item, result)
    return result


def _app(value: str, board: Board | None) -> str:
    if board is not None:
        return _known_app(value, board)
    if "/" not in value:
        raise ValueError(f"{value!r} is no namespace/name")
    return value


def _is_a_node(value: str, board: Board) -> None:
    if board.nodes and not any(n.name == value for n in board.nodes):
        raise ValueError(f"there is no node {value!r}; {did_you_mean(value, [n.name for n in board.nodes])}")


def _within_limits(item: Input, value: Any) -> None:
    if item.pattern and not _fits(item.pattern, str(value)):
        raise ValueError(f"{_show(value)} does not match {item.pattern}")
    size = figure(item, value)
    if size is not None and item.minimum is not None and size < item.minimum:
        raise ValueError(f"{_show(value)} is below {item.minimum:g}")
    if size is not None and item.maximum is not None and size > item.maximum:
        raise ValueError(f"{_show(value)} is above {item.maximum:g}")


def _fits(pattern: str, text: str) -> bool:
    try:
        return re.fullmatch(pattern, text) is not None
    except re.error as error:
        raise ValueError(f"the pattern {pattern!r} is no regular expression: {error}") from None


def _show(value: Any) -> str:
    return repr(shorten(clean(str(value)), 60))


def figure(item: Input, value: Any) -> float | None:
    """The size of a value of this input, for its limits; None where its type has none."""
    match item.type:
        case "int" | "float":
            return float(value)
        case "duration":
            return parse_duration(value)
        case "quantity":
            return parse_quantity(value)
        case "jvm_size":
            return float(parse_jvm_size(value))
    return None


def _known_app(value: str, board: Board) -> str:
    keys = [a.key for a in board.apps]
    if value in keys:
        return value
    named = [a.key for a in board.apps if a.name == value]
    if len(named) == 1:
        return named[0]
    if len(named) > 1:
        raise ValueError(f"{_show(value)} stands for several applications: {listed(named, 5)}")
    raise ValueError(f"there is no Spark application {_show(value)}; {did_you_mean(value, keys)}")


def _string(item: Input, value: Any) -> str:
    if isinstance(value, dict | list | tuple):
        raise ValueError("a text is expected")
    text = ("true" if value else "false") if isinstance(value, bool) else str(value)
    if len(text) > MAX_STRING:
        raise ValueError(f"the text is longer than {MAX_STRING} characters")
    if clean(text, lines=True) != text:
        raise ValueError("control characters are not allowed")
    return text


def _int(item: Input, value: Any) -> int:
    if isinstance(value, bool) or (isinstance(value, float) and not value.is_integer()):
        raise ValueError(f"{_show(value)} is no whole number")
    try:
        return int(str(value)[:40]) if isinstance(value, str) else int(value)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"{_show(value)} is no whole number") from None


def _float(item: Input, value: Any) -> float:
    try:
        figure = float("nan") if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        figure = float("nan")
    if not math.isfinite(figure):
        raise ValueError(f"{_show(value)} is no number")
    return figure


def _bool(item: Input, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    word = str(value).lower()
    if word not in ("true", "false"):
        raise ValueError(f"{_show(value)} is neither true nor false")
    return word == "true"


def _enum(item: Input, value: Any) -> str:
    if str(value) not in item.choices:
        raise ValueError(f"{_show(value)} is not one of the choices; {did_you_mean(str(value), item.choices)}")
    return str(value)


def _duration(item: Input, value: Any) -> str:
    text = f"{value:g}s" if isinstance(value, int | float) and not isinstance(value, bool) else _string(item, value)
    if parse_duration(text) < 0:
        raise ValueError(f"{_show(text)} is no duration")
    return text


def _sized(parse: Callable[[str], float]) -> Callable[[Input, Any], str]:
    def size(item: Input, value: Any) -> str:
        text = str(int(value)) if isinstance(value, float) else _string(item, value)
        parse(text)
        return text

    return size


def _name(pattern: re.Pattern[str], words: str, slash: bool = False) -> Callable[[Input, Any], str]:
    def name(item: Input, value: Any) -> str:
        text = _string(item, value)
        pieces = text.split("/") if slash else [text]
        if len(pieces) > 2 or len(text) > 253 or not all(pattern.fullmatch(p) for p in pieces):
            raise ValueError(f"{_show(text)} is no {words}")
        return text

    return name


def _promql(item: Input, value: Any) -> str:
    import promql_parser

    text = _string(item, value)
    try:
        promql_parser.parse(text)
    except ValueError as error:
        raise ValueError(f"this is no PromQL: {shorten(str(error).splitlines()[0], 120)}") from None
    return text


_TYPES: dict[str, Callable[[Input, Any], Any]] = {
    "string": _string,
    "int": _int,
    "float": _float,
    "bool": _bool,
    "enum": _enum,
    "duration": _duration,
    "quantity": _sized(parse_quantity),
    "jvm_size": _sized(parse_jvm_size),
    "k8s_name": _name(_DNS, "Kubernetes name"),
    "namespace": _name(_LABEL, "namespace"),
    "node": _name(_DNS, "node name"),
    "pod": _name(_DNS, "pod name", slash=True),
    "spark_app": _name(_DNS, "Spark application", slash=True),
    "promql": _promql,
}
