"""`action: untaint`: a taint is taken off a node."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from console.actions.beside import NOTHING, Beside
from console.actions.effects import Consequence, Effect
from console.actions.nodes.taint import Taint, Taints, taints_of
from console.base.text import clean

OTHERS = ("node.kubernetes.io/", "node.cloudprovider.kubernetes.io/")
"""Taints of the cluster's own controllers, which set them again as long as they hold."""


class UntaintArguments(Struct, frozen=True):
    """`key` of the taint; without `taint_effect` every taint of the key goes."""

    key: str | None = None
    taint_effect: str | None = None


class Untaint(Taint):
    name = "untaint"
    noun = "an untaint"
    asks = "Take a taint off"
    does = "take a taint off"
    arguments = UntaintArguments

    def taints(self, present: Taints, arguments: Mapping[str, Any]) -> Taints:
        return [one for one in present if not _meant(one, arguments)]

    def obstacles(self, effect: Effect, obj: dict[str, Any], beside: Beside) -> Iterator[str]:
        yield from super().obstacles(effect, obj, beside)
        key = str(effect.given.get("key"))
        if key.startswith(OTHERS):
            yield f"{clean(key)} is a taint of the cluster's own controllers: it goes when its reason goes"
        elif not any(_meant(one, effect.given) for one in taints_of(obj)):
            yield f"it has no such taint {clean(key)}"

    def consequences(
        self, effect: Effect, obj: dict[str, Any], touched: tuple[str, ...], now: float, beside: Beside = NOTHING
    ) -> list[Consequence]:
        return [Consequence("nodes", "info", "pods that wait may be placed on it at once")]


def _meant(taint: dict[str, Any], arguments: Mapping[str, Any]) -> bool:
    effect = arguments.get("taint_effect")
    return taint.get("key") == arguments.get("key") and effect in (None, taint.get("effect"))


VERB = Untaint()
