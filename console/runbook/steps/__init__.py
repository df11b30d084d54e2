"""What a walk needs next, and what each step says: pure functions from runbook, walk and data to events and effects.

`operate` runs the loop: it asks `todo`, does what only it can do (ask a person, write, wait), and appends the events
that the functions here make. The same events fold to the same walk on resume and in replay.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec
from msgspec import Struct

from console.base.errors import UsageError, did_you_mean
from console.base.text import clean, shorten
from console.facts.evidence import Evidence
from console.runbook import say, template
from console.runbook.changes import effect as effect
from console.runbook.graph import following
from console.runbook.graph import route as route
from console.runbook.language.blocks import each as each
from console.runbook.language.blocks import runs as runs
from console.runbook.language.ends import RETURN
from console.runbook.model import CheckState, Choice, Outcome, Runbook, Step
from console.runbook.say import safe, span, truth, words
from console.runbook.say import shows as shows
from console.runbook.steps.escalating import LEAVE as LEAVE
from console.runbook.steps.escalating import escalated as escalated
from console.runbook.steps.escalating import escalation_answered as escalation_answered
from console.runbook.steps.escalating import unanswered as unanswered
from console.runbook.steps.kinds import OF_UNDO as OF_UNDO
from console.runbook.steps.kinds import AskPerson as AskPerson
from console.runbook.steps.kinds import AwaitAnswer as AwaitAnswer
from console.runbook.steps.kinds import Enter as Enter
from console.runbook.steps.kinds import Escalate as Escalate
from console.runbook.steps.kinds import Finish as Finish
from console.runbook.steps.kinds import Hold as Hold
from console.runbook.steps.kinds import Judge as Judge
from console.runbook.steps.kinds import Landing as Landing
from console.runbook.steps.kinds import LookBack as LookBack
from console.runbook.steps.kinds import MakeChange as MakeChange
from console.runbook.steps.kinds import Nothing as Nothing
from console.runbook.steps.kinds import Offer as Offer
from console.runbook.steps.kinds import Pause as Pause
from console.runbook.steps.kinds import RunScript as RunScript
from console.runbook.steps.kinds import Todo as Todo
from console.runbook.steps.kinds import Undo as Undo
from console.runbook.verify import hold as hold
from console.runbook.walk import Answered, AnyEvent, Entered, Judged, Skipped, Walk, WalkEnded

MAX_STEPS = 500
MOST_KEPT = 20_000
"""Characters of one value that a walk keeps."""


class Asked(Struct, frozen=True):
    """What a person is asked, rendered and cleaned. `choices` is empty where any answer means "go on"."""

    kind: Literal["ask", "note", "manual"]
    title: str
    text: str
    choices: tuple[Choice, ...] = ()
    shows: tuple[str, ...] = ()


def todo(runbook: Runbook, walk: Walk) -> Todo:
    """What must happen next."""
    open_intent = walk.in_doubt or walk.pending
    if open_intent is not None:
        return Landing(open_intent, "" if walk.landed == "no" else walk.landed)
    if walk.undo and (rollback := walk.rollbacks.get(walk.undo)) is not None:
        return Undo(runbook.step(walk.current), rollback)
    if (unseen := walk.unseen) is not None:
        return LookBack(unseen)
    if walk.ended is not None:
        return Nothing()
    if not walk.steps:
        return Enter(runbook.steps[0].id)
    if len(walk.path) > MAX_STEPS:
        return Finish("", "unresolved", f"{MAX_STEPS} steps were walked without coming to an end")
    state, step = walk.steps[-1], runbook.step(walk.current)
    if step is None:
        return Finish("", "unresolved", f"the runbook has no step {walk.current!r}")
    if state.state == "current":
        return _before_the_end(runbook, walk, step) or _present(walk, step)
    if (offer := _offer(walk, step)) is not None:
        return offer
    if runbook.step(state.goto) is not None:
        return Enter(state.goto)
    return Finish("", "unresolved", state.words or f"step {step.id!r} leads nowhere")


def _before_the_end(runbook: Runbook, walk: Walk, step: Step) -> Enter | None:
    """At an end: what must not stay is undone first, and then the walk comes back to that end."""
    if step.kind != "end" or not runbook.last:
        return None
    if step.id == RETURN:
        return Enter(next(id for id in reversed(walk.path) if id != RETURN and _is_end(runbook, id)))
    return Enter(runbook.last[0]) if walk.writes and runbook.last[0] not in walk.path else None


def _is_end(runbook: Runbook, id: str) -> bool:
    step = runbook.step(id)
    return step is not None and step.kind == "end"


def _present(walk: Walk, step: Step) -> Todo:
    match step.kind:
        case "run" if not step.branches:
            return Finish("", "unresolved", f"the runbook {step.runs!r} cannot be walked within this one")
        case "check" | "decide" | "each" | "run":
            return Judge(step)
        case "ask" | "note" | "manual":
            return AskPerson(step, step.kind)
        case "escalate":
            return Escalate(step) if walk.escalated is None else AwaitAnswer(step)
        case "change":
            return MakeChange(step)
        case "script":
            return RunScript(step)
        case "verify":
            return Hold(step)
        case "wait":
            return Pause(step)
        case "end":
            return Finish(step.id, step.outcome or "unresolved", step.text or step.title)


def _offer(walk: Walk, step: Step) -> Offer | None:
    """The last write of the walk that stands, where its verification says that it did not help and it can be undone.

    Those before it follow, one after the other, whatever came of its rollback. What an earlier verification found to
    help is kept, although an objective has not recovered in time.
    """
    verdict = walk.outputs.get(step.id, {}).get("verdict")
    if step.kind != "verify" or verdict not in ("ineffective", "worse") or not walk.writes or walk.helped:
        return None
    proved = {one.step: index for index, one in enumerate(walk.steps) if _helped(walk, one.step)}
    since = max(proved.values(), default=-1)
    unproved = {one.step for one in walk.steps[since + 1 :]}
    undone = {write.inverse_of for write in walk.writes}
    for write in reversed(walk.writes):
        rollback = walk.rollbacks.get(write.id)
        done = write.inverse_of or write.id in walk.offered or write.id in undone
        if rollback is not None and not done and write.step in unproved:
            return Offer(step, write, rollback)
    return None


def _helped(walk: Walk, step: str) -> bool:
    return bool(walk.outputs.get(step, {}).get("verdict") == "effective")


def enter(runbook: Runbook, walk: Walk, step_id: str, ctx: Mapping[str, Any], now: float) -> tuple[AnyEvent, ...]:
    """Entered, and Skipped where the step's `when` does not hold.

    A `when` that cannot be known does not skip, but leads a change to where its `on_unknown` says.
    """
    step = runbook.step(step_id)
    if step is None:
        raise UsageError(f"runbook {runbook.id} has no step {step_id!r}")
    entered = Entered(at=now, step=step_id, title=say.title(runbook.id, step, ctx))
    holds, why = truth(step.when, ctx) if step.when else (True, "")
    if holds is None and step.writes and step.on_unknown:
        said = safe(f"whether it is due cannot be told: {why}")
        return entered, Skipped(at=now, step=step_id, because=said, goto=step.on_unknown)
    if holds is not False:
        return (entered,)
    return entered, Skipped(at=now, step=step_id, because="not needed here", goto=following(runbook, step))


def query(step: Step, ctx: Mapping[str, Any]) -> str:
    """The PromQL of a step with its expressions filled in, `` where it has none. Raises TemplateError."""
    return template.render(step.query, ctx, f"step {step.id}, query").strip() if step.query else ""


def judged(runbook: Runbook, step: Step, walk: Walk, ctx: Mapping[str, Any], now: float) -> Judged:
    """What a step comes to that needs nobody: a check, the head of a block, another runbook that begins."""
    match step.kind:
        case "each":
            return each(step, walk, ctx, now)
        case "run":
            return runs(step, ctx, now)
    return judge(runbook, step, ctx, now)


def judge(runbook: Runbook, step: Step, ctx: Mapping[str, Any], now: float) -> Judged:
    """The first branch that holds. What cannot be known is `unknown`, never a pass: see `on_unknown`."""
    evidence = say.evidence(runbook.id, step, ctx, now)
    if step.saves:
        values, why = _saved(step, ctx)
        if why:
            return Judged(now, step.id, "unknown", safe(why), step.on_unknown, evidence)
        said = words(runbook.id, step, "because", step.branches[0].because, {**ctx, "saved": values})
        said = said or ", ".join(f"{name} {say.kept(value, step.saves[name])}" for name, value in values.items())
        return Judged(now, step.id, "pass", safe(f"kept: {said}"), step.branches[0].goto, evidence, {"saved": values})
    answer = ctx.get("query", {})
    output: dict[str, Any] = {"value": answer["value"]} if step.query and "value" in answer else {}
    if step.query and answer.get("state") == "error":
        said = f"Prometheus could not be asked: {answer.get('error') or 'no Prometheus'}"
        evidence = (*evidence, Evidence("prometheus", shorten(step.query.strip(), 200), safe(said), now))
    unknown = ""
    for index, branch in enumerate(step.branches):
        holds, why = truth(branch.when, ctx) if branch.when else (True, "")
        if holds is None:
            unknown = unknown or why
            if step.on_unknown:
                because = safe(f"cannot be told: {unknown}")
                return Judged(now, step.id, "unknown", because, step.on_unknown, evidence, output)
            continue
        if holds:
            because = words(runbook.id, step, f"branches[{index}].because", branch.because, ctx) or step.title
            status: CheckState = branch.status
            if unknown:
                status, because = "unknown", f"{because} (cannot be told: {safe(unknown)})"
            return Judged(now, step.id, status, because, branch.goto, evidence, output)
    return Judged(now, step.id, "unknown", safe(unknown or "no branch holds"), "", evidence, output)


def _saved(step: Step, ctx: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """The values that a step keeps, or why one cannot be known."""
    out: dict[str, Any] = {}
    for name, expression in step.saves.items():
        try:
            out[name] = template.evaluate(expression, ctx)
        except template.TemplateError as error:
            return {}, f"{name} cannot be told: {error.bare}"
        if len(msgspec.json.encode(out[name], enc_hook=str)) > MOST_KEPT:
            return {}, f"{name} is more than {MOST_KEPT} characters, which is too much to be kept"
    return out, ""


def question(step: Step, ctx: Mapping[str, Any], runbook_id: str = "") -> Asked:
    """What a person is asked on an ask, note or manual step."""
    assert step.kind in ("ask", "note", "manual")

    def said(key: str, text: str, lines: bool = False) -> str:
        return words(runbook_id, step, key, text, ctx, lines=lines)

    text = said("text", step.text, True)
    if step.question:
        text = "\n".join(part for part in (said("question", step.question, True), text) if part)
    choices = tuple(
        Choice(c.value, said(f"choices[{i}].label", c.label), c.goto, said(f"choices[{i}].hint", c.hint))
        for i, c in enumerate(step.choices)
    )
    return Asked(step.kind, said("title", step.title), text, choices, shows(step, ctx, runbook_id))


def answer(runbook: Runbook, step: Step, value: str, by: str, now: float, asked: Asked | None = None) -> Answered:
    """What was answered, where it leads, and what had been asked, as it was worded then.

    Raises:
        UsageError: the step has choices and this is none of them.
    """
    by, asked = safe(by), asked or Asked("ask", "", "")
    if not step.choices:
        return Answered(now, step.id, safe(value), by, following(runbook, step), shown=asked.shows)
    chosen = next((c for c in step.choices if c.value == value), None)
    if chosen is None:
        hint = did_you_mean(value, [c.value for c in step.choices])
        raise UsageError(f"{clean(value)!r} is no answer to step {step.id!r} of {runbook.id}", hint=hint)
    labels = {c.value: c.label for c in asked.choices}
    label, others = labels.pop(value, ""), tuple(labels.values())
    goto = chosen.goto or following(runbook, step)
    return Answered(now, step.id, value, by, goto, asked.text.partition("\n")[0], label, others, asked.shows)


def pause(step: Step, ctx: Mapping[str, Any], walk: Walk) -> float:
    """Epoch seconds at which a `wait` step is over."""
    state = walk.state(step.id)
    begun = state.entered if state is not None and state.entered is not None else walk.started
    return begun + span(step, "duration", step.duration, ctx)


def waited(runbook: Runbook, step: Step, now: float) -> Judged:
    """A `wait` step is over."""
    return Judged(now, step.id, "pass", "waited", following(runbook, step))


def finish(
    runbook: Runbook,
    walk: Walk,
    step_id: str,
    outcome: Outcome,
    because: str,
    ctx: Mapping[str, Any],
    now: float,
    slo: dict[str, Any],
    impact: dict[str, Any] | None = None,
) -> WalkEnded:
    """The end of a walk; `because` of an `end` step is a template."""
    step = runbook.step(step_id)
    said = words(runbook.id, step, "text", because, ctx) if step is not None else safe(because)
    return WalkEnded(now, outcome, said, step_id, slo, impact=impact or {})
