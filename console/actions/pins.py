"""What must still be true of an object when a change arrives, and the tests of a JSON Patch that ask for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

from console.actions import patches
from console.actions.effects import STAMP, Effect


@dataclass(frozen=True)
class Pin:
    """What must still be true when the change is applied.

    Attributes:
        generation: 0 where the server counts none.
        touched: the pointers that are compared: where a parent is missing, the topmost missing one.
        before: their present values; a field that does not exist is missing here.
    """

    uid: str
    generation: int
    touched: tuple[str, ...] = ()
    before: dict[str, Any] = field(default_factory=dict)

    def differs(self, other: Pin) -> str:
        """In words, what of this pin is no longer true in `other`; `` where all is."""
        if self.uid != other.uid:
            return "the object was deleted and created again"
        if self.touched != other.touched or self.before != other.before:
            return "a field that the change touches has another value now"
        if self.generation != other.generation:
            return f"its spec was changed meanwhile (generation {self.generation} → {other.generation})"
        return ""


def uid_of(obj: dict[str, Any]) -> str:
    return str((obj.get("metadata") or {}).get("uid") or "")


def generation_of(obj: dict[str, Any]) -> int:
    value = (obj.get("metadata") or {}).get("generation")
    return value if isinstance(value, int) else 0


def stamp_of(obj: dict[str, Any]) -> str:
    """The last change of Console that the object carries."""
    return str(((obj.get("metadata") or {}).get("annotations") or {}).get(STAMP) or "")


def of_fields(effect: Effect, obj: dict[str, Any]) -> Pin:
    """The pin of the effect on the object as it is, with the fields that it touches."""
    pointers = effect.touched or patches.touched(effect.patch, effect.patch_type)
    touched = tuple(dict.fromkeys(_anchor(obj, at) for at in pointers))
    return Pin(uid_of(obj), generation_of(obj), touched, patches.before(obj, touched))


def _anchor(obj: Any, pointer: str) -> str:
    """The pointer itself, or its topmost part that does not exist; an item that is appended stands for its list."""
    seen: list[str] = []
    for part in patches.parts(pointer):
        if isinstance(obj, list) and part == "-":
            break
        seen.append(part)
        if isinstance(obj, dict) and obj.get(part) is not None:
            obj = obj[part]
        elif isinstance(obj, list) and part.isdigit() and int(part) < len(obj):
            obj = obj[int(part)]
        else:
            break
    return patches.pointer(tuple(seen))


def tests(held: Pin) -> list[dict[str, Any]]:
    """The operations that let the patch through only where the pin holds."""
    out: list[dict[str, Any]] = [{"op": "test", "path": "/metadata/uid", "value": held.uid}]
    if held.generation:
        out.append({"op": "test", "path": "/metadata/generation", "value": held.generation})
    out += [{"op": "test", "path": at, "value": held.before.get(at)} for at in held.touched]
    return out


def pinned(effect: Effect, held: Pin) -> Effect:
    """The effect with the UID and the fields that it is pinned to."""
    target = effect.target
    return replace(effect, target=None if target is None else replace(target, uid=held.uid), touched=held.touched)
