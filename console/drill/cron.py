"""Cron schedules as far as the fleet uses them: five fields with `*`, lists, ranges and steps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache

_LIMITS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 6))


@lru_cache(maxsize=256)
def parse(text: str) -> tuple[frozenset[int], ...]:
    """The five fields as sets of numbers.

    Raises:
        ValueError: it is no such schedule.
    """
    fields = text.split()
    if len(fields) != 5:
        raise ValueError(f"{text!r} is no cron schedule of five fields")
    out: list[frozenset[int]] = []
    for field, (low, high) in zip(fields, _LIMITS, strict=True):
        numbers: set[int] = set()
        for part in field.split(","):
            span, _, step = part.partition("/")
            first, last = low, high
            if span != "*":
                start, _, end = span.partition("-")
                first = int(start)
                last = int(end) if end else (high if step else first)
            if not low <= first <= last <= high:
                raise ValueError(f"{part!r} in {text!r} is outside {low}-{high}")
            numbers.update(range(first, last + 1, int(step) if step else 1))
        out.append(frozenset(numbers))
    return tuple(out)


def next_after(text: str, seconds: float) -> float:
    """The first time of the schedule after `seconds` (epoch, UTC)."""
    minutes, hours, days, months, weekdays = parse(text)
    at = datetime.fromtimestamp(int(seconds) // 60 * 60, UTC) + timedelta(minutes=1)
    for _ in range(4 * 366 * 24 * 60):
        if at.month not in months or at.day not in days or at.isoweekday() % 7 not in weekdays:
            at = at.replace(hour=0, minute=0) + timedelta(days=1)
        elif at.hour not in hours:
            at = at.replace(minute=0) + timedelta(hours=1)
        elif at.minute not in minutes:
            at += timedelta(minutes=1)
        else:
            return at.timestamp()
    raise ValueError(f"{text!r} never comes")


def count(text: str, after: float, until: float) -> int:
    """How often the schedule came after `after` and not after `until`. Cheap for schedules that come every hour."""
    if until <= after:
        return 0
    minutes, hours, days, months, weekdays = parse(text)
    hourly = len(hours) == 24 and len(days) == 31 and len(months) == 12 and len(weekdays) == 7
    if hourly:
        return _since_epoch(minutes, until) - _since_epoch(minutes, after)
    total, when = 0, after
    while (when := next_after(text, when)) <= until:
        total += 1
    return total


def _since_epoch(minutes: frozenset[int], seconds: float) -> int:
    hour, rest = divmod(int(seconds // 60), 60)
    return hour * len(minutes) + sum(1 for minute in minutes if minute <= rest)
