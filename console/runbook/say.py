"""How steps speak: expressions to true, false or unknown; texts that are cleaned, redacted and never stop a walk."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from console.base.clock import moment
from console.base.errors import ConsoleError
from console.base.redact import redact
from console.base.shapes import is_number
from console.base.text import clean, shorten
from console.base.units import parse_duration
from console.facts.evidence import Evidence
from console.runbook import template
from console.runbook.filters import said
from console.runbook.model import Step

MAX_LINES = 60
_TIMES = ("changed.", "created.", "now")
"""How expressions begin that are points in time."""


def place(runbook_id: str, step: Step, key: str) -> str:
    """How errors and evidence name a part of a step."""
    return f"runbook {runbook_id}, step {step.id}, {key}"


def truth(expr: str, ctx: Mapping[str, Any]) -> tuple[bool | None, str]:
    """True, False, or None with the reason why it cannot be known (`` for an empty expression)."""
    if not expr:
        return None, ""
    try:
        value = template.evaluate(expr, ctx)
    except template.TemplateError as error:
        return None, error.bare
    return (value, "") if isinstance(value, bool) else (None, f"{shorten(expr, 60)} is not true or false")


def number(expr: str, ctx: Mapping[str, Any]) -> tuple[float | None, str]:
    """A number, or None with the reason why it cannot be known (`` for an empty expression)."""
    if not expr:
        return None, ""
    try:
        value = template.evaluate(expr, ctx)
    except template.TemplateError as error:
        return None, error.bare
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None, f"{shorten(expr, 60)} is no number"
    return float(value), ""


def safe(text: str, *, lines: bool = False) -> str:
    """Text of a template as it may be shown and journalled."""
    return clean(redact(text), lines=lines)


def words(runbook_id: str, step: Step, key: str, text: str, ctx: Mapping[str, Any], *, lines: bool = False) -> str:
    """A text for people: what cannot be known is said in its place instead of stopping the walk."""
    try:
        return safe(template.render(text, ctx, place(runbook_id, step, key)), lines=lines).strip()
    except template.TemplateError as error:
        return safe(f"(cannot be said: {error.bare})")


def shows(step: Step, ctx: Mapping[str, Any], runbook_id: str = "") -> tuple[str, ...]:
    """The evidence lines of a step. A line that cannot be known says so."""
    out: list[str] = []
    for index, text in enumerate(step.shows):
        out += words(runbook_id, step, f"shows[{index}]", text, ctx, lines=True).splitlines()
    kept = [line.rstrip() for line in out if line.strip()]
    more = [f"… {len(kept) - MAX_LINES} more lines"] if len(kept) > MAX_LINES else []
    return (*kept[:MAX_LINES], *more)


def evidence(runbook_id: str, step: Step, ctx: Mapping[str, Any], now: float) -> tuple[Evidence, ...]:
    """The same lines as evidence of a judgement."""
    return tuple(Evidence("runbook", f"{runbook_id}/{step.id}", line, now) for line in shows(step, ctx, runbook_id))


def span(step: Step, key: str, text: str, ctx: Mapping[str, Any]) -> float:
    """Seconds of a duration that may be a template. Raises ConsoleError."""
    where = f"step {step.id}, {key}"
    try:
        return parse_duration(template.render(text, ctx, where))
    except ValueError as error:
        raise ConsoleError(f"{where}: {clean(str(error))}") from None


def title(runbook_id: str, step: Step, ctx: Mapping[str, Any]) -> str:
    """The title of a step with what is filled in; `` where nothing is, or where it is not known."""
    if template.outline(step.title) == step.title:
        return ""
    try:
        return safe(template.render(step.title, ctx, place(runbook_id, step, "title"))).strip()
    except template.TemplateError:
        return ""


def kept(value: Any, expression: str = "") -> str:
    """A value that is kept, as people read it."""
    if is_number(value) and expression.strip().startswith(_TIMES):
        return moment(value)
    return said(value)
