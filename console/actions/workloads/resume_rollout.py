"""`action: resume-rollout`: a paused Deployment rolls out again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from console.actions.proof import Proof, rolled_out
from console.actions.workloads.pause import PauseRollout


class ResumeRollout(PauseRollout):
    name = "resume-rollout"
    noun = "the end of a pause"
    asks = "Resume the rollout of"
    does = "resume the rollout of"
    wanted = False
    words = "a template that was changed meanwhile is rolled out at once"

    def proof(self, arguments: Mapping[str, Any], kind: str) -> Proof | None:
        return rolled_out(kind)


VERB = ResumeRollout()
