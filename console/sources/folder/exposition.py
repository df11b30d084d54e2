"""Metrics in the text format of Prometheus → samples, by the parser of Prometheus' own client.

Each line is given to it alone: one that is malformed leaves the others. The client's labels, escapes and names in
quotes are right where expressions of our own were not, and it takes a time that is linear in the length of a line.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from prometheus_client.parser import text_string_to_metric_families

from console.base.clock import parse_epoch
from console.base.units import parse_number
from console.facts.model import Origin, Sample

_LONGEST = 16_384
"""Characters of a line that is read."""


def is_exposition(text: str) -> bool:
    """Whether the first lines are samples of the Prometheus text format."""
    seen = good = 0
    for line in text[:20_000].splitlines()[:40]:
        line = line.strip()
        if not line or line.startswith("#"):
            good += line.startswith(("# HELP", "# TYPE"))
            continue
        seen += 1
        good += bool(_samples(line))
    return good > 0 and good >= seen * 0.8


def samples(text: str, origin: Origin) -> Iterator[Sample]:
    """Samples of a text; values above 9e18 are how old exporters say "not supported"."""
    for line in text.splitlines():
        for name, labels, value, at in _samples(line):
            if math.isfinite(value) and parse_number(value) is None:
                continue
            yield Sample(name, labels, value, at, origin)


def _samples(line: str) -> list[tuple[str, dict[str, str], float, float | None]]:
    """(name, labels, value, epoch seconds) of a line: one, or none. An exemplar behind it is left out."""
    if not line or line[0] == "#" or len(line) > _LONGEST:
        return []
    try:
        found = [s for family in text_string_to_metric_families(line.partition(" # {")[0]) for s in family.samples]
        return [(s.name, dict(s.labels), float(s.value), parse_epoch(s.timestamp)) for s in found]
    except (ValueError, ArithmeticError, IndexError, KeyError, TypeError, AttributeError):
        return []
