"""Kubernetes quantities, JVM sizes and durations: parsed to plain numbers, printed for people."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

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
_QUANTITY = re.compile(r"^([+-]?[0-9.]+)(?:[eE]([+-]?[0-9]+)|([A-Za-z]{0,2}))$")
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


def parse_quantity(text: str | int | float) -> float:
    """A Kubernetes quantity (`512Mi`, `1500m`, `1e3`) as a number of its base unit.

    Raises:
        ValueError: it is none.
    """
    raw = str(text).strip()
    found = _QUANTITY.match(raw)
    if not found:
        raise ValueError(f"{raw!r} is no Kubernetes quantity (examples: 512Mi, 2Gi, 1500m)")
    number, exponent, suffix = found.group(1), found.group(2), found.group(3) or ""
    try:
        value = Decimal(number)
    except InvalidOperation:
        raise ValueError(f"{raw!r} is no Kubernetes quantity (examples: 512Mi, 2Gi, 1500m)") from None
    if exponent is not None:
        return float(value * Decimal(10) ** int(exponent))
    if suffix in _BINARY:
        return float(value * _BINARY[suffix])
    if suffix in _DECIMAL:
        return float(value * _DECIMAL[suffix])
    raise ValueError(f"{raw!r} has no known suffix; known: {', '.join([*_BINARY, *filter(None, _DECIMAL)])}")


def parse_jvm_size(text: str | int, default_unit: str = "b") -> int:
    """A JVM or Spark size in bytes. `512m` and `2g` are binary; a bare number has `default_unit`.

    Spark reads a bare `spark.executor.memoryOverhead` as MiB: pass `default_unit="m"` for such keys.
    """
    found = _JVM_SIZE.match(str(text))
    if not found or found.group(2).lower() not in _JVM:
        raise ValueError(f"{text!r} is no JVM size (examples: 512m, 2g)")
    return int(found.group(1)) * _JVM[found.group(2).lower() or default_unit]


def parse_duration(text: str | int | float) -> float:
    """Seconds of `90s`, `1h30m`, `250ms`, `5 min`; a bare number is seconds."""
    if isinstance(text, int | float):
        return float(text)
    raw = text.strip()
    try:
        return float(raw)
    except ValueError:
        pass
    total, end = 0.0, 0
    for part in _DURATION_PART.finditer(raw):
        if raw[end : part.start()].strip():
            break
        total += float(part.group(1)) * _SECONDS[part.group(2)]
        end = part.end()
    if end == 0 or raw[end:].strip():
        raise ValueError(f"{raw!r} is no duration (examples: 90s, 10m, 1h30m)")
    return total


def human_bytes(count: float | None) -> str:
    """`1.9Gi`; `?` where it is not known."""
    if count is None:
        return "?"
    value = float(count)
    for unit in ("B", "Ki", "Mi", "Gi", "Ti"):
        if abs(value) < 1024 or unit == "Ti":
            return f"{value:.0f}{unit}" if unit == "B" or value >= 100 or value == int(value) else f"{value:.1f}{unit}"
        value /= 1024
    raise AssertionError("unreachable")


def human_duration(seconds: float | None) -> str:
    """The largest unit that says enough on a screen: `42s`, `14m`, `2h05m`, `3d`; `?` where it is not known."""
    if seconds is None:
        return "?"
    total = int(max(0, seconds))
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
