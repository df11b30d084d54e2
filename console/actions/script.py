"""A script of the library: a program that runs on this machine and may send what its step declares, and no more."""

from __future__ import annotations

from typing import Any

from console.actions.beside import NOTHING, Beside
from console.actions.effects import AllowedCall, Consequence, Effect
from console.actions.verb import Right, Verb


class Script(Verb):
    """Its argv is made by the runbook, from the arguments that the script declares."""

    name = "script"
    step = "script"
    noun = "a script"
    asks = "Run this on"
    does = "run a script on"
    runs = True

    def no_way_back(self, *, target: bool) -> tuple[str, str] | None:
        return None if target else ("there are no fields to capture here", "add a target")

    def consequences(
        self, effect: Effect, obj: dict[str, Any], touched: tuple[str, ...], now: float, beside: Beside = NOTHING
    ) -> list[Consequence]:
        return [*super().consequences(effect, obj, touched, now, beside), *self.may(effect)]

    def may(self, effect: Effect) -> list[Consequence]:
        """What it may send, in words."""
        words = "; ".join(call.words for call in effect.allowed) or "nothing"
        return [Consequence("permission", "info", f"it may send: {words}, and nothing else")]

    def right(self, call: AllowedCall, verb: str, plural: str, namespace: str) -> Right:
        """What one must be allowed to do for a call. `plural` is the resource of its kind."""
        group = call.target.api_version.rpartition("/")[0]
        resource = f"{plural}/{call.subresource}" if call.subresource else plural
        return Right(verb, group, resource, namespace, "" if verb == "create" else call.target.name)

    def locally(self, effect: Effect, obj: dict[str, Any]) -> dict[str, Any] | None:
        return None


VERB = Script()
