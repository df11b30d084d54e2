"""Kubernetes quantities, JVM sizes, durations and plain numbers: bounded where they are read, printed for people.

Nothing out of any sensible range comes out of here: whoever reads a number from outside reads it by one of these, and
can add, multiply and print what it got. The parsers of texts raise ValueError; `parse_number` and `parse_count` give
None.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal, InvalidOperation
from typing import Any

MOST = 2**63 - 1
"""The largest number of anything: what Kubernetes, the JVM and Go hold in 64 bits. As bytes it is 8 EiB."""
MOST_SECONDS = MOST / 1e9
"""The longest duration, 292 years: what Kubernetes and Prometheus can hold, in nanoseconds."""
_LONGEST = 64
"""Characters of a text that can be a number."""

_BINARY = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "Pi": 2**50, "Ei": 2**60}
_DECIMAL = {
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
    "": Decimal(1),
    "k": Decimal(10**3),
    "M": Decimal(10**6),
    "G": Decimal(10**9),
    "T": Decimal(10**12),
    "P": Decimal(10**15),
    "E": Decimal(10**18),
}
_QUANTITY = re.compile(r"^([+-]?[0-9.]+)(?:[eE]([+-]?[0-9]{1,3})|([A-Za-z]{0,2}))$")
_JVM = {
    "": 1,
    "b": 1,
    "k": 2**10,
    "kb": 2**10,
    "m": 2**20,
    "mb": 2**20,
    "g": 2**30,
    "gb": 2**30,
    "t": 2**40,
    "tb": 2**40,
    "p": 2**50,
    "pb": 2**50,
}
_JVM_SIZE = re.compile(r"^\s*([0-9]+)\s*([a-zA-Z]{0,2})\s*$")
_DURATION_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(ms|us|min|[smhdwy])")
_BARE = re.compile(r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)")
_DIGITS = re.compile(r"[0-9]+")
_SECONDS = {
    "us": 1e-6,
    "ms": 1e-3,
    "s": 1.0,
    "m": 60.0,
    "min": 60.0,
    "h": 3600.0,
    "d": 86400.0,
    "w": 604800.0,
    "y": 31536000.0,
}


def parse_number(value: Any) -> float | None:
    """A finite number of at most 2**63 in size; None for NaN, infinities, larger ones, truth values and all else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) <= 2.0**63 else None


def parse_count(value: Any) -> int | None:
    """A whole number from 0 to 2**63 - 1: an int, a float without a fraction, or a text of digits; else None."""
    if isinstance(value, str):
        text = value.strip()
        value = int(text) if len(text) <= _LONGEST and _DIGITS.fullmatch(text) else None
    elif isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 <= value <= MOST else None


def parse_quantity(text: str | int | float) -> float:
    """A Kubernetes quantity (`512Mi`, `1500m`, `1e3`) as a number of its base unit, from 0 to 2**63.

    Raises:
        ValueError: it is none.
    """
    raw = _short(text, "Kubernetes quantity", "512Mi, 2Gi, 1500m")
    found = _QUANTITY.match(raw)
    try:
        value = Decimal(found.group(1)) if found else None
    except InvalidOperation:
        value = None
    if found is None or value is None:
        raise ValueError(f"{raw!r} is no Kubernetes quantity (examples: 512Mi, 2Gi, 1500m)")
    exponent, suffix = found.group(2), found.group(3) or ""
    if exponent is not None:
        value = value.scaleb(int(exponent))
    elif suffix in _BINARY:
        value *= _BINARY[suffix]
    elif suffix in _DECIMAL:
        value *= _DECIMAL[suffix]
    else:
        raise ValueError(f"{raw!r} has no known suffix; known: {', '.join([*_BINARY, *filter(None, _DECIMAL)])}")
    if not 0 <= value <= MOST:
        raise ValueError(f"{raw!r} is no Kubernetes quantity from 0 to 2^63")
    return float(value)


