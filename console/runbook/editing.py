"""The value that a change proposes, and that a person may set otherwise before they confirm it: within limits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from console.base.errors import ConsoleError, UsageError
from console.base.text import clean
from console.runbook import template
from console.runbook.model import Input, InputType, Runbook, Step
from console.runbook.say import place, safe
from console.runbook.types import convert, figure


class Editable(Struct, frozen=True):
    """An input of the runbook, with the value that is proposed and the limits that the runbook states.

    Attributes:
        value, minimum, maximum: as a person writes them (`2g`, `10m`, `3`); a limit is `` where there is none.
    """

    input: str
    title: str
    type: InputType
    value: str
    minimum: str = ""
    maximum: str = ""

    @property
    def limits(self) -> str:
        """`1100m to 8g`, or `` where there are none."""
        ends = [text for text in (self.minimum, self.maximum) if text]
        return " to ".join(ends) if len(ends) == 2 else f"at least {ends[0]}" if self.minimum else "".join(ends)


def offered(runbook: Runbook, step: Step, ctx: Mapping[str, Any]) -> Editable | None:
    """What may be set otherwise at this step; None where nothing may, or where value and limits cannot be told."""
    edit = step.edit
    item = _input(runbook, step)
    if edit is None or item is None:
        return None

    def said(key: str, text: str) -> str:
        return safe(template.render(text, ctx, place(runbook.id, step, f"edit.{key}"))).strip()

    try:
        texts = [said("value", edit.value), said("minimum", edit.minimum), said("maximum", edit.maximum)]
        for text in texts:
            convert(_free(item), text)
    except (ConsoleError, ValueError):
        return None
    return Editable(item.name, item.title or item.name, item.type, *texts)


def edited(runbook: Runbook, step: Step, offer: Editable, text: str) -> Any:
    """The value that a person wrote, as its input's type.

    Raises:
        UsageError: it is none of that type, or outside of the limits.
    """
    item = _input(runbook, step)
    assert item is not None
    try:
        value = convert(item, text.strip())
        size = figure(item, value)
        for limit, outside in ((offer.minimum, "below"), (offer.maximum, "above")):
            edge = figure(item, convert(_free(item), limit)) if limit else None
            beyond = edge is not None and size is not None and (size < edge if outside == "below" else size > edge)
            if beyond:
                raise ValueError(f"{clean(text.strip())!r} is {outside} {limit}")
    except ValueError as error:
        raise UsageError(f"{offer.title}: {clean(str(error))}", hint=f"limits: {offer.limits}") from None
    return value


def _input(runbook: Runbook, step: Step) -> Input | None:
    name = step.edit.input if step.edit is not None else ""
    return next((item for item in runbook.inputs if item.name == name), None)


def _free(item: Input) -> Input:
    """The input without limits of its own: for values that the runbook works out."""
    return Input(item.name, item.type)
