"""What a walk asks: what has to be read before the answer, and the answers. It stays in sight."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rich.cells import cell_len

from console.actions.effects import Consequence, Preview
from console.base.clock import time_of_day
from console.runbook.model import Choice
from console.tui.lines import Line, Span, TextRole, cut, line, rule, span, wrap
from console.tui.views import escalation

if TYPE_CHECKING:
    from console.operate.person import Question

_LEVEL: dict[str, TextRole] = {"info": "text", "warning": "warn", "stop": "crit", "unknown": "warn"}
WEIGHTY = frozenset({"loss", "restart", "owner", "next run"})
"""Topics that are read before a yes, whatever their level."""
_ORDER = ("stop", "warning", "unknown", "info")
TOPIC = 14


class MarkedChoice(NamedTuple):
    """The answer that is marked, from 0; `here`: the cursor stands on it, else it comes back to it."""

    choice: int
    here: bool


class Band(NamedTuple):
    """Lines of a question. `whole`: nothing that has to be read before a yes was left out of them."""

    lines: list[Line]
    whole: bool


def band(
    question: Question, width: int, room: int, chosen: MarkedChoice | None, *, read: bool = False, now: float = 0.0
) -> Band:
    """The question in at most `room` lines, as far as its answers allow.

    Args:
        chosen: the answer that is marked, if any.
        read: the whole of it was read elsewhere.
        now: the walk's time, of which what is left of a deadline counts.
    """
    top, shown = rule(width=width), question.preview
    if shown is None:
        asks, body = [*_reason(question, width), *_asks(question, width, chosen, now=now)], _shows(question, width)
        if len(body) + len(asks) + 1 <= room:
            return Band([top, *body, *asks], True)
        kept = body[: max(0, room - len(asks) - 2)]
        return Band([top, *kept, _more(f"{len(body) - len(kept)} more lines: d reads them", width), *asks], False)
    asks = [*_reason(question, width), *_asks(question, width, chosen)]
    for lines, less in _sizes(shown, width):
        more = [_more(f"{less} more, no warning among them: d", width)] if less else []
        if len(lines) + len(more) + len(asks) + 1 <= room:
            return Band([top, *lines, *more, *asks], True)
    asks = [*_reason(question, width), *_asks(question, width, chosen, ready=read)]
    return Band([top, *_shortest(shown, width, room - len(asks) - 1), *asks], False)


def _sizes(shown: Preview, width: int) -> list[tuple[list[Line], int]]:
    """A preview at its full length, and with less and less of what needs no attention: (lines, how much was left out).

    The diff without the lines around it, and consequences that are no warning, may be left out; nothing else.
    """
    target, calm = _target(shown, width), sum(_calm(c) for c in shown.consequences)
    told = _told(shown, width, calm=False)
    return [
        (preview(shown, width), 0),
        ([target, *_diff(shown, width), *told], calm),
        ([target, *_diff(shown, width, around=False), *told], calm),
    ]


def _calm(consequence: Consequence) -> bool:
    """Whether it may be left to the details: that something fits, that nothing stands in the way."""
    return consequence.level == "info" and consequence.topic not in WEIGHTY


def _shortest(shown: Preview, width: int, room: int) -> list[Line]:
    """The changed lines, and each warning in one line, as far as there is room."""
    diff, told = (
        _diff(shown, width, around=False),
        [cut(made, width) for made in _told(shown, width, one_line=True, calm=False)],
    )
    kept = diff[: max(2, room - len(told) - 2)]
    lines = [_target(shown, width), *kept, *told]
    return [*lines[: max(1, room - 1)], _more("shortened, and more below it: d reads all of it", width)]


def _more(words: str, width: int) -> Line:
    return cut(line(span(f" … {words}", "warn")), width)


def full(question: Question, width: int, now: float = 0.0) -> list[Line]:
    """All that there is to read of a question."""
    shown = question.preview
    body = _shows(question, width) if shown is None else preview(shown, width)
    return [*_reason(question, width), *body, *_asks(question, width, None, now=now)]


def _reason(question: Question, width: int) -> list[Line]:
    if not question.reason:
        return []
    return [line(Span(" ! ", "crit"), span(text, "warn")) for text in wrap(question.reason, width - 4)]


def _shows(question: Question, width: int) -> list[Line]:
    """What stands beside a question of the runbook."""
    if question.kind == "escalate":
        return escalation.body(question, width)
    _, _, rest = question.text.partition("\n")
    out = [line(Span("   "), span(text)) for shown in question.shows for text in wrap(shown, width - 4)]
    paragraphs = rest.splitlines() if question.kind == "note" else [" ".join(rest.split())]
    return out + [line(Span("   "), span(text, "dim")) for part in paragraphs if part for text in wrap(part, width - 4)]


def _asks(
    question: Question, width: int, chosen: MarkedChoice | None, *, ready: bool = True, now: float = 0.0
) -> list[Line]:
    """The question itself with its answers. `ready`: a yes is possible now."""
    if question.kind == "escalate":
        return escalation.asks(question, width, now)
    head, _, _ = question.text.partition("\n")
    out = [line(Span(" "), span(text, "title")) for text in wrap(head, width - 2) if head]
    if question.kind == "confirm" and question.preview is not None and not question.preview.read_only:
        typed = f" applies it on {question.cluster}" + (f" (type {question.expect})" if question.expect else "")
        first = [Span(" "), Span("y", "key"), span(typed)] if ready else [
            Span(" "), Span("d", "key"), span(" reads all of it first, then "), Span("y", "key"), span(" applies it")
        ]  # fmt: skip
        out.append(cut(line(*first, Span("  "), Span("N", "key"), span(" refuses it")), width))
    if question.editable is not None:
        edit = question.editable
        words = f" sets {edit.title} otherwise: {edit.value} now, {edit.limits}"
        out += [cut(line(Span(" "), Span("v", "key"), span(words, "dim")), width)]
    for index, choice in enumerate(question.choices):
        out += _choice(choice, index, width, chosen if chosen is not None and chosen.choice == index else None)
    return out


def _choice(choice: Choice, index: int, width: int, chosen: MarkedChoice | None) -> list[Line]:
    """One answer with its digit; its hint beside it, or below where it is long."""
    here = chosen is not None and chosen.here
    mark = Span(" ▸ ", "accent") if here else Span("   ") if chosen is None else Span(" ▹ ", "dim")
    role: TextRole = "title" if here else "text"
    made = line(mark, span(f"{index + 1} ", "key"), span(choice.label or choice.value, role))
    hint = span(f"  {choice.hint}", "dim") if choice.hint else Span("")
    if cell_len(made.text + hint.text) <= width:
        return [line(*made.spans, hint)]
    return [made, *(line(Span("     "), Span(text, "dim")) for text in wrap(hint.text.strip(), width - 6))]


def preview(shown: Preview, width: int) -> list[Line]:
    """What would change, what follows from it with the worst first, and how it is undone."""
    return [_target(shown, width), *_diff(shown, width), *_told(shown, width)]


def _target(shown: Preview, width: int) -> Line:
    effect = shown.effect
    target = effect.target.words if effect.target else " ".join(effect.argv)
    said = {True: "server dry run: accepted", False: f"server dry run: refused, {shown.message}", None: "no dry run"}
    return cut(line(span(f" {target} · {said[shown.accepted]}", "head")), width)


def _diff(shown: Preview, width: int, *, around: bool = True) -> list[Line]:
    """The diff (`around`: with the lines that do not change) and the words of a script; long lines go on below."""
    out: list[Line] = []
    for text in shown.diff:
        role: TextRole = "add" if text.startswith("+") else "del" if text.startswith("-") else "dim"
        if around or role != "dim":
            out += [line(Span("  "), span(part, role)) for part in _broken(text, width - 2)]
    if shown.effect.argv:
        parts = wrap(" ".join(shown.effect.argv), width - TOPIC - 1)
        out += [line(Span("  argv        " if not i else " " * TOPIC, "head"), span(p)) for i, p in enumerate(parts)]
    return out


def _broken(text: str, width: int) -> list[str]:
    """A line of a diff in pieces of `width` cells, so that nothing of it is cut off."""
    text = span(text).text
    if cell_len(text) <= width:
        return [text]
    return [text[at : at + width] for at in range(0, len(text), width)]


def _told(shown: Preview, width: int, *, one_line: bool = False, calm: bool = True) -> list[Line]:
    """What follows from a change; `calm`: also what is no warning."""
    out: list[Line] = []
    told: list[tuple[str, str, TextRole]] = []
    worst: list[Consequence] = sorted(shown.consequences, key=lambda c: _ORDER.index(c.level))
    if shown.read_only:
        told.append(("not here", shown.read_only, "crit"))
    told += [(c.topic, c.text, _LEVEL[c.level]) for c in worst if calm or not _calm(c)]
    effect = shown.effect
    if effect.reversible and shown.rollback_at is not None:
        captured = time_of_day(shown.rollback_at)
        told.append(("rollback", f"ready: the present values, captured {captured}", "ok"))
    elif not effect.reversible:
        told.append(("rollback", f"none: {effect.reason or 'it cannot be undone'}", "warn"))
    for topic, text, role in told:
        texts = [" ".join(span(text).text.split())] if one_line else wrap(text, max(20, width - TOPIC - 1))
        made = [line(Span(f"  {topic:<{TOPIC - 2}}", "head"), span(texts[0], role))]
        made += [line(Span(" " * TOPIC), span(more, role)) for more in texts[1:]]
        out += [cut(each, width) for each in made]
    return out
