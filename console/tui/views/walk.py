"""Walk: where am I in the procedure, why this branch, what will change?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from console.actions.effects import Effect
from console.base.clock import moment, time_of_day
from console.base.units import human_duration
from console.board.model import Board
from console.live.shown import age, aged
from console.runbook.model import Runbook, Step
from console.runbook.titles import is_template, plain_title, title_of
from console.runbook.walk import StepState, Undone, Walk
from console.runbook.watching import stored_runbook
from console.timeline.prose import because, declined, objective, outcome
from console.tui.lines import BLANK, Line, Span, TextRole, fit, line, rule, span, wrap
from console.tui.views import escalation
from console.tui.views.question import preview

if TYPE_CHECKING:
    from console.facts.evidence import Evidence
    from console.operate.person import Question

_MARK: dict[str, tuple[str, TextRole]] = {
    "done": ("✓", "ok"),
    "current": ("▸", "accent"),
    "refused": ("✗", "warn"),
    "failed": ("✗", "crit"),
    "skipped": ("–", "dim"),
    "stopped": ("–", "warn"),
}
_END_MARK: dict[str, tuple[str, TextRole]] = {
    "resolved": ("✓", "ok"), "mitigated": ("✓", "warn"), "handed_over": ("→", "warn"), "not_applicable": ("–", "dim"),
    "unresolved": ("✗", "crit"),
}  # fmt: skip
_OUTCOME: dict[str, TextRole] = {
    "resolved": "ok", "mitigated": "ok", "handed_over": "warn", "not_applicable": "info", "unresolved": "crit",
}  # fmt: skip
_TITLE_WIDTH = 34


def lines(board: Board, walk: Walk, runbook: Runbook | None, stands: str, width: int) -> list[Line]:
    """What should be known of its beginning, the steps that were made, the present one with what was seen at it, and
    those that may follow."""
    out = [line(Span(" ! ", "crit"), span(text, "warn")) for said in walk.remarks for text in wrap(said, width - 4)]
    if walk.rights is not None and walk.rights.rule:
        out.append(line(Span("   R shows the rule to ask for; what only reads goes on without it", "dim")))
    for number, state in enumerate(walk.steps, 1):
        out.append(_visited(walk, runbook, state, number, width, stands))
        out += [_undone(walk, undone, width, stands) for undone in walk.undos if undone.after == number]
    current = walk.state(walk.current)
    if walk.status == "ended":
        return out
    if current is not None and current.state == "current":
        for e in current.evidence:
            texts = wrap(f"{e.excerpt}{aged(board, e.at)}", max(20, width - 12))
            out += [line(Span("      seen " if not i else " " * 11), span(text)) for i, text in enumerate(texts)]
    return [*out, *_ahead(walk, runbook)]


def pinned(
    board: Board, walk: Walk, width: int, *, left: bool, elsewhere: str = "", watched: Sequence[Line] = ()
) -> list[Line]:
    """What stays in sight while nothing is asked: what the walk waits for, or how it ended.

    Args:
        left: this Console is not on it; `elsewhere`: the process that is.
        watched: the verification that is running, where there is one.
    """
    over = walk.status == "ended" and walk.pending is None and not walk.undo and walk.unseen is None
    out = _end(walk, width) if over else _standing(board, walk, width, left=left, elsewhere=elsewhere)
    if watched and not left:
        out = list(watched)
    return [rule(width=width), *out] if out else []


def said(walk: Walk, width: int) -> list[Line]:
    """What people said of a walk for the next one: remarks, and notes with who and when."""
    told = [*walk.remarks, *(f"{n.by}, {time_of_day(n.at, to_the_minute=True)}: {n.text}" for n in walk.notes)]
    out = [line(Span(" ! ", "crit"), span(part, "warn")) for text in told for part in wrap(text, width - 4)]
    return [*out, rule(width=width)] if out else []


def details(walk: Walk, runbook: Runbook | None, number: int, width: int) -> list[Line]:
    """All that is known of the step that was made as the `number`th (from 1)."""
    if not 1 <= number <= len(walk.steps):
        return []
    state = walk.steps[number - 1]
    step = runbook.step(state.step) if runbook else None
    parts: list[tuple[str, str, TextRole]] = [("step", f"{number} · {_nature(step) if step else state.step}", "dim")]
    parts.append(("walk", f"{walk.id} · {walk.runbook} {walk.version}", "dim"))
    parts.append(("stands", state.state + (f", judged {state.status}" if state.status else ""), "text"))
    if state.words:
        parts.append(("because", state.words, "text"))
    if state.answer:
        parts.append(("answer", state.answer, "text"))
    for name, at in (("entered", state.entered), ("left", state.left)):
        if at is not None:
            parts.append((name, moment(at), "dim"))
    parts += [("seen", f"{e.excerpt}  ({_where(e)})", "text") for e in state.evidence]
    out = [line(Span(" "), span(text, "title")) for text in wrap(title_of(state, step), width - 2)]
    for name, text, role in parts:
        texts = wrap(text, max(20, width - 11))
        out += [line(Span(f" {name if not i else '':<9}", "head"), span(t, role)) for i, t in enumerate(texts)]
    if step is not None and (said := _text(step)):
        out += [BLANK, *(line(Span(" "), span(text, "dim")) for text in wrap(said, width - 2))]
    if state.preview is not None:
        out += [rule("the change", width), *preview(state.preview, width)]
    return out


def _where(seen: Evidence) -> str:
    """Where and when something was seen: ages within its words count from then."""
    place = "" if seen.source == "runbook" else f"{seen.source}: {seen.locator}"
    at = f"at {time_of_day(seen.at)}" if seen.at is not None else ""
    return ", ".join(part for part in (place, at) if part) or "by this step"


def _standing(board: Board, walk: Walk, width: int, *, left: bool, elsewhere: str) -> list[Line]:
    """What an open walk waits for while it asks nothing."""
    if left:
        doubt = "its last change is in doubt, and " if walk.status == "in doubt" else ""
        if elsewhere:
            words = f"{doubt}{elsewhere} is on it: it is answered there"
        elif walk.handed is not None:
            said = f": {walk.handed.text}" if walk.handed.text else ""
            ago = age(board, walk.handed.at)
            words = f"{doubt}{walk.handed.by} handed it over {ago} ago{said}. It waits: a takes it up"
            words += f"; with the same state folder also console runbook --resume {walk.id}"
        else:
            who = f"{walk.left.by} left it {age(board, walk.left.at)} ago, " if walk.left is not None else ""
            words = f"{doubt}{who}nobody is on it, so it waits: a takes it up, x ends it"
        return [line(Span(" "), span(text, "warn")) for text in wrap(words, width - 2)]
    if walk.status == "holding" and walk.hold_since:
        held = f"true for {human_duration(board.at - walk.hold_since)}"
        return [line(Span(" "), span(held, "info"))]
    if walk.status == "holding":
        current = walk.state(walk.current)
        return [line(Span(" "), span("not yet: " + (current.words if current else ""), "warn"))]
    if walk.pending is not None or walk.undo or walk.unseen is not None or walk.status == "running":
        words, role = _doing(walk)
        return [line(Span(" "), span(text, role)) for text in wrap(words, width - 2)]
    if walk.status == "in doubt":
        words = "the last change is in doubt: asking the cluster whether it arrived"
        return [line(Span(" "), span(words, "warn"))]
    return []


def _doing(walk: Walk) -> tuple[str, TextRole]:
    """What an open walk does while it asks nothing, and whether that changes something."""
    if walk.pending is not None:
        what = walk.pending.effect
        return f"CHANGING {what.about}: {what.title or what.step}. It was sent, its answer is waited for", "warn"
    if walk.confirmed:
        return "confirmed: rules, object and dry run are looked at once more, then the change is sent", "warn"
    if walk.undo:
        return "preparing the rollback: it is shown before anything is sent", "text"
    if walk.unseen is not None:
        return "rolled back; what that leaves is looked at: is it as it was, does the application run?", "text"
    current = walk.state(walk.current)
    if current is not None and current.state == "done" and current.preview is not None and walk.writes:
        return "the change was made; what follows from it is being read", "text"
    return "reading what this step needs: nothing is asked, nothing is changed", "dim"


def present(walk: Walk) -> str:
    """The title of the step that an open walk stands at."""
    runbook, state = stored_runbook(walk), walk.state(walk.current)
    step = runbook.step(walk.current) if runbook is not None else None
    if state is None:
        return plain_title(step) if step is not None else walk.current or "begins"
    return title_of(state, step)


def heading(walk: Walk, runbook: Runbook | None, question: Question | None = None) -> Line:
    """Where the walk is, in one line: of the rollback where one is asked about or under way, else of the step."""
    step = runbook.step(walk.current) if runbook else None
    words = "ended" if walk.status == "ended" else _nature(step) if step else "begins"
    if (back := _rolls_back(walk, question)) is not None:
        words = f"ROLLBACK, changes back{' · restarts the job' if back.restarts else ''}"
    elif question is not None and question.kind in ("rollback", "rules", "landed"):
        words = "QUESTION"
    elif question is not None and question.kind == "approval":
        words = "WAITS FOR A SECOND PERSON"
    if question is not None and question.read_at:
        words += f" · read at {time_of_day(question.read_at)}"
    number, following = len(walk.steps), len(_following(walk, runbook))
    of = f" of {number + following}" if following and walk.status != "ended" else ""
    return line(
        Span(" "), span(f"step {number}{of}", "title"), span(f" · {words}", "text"),
        span(f" · {walk.runbook} · {walk.id}", "dim"),
    )  # fmt: skip


def _rolls_back(walk: Walk, question: Question | None) -> Effect | None:
    """The rollback that is confirmed or made now."""
    if question is not None:
        shown = question.preview
        return shown.effect if shown is not None and shown.effect.inverse_of else None
    if walk.pending is not None:
        return walk.pending.effect if walk.pending.effect.inverse_of else None
    return walk.rollbacks.get(walk.undo) if walk.undo else None


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
        "note": "NOTE", "wait": "WAIT", "manual": "BY HAND", "escalate": "HAND OVER", "end": "END",
    }[step.kind]  # fmt: skip


def _visited(walk: Walk, runbook: Runbook | None, state: StepState, number: int, width: int, stands: str) -> Line:
    mark, role = _MARK[state.state]
    if state.state == "done" and state.status in ("fail", "unknown"):
        mark, role = ("✗", "crit") if state.status == "fail" else ("?", "warn")
    step = runbook.step(state.step) if runbook else None
    if step is not None and step.kind == "end" and state.state == "done":
        mark, role = _END_MARK["unresolved" if walk.recurred else walk.outcome or "unresolved"]
    title = title_of(state, step)
    words = state.words
    if state.state == "current" and not words:
        words = stands
    tail: TextRole = {"crit": "crit", "warn": "warn"}.get(role, "text")  # type: ignore[assignment]
    shown = span(fit(span(title).text, _room(width)), "title" if state.state == "current" else "text")
    number_text = span(f" {number:>2} ", "dim")
    return line(Span(" "), Span(mark, role), number_text, shown, Span(" "), span(words, tail), key=f"step:{number}")


def _undone(walk: Walk, undone: Undone, width: int, stands: str) -> Line:
    """A rollback, with what came of it: its own line, under the step that led to it."""
    mark, role = _MARK[undone.state]
    title = span(fit(span(undone.title).text, _room(width)), "title" if undone.state == "current" else "text")
    words = undone.words or stands
    if not undone.words and walk.pending is not None:
        words = "being sent"
    elif not undone.words and walk.confirmed:
        words = "confirmed, looked at once more"
    tail: TextRole = role if role in ("crit", "warn") else "text"
    return line(Span(" "), Span(mark, role), Span("  ↶ "), title, Span(" "), span(words, tail), key=_key(undone))


def _key(undone: Undone) -> str:
    return f"undo:{undone.effect}"


def latest_undo(walk: Walk) -> str:
    """Key of the row of the last rollback, where no step was come to after it; ``."""
    last = walk.undos[-1] if walk.undos else None
    return _key(last) if last is not None and last.after >= len(walk.steps) else ""


def undo_details(walk: Walk, effect: str, width: int) -> list[Line]:
    """All that is known of the rollback `effect`."""
    undone = next((u for u in walk.undos if u.effect == effect), None)
    if undone is None:
        return []
    out = [line(Span(" "), span(text, "title")) for text in wrap(undone.title, width - 2)]
    out += [line(Span(" "), span(text)) for text in wrap(undone.words or undone.state, width - 2)]
    if undone.preview is not None:
        out += [rule("what it changes back", width), *preview(undone.preview, width)]
    return out


def _room(width: int) -> int:
    """Cells of a step's title."""
    return max(20, min(_TITLE_WIDTH + max(0, width - 100) // 3, 56))


def _text(step: Step) -> str:
    """What the runbook says at a step; nothing where its words are made of data, which stand above."""
    return "" if is_template(step.text) else " ".join(step.text.split())


def _following(walk: Walk, runbook: Runbook | None) -> list[Step]:
    """The steps that follow if nothing goes wrong."""
    out: list[Step] = []
    current = runbook.step(walk.current) if runbook is not None else None
    following = _likely(current) if current else ""
    while runbook is not None and following and following not in walk.path and following not in {s.id for s in out}:
        step = runbook.step(following)
        if step is None:
            break
        out.append(step)
        following = _likely(step)
    return out


def _ahead(walk: Walk, runbook: Runbook | None) -> list[Line]:
    return [line(Span(" · ", "rule"), span(f"   {plain_title(s)}", "dim")) for s in _following(walk, runbook)]


def _likely(step: Step) -> str:
    if step.kind == "verify":
        return step.on_effective or step.next
    if step.kind in ("check", "decide", "ask"):
        return step.next
    return step.verify or step.next


def _end(walk: Walk, width: int) -> list[Line]:
    role: TextRole = "crit" if walk.recurred else _OUTCOME[walk.outcome or "unresolved"]
    out = [line(Span(" "), span(outcome(walk).upper(), role))]
    out += [line(Span(" "), span(text)) for text in wrap(because(walk), width - 2)]
    for todo in walk.still_to_do:
        texts = wrap(todo, width - 15)
        out.append(line(Span(" still to do  ", "warn"), span(texts[0], "warn")))
        out += [line(Span(" " * 14), span(text, "warn")) for text in texts[1:]]
    for id, after in walk.slo_after.items():
        before = walk.slo_before.get(id, {})
        texts = wrap(f"{id}: {objective(before)} → {objective(after)}", width - 10)
        out.append(line(Span(" slo     ", "head"), span(texts[0])))
        out += [line(Span(" " * 9), span(text)) for text in texts[1:]]
    changes = ", ".join(e.title or e.step for e in walk.writes) or "nothing was changed"
    out.append(line(Span(" changed ", "head"), span(changes)))
    out += [made for one in walk.escalations for made in escalation.came_of_it(one, width)]
    if following := _next(walk):
        out += [line(Span(" next    " if not i else " " * 9, "head"), span(t)) for i, t in
                enumerate(wrap(following, width - 10))]  # fmt: skip
    return out


def _next(walk: Walk) -> str:
    """What a person does after an end that mended nothing: it is over, and nobody else has it."""
    if declined(walk):
        return "this walk is over, nobody was handed it: r on the finding begins another"
    return {
        "handed_over": "this walk is over: t writes its timeline, with the note, to send to the owner",
        "not_applicable": f"what is wrong with {walk.about} stands on its page, with what to ask (: and its name)",
        "unresolved": "this walk is over: while a finding of it stands, r on that begins another",
    }.get(walk.outcome or "", "")
