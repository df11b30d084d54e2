"""Blocks of steps while they are walked: the turns of an `each`, and another runbook that begins. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from console.base.text import shorten
from console.runbook import template
from console.runbook.context.turns import kept
from console.runbook.model import Step, turn_of
from console.runbook.say import safe
from console.runbook.walk import Judged, Walk


def each(step: Step, walk: Walk, ctx: Mapping[str, Any], now: float) -> Judged:
    """The head of a block: its members, then one turn after the other, and on when all had theirs."""
    id, turn = turn_of(step.id)
    turn_way, way_out = step.branches[0].goto, step.next
    if turn is not None:
        count = len(walk.outputs.get(id, {}).get("members", []))
        said = f"member {turn + 1} of {count}" if turn < count else f"all {count} members had their turn"
        return Judged(now, step.id, "pass", said, turn_way if turn < count else way_out)
    try:
        members = template.evaluate(step.each, ctx)
    except template.TemplateError as error:
        return Judged(now, step.id, "unknown", safe(f"the list cannot be told: {error.bare}"), step.on_unknown)
    if not isinstance(members, list | tuple):
        return Judged(now, step.id, "unknown", safe(f"{shorten(step.each, 60)} is no list"), step.on_unknown)
    if len(members) > step.most:
        said = f"{len(members)} members, and at most {step.most} are allowed at once"
        return Judged(now, step.id, "unknown", said, step.on_unknown)
    output = {"members": [kept(member) for member in members]}
    said = f"{len(members)} members, one after the other" if members else "the list is empty"
    goto = f"{turn_way}@0" if members else way_out
    return Judged(now, step.id, "pass", said, goto, (), output)


def runs(step: Step, ctx: Mapping[str, Any], now: float) -> Judged:
    """Another runbook begins, with the inputs that it is given now."""
    try:
        given = {name: template.fill(text, ctx, f"step {step.id}, with.{name}") for name, text in step.given.items()}
    except template.TemplateError as error:
        return Judged(now, step.id, "unknown", safe(f"its inputs cannot be told: {error.bare}"), step.on_unknown)
    said = f"the runbook {step.runs} is walked"
    return Judged(now, step.id, "pass", said, step.branches[0].goto, (), {"given": given})
