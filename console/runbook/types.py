"""Values of typed inputs: numbers as numbers, sizes and durations as the text that was written; names that exist."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

from console.base.errors import did_you_mean
from console.base.shapes import is_number
from console.base.text import clean, listed, shorten
from console.base.units import parse_duration, parse_jvm_size, parse_quantity
from console.board.model import Board
from console.runbook.model import Input

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_DNS = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
MAX_STRING = 4096


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
    text = f"{value:g}s" if is_number(value) else _string(item, value)
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
