"""Typed inputs of a runbook: taken from the selection, the alert, the finding or a default, and checked.

Where a value came from is part of the answer: it is shown before the first step and journalled.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from console.base.errors import UsageError, did_you_mean
from console.base.text import clean, shorten
from console.base.units import parse_duration, parse_jvm_size, parse_quantity
from console.health.facts import Alert
from console.health.model import Board, Finding
from console.runbook.match import app_of_alert, rank
from console.runbook.model import Input, Runbook

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_DNS = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
MAX_STRING = 4096


class MissingInput(Struct, frozen=True):
    """A required input that no source had. `because` names what was tried."""

    name: str
    title: str
    type: str
    because: str


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
        UsageError: a given value has no such input or is not of its type.
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
        tried: list[str] = []
        chosen = next((v for k, v in inputs.items() if known[k].type == "spark_app"), app)
        for source in (*item.sources, *(() if "default" in item.sources else ("default",))):
            raw, words = _from(source, item, runbook, board, chosen or app, app, alert)
            if raw is None:
                tried.append(words)
                continue
            try:
                inputs[item.name] = convert(item, raw, board)
            except ValueError as error:
                tried.append(f"{words}: {error}")
                continue
            origins[item.name] = words
            break
        else:
            if item.required:
                because = "; ".join(t for t in tried if t) or "no source"
                missing.append(MissingInput(item.name, item.title or item.name, item.type, because))
    return Resolved(inputs, origins, tuple(missing))


def _given(runbook: Runbook, item: Input, value: str, board: Board) -> Any:
    try:
        return convert(item, value, board)
    except ValueError as error:
        hint = f"{item.title or item.name} is of type {item.type}"
        raise UsageError(f"input {item.name!r} of runbook {runbook.id}: {error}", hint=hint) from None


def _from(
    source: str, item: Input, runbook: Runbook, board: Board, chosen: str, selected: str, alert: Alert | None
) -> tuple[Any, str]:
    """The raw value of a source with its origin in words; None where the source has none."""
    head, _, rest = source.partition(".")
    if source == "default":
        return item.default, "default" if item.default is not None else "no default"
    if source == "selection.app":
        return selected or None, "selection" if selected else "nothing is selected"
    if source == "alert.app":
        key = app_of_alert(board, alert) if alert is not None else ""
        return key or None, f"alert {alert.name}" if key and alert else "no alert names an application"
    if head == "alert":
        label = rest.removeprefix("labels.")
        value = alert.labels.get(label) if alert is not None else None
        return value, f"alert label {label}" if value is not None else f"no alert label {label}"
    if source == "finding.app":
        finding = the_finding(runbook, board, chosen, alert)
        if finding is None or not finding.app:
            return None, "no finding names an application"
        return finding.app, f"finding {finding.code}"
    if head == "finding":
        finding = the_finding(runbook, board, chosen, alert)
        field = rest.removeprefix("data.")
        value = _dig(finding.data, field) if finding is not None else None
        return value, f"finding {finding.code} {field}" if finding and value is not None else f"no finding has {field}"
    if head == "app":
        app = board.app(chosen)
        value = _dig(msgspec.to_builtins(app), rest) if app is not None else None
        return value, f"application {rest}" if value is not None else f"the application has no {rest}"
    return None, f"unknown source {source}"


def _dig(tree: Any, path: str) -> Any:
    for part in path.split("."):
        tree = tree.get(part) if isinstance(tree, dict) else None
    return tree


def the_finding(runbook: Runbook, board: Board, app: str, alert: Alert | None = None) -> Finding | None:
    """The finding that the runbook is for: the best match, of the application where one is chosen.

    Of equals, one of the present attempt goes before one of an attempt that is over.
    """
    if not app and alert is not None:
        app = app_of_alert(board, alert)
    by_key = {f.key: f for f in board.findings}
    found = [(m.score, by_key[m.finding]) for m in rank([runbook], board, app=app) if m.finding]
    found.sort(key=lambda pair: (-pair[0], pair[1].data.get("current") is False))
    return found[0][1] if found else None


def convert(item: Input, value: Any, board: Board | None = None) -> Any:
    """`value` as the input's type: numbers as numbers, sizes and durations as the text that was written.

    Raises:
        ValueError: it is not of this type, or outside of the input's limits.
    """
    known = item.type == "spark_app" and board is not None and board.app(str(value)) is not None
    # an application outside Kubernetes has a name of its own making
    result = _string(item, value) if known else _TYPES[item.type](item, value)
    if item.type == "spark_app" and board is not None:
        result = _known_app(result, board)
    elif item.type == "spark_app" and "/" not in result:
        raise ValueError(f"{result!r} is no namespace/name")
    elif item.type == "node" and board is not None and board.nodes and not any(n.name == result for n in board.nodes):
        raise ValueError(f"there is no node {result!r}; {did_you_mean(result, [n.name for n in board.nodes])}")
    if item.pattern and not _fits(item.pattern, str(result)):
        raise ValueError(f"{_show(result)} does not match {item.pattern}")
    figure = _figure(item, result)
    if figure is not None and item.minimum is not None and figure < item.minimum:
        raise ValueError(f"{_show(result)} is below {item.minimum:g}")
    if figure is not None and item.maximum is not None and figure > item.maximum:
        raise ValueError(f"{_show(result)} is above {item.maximum:g}")
    return result


def _fits(pattern: str, text: str) -> bool:
    try:
        return re.fullmatch(pattern, text) is not None
    except re.error as error:
        raise ValueError(f"the pattern {pattern!r} is no regular expression: {error}") from None


def _show(value: Any) -> str:
    return repr(shorten(clean(str(value)), 60))


def _figure(item: Input, value: Any) -> float | None:
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
        raise ValueError(f"{_show(value)} stands for several applications: {', '.join(named[:5])}")
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
        raise ValueError(f"this is no PromQL: {str(error).splitlines()[0][:120]}") from None
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
