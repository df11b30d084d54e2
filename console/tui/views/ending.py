"""What is lost when Console is left now."""

from __future__ import annotations

from console.live.situation import Situation


def loses(situation: Situation) -> str:
    """What to ask before Console ends; `` where nothing is lost: walks on a cluster that stays wait in the journal."""
    if situation.board.cluster.kind != "simulated":
        return ""
    open_ = [walk for walk in situation.walks if walk.ended is None]
    if not open_:
        return ""
    return "the drill ends with Console, and its walk cannot be taken up again. Enter ends it (esc: stay): "
