"""Walk: where am I in the procedure, why this branch, what will change?"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rich.cells import cell_len

from console.base.clock import rfc3339
from console.base.units import human_duration
from console.health.model import Board
from console.runbook.effects import Preview
from console.runbook.model import Runbook, Step
from console.runbook.walk import StepState, Walk
from console.tui.lines import BLANK, Line, Role, Span, fit, line, rule, span, wrap

if TYPE_CHECKING:
    from console.operate.person import Question

_MARK: dict[str, tuple[str, Role]] = {
    "done": ("✓", "ok"),
    "current": ("▸", "accent"),
    "refused": ("✗", "warn"),
    "failed": ("✗", "crit"),
    "skipped": ("–", "dim"),
}
_LEVEL: dict[str, Role] = {"info": "text", "warning": "warn", "stop": "crit", "unknown": "warn"}
_OUTCOME: dict[str, Role] = {
    "resolved": "ok", "mitigated": "ok", "handed_over": "warn", "not_applicable": "info", "unresolved": "crit",
}  # fmt: skip
_TITLE_WIDTH = 34


def lines(
    board: Board,
    walk: Walk,
    runbook: Runbook | None,
    question: Question | None,
    width: int,
    height: int,
    *,
    chosen: int = 0,
    left: bool = False,
) -> list[Line]:
    """The whole walk: steps that were made, the present one with its question or preview, those that may follow.

    While something is asked, earlier steps make room for it in `height` lines. A walk that was `left` says so.
    """
    out = [_heading(walk, runbook, width)]
    waits = question is not None
    stands = "waits for you" if waits else "left here" if left else walk.status
    visited = [_visited(walk, runbook, state, number, width, stands) for number, state in enumerate(walk.steps, 1)]
    asked = _question(question, width, chosen) if question is not None else []
    room = max(2, height - len(asked) - 2)
    if asked and len(visited) > room:
        out.append(line(span(f"   … {len(visited) - room} earlier steps, in the timeline (t)", "dim")))
        visited = visited[-room:]
    out += visited
    if walk.status == "ended":
        return [*out, *_end(walk, width)]
    current = walk.state(walk.current)
    if current is not None and current.evidence and current.state == "current":
        out += [line(Span("      seen "), span(e.excerpt), span(f"  {e.locator}", "dim")) for e in current.evidence[:4]]
    if asked:
        out += asked
    elif left:
        doubt = "its last change is in doubt, and " if walk.status == "in doubt" else ""
        words = f"{doubt}this Console does not walk it: a goes on here, unless another process is on it"
        out += [line(Span("      "), span(text, "warn")) for text in wrap(words, width - 7)]
    elif walk.status == "holding":
        since = board.at - walk.hold_since if walk.hold_since else None
        words = (
            "not yet: " + (current.words if current else "") if since is None else f"true for {human_duration(since)}"
        )
        out.append(line(Span("      "), span(words, "info" if since is not None else "warn")))
    elif walk.status == "in doubt":
        out.append(
            line(Span("      "), span("the last change is in doubt: asking the cluster whether it arrived", "warn"))
        )
    out += _ahead(walk, runbook, width)
    return out


def _heading(walk: Walk, runbook: Runbook | None, width: int) -> Line:
    step = runbook.step(walk.current) if runbook else None
    words = "ended" if walk.status == "ended" else _nature(step) if step else "begins"
    number = len(walk.steps)
    return line(
        Span(" "), span(f"step {number}", "title"), span(f" · {words}", "text"),
        span(f" · {walk.runbook} {walk.version} · {walk.id}", "dim"),
    )  # fmt: skip


def _nature(step: Step) -> str:
    """What kind of step it is, and what it may do."""
    if step.kind == "change":
        back = "reversible" if step.rollback else "cannot be undone"
        restarts = " · restarts the job" if step.restarts else ""
        return f"CHANGE, {back}{restarts}"
    if step.kind == "script":
        return "SCRIPT, changes something" if step.effect == "write" else "SCRIPT, only reads"
    return {
        "ask": "QUESTION", "check": "CHECK, only reads", "decide": "DECISION", "verify": "VERIFY, only reads",
        "note": "NOTE", "wait": "WAIT", "manual": "BY HAND", "end": "END",
    }[step.kind]  # fmt: skip


def _visited(walk: Walk, runbook: Runbook | None, state: StepState, number: int, width: int, stands: str) -> Line:
    mark, role = _MARK[state.state]
    if state.state == "done" and state.status in ("fail", "unknown"):
        mark, role = ("✗", "crit") if state.status == "fail" else ("?", "warn")
    step = runbook.step(state.step) if runbook else None
    title = plain_title(step) if step else state.step
    if state.preview is not None and state.preview.effect.title:
        title = state.preview.effect.title
    words = state.words
    if state.state == "current" and not words:
        words = stands
    tail: Role = {"crit": "crit", "warn": "warn"}.get(role, "text")  # type: ignore[assignment]
    room = max(20, min(_TITLE_WIDTH + max(0, width - 100) // 3, 56))
    shown = span(fit(span(title).text, room), "title" if state.state == "current" else "text")
    number_text = span(f" {number:>2} ", "dim")
    return line(Span(" "), Span(mark, role), number_text, shown, Span(" "), span(words, tail), key=f"step:{number}")


def plain_title(step: Step) -> str:
    """The title of a step; what its template would fill in is left out until it is known."""
    return re.sub(r"\s*\{[{%].*?[%}]\}", " …", step.title)


def _question(question: Question, width: int, chosen: int) -> list[Line]:
    out: list[Line] = [BLANK]
    if question.reason:
        out += [line(Span(" ! ", "crit"), span(text, "warn")) for text in wrap(question.reason, width - 4)]
    if question.preview is not None:
        out += preview(question.preview, width)
    head, _, rest = question.text.partition("\n")
    out += [line(Span(" "), span(text, "title")) for text in wrap(head, width - 2) if head]
    for index, choice in enumerate(question.choices):
        mark = Span(" ▸ ", "accent") if index == chosen else Span("   ")
        role: Role = "title" if index == chosen else "text"
        made = line(mark, span(f"{index + 1} ", "key"), span(choice.label or choice.value, role))
        hint = span(f"  {choice.hint}", "dim") if choice.hint else Span("")
        beside = cell_len(made.text + hint.text) <= width
        out.append(line(*made.spans, hint) if beside else made)
        if not beside:
            out += [line(Span("     "), Span(text, "dim")) for text in wrap(hint.text.strip(), width - 6)]
    if question.preview is None:
        for shown in question.shows:
            out += [line(Span("   "), span(text)) for text in wrap(shown, width - 4)]
    out += [line(Span("   "), span(text, "dim")) for text in wrap(" ".join(rest.split()), width - 4) if rest]
    return out


def preview(shown: Preview, width: int) -> list[Line]:
    """What would change, what follows from it, and how it is undone."""
    effect = shown.effect
    target = effect.target.words if effect.target else " ".join(effect.argv)
    said = {True: "server dry run: accepted", False: f"server dry run: refused, {shown.message}", None: "no dry run"}
    out = [line(Span("── ", "rule"), span(f"{target} · {said[shown.accepted]}", "head"))]
    for text in shown.diff[:60]:
        role: Role = "add" if text.startswith("+") else "del" if text.startswith("-") else "dim"
        out.append(line(Span("  "), span(text, role)))
    if len(shown.diff) > 60:
        out.append(line(span(f"   … {len(shown.diff) - 60} more lines", "dim")))
    if effect.argv:
        out.append(line(Span("  argv  ", "head"), span(" ".join(effect.argv))))
    for item in shown.consequences:
        texts = wrap(item.text, max(20, width - 16))
        out.append(line(Span(f"  {item.topic:<12}", "head"), span(texts[0], _LEVEL[item.level])))
        out += [line(Span(" " * 14), span(text, _LEVEL[item.level])) for text in texts[1:]]
    if effect.reversible and shown.rollback_at is not None:
        captured = (rfc3339(shown.rollback_at) or "")[11:19]
        out.append(line(Span("  rollback    ", "head"), span(f"ready: the present values, captured {captured}Z", "ok")))
    elif not effect.reversible:
        out.append(
            line(Span("  rollback    ", "head"), span(f"none: {effect.reason or 'it cannot be undone'}", "warn"))
        )
    if shown.read_only:
        out.append(line(Span("  not here    ", "crit"), span(shown.read_only, "crit")))
    return [*out, rule(width=width)]


def _ahead(walk: Walk, runbook: Runbook | None, width: int) -> list[Line]:
    """The steps that follow if nothing goes wrong: at most six."""
    if runbook is None:
        return []
    out: list[Line] = []
    seen = set(walk.path)
    current = runbook.step(walk.current)
    following = _likely(current) if current else ""
    while following and following not in seen and len(out) < 6:
        seen.add(following)
        step = runbook.step(following)
        if step is None:
            break
        out.append(line(Span(" · ", "rule"), span(f"   {plain_title(step)}", "dim")))
        following = _likely(step)
    return [BLANK, *out] if out else []


def _likely(step: Step) -> str:
    if step.kind == "verify":
        return step.on_effective or step.next
    if step.kind in ("check", "decide", "ask"):
        return step.next
    return step.verify or step.next


def _end(walk: Walk, width: int) -> list[Line]:
    out = [
        BLANK,
        line(Span(" "), span((walk.outcome or "").replace("_", " ").upper(), _OUTCOME[walk.outcome or "unresolved"])),
    ]
    out += [line(Span(" "), span(text)) for text in wrap(walk.because, width - 2)]
    for id, after in walk.slo_after.items():
        before = walk.slo_before.get(id, {})
        out.append(line(Span(" slo     ", "head"), span(f"{id}: {_standing(before)} → {_standing(after)}")))
    changes = ", ".join(e.title or e.step for e in walk.writes) or "nothing was changed"
    out.append(line(Span(" changed ", "head"), span(changes)))
    return out


def _standing(values: dict[str, object]) -> str:
    left = values.get("budget_left")
    return f"{left * 100:.1f}% left" if isinstance(left, int | float) else "no data"
