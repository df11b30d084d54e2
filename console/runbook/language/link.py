"""Other runbooks within one: the steps of each come in under the id of the `run` step, with their own names. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from console.runbook.model import WAYS, Branch, Runbook, RunbookPart, Step

GOOD = frozenset({"resolved", "mitigated", "not_applicable"})
"""Outcomes of another runbook after which the walk goes on."""
DEEPEST = 4


def link(runbook: Runbook, library: Mapping[str, Runbook], above: tuple[str, ...] = ()) -> Runbook:
    """The runbook with the steps of those that it runs, as far as the library has them and no circle is closed.

    One that has a `finally` is not run within another: its ends would not be those of the walk.
    """
    if not any(step.kind == "run" for step in runbook.steps):
        return runbook
    steps: list[Step] = []
    parts: dict[str, RunbookPart] = {}
    chain = (*above, runbook.id)
    for step in runbook.steps:
        other = library.get(step.runs) if step.kind == "run" and step.runs not in chain else None
        if other is None or other.last or len(chain) >= DEEPEST:
            steps.append(step)
            continue
        inner = link(other, library, chain)
        names = {one.id: f"{step.id}.{one.id}" for one in inner.steps}
        steps.append(replace(step, branches=(Branch("", names[inner.steps[0].id]),)))
        steps += [_under(one, step, names) for one in inner.steps]
        parts[step.id] = RunbookPart(other, step.given)
        parts.update({f"{step.id}.{scope}": part for scope, part in inner.parts.items()})
    return replace(runbook, steps=tuple(steps), parts=parts)


def texts(runbook: Runbook) -> dict[str, str]:
    """The text of each runbook that came in, by id, as a walk keeps it."""
    return {part.runbook.id: part.runbook.text for part in runbook.parts.values()}


def _under(step: Step, run: Step, names: Mapping[str, str]) -> Step:
    """A step of another runbook as the one that runs it has it; its good ends lead on where the walk goes on."""
    scope = f"{run.id}.{step.scope}" if step.scope else run.id
    made = replace(step, id=names[step.id], scope=scope, at=run.at, line=run.line)
    if step.kind == "end" and run.next and step.outcome in GOOD:
        return replace(made, kind="decide", outcome=None, text="", branches=(Branch("", run.next, step.text),))
    ways = {key: names.get(way, way) for key in WAYS if (way := getattr(step, key))}
    return replace(
        made,
        branches=tuple(replace(b, goto=names.get(b.goto, b.goto)) for b in step.branches),
        choices=tuple(replace(c, goto=names.get(c.goto, c.goto)) for c in step.choices),
        block=names.get(step.block, step.block),
        within=tuple(names.get(id, id) for id in step.within),
        **ways,
    )
