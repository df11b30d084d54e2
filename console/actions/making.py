"""What verbs share that make an object: it carries the stamp from its birth, and is deleted where it must not stay.

The object that is sent stands in the effect's `patch`, and is what a person is shown: servers add what differs with
every dry run (the UID of a Job in its labels).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

from msgspec import UNSET
from msgspec.structs import replace

from console.actions import pins
from console.actions.beside import Beside, ReadWanted, found
from console.actions.effects import STAMP, Effect, ObjectRef
from console.actions.pins import Pin
from console.actions.verb import ApiRequest, Arrived, Right, Verb
from console.base.shapes import mapping
from console.base.text import clean

LONGEST = 63
"""Characters of a name that can be a label's value too."""


class Making(Verb):
    """A verb that makes an object; where it makes none (`makes`), it changes its target as any other."""

    def makes(self, effect: Effect) -> bool:
        return True

    def collection(self, effect: Effect) -> tuple[str, str] | None:
        """API version and plural of where the object goes; None for the collection of the target."""
        return None

    def rights(self, effect: Effect, resource: str, namespace: str) -> tuple[Right, ...]:
        if not self.makes(effect):
            return super().rights(effect, resource, namespace)
        assert effect.target is not None
        api_version, plural = self.collection(effect) or (effect.target.api_version, resource)
        return (Right("create", api_version.rpartition("/")[0], plural, namespace),)

    def reads(self, effect: Effect, obj: dict[str, Any]) -> tuple[ReadWanted, ...]:
        where = effect.target.namespace if effect.target is not None else ""
        space = (ReadWanted("namespace", "v1", "Namespace", name=where),) if where else ()
        return (*super().reads(effect, obj), *space)

    def obstacles(self, effect: Effect, obj: dict[str, Any], beside: Beside) -> Iterator[str]:
        yield from super().obstacles(effect, obj, beside)
        for space in found(beside, "namespace").items if self.makes(effect) else ():
            if gone := (space.get("metadata") or {}).get("deletionTimestamp"):
                where = effect.target.namespace if effect.target is not None else ""
                yield f"namespace {clean(where)} is being deleted since {clean(str(gone))}: nothing can be made in it"

    def pin(self, effect: Effect, obj: dict[str, Any]) -> Pin:
        return Pin(pins.uid_of(obj), 0) if self.makes(effect) else super().pin(effect, obj)

    def request(self, effect: Effect, obj: dict[str, Any], pin: Pin) -> ApiRequest:
        if not self.makes(effect):
            return super().request(effect, obj, pin)
        return ApiRequest("POST", effect.patch, into=self.collection(effect))

    def locally(self, effect: Effect, obj: dict[str, Any]) -> dict[str, Any] | None:
        return mapping(effect.patch) if self.makes(effect) else super().locally(effect, obj)

    def dropped(self, effect: Effect, obj: dict[str, Any], after: dict[str, Any]) -> tuple[str, ...]:
        return () if self.makes(effect) else super().dropped(effect, obj, after)

    def trace(self, effect: Effect) -> ObjectRef | None:
        made = mapping(effect.patch)
        if not self.makes(effect) or "kind" not in made or effect.target is None:
            return effect.target
        return ObjectRef(made["apiVersion"], made["kind"], effect.target.namespace, made["metadata"]["name"])

    def sent(self, what: str) -> str:
        return f"made for {what}" if not self.creates else f"made {what}"

    def gone(self, what: str) -> tuple[Arrived, str]:
        return "no", f"there is no {what}"

    def landed(
        self, effect: Effect, before: dict[str, Any], generation: int, obj: dict[str, Any]
    ) -> tuple[Arrived, str]:
        if not self.makes(effect):
            return super().landed(effect, before, generation, obj)
        trace = self.trace(effect)
        assert trace is not None
        if pins.stamp_of(obj) == effect.id:
            return "yes", f"{trace.words} carries the stamp {effect.id}"
        return "no", f"{trace.words} is another one, without the stamp {effect.id}"

    def inverse(self, effect: Effect, before: dict[str, Any]) -> Effect | None:
        if not self.makes(effect):
            return super().inverse(effect, before)
        words = "it deletes what was made"
        fields = {"action": "delete", "target": self.trace(effect), "arguments": UNSET, "reason": words}
        return self.undo(effect, patch=None, patch_type="", touched=(), **fields)


def stamped(effect: Effect, made: dict[str, Any]) -> Effect:
    """The effect that sends this object, with its stamp."""
    meta = mapping(made.get("metadata"))
    notes = {**mapping(meta.get("annotations")), STAMP: effect.id}
    patch = {**made, "metadata": {**meta, "annotations": notes}}
    return replace(effect, patch=patch, patch_type="", touched=())


def name_of(base: str, effect: Effect) -> str:
    """A name of its own for what an effect makes; the same whenever it is worked out."""
    end = f"-{hashlib.sha256(effect.id.encode()).hexdigest()[:8]}"
    return base[: LONGEST - len(end)].rstrip("-.") + end
