"""Parameters of the Prometheus API: times, durations, and what is wrong with them."""

from __future__ import annotations

import re

from console.base.clock import parse_time

_DURATION = re.compile(r"^(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?$")
_UNITS = (31_536_000_000, 604_800_000, 86_400_000, 3_600_000, 60_000, 1000, 1)


class BadData(Exception):
    """400, `bad_data`."""


def parameter(name: str, message: str) -> BadData:
    """A parameter that is wrong."""
    return BadData(f'invalid parameter "{name}": {message}')


def duration(text: str) -> int:
    """Milliseconds of a Prometheus duration or a number of seconds.

    Raises:
        ValueError: it is none.
    """
    try:
        return round(float(text) * 1000)
    except ValueError:
        found = _DURATION.match(text)
        if not found or not text:
            raise ValueError(f'cannot parse "{text}" to a valid duration') from None
        return sum(int(part or 0) * unit for part, unit in zip(found.groups(), _UNITS, strict=True))


def moment(text: str) -> int:
    """Milliseconds of an RFC 3339 or epoch time.

    Raises:
        ValueError: it is none.
    """
    try:
        return round(float(text) * 1000)
    except ValueError:
        seconds = parse_time(text)
        if seconds is None:
            raise ValueError(f'cannot parse "{text}" to a valid timestamp') from None
        return round(seconds * 1000)
