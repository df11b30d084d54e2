"""`action: resume-rollout`: a paused Deployment rolls out again, unless whoever paused it has not said so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from console.actions import handsoff, patches
from console.actions.beside import NOTHING, Beside
from console.actions.effects import Consequence, Effect
from console.actions.proof import Proof, rolled_out
from console.actions.workloads.pause import PAUSED, PauseRollout
from console.base.text import clean


class ResumeArguments(Struct, frozen=True):
    """`agreed`: with whom it was agreed, where somebody else paused it."""

    agreed: str | None = None


class ResumeRollout(PauseRollout):
    name = "resume-rollout"
    noun = "the end of a pause"
    asks = "Resume the rollout of"
    does = "resume the rollout of"
    arguments = ResumeArguments
    late = True
    by_people = ("agreed",)
    wanted = False
    words = "a template that was changed meanwhile is rolled out at once"

    def proof(self, arguments: Mapping[str, Any], kind: str) -> Proof | None:
        return rolled_out(kind)

    def hindered(self, effect: Effect, obj: dict[str, Any]) -> Iterator[str]:
        if patches.get(obj, PAUSED) is not True:
            yield "its rollout is not paused: there is nothing to resume"
            return
        who, ours = handsoff.setter(obj, PAUSED)
        if not ours and not effect.given.get("agreed"):
            yield f"its rollout was paused by {who}, not by Console: ask them, and say `agreed` with whom it was"

    def consequences(
        self, effect: Effect, obj: dict[str, Any], touched: tuple[str, ...], now: float, beside: Beside = NOTHING
    ) -> list[Consequence]:
        out = super().consequences(effect, obj, touched, now, beside)
        if agreed := effect.given.get("agreed"):
            who, _ = handsoff.setter(obj, PAUSED)
            out.append(Consequence("owner", "warning", f"paused by {who}; agreed with {clean(str(agreed))}"))
        return out


VERB = ResumeRollout()
