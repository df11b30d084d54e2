"""`action: uncordon`: a node takes pods again, unless whoever cordoned it has not said so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from console.actions import handsoff, patches
from console.actions.beside import NOTHING, Beside
from console.actions.effects import Consequence, Effect
from console.actions.nodes.cordon import NODE, UNSCHEDULABLE
from console.actions.proof import Proof, equals
from console.actions.verb import Body, Verb
from console.base.text import clean


class UncordonArguments(Struct, frozen=True):
    """`agreed`: with whom it was agreed, where somebody else cordoned it."""

    agreed: str | None = None


class Uncordon(Verb):
    name = "uncordon"
    noun = "an uncordon"
    asks = "Uncordon"
    does = "uncordon"
    arguments = UncordonArguments
    kinds = NODE
    way_back = "always"
    late = True
    by_people = ("agreed",)

    def body(self, arguments: Mapping[str, Any]) -> Body:
        return Body(patches.setting(UNSCHEDULABLE, None), "merge", (UNSCHEDULABLE,))

    def proof(self, arguments: Mapping[str, Any], kind: str) -> Proof | None:
        return Proof(equals("spec.unschedulable", False), hold="1m", deadline="3m")

    def obstacles(self, effect: Effect, obj: dict[str, Any], beside: Beside) -> Iterator[str]:
        yield from super().obstacles(effect, obj, beside)
        who, ours = handsoff.cordoner(obj)
        if who and not ours and not effect.given.get("agreed"):
            yield f"it was cordoned by {who}, not by Console: ask them, and say `agreed` with whom it was"

    def consequences(
        self, effect: Effect, obj: dict[str, Any], touched: tuple[str, ...], now: float, beside: Beside = NOTHING
    ) -> list[Consequence]:
        who, _ = handsoff.cordoner(obj)
        out = [Consequence("nodes", "info", "pods that wait may be placed on it at once")]
        if agreed := effect.given.get("agreed"):
            out.append(Consequence("owner", "warning", f"cordoned by {who}; agreed with {clean(str(agreed))}"))
        elif who:
            out.append(Consequence("owner", "info", f"cordoned by {who}"))
        return out


VERB = Uncordon()
