"""What changed between two runs as lines, the likeliest explanation first. Pure."""

from __future__ import annotations

from console.base.clock import rfc3339
from console.base.text import joined
from console.findings.against.compare import Change
from console.live.against import AgainstRead
from console.tui.lines import BLANK, Line, Span, line, span, wrap


def lines(found: AgainstRead, width: int) -> list[Line]:
    """The page. What can't be known is said."""
    comparison = found.comparison
    if comparison is None:
        return [line(span(" " + joined(found.state, found.detail), "warn")), *_unread(found, width)]
    ended = f", ended {rfc3339(comparison.ended)}" if comparison.ended is not None else ""
    both = len(comparison.read) + len(comparison.unread)
    out = [line(Span(" "), span(f"against {comparison.run.strip('/') or comparison.app_id}{ended}", "title"))]
    if not comparison.good:
        out.append(line(span(" that run is not known to have ended well", "warn")))
    out.append(line(span(f" {len(comparison.read)} of {both} parts are readable of both runs", "dim")))
    if comparison.unread:
        out += [line(span(f" {t}", "warn")) for t in wrap(f"not known: {', '.join(comparison.unread)}", width - 2)]
    out.append(BLANK)
    if not comparison.changes:
        out.append(line(span(" nothing that can be read is otherwise than it was then", "ok")))
    for number, change in enumerate(comparison.changes, 1):
        out += _change(number, change, width)
    return [*out, *_unread(found, width)]


def _change(number: int, change: Change, width: int) -> list[Line]:
    first, *more = wrap(change.line, width - 6) or [""]
    out = [
        line(Span(f" {number:>3} ", "dim"), span(first, "title" if change.because else "text"), key=f"change:{number}")
    ]
    out += [line(Span("     "), span(text)) for text in more]
    return [*out, line(Span("     "), span(change.because, "accent"))] if change.because else out


def _unread(found: AgainstRead, width: int) -> list[Line]:
    return [
        line(span(f" {t}", "warn")) for what, why in found.unread for t in wrap(f"{what} not read: {why}", width - 2)
    ]
