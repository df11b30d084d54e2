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
    said += [] if stands or back else ["Nothing was changed."]
    proofs = [out.get("because") for out in walk.outputs.values() if out.get("verdict") == "effective"]
    said += [f"Verified: {proofs[-1]}."] if stands and walk.helped and proofs else []
    reasons = [s.words for s in walk.steps if s.words and s.state in ("done", "refused", "failed")]
    return {
        "happened": " ".join(said),
        "last": reasons[-1] if reasons else "",
        "changes": stands,
        "undone": back,
        "wrote": bool(walk.writes),
    }


def saved(outputs: Mapping[str, Any]) -> dict[str, Any]:
    """What `save` steps kept, the latest of a name."""
    out: dict[str, Any] = {}
    for output in outputs.values():
        out.update(output.get("saved", {}))
    return out
