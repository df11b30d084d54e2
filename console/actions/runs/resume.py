"""`action: resume`: what was suspended runs again, or is started again when its time comes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from console.actions.proof import Proof, equals
from console.actions.runs.suspend import Suspend


class Resume(Suspend):
    name = "resume"
    noun = "a resumption"
    asks = "Resume"
    does = "resume"
    wanted = False

    def proof(self, arguments: Mapping[str, Any], kind: str) -> Proof | None:
        if kind == "SparkApplication":
            state = "object.status.applicationState.state|default('')"
            return Proof(f"{state} in ['RUNNING', 'COMPLETED']", hold="1m", deadline="15m")
        return Proof(equals("spec.suspend", False), hold="1m", deadline="3m")

    def _of_job(self, active: Any) -> str:
        return "it begins with new pods"

    def _of_schedule(self) -> str:
        return (
            "the next run starts when its time comes; a CronJob starts one that was missed within its deadline at once"
        )


VERB = Resume()
