"""`action: pause`: a Deployment rolls out nothing more until it is resumed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from console.actions import patches
from console.actions.beside import NOTHING, Beside
from console.actions.effects import Consequence, Effect
from console.actions.proof import Proof, equals
from console.actions.verb import Body, Verb

PAUSED = "/spec/paused"


class PauseRollout(Verb):
    name = "pause"
    noun = "a pause"
    asks = "Pause the rollout of"
    does = "pause the rollout of"
    kinds = (("apps", "Deployment"),)
    way_back = "always"
    wanted: ClassVar[bool] = True
    words: ClassVar[str] = "pods that run go on; no change of the template reaches one until it is resumed"

    def body(self, arguments: Mapping[str, Any]) -> Body:
        return Body(patches.setting(PAUSED, self.wanted or None), "merge", (PAUSED,))

    def proof(self, arguments: Mapping[str, Any], kind: str) -> Proof | None:
        return Proof(equals("spec.paused", self.wanted), hold="30s", deadline="2m")

    def consequences(
        self, effect: Effect, obj: dict[str, Any], touched: tuple[str, ...], now: float, beside: Beside = NOTHING
    ) -> list[Consequence]:
        return [Consequence("restart", "info", self.words)]


VERB = PauseRollout()
