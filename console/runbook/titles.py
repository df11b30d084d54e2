"""How the steps of a walk are called before people: by number and title, never by their ids."""

from __future__ import annotations

from console.runbook import template
from console.runbook.model import Runbook, Step
from console.runbook.state import StepState, Walk


def is_template(text: str) -> bool:
    """Whether data of the walk are filled in."""
    return template.outline(text) != text


def plain_title(step: Step) -> str:
    """The title of a step; what its template would fill in is named until it is known."""
    return template.outline(step.title)


def title_of(state: StepState, step: Step | None) -> str:
    """The title of a step that was made: of its change, where it has one. Its id where the runbook cannot be read."""
    if state.preview is not None and state.preview.effect.title:
        return state.preview.effect.title
    if state.title:
        return state.title
    return plain_title(step) if step is not None else state.step


def step_words(walk: Walk, runbook: Runbook | None, number: int) -> str:
    """`step 7: Heap or overhead?` of the step that was made as the `number`th (from 1)."""
    state = walk.steps[number - 1]
    return f"step {number}: {title_of(state, runbook.step(state.step) if runbook is not None else None)}"
