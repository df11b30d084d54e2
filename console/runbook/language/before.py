"""`before.NAME`: what a value was right before a change. It is kept by a step of its own in front of each change."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from console.runbook.model import WAYS, Branch, Step

SUFFIX = "-before"
"""How the ids of such steps end."""
_ASKED = re.compile(r"(?<![\w.'\"])before\.([a-z_]\w*(?:\.[A-Za-z_]\w*)*)")
_FILLED = re.compile(r"\{[{%].*?[}%]\}", re.DOTALL)
"""What of a text is a template."""
_EXPRESSIONS = frozenset({"when", "until", "progress", "completed", "fails", "worse", "rises", "each", "saves"})
"""Keys whose value is an expression, without braces."""


def kept_before(steps: Iterable[Step], values: Mapping[str, str]) -> tuple[Step, ...]:
    """The steps with one in front of each change that keeps what `before.` asks for anywhere in them.

    Args:
        values: the named expressions of the runbook: `before.NAME` is such a one, or the path of a field.
    """
    plain = list(steps)
    trails = sorted({trail for step in plain for trail in _trails(msgspec.to_builtins(step), False)})
    if not trails:
        return tuple(plain)
    saves = {kept_as(trail): f"values.{trail}" if trail.split(".")[0] in values else trail for trail in trails}
    changes = {step.id: step.id + SUFFIX for step in plain if step.writes and step.at[:1] != ("finally",)}
    out: list[Step] = []
    for step in plain:
        if step.id in changes:
            out.append(_keeping(step, saves, changes))
        out.append(_led(_read_back(step), changes))
    return tuple(out)


def kept_as(trail: str) -> str:
    """The name under which a value is kept."""
    return f"before_{trail.replace('.', '_').lower()}"


def is_before(step: Step) -> bool:
    """Whether a step only keeps what was before a change."""
    return bool(step.saves) and step.id.endswith(SUFFIX)


def _keeping(change: Step, saves: Mapping[str, str], changes: Mapping[str, str]) -> Step:
    """What cannot be told then does not hold up the change: it stays unknown, and so does what compares with it."""
    within = tuple(one for id in change.within for one in (*([changes[id]] if id in changes else []), id))
    return Step(
        id=changes[change.id],
        kind="check",
        title="Keep what it was before",
        line=change.line,
        when=change.when,
        next=change.id,
        query=change.query,
        saves=dict(saves),
        branches=(Branch("", change.id),),
        on_unknown=change.id,
        at=change.at,
        block=change.block,
        within=within,
    )


def _led(step: Step, changes: Mapping[str, str]) -> Step:
    """A step whose ways to a change lead to what is kept before it."""
    ways = {key: changes[way] for key in WAYS if (way := getattr(step, key)) in changes}
    branches = tuple(replace(b, goto=changes.get(b.goto, b.goto)) for b in step.branches)
    choices = tuple(replace(c, goto=changes.get(c.goto, c.goto)) for c in step.choices)
    within = tuple(one for id in step.within for one in (*([changes[id]] if id in changes else []), id))
    return replace(step, branches=branches, choices=choices, within=within, **ways)


def _read_back(step: Step) -> Step:
    """The step with what it asks of before read from what was kept."""
    tree = msgspec.to_builtins(step)
    if not list(_trails(tree, False)):
        return step
    return replace(msgspec.convert(_read(tree, False), Step), at=step.at)


def _read(value: Any, expression: bool) -> Any:
    if isinstance(value, str):
        return _in_kept(value) if expression else _FILLED.sub(lambda part: _in_kept(part[0]), value)
    if isinstance(value, dict):
        return {key: _read(inner, expression or key in _EXPRESSIONS) for key, inner in value.items()}
    return [_read(inner, expression) for inner in value] if isinstance(value, list | tuple) else value


def _in_kept(text: str) -> str:
    return _ASKED.sub(lambda found: f"saved.{kept_as(found[1])}", text)


def _trails(value: Any, expression: bool) -> Iterator[str]:
    if isinstance(value, str):
        for part in [value] if expression else _FILLED.findall(value):
            yield from (found[1] for found in _ASKED.finditer(part))
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _trails(inner, expression or key in _EXPRESSIONS)
    elif isinstance(value, list | tuple):
        yield from (trail for inner in value for trail in _trails(inner, expression))
