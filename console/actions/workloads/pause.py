"""`action: pause`: a Deployment rolls out nothing more until it is resumed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from console.actions import handsoff, patches
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

    def obstacles(self, effect: Effect, obj: dict[str, Any], beside: Beside) -> Iterator[str]:
        yield from super().obstacles(effect, obj, beside)
        yield from self.hindered(effect, obj)

    def hindered(self, effect: Effect, obj: dict[str, Any]) -> Iterator[str]:
        """Why the switch must not be turned, by where it stands."""
        if patches.get(obj, PAUSED) is True:
            yield f"its rollout is paused already, by {handsoff.setter(obj, PAUSED)[0]}"

    def consequences(
        self, effect: Effect, obj: dict[str, Any], touched: tuple[str, ...], now: float, beside: Beside = NOTHING
    ) -> list[Consequence]:
        return [Consequence("restart", "info", self.words)]


VERB = PauseRollout()
