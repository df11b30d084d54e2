"""`action: rollback`: the pod template of a workload as it was, the revision before or a chosen one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from console.actions.beside import NOTHING, Beside, ReadWanted
from console.actions.effects import Consequence, Effect
from console.actions.proof import Proof, rolled_out
from console.actions.verb import Objection, Verb
from console.actions.workloads import revisions
from console.actions.workloads.restart import ROLLING, held_back
from console.base.text import clean
from console.base.units import parse_count

TEMPLATE = "/spec/template"


class RollbackArguments(Struct, frozen=True):
    """`to`: number of a revision; the one before the present one where it is left out."""

    to: int | str | None = None


class Rollback(Verb):
    """Undone by going to the revision that was the present one: a template may hold secrets, a number holds none."""

    name = "rollback"
    noun = "a rollback"
    asks = "Roll back"
    does = "roll back"
    arguments = RollbackArguments
    kinds = ROLLING
    way_back = "always"
    late = True

    def objections(self, arguments: Mapping[str, Any]) -> Iterator[Objection]:
        to = arguments.get("to")
        if to is not None and not parse_count(to) and "{" not in str(to):
            yield Objection("rollback-to", f"goes back to {clean(str(to))!r}, which is no revision", "write `to: 3`")

    def proof(self, arguments: Mapping[str, Any], kind: str) -> Proof | None:
        return rolled_out(kind)

    def reads(self, effect: Effect, obj: dict[str, Any]) -> tuple[ReadWanted, ...]:
        assert effect.target is not None
        return (*super().reads(effect, obj), revisions.wanted(effect.target, obj))

    def settle(self, effect: Effect, obj: dict[str, Any], beside: Beside, now: float) -> Effect:
        known = revisions.revisions(obj, beside)
        to = revisions.chosen(known, parse_count(effect.given.get("to")))
        patch = [{"op": "replace", "path": TEMPLATE, "value": to.template}]
        arguments = {"to": to.number, "was": known[-1].number}
        return replace(effect, patch_type="json", patch=patch, arguments=arguments, touched=(TEMPLATE,))

    def obstacles(self, effect: Effect, obj: dict[str, Any], beside: Beside) -> Iterator[str]:
        yield from super().obstacles(effect, obj, beside)
        yield from held_back(obj)

    def consequences(
        self, effect: Effect, obj: dict[str, Any], touched: tuple[str, ...], now: float, beside: Beside = NOTHING
    ) -> list[Consequence]:
        words = f"its template becomes that of revision {effect.given.get('to')}"
        return [
            *super().consequences(effect, obj, touched, now, beside),
            Consequence("fields", "info", f"{words}; what ConfigMaps and Secrets hold is not part of a revision"),
        ]

    def inverse(self, effect: Effect, before: dict[str, Any]) -> Effect | None:
        was = effect.given.get("was")
        return self.undo(effect, arguments={"to": was}, patch=None, patch_type="", touched=()) if was else None


VERB = Rollback()
