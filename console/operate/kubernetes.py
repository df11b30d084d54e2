"""Changes of Kubernetes objects: what pins them, the patch that goes out, and whether one arrived.

Every patch is sent as a JSON Patch whose first operations test the object's UID, its generation and the present values
of the fields that it touches, so that it can only be applied to what was looked at, and only once.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

from console.base.errors import ConsoleError, ForbiddenError, LoginNeeded, ReachError
from console.base.redact import redact
from console.base.text import clean, shorten
from console.runbook import patches
from console.runbook.effects import STAMP, Effect, ObjectRef
from console.wire.errors import ApiError, ConflictError, InvalidError, NotFoundError
from console.wire.paths import object_path
from console.wire.reader import Reader, Resource
from console.wire.writer import Writer

_STAMP_POINTER = "/metadata/annotations"


@dataclass(frozen=True)
class Place:
    """Where an object lives on the server."""

    target: ObjectRef
    resource: Resource
    path: str

    @property
    def group(self) -> str:
        group, _, _ = self.target.api_version.rpartition("/")
        return group


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


class Changed(ConsoleError):
    """The object is not the one that was looked at."""


class Gone(Changed):
    """The object does not exist any more."""


@dataclass(frozen=True)
class Sent:
    """What became of a write. ok None: no answer came, so it may have been applied or not."""

    ok: bool | None
    message: str
    generation: int = 0


async def place(reader: Reader, target: ObjectRef) -> Place:
    """Where the target lives, by the server's own discovery."""
    resource = await reader.resource(target.api_version, target.kind)
    namespace = target.namespace if resource.namespaced else ""
    return Place(target, resource, object_path(target.api_version, resource.plural, namespace, target.name))


async def read(reader: Reader, at: Place, *, uid: str = "") -> dict[str, Any]:
    """The object as it is.

    Raises:
        Gone: there is none.
        Changed: it is another one than `uid`.
    """
    try:
        obj = await reader.object(at.path)
    except NotFoundError:
        raise Gone(f"{at.target.kind} {at.target.words} does not exist any more") from None
    if uid and uid_of(obj) != uid:
        raise Changed(
            f"{at.target.kind} {at.target.words} is not the one that was looked at: it was deleted and created again"
        )
    return obj


def uid_of(obj: dict[str, Any]) -> str:
    return str((obj.get("metadata") or {}).get("uid") or "")


def generation_of(obj: dict[str, Any]) -> int:
    value = (obj.get("metadata") or {}).get("generation")
    return value if isinstance(value, int) else 0


def stamp_of(obj: dict[str, Any]) -> str:
    """The last change of Console that the object carries."""
    return str(((obj.get("metadata") or {}).get("annotations") or {}).get(STAMP) or "")


def pin(effect: Effect, obj: dict[str, Any]) -> Pin:
    """The pin of the effect on the object as it is."""
    if effect.action == "delete":
        return Pin(uid_of(obj), 0)
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


def changes(effect: Effect, obj: dict[str, Any]) -> list[dict[str, Any]]:
    """The operations that make the change on this object, without tests and stamp."""
    if effect.patch_type == "json":
        operations = effect.patch if isinstance(effect.patch, list | tuple) else []
        return [dict(operation) for operation in operations if isinstance(operation, dict)]
    out: list[dict[str, Any]] = []
    _merge(effect.patch, obj, (), out)
    return out


def _merge(patch: Any, obj: Any, path: tuple[str, ...], out: list[dict[str, Any]]) -> None:
    for key, value in patch.items():
        here = (*path, str(key))
        present = obj.get(key, patches.MISSING)
        if value is None:
            if present is not patches.MISSING:
                out.append({"op": "remove", "path": patches.pointer(here)})
        elif isinstance(value, dict) and isinstance(present, dict):
            _merge(value, present, here, out)
        else:
            out.append({"op": "add", "path": patches.pointer(here), "value": _without_nulls(value)})


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without_nulls(v) for k, v in value.items() if v is not None}
    return value


def stamp(effect: Effect, obj: dict[str, Any]) -> list[dict[str, Any]]:
    """The operations that leave the effect's id on the object."""
    if isinstance((obj.get("metadata") or {}).get("annotations"), dict):
        return [{"op": "add", "path": _STAMP_POINTER + patches.pointer((STAMP,)), "value": effect.id}]
    return [
        {"op": "test", "path": _STAMP_POINTER, "value": None},
        {"op": "add", "path": _STAMP_POINTER, "value": {STAMP: effect.id}},
    ]


