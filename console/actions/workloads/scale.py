"""`action: scale`: how many pods there are of a workload."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from console.actions import patches
from console.actions.beside import NOTHING, Beside, ReadWanted
from console.actions.effects import Consequence, Effect
from console.actions.proof import Proof
from console.actions.verb import Objection, Verb
from console.actions.workloads import autoscaling
from console.base.text import clean, plural

EXECUTORS = "/spec/executor/instances"
REPLICAS = "/spec/replicas"
_SERVERS = "SparkConnect"


class ScaleArguments(Struct, frozen=True):
    """`to`: how many."""

    to: int | str | None = None


def field_of(kind: str) -> str:
    """Where a kind says how many pods it wants."""
    return EXECUTORS if kind == _SERVERS else REPLICAS


class Scale(Verb):
    name = "scale"
    noun = "scaling"
    asks = "Scale"
    does = "scale"
    arguments = ScaleArguments
    way_back = "always"
    late = True

    def objections(self, arguments: Mapping[str, Any]) -> Iterator[Objection]:
        to = arguments.get("to")
        if to is None:
            yield Objection("scale-to", "does not say to how many", "write `to: 3`")
        elif _count(to) is None and "{" not in str(to):
            yield Objection("scale-to", f"scales to {clean(str(to))!r}, which is no number of pods", "write `to: 3`")

    def proof(self, arguments: Mapping[str, Any], kind: str) -> Proof | None:
        if kind == _SERVERS:
            return Proof("object.status.state|default('') == 'Ready'", hold="1m")
        ready = "availableReplicas" if kind in ("Deployment", "StatefulSet") else "readyReplicas"
        parts = (f"object.status.{ready}", "object.status.replicas")
        return Proof(" and ".join(f"{part}|default(0) == object.spec.replicas" for part in parts), hold="1m")

    def reads(self, effect: Effect, obj: dict[str, Any]) -> tuple[ReadWanted, ...]:
        assert effect.target is not None
        return (*super().reads(effect, obj), *autoscaling.reads(effect.target.namespace))

    def settle(self, effect: Effect, obj: dict[str, Any], beside: Beside, now: float) -> Effect:
        assert effect.target is not None
        at, to = field_of(effect.target.kind), _count(effect.given.get("to"))
        patch = patches.setting(at, to)
        return replace(effect, patch_type="merge", patch=patch, touched=(at,))

    def obstacles(self, effect: Effect, obj: dict[str, Any], beside: Beside) -> Iterator[str]:
        yield from super().obstacles(effect, obj, beside)
        assert effect.target is not None
        at = field_of(effect.target.kind)
        if at == REPLICAS and not isinstance(patches.get(obj, at), int):
            yield f"{clean(effect.target.kind)} {effect.target.words} has no spec.replicas"
        to = _count(effect.given.get("to"))
        yield from autoscaling.obstacles(effect.target, patches.get(obj, at), to, beside)

    def consequences(
        self, effect: Effect, obj: dict[str, Any], touched: tuple[str, ...], now: float, beside: Beside = NOTHING
    ) -> list[Consequence]:
        assert effect.target is not None
        at = field_of(effect.target.kind)
        had, to = patches.get(obj, at), _count(patches.get(effect.patch, at))
        return [*_ended(had, to, effect.target.kind), *autoscaling.consequences(effect.target, to, beside)]


def _ended(had: Any, to: int | None, kind: str) -> Iterator[Consequence]:
    if not isinstance(had, int) or to is None:
        return
    if to < had:
        rest = "none is left" if to == 0 else f"{plural(to, 'pod')} {'is' if to == 1 else 'are'} left"
        yield Consequence(
            "restart", "warning", f"{plural(had - to, 'pod')} of it {'ends' if had - to == 1 else 'end'}; {rest}"
        )
    if to > had:
        yield Consequence("restart", "info", f"{plural(to - had, 'pod')} more; those that run go on")
    if to < had and kind == "StatefulSet":
        yield Consequence("loss", "info", "the volume claims of the pods that end are kept")


def _count(value: Any) -> int | None:
    """A number of pods, as YAML or a template gave it."""
    text = str(value).strip()
    return int(text) if text.isdecimal() and len(text) < 7 and not isinstance(value, bool) else None


VERB = Scale()
