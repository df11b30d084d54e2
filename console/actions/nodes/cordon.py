"""`action: cordon`: a node takes no new pods; those on it go on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from console.actions import patches
from console.actions.beside import NOTHING, Beside
from console.actions.effects import Consequence, Effect
from console.actions.proof import Proof, equals
from console.actions.verb import Body, Verb

UNSCHEDULABLE = "/spec/unschedulable"
NODE = (("", "Node"),)


class Cordon(Verb):
    name = "cordon"
    noun = "a cordon"
    asks = "Cordon"
    does = "cordon"
    kinds = NODE
    way_back = "always"

    def body(self, arguments: Mapping[str, Any]) -> Body:
        return Body(patches.setting(UNSCHEDULABLE, True), "merge", (UNSCHEDULABLE,))

    def proof(self, arguments: Mapping[str, Any], kind: str) -> Proof | None:
        return Proof(equals("spec.unschedulable", True), hold="30s", deadline="2m")

    def consequences(
        self, effect: Effect, obj: dict[str, Any], touched: tuple[str, ...], now: float, beside: Beside = NOTHING
    ) -> list[Consequence]:
        return [
            Consequence("restart", "info", "the pods on it go on, drivers and executors among them"),
            Consequence("nodes", "info", "new pods go elsewhere, or wait where no other node takes them"),
        ]


VERB = Cordon()
