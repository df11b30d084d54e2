"""The member of its list that a block of steps is at."""

from __future__ import annotations

from typing import Any

from console.runbook.model import Runbook, turn_of
from console.runbook.walk import Walk


def member_of(walk: Walk, runbook: Runbook) -> tuple[str, Any] | None:
    """The name that the block gives it, and the member as the list had it; None where the walk is in no block."""
    _, turn = turn_of(walk.current)
    step = runbook.step(walk.current)
    head = runbook.step(step.block) if step is not None and step.block else None
    if turn is None or head is None:
        return None
    members = walk.outputs.get(head.id, {}).get("members", [])
    return (head.item, members[turn]) if turn < len(members) else None


def in_turn(ctx: dict[str, Any], walk: Walk, runbook: Runbook) -> dict[str, Any]:
    """`ctx` with the member of the present turn. An object is as it was read now, absent where it is gone."""
    found = member_of(walk, runbook)
    if found is None or found[0] in ctx.get("seen", {}):
        return ctx
    return {**ctx, found[0]: found[1]}


def kept(member: Any) -> Any:
    """A member as a walk keeps it: of an object what names it."""
    meta = member.get("metadata") if isinstance(member, dict) else None
    if not isinstance(meta, dict):
        return member
    names = {key: meta[key] for key in ("name", "namespace", "uid", "labels") if key in meta}
    return {"apiVersion": member.get("apiVersion"), "kind": member.get("kind"), "metadata": names}
