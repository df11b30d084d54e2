"""Whether changes are frozen at a moment."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct

from console.base.clock import parse_time
from console.settings.model import Freeze, Weekday, Weekly

_DAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Frozen(Struct, frozen=True):
    """The freeze that holds: its name, why, and when it ends (epoch seconds)."""

    name: str
    reason: str
    until: float


def frozen(freeze: Freeze, now: float) -> Frozen | None:
    """The freeze that holds at `now` (epoch seconds) and ends last, or None."""
    found: list[Frozen] = []
    for dates in freeze.dates:
        start, end = parse_time(dates.from_), parse_time(dates.until)
        if start is not None and end is not None and start <= now < end:
            found.append(Frozen(dates.name, dates.reason, end))
    for weekly in freeze.weekly:
        if (end := _weekly(weekly, now)) is not None:
            found.append(Frozen(weekly.name, weekly.reason, end))
    return max(found, key=lambda item: item.until, default=None)


def _weekly(window: Weekly, now: float) -> float | None:
    zone = ZoneInfo(window.timezone)
    local = datetime.fromtimestamp(now, zone)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    for back in (0, 1):
        day = midnight - timedelta(days=back)
        if _DAYS[day.weekday()] not in window.days:
            continue
        start, end = _at(day, window.from_), _at(day, window.until)
        if end <= start:
            end += timedelta(days=1)
        first, last = start.replace(tzinfo=zone).timestamp(), end.replace(tzinfo=zone).timestamp()
        if first <= now < last:
            return last
    return None


def _at(day: datetime, text: str) -> datetime:
    hours, minutes = text.split(":")
    return day + timedelta(hours=int(hours), minutes=int(minutes))
