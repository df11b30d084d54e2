"""Times of cron schedules of five fields, in UTC."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

from cronsim import CronSim, CronSimError

_RANGES = {"minute": "0-59", "hour": "0-23", "day-of-month": "1-31", "month": "1-12", "day-of-week": "0-7"}


def schedule(text: str, after: float = 0.0) -> CronSim:
    """The times of a schedule after `after` (epoch seconds), one after the other.

    Raises:
        ValueError: it is no such schedule.
    """
    if len(text.split()) != 5:
        raise ValueError(f"{text!r} is no cron schedule of five fields")
    try:
        return CronSim(text, datetime.fromtimestamp(int(after), UTC))
    except CronSimError as error:
        field = str(error).removeprefix("Bad ")
        raise ValueError(f"the {field} of {text!r} is unreadable or outside {_RANGES[field]}") from None


def next_after(text: str, seconds: float) -> float:
    """The first time of the schedule after `seconds` (epoch, UTC)."""
    found = next(schedule(text, seconds), None)
    if found is None:
        raise ValueError(f"{text!r} never comes")
    return found.timestamp()


def count(text: str, after: float, until: float) -> int:
    """How often the schedule came after `after` and not after `until`. Cheap for schedules that come every hour."""
    if until <= after:
        return 0
    minutes = _every_hour(text)
    if minutes:
        return _since_epoch(minutes, until) - _since_epoch(minutes, after)
    total = 0
    for when in schedule(text, after):
        if when.timestamp() > until:
            break
        total += 1
    return total


@lru_cache(maxsize=256)
def _every_hour(text: str) -> frozenset[int]:
    """The minutes of a schedule that comes in every hour; none of any other."""
    times = schedule(text)
    daily = len(times.days) == 31 and len(times.months) == 12 and set(range(7)) <= times.weekdays
    return frozenset(times.minutes) if daily and len(times.hours) == 24 else frozenset()


def _since_epoch(minutes: frozenset[int], seconds: float) -> int:
    hour, rest = divmod(int(seconds // 60), 60)
    return hour * len(minutes) + sum(1 for minute in minutes if minute <= rest)
