"""`action: delete`: one object is deleted, and no other of its name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from console.actions import aftermath, pins
from console.actions.beside import NOTHING, Beside
from console.actions.effects import Consequence, Effect
from console.actions.pins import Pin
from console.actions.verb import ApiRequest, Arrived, Right, Verb
from console.base.shapes import mapping, mappings
from console.base.text import clean

MIRROR = "kubernetes.io/config.mirror"


class Delete(Verb):
    name = "delete"
    noun = "a deletion"
    asks = "Delete"
    does = "delete"
    lasts = False

    def no_way_back(self, *, target: bool) -> tuple[str, str] | None:
        return "a deleted object cannot be captured back", "say `irreversible` and why"

    def obstacles(self, effect: Effect, obj: dict[str, Any], beside: Beside) -> Iterator[str]:
        yield from super().obstacles(effect, obj, beside)
        if effect.inverse_of and pins.stamp_of(obj) != effect.inverse_of:
            yield f"it is not what {effect.inverse_of} made: it carries no such stamp"
        if MIRROR in mapping(mapping(obj.get("metadata")).get("annotations")):
            yield f"it is a static pod: the kubelet runs it from a file on its node, and {self.noun} does not end it"

    def rights(self, effect: Effect, resource: str, namespace: str) -> tuple[Right, ...]:
        assert effect.target is not None
        group = effect.target.api_version.rpartition("/")[0]
        return (Right("delete", group, resource, namespace, effect.target.name),)

    def pin(self, effect: Effect, obj: dict[str, Any]) -> Pin:
        return Pin(pins.uid_of(obj), 0)

    def request(self, effect: Effect, obj: dict[str, Any], pin: Pin) -> ApiRequest:
        return ApiRequest("DELETE", uid=pin.uid)

    def locally(self, effect: Effect, obj: dict[str, Any]) -> dict[str, Any] | None:
        return None

    def dropped(self, effect: Effect, obj: dict[str, Any], after: dict[str, Any]) -> tuple[str, ...]:
        return ()

    def shown(self, obj: dict[str, Any]) -> tuple[str, ...] | None:
        meta = obj.get("metadata") or {}
        lines = [f"-{obj.get('kind')} {meta.get('namespace', '')}/{meta.get('name')}", f"-  uid: {meta.get('uid')}"]
        lines.append(f"-  created: {meta.get('creationTimestamp')}")
        lines += [f"-  owner: {o.get('kind')} {o.get('name')}" for o in mappings(meta.get("ownerReferences"))]
        return tuple(clean(line) for line in lines)

    def consequences(
        self, effect: Effect, obj: dict[str, Any], touched: tuple[str, ...], now: float, beside: Beside = NOTHING
    ) -> list[Consequence]:
        return aftermath.of_deletion(obj, now)

    def sent(self, what: str) -> str:
        return f"{what} is being deleted"

    def gone(self, what: str) -> tuple[Arrived, str]:
        return "yes", f"{what} is gone"

    def landed(
        self, effect: Effect, before: dict[str, Any], generation: int, obj: dict[str, Any]
    ) -> tuple[Arrived, str]:
        target = effect.target
        assert target is not None
        if target.uid and pins.uid_of(obj) != target.uid:
            return "yes", f"{target.words} is another object now"
        if (obj.get("metadata") or {}).get("deletionTimestamp"):
            return "yes", f"{target.words} is being deleted"
        return "no", f"{target.words} is still there and not being deleted"

    def inverse(self, effect: Effect, before: dict[str, Any]) -> Effect | None:
        return None


VERB = Delete()
