"""Somebody is called: whom, why, what to paste, by when an answer is needed, and what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.base.clock import time_of_day
from console.base.units import human_duration
from console.runbook.state import Escalation
from console.tui.lines import Line, Span, TextRole, line, span, wrap

if TYPE_CHECKING:
    from console.operate.person import Question


def body(question: Question, width: int) -> list[Line]:
    """Why, and below it what is to be pasted, apart from all else."""
    out = [line(Span("   "), span(text)) for text in wrap(" ".join(question.text.split()), width - 4) if text]
    return [*out, *pasted(question.paste, width)]


def pasted(paste: str, width: int) -> list[Line]:
    """What is to be pasted, whole; `C` copies it."""
    parts = [part for text in paste.splitlines() for part in (wrap(text, width - 6) or [""])]
    head = line(Span("   "), span("to paste, "), Span("C", "key"), span(" copies it"))
    return [head, *(line(Span("   │ ", "rule"), span(part)) for part in parts)]


def asks(question: Question, width: int, now: float) -> list[Line]:
    """Who is called, the time that is left, and what answers it."""
    out = [line(Span(" "), span(text, "title")) for text in wrap(question.title, width - 2)]
    if question.due:
        left = question.due - now
        until = f"in {human_duration(left)}" if left > 0 else "that time has passed"
        then = f"; if nobody does: {question.late}" if question.late else ""
        said = f"somebody must have answered by {time_of_day(question.due)}, {until}{then}"
        out += [line(Span(" "), span(text, "warn")) for text in wrap(said, width - 2)]
        return [*out, line(Span(" "), Span("enter", "key"), span(" says who took it; without an answer it stays open"))]
    return [*out, line(Span(" "), Span("enter", "key"), span(" goes on once they were told"))]


def came_of_it(one: Escalation, width: int) -> list[Line]:
    """Who was called, and what came of that."""
    role: TextRole = "warn" if one.answer == "late" else "text"
    texts = wrap(f"{one.whom}: {one.came_of_it or 'not answered'}", width - 10)
    return [line(Span(" called  " if not i else " " * 9, "head"), span(t, role)) for i, t in enumerate(texts)]