def parse_jvm_size(text: str | int, default_unit: str = "b") -> int:
    """A JVM or Spark size in bytes, below 8 EiB. `512m` and `2g` are binary; a bare number has `default_unit`.

    Spark reads a bare `spark.executor.memoryOverhead` as MiB: pass `default_unit="m"` for such keys.

    Raises:
        ValueError: it is none.
    """
    raw = _short(text, "JVM size", "512m, 2g")
    found = _JVM_SIZE.match(raw)
    if not found or found.group(2).lower() not in _JVM:
        raise ValueError(f"{raw!r} is no JVM size (examples: 512m, 2g)")
    value = int(found.group(1)) * _JVM[found.group(2).lower() or default_unit]
    if value > MOST:
        raise ValueError(f"{raw!r} is no JVM size: it is 8 EiB or more")
    return value


def parse_duration(text: str | int | float) -> float:
    """Seconds of `90s`, `1h30m`, `250ms`, `5 min`, at most 292 years; a bare number is seconds.

    Raises:
        ValueError: it is none, or negative.
    """
    if isinstance(text, str):
        raw = _short(text, "duration", "90s, 10m, 1h30m")
        total = float(raw) if _BARE.fullmatch(raw) else _parts(raw)
    else:
        number = parse_number(text)
        total, raw = (math.nan, "a number out of range") if number is None else (number, f"{text}")
    if not 0 <= total <= MOST_SECONDS:
        raise ValueError(f"{raw!r} is no duration from 0 to 292 years")
    return total


def _parts(raw: str) -> float:
    """Seconds of numbers with units; NaN never, infinity where a number is beyond all bounds."""
    total, end = 0.0, 0
    for part in _DURATION_PART.finditer(raw):
        if raw[end : part.start()].strip():
            break
        total += float(part.group(1)) * _SECONDS[part.group(2)]
        end = part.end()
    if end == 0 or raw[end:].strip():
        raise ValueError(f"{raw!r} is no duration (examples: 90s, 10m, 1h30m)")
    return total


def _short(value: str | int | float, what: str, examples: str) -> str:
    """The text of a number, without blanks around it. A text that is too long to be one is quoted in part only."""
    huge = isinstance(value, int) and abs(value) > MOST
    raw = "a number beyond 64 bits" if huge else str(value).strip()
    if huge or len(raw) > _LONGEST:
        raise ValueError(f"{raw[:20] + '…' if len(raw) > _LONGEST else raw!r} is no {what} (examples: {examples})")
    return raw


def percent(share: float) -> str:
    """A share (1 is all) in whole percent, rounded down: `100%` is all of it and `0%` none; what is less, `<1%`."""
    whole = math.floor(round(share * 100, 6))
    return "<1%" if whole == 0 and share > 0 else f"{whole}%"


def human_bytes(count: float | None) -> str:
    """`1.9Gi`; `?` where it is not known."""
    value = parse_number(count)
    if value is None:
        return "?"
    for unit in ("B", "Ki", "Mi", "Gi", "Ti"):
        if abs(value) < 1024 or unit == "Ti":
            return f"{value:.0f}{unit}" if unit == "B" or value >= 100 or value == int(value) else f"{value:.1f}{unit}"
        value /= 1024
    raise AssertionError("unreachable")


def human_amount(count: float, resource: str) -> str:
    """So much of a Kubernetes resource: memory and storage as bytes, all else as a number."""
    return human_bytes(count) if "memory" in resource or "storage" in resource else f"{count:g}"


def human_duration(seconds: float | None) -> str:
    """The largest unit that says enough on a screen: `42s`, `14m`, `2h05m`, `3d`; `?` where it is not known."""
    number = parse_number(seconds)
    if number is None:
        return "?"
    total = int(max(0, number))
    if total < 60:
        return f"{total}s"
    if total < 3600:
        return f"{total // 60}m"
    if total < 86400:
        hours, minutes = divmod(total // 60, 60)
        return f"{hours}h{minutes:02d}m" if minutes and hours < 10 else f"{hours}h"
    return f"{total // 86400}d"


def jvm_size_text(count: int) -> str:
    """Bytes as the shortest exact JVM size: `1200m`, `2g`."""
    for unit, size in (("g", 2**30), ("m", 2**20), ("k", 2**10)):
        if count and count % size == 0:
            return f"{count // size}{unit}"
    return str(count)
