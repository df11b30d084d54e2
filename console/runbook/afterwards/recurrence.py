"""Whether what a walk resolved is still so: it recurs where the old values or the same trouble come back. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

from msgspec import Struct

from console.actions import patches
from console.actions.effects import Effect, ObjectRef
from console.actions.owners import SCHEDULED, dotted
from console.base.text import clean, shorten
from console.board.model import Board
from console.facts.model import Workload
from console.findings.model import Finding
from console.runbook.walk import Walk

LABEL = "sparkoperator.k8s.io/scheduled-app-name"


class WhatFollowed(Struct, frozen=True):
    """`recurred`: it is as it was before the walk. `lasts`: the next run came, with what the walk had changed.

    `target` and `pointer`: the field that has its old value again, where that is how it recurred.
    """

    kind: Literal["recurred", "lasts"]
    because: str
    target: ObjectRef | None = None
    pointer: str = ""


def watched(walk: Walk) -> bool:
    """Whether a walk has still to show that what it did lasts."""
    return walk.ended is not None and walk.outcome in ("resolved", "mitigated") and not walk.recurred


def followed(walk: Walk, board: Board, objects: Sequence[Workload]) -> WhatFollowed | None:
    """What became of a walk that ended well; None as long as nothing is to be said.

    Args:
        objects: those of the cluster, with their `spec`.
    """
    if not watched(walk):
        return None
    for effect, pointer, old in _changes(walk):
        if (found := _as_before(walk, effect, pointer, old, objects)) is not None:
            return found
    if (again := _same_trouble(walk, board)) is not None:
        return WhatFollowed("recurred", f"{clean(again.title)} on {again.app or clean(again.subject)} again")
    if walk.still_to_do and (run := _next_run(walk, objects)) is not None:
        return WhatFollowed("lasts", f"the next run {run.namespace}/{clean(run.name)} has the new values")
    return None


def _changes(walk: Walk) -> Iterator[tuple[Effect, str, object]]:
    """Changes that stand, field by field, with what was there before: effect, JSON pointer, old value."""
    undone = {effect.inverse_of for effect in walk.writes}
    for effect in walk.writes:
        back = walk.rollbacks.get(effect.id)
        if effect.target is None or effect.id in undone or effect.inverse_of or back is None:
            continue
        if effect.patch_type == back.patch_type == "merge":
            for pointer in effect.touched:
                old, new = patches.get(back.patch, pointer), patches.get(effect.patch, pointer)
                if pointer.startswith("/spec/") and old is not patches.MISSING and old != new:
                    yield effect, pointer, old


def _as_before(
    walk: Walk, effect: Effect, pointer: str, old: object, objects: Iterable[Workload]
) -> WhatFollowed | None:
    """That the object, or a later run of its schedule, has the old value; None where none has."""
    for one in objects:
        value = patches.get({"spec": one.spec}, pointer)
        if one.gone or (None if value is patches.MISSING else value) != old:
            continue
        said = f"{dotted(pointer)} is {_shown(old)} again"
        ref = ObjectRef(one.api_version, one.kind, one.namespace, one.name, one.uid)
        if _same(effect, one):
            return WhatFollowed("recurred", f"{said} on {one.namespace}/{clean(one.name)}", ref, pointer)
        if _later_run(walk, effect, one):
            words = f"the next run {one.namespace}/{clean(one.name)} has the old value: {said}"
            return WhatFollowed("recurred", words, ref, pointer)
    return None


def _same(effect: Effect, one: Workload) -> bool:
    target = effect.target
    assert target is not None
    return (one.kind, one.namespace, one.name) == (target.kind, target.namespace, target.name)


def _later_run(walk: Walk, effect: Effect, one: Workload) -> bool:
    """Whether an object was made after the change by the same schedule."""
    target, last = effect.target, walk.last
    assert target is not None
    made_by = one.labels.get(LABEL) or next((o.name for o in one.owners if o.kind == SCHEDULED), "")
    later = last is not None and last.after(one.created)
    return later and bool(made_by) and made_by in walk.makers and one.namespace == target.namespace


def _next_run(walk: Walk, objects: Iterable[Workload]) -> Workload | None:
    return next((o for o in objects for e in walk.writes if e.target is not None and _later_run(walk, e, o)), None)


def _same_trouble(walk: Walk, board: Board) -> Finding | None:
    """The finding that the walk was for, with a proof that is younger than its end."""
    code, _, subject = walk.finding.partition("@")
    for finding in board.findings:
        same = finding.code == code and (finding.subject == subject or finding.app == walk.subject)
        if same and finding.severity != "info" and finding.data.current is not False and _newest(finding) > _end(walk):
            return finding
    return None


def _newest(finding: Finding) -> float:
    return max((t for t in (finding.since, *(e.at for e in finding.evidence)) if t is not None), default=0.0)


def _end(walk: Walk) -> float:
    return walk.ended if walk.ended is not None else float("inf")


def _shown(value: object) -> str:
    return "absent" if value is None else clean(shorten(str(value), 60))
