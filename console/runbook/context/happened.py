"""`walk`: what has happened so far, in words, for the ends that need not be written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from console.runbook.walk import Walk


def happened(walk: Walk) -> dict[str, Any]:
    """What ends say of a walk.

    `happened` (sentences), `last` (the latest reason), `changes` and `undone` (titles of those that stand, and of those
    that were taken back), `wrote` (whether there was a change at all).
    """
    undone = {effect.inverse_of for effect in walk.writes if effect.inverse_of}
    stands = [e.title for e in walk.writes if not e.inverse_of and e.id not in undone]
    back = [e.title for e in walk.writes if e.id in undone]
    said = [f"Changed: {'; '.join(stands)}."] if stands else []
    said += [f"Taken back: {'; '.join(back)}."] if back else []
    said = said or ["Nothing was changed."]
    said += _proof(walk) if stands else []
    return {
        "happened": " ".join(said),
        "last": _last(walk),
        "changes": stands,
        "undone": back,
        "wrote": bool(walk.writes),
    }


def _proof(walk: Walk) -> list[str]:
    """What the latest verification found, where it found that the change helped."""
    found = [str(out.get("because")) for out in walk.outputs.values() if out.get("verdict") == "effective"]
    return [f"Verified: {found[-1]}."] if walk.helped and found else []


def _last(walk: Walk) -> str:
    """The latest reason."""
    reasons = [s.words for s in walk.steps if s.words and s.state in ("done", "refused", "failed")]
    return reasons[-1] if reasons else ""


def saved(outputs: Mapping[str, Any]) -> dict[str, Any]:
    """What `save` steps kept, the latest of a name."""
    out: dict[str, Any] = {}
    for output in outputs.values():
        out.update(output.get("saved", {}))
    return out
