"""`action: taint`: pods that do not tolerate it are kept off a node, or ended."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from msgspec import Struct
from msgspec.structs import replace

from console.actions import patches
from console.actions.beside import NOTHING, Beside
from console.actions.effects import Consequence, Effect
from console.actions.nodes.cordon import NODE
from console.actions.verb import Objection, Verb
from console.base.shapes import mapping, mappings
from console.base.text import clean

TAINTS = "/spec/taints"
EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
Taints = list[dict[str, Any]]


class TaintArguments(Struct, frozen=True):
    """`key` of the taint, its `value` where it has one, and its `taint_effect` (NoSchedule where it is left out)."""

    key: str | None = None
    value: str | None = None
    taint_effect: str | None = None


class Taint(Verb):
    name = "taint"
    noun = "a taint"
    asks = "Taint"
    does = "taint"
    arguments: ClassVar[type[Struct]] = TaintArguments
    kinds = NODE
    way_back = "always"
    late = True

    def objections(self, arguments: Mapping[str, Any]) -> Iterator[Objection]:
        if not arguments.get("key"):
            yield Objection(f"{self.name}-without-key", "names no taint", "write `key: console.oncall/ill`")
        effect = arguments.get("taint_effect")
        if effect is not None and effect not in EFFECTS and "{" not in str(effect):
            said = f"has an effect {clean(str(effect))!r} that Kubernetes does not know"
            yield Objection(f"{self.name}-effect", said, f"effects: {', '.join(EFFECTS)}")

    def settle(self, effect: Effect, obj: dict[str, Any], beside: Beside, now: float) -> Effect:
        taints = self.taints(taints_of(obj), effect.given)
        return replace(effect, patch_type="merge", patch=patches.setting(TAINTS, taints or None), touched=(TAINTS,))

    def taints(self, present: Taints, arguments: Mapping[str, Any]) -> Taints:
        """The taints as they are wanted."""
        key, wanted = arguments.get("key"), arguments.get("taint_effect") or EFFECTS[0]
        new = {"key": key, "effect": wanted}
        if arguments.get("value") is not None:
            new["value"] = str(arguments["value"])
        return [*(t for t in present if (t.get("key"), t.get("effect")) != (key, wanted)), new]

    def consequences(
        self, effect: Effect, obj: dict[str, Any], touched: tuple[str, ...], now: float, beside: Beside = NOTHING
    ) -> list[Consequence]:
        if effect.given.get("taint_effect") == "NoExecute":
            return [Consequence("restart", "warning", "pods on it that do not tolerate the taint are ended at once")]
        return [Consequence("nodes", "info", "the pods on it go on; new ones that do not tolerate it go elsewhere")]


def taints_of(obj: dict[str, Any]) -> Taints:
    return mappings(mapping(obj.get("spec")).get("taints"))


VERB = Taint()
