"""What the steps of a runbook see that another one runs: its own inputs, values and steps; the subject is the same."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from console.runbook.model import Runbook, turn_of
from console.runbook.walk import Walk


def in_scope(runbook: Runbook, walk: Walk) -> tuple[Runbook, Walk]:
    """The runbook that the present step was written in, and the walk as its templates know it."""
    step = runbook.step(walk.current)
    part = runbook.parts.get(step.scope) if step is not None else None
    if step is None or part is None:
        return runbook, walk
    mine = f"{step.scope}."
    outputs = {id.removeprefix(mine): output for id, output in walk.outputs.items() if id.startswith(mine)}
    head, _ = turn_of(step.scope)
    given: dict[str, Any] = dict(walk.outputs.get(head, {}).get("given", {}))
    defaults = {i.name: i.default for i in part.runbook.inputs if i.default is not None}
    inputs = {**walk.inputs, **defaults, **given}
    current = walk.current.removeprefix(mine)
    return part.runbook, replace(walk, outputs=outputs, inputs=inputs, current=current)
