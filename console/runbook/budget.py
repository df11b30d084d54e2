"""What a template may cost: caps on text and lists, a count of the items it touches, and plain values only."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

import jinja2

MAX_TEXT = 64_000
MAX_ITEMS = 20_000
MAX_WORK = 200_000
_LETTERS = 100
"""Characters of a text that cost as much as one item."""


class TooMuchError(Exception):
    """A template does more work, or makes more text, than a runbook needs."""


class Budget:
    """How many items one rendering may still touch."""

    def __init__(self) -> None:
        self.left = MAX_WORK

    def pay(self, count: int) -> None:
        self.left -= count
        if self.left < 0:
            raise TooMuchError(f"the template touches more than {MAX_WORK} items")

    def turns(self, value: Any) -> list[Any]:
        """The items of a loop, paid for."""
        return items_of(value)

    def sized(self, value: Any) -> Any:
        """A value that is compared, searched or cut, paid for."""
        if isinstance(value, str | list | tuple | dict):
            self.pay(size_of(value))
        return value

    def read(self, value: Any) -> Any:
        """A value that goes through a filter: a text is paid for here, items are where they are walked through."""
        return self.sized(value) if isinstance(value, str) else value


def size_of(value: Any) -> int:
    """What it costs to look through all of a value once; counting ends where no rendering could pay for it."""
    size, left = 0, [value]
    while left and size <= MAX_WORK:
        one = left.pop()
        if isinstance(one, str):
            size += 1 + len(one) // _LETTERS
        elif isinstance(one, dict):
            size += 1 + len(one)
            left.extend(one.values())
        elif isinstance(one, list | tuple):
            size += 1
            left.extend(one)
        else:
            size += 1
    return size


BUDGET: ContextVar[Budget | None] = ContextVar("console_template_budget", default=None)


def capped(text: str) -> str:
    if len(text) > MAX_TEXT:
        raise TooMuchError(f"the text is longer than {MAX_TEXT} characters")
    return text


def short(items: list[Any]) -> list[Any]:
    if len(items) > MAX_ITEMS:
        raise TooMuchError(f"the list has more than {MAX_ITEMS} items")
    return items


def items_of(value: Any) -> list[Any]:
    """The items of a list, the keys of a mapping; nothing else can be walked through."""
    if isinstance(value, list | tuple | dict):
        budget = BUDGET.get()
        if budget is not None:
            budget.pay(len(value) + 1)
        return short(list(value))
    raise TypeError(f"a {kind_of(value)} has no items")


def kind_of(value: Any) -> str:
    if isinstance(value, jinja2.Undefined):
        raise jinja2.UndefinedError(f"no data on {value._undefined_name!r}")
    return "text" if isinstance(value, str) else type(value).__name__


def text_of(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, str | int | float):
        return str(value)
    raise TypeError(f"a {kind_of(value)} is no text")


def number_of(value: Any) -> float | int:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"a {kind_of(value)} is no number")
    return value