def body(effect: Effect, obj: dict[str, Any], held: Pin) -> list[dict[str, Any]]:
    """The whole JSON Patch."""
    return [*tests(held), *changes(effect, obj), *stamp(effect, obj)]


def locally(effect: Effect, obj: dict[str, Any]) -> dict[str, Any]:
    """The object with the change made on this machine, for a preview where the server may not be asked."""
    out = deepcopy(obj)
    for operation in changes(effect, obj):
        *above, last = patches.parts(str(operation.get("path", "")))
        parent: Any = out
        for part in above:
            parent = parent[int(part)] if isinstance(parent, list) else parent.setdefault(part, {})
        match operation.get("op"), parent:
            case (("add" | "replace"), dict()):
                parent[last] = operation.get("value")
            case "remove", dict():
                parent.pop(last, None)
            case "add", list():
                parent.insert(len(parent) if last == "-" else int(last), operation.get("value"))
            case "replace", list():
                parent[int(last)] = operation.get("value")
            case "remove", list():
                del parent[int(last)]
            case _:
                raise ConsoleError(f"operation {clean(str(operation.get('op')))!r} has no local preview")
    return out


async def dry_run(writer: Writer, at: Place, effect: Effect, obj: dict[str, Any], held: Pin) -> dict[str, Any]:
    """The object as the server would store it. Nothing is stored.

    Raises:
        Changed: the pin does not hold any more.
        ConsoleError: the server says no.
    """
    try:
        if effect.action == "delete":
            return await writer.delete(at.path, uid=held.uid, dry_run=True)
        return await writer.patch(at.path + "?fieldValidation=Strict", body(effect, obj, held), "json", dry_run=True)
    except (NotFoundError, ConflictError) as error:
        raise Changed(f"{at.target.words} has changed: {error.message}") from None
    except InvalidError as error:
        if not _does_not_fit(error):
            raise ConsoleError(said(error)) from None
    raise Changed(f"{at.target.words} has changed while it was looked at, or the patch does not fit it")


def dropped(effect: Effect, obj: dict[str, Any], after: dict[str, Any]) -> tuple[str, ...]:
    """Pointers of fields that the server would not keep although the change sets them: its kind has no such field."""
    wanted = [str(o.get("path")) for o in changes(effect, obj) if o.get("op") in ("add", "replace")]
    return tuple(at for at in wanted if not at.endswith("/-") and patches.get(after, at) is patches.MISSING)


async def send(writer: Writer, at: Place, effect: Effect, obj: dict[str, Any], held: Pin) -> Sent:
    """Send the change, once. Every answer that says no for certain comes back as ok False."""
    try:
        if effect.action == "delete":
            await writer.delete(at.path, uid=held.uid)
            return Sent(True, f"{at.target.kind} {at.target.words} is being deleted")
        answer = await writer.patch(at.path + "?fieldValidation=Strict", body(effect, obj, held), "json")
    except (NotFoundError, ConflictError) as error:
        return Sent(False, f"not applied: it has changed meanwhile ({error.message})")
    except InvalidError as error:
        why = "it has changed meanwhile" if _does_not_fit(error) else said(error)
        return Sent(False, f"not applied: {why}")
    except (ForbiddenError, LoginNeeded) as error:
        return Sent(False, f"not applied: {error.message}")
    except ApiError as error:
        if error.status < 500:
            return Sent(False, f"not applied: {error.message}")
        return Sent(None, f"the answer leaves it open: {error.message}")
    except ReachError as error:
        return Sent(None, f"no answer: {error.message}")
    return Sent(True, f"applied to {at.target.kind} {at.target.words}", generation_of(answer))


def _does_not_fit(error: InvalidError) -> bool:
    """Whether an operation of a JSON Patch failed, a `test` for instance. The server names no cause then."""
    return error.status == 422 and not error.details.get("causes")


def said(error: InvalidError) -> str:
    """What the server finds wrong with the object, field by field; it quotes the whole object, which is left out."""
    causes = error.details.get("causes")
    words = []
    for cause in causes if isinstance(causes, list) else []:
        message = str(cause.get("message") or "") if isinstance(cause, dict) else ""
        words.append(message.rpartition('": ')[2] if message.startswith("Invalid value: ") else message)
    return shorten(clean(redact("; ".join(filter(None, words)))), 300) or error.message


def pinned(effect: Effect, held: Pin) -> Effect:
    """The effect with the UID and the fields that it is pinned to."""
    target = effect.target
    return replace(effect, target=None if target is None else replace(target, uid=held.uid), touched=held.touched)
