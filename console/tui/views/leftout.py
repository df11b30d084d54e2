"""What bounds left out of a page, at its end. Pure: values in, lines out."""

from __future__ import annotations

from collections.abc import Iterable

from console.facts.leftout import LeftOut
from console.tui.lines import Line, Span, line, span, wrap

_HEAD = " NOT ALL  "


def left_out(those: Iterable[LeftOut], width: int) -> list[Line]:
    """One entry for each, in as many lines as it takes."""
    out: list[Line] = []
    for one in those:
        head, *rest = wrap(one.said, max(20, width - len(_HEAD) - 1))
        out.append(line(Span(_HEAD, "warn"), span(head)))
        out += [line(Span(" " * len(_HEAD)), span(part)) for part in rest]
    return out
