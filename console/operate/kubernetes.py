"""Sending what a verb describes to the object that it is for: a dry run, or once for good."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from console.actions import verb_of
from console.actions.effects import Effect, ObjectRef
from console.actions.owners import written_at
from console.actions.pins import Pin, generation_of, uid_of
from console.actions.verb import ApiRequest
from console.base.errors import ConsoleError, ForbiddenError, LoginNeeded, ReachError
from console.base.redact import MARK, redact
from console.base.text import clean, shorten
from console.wire.errors import ApiError, ConflictError, InvalidError, NotFoundError, TooManyError
from console.wire.paths import object_path
from console.wire.reader import Reader
from console.wire.reviews import ApiResource
from console.wire.writer import Writer


@dataclass(frozen=True)
class ObjectAddress:
    """Where an object lives on the server."""

    target: ObjectRef
    resource: ApiResource
    path: str

    @property
    def group(self) -> str:
        group, _, _ = self.target.api_version.rpartition("/")
        return group


class ObjectChanged(ConsoleError):
    """The object is not the one that was looked at."""


class ObjectGone(ObjectChanged):
    """The object does not exist any more."""


class NotNow(ConsoleError):
    """The server takes it at another time: a disruption budget, or its own limits."""


class RedactedWriteError(ConsoleError):
    """A text that was redacted would be written: a secret would be lost."""


@dataclass(frozen=True)
class Sent:
    """What became of a write, `at` by the server's clock. ok None: no answer came, it may have been applied or not."""

    ok: bool | None
    message: str
    generation: int = 0
    at: float | None = None


async def place(reader: Reader, target: ObjectRef) -> ObjectAddress:
    """Where the target lives, by the server's own discovery."""
    resource = await reader.resource(target.api_version, target.kind)
    namespace = target.namespace if resource.namespaced else ""
    return ObjectAddress(target, resource, object_path(target.api_version, resource.plural, namespace, target.name))


async def read(reader: Reader, at: ObjectAddress, *, uid: str = "") -> dict[str, Any]:
    """The object as it is.

    Raises:
        ObjectGone: there is none.
        ObjectChanged: it is another one than `uid`.
    """
    try:
        obj = await reader.object(at.path)
    except NotFoundError:
        raise ObjectGone(f"{at.target.kind} {at.target.words} does not exist any more") from None
    if uid and uid_of(obj) != uid:
        raise ObjectChanged(
            f"{at.target.kind} {at.target.words} is not the one that was looked at: it was deleted and created again"
        )
    return obj


async def dry_run(writer: Writer, at: ObjectAddress, effect: Effect, obj: dict[str, Any], held: Pin) -> dict[str, Any]:
    """The object as the server would store it. Nothing is stored.

    Raises:
        ObjectChanged: the pin does not hold any more.
        ConsoleError: the server says no.
    """
    try:
        return await _request(writer, at, verb_of(effect.action).request(effect, obj, held), dry_run=True)
    except (NotFoundError, ConflictError) as error:
        raise ObjectChanged(f"{at.target.words} has changed: {error.message}") from None
    except InvalidError as error:
        if not _does_not_fit(error):
            raise ConsoleError(said(error)) from None
    except TooManyError as error:
        raise NotNow(said(error)) from None
    raise ObjectChanged(f"{at.target.words} has changed while it was looked at, or the patch does not fit it")


async def send(writer: Writer, at: ObjectAddress, effect: Effect, obj: dict[str, Any], held: Pin) -> Sent:
    """Send the change, once. Every answer that says no for certain comes back as ok False."""
    verb = verb_of(effect.action)
    try:
        answer = await _request(writer, at, verb.request(effect, obj, held), dry_run=False)
    except (NotFoundError, ConflictError) as error:
        return Sent(False, f"not applied: it has changed meanwhile ({error.message})")
    except InvalidError as error:
        why = "it has changed meanwhile" if _does_not_fit(error) else said(error)
        return Sent(False, f"not applied: {why}")
    except (ForbiddenError, LoginNeeded) as error:
        return Sent(False, f"not applied: {error.message}")
    except ApiError as error:
        if error.status < 500:
            return Sent(False, f"not applied: {said(error)}")
        return Sent(None, f"the answer leaves it open: {error.message}")
    except ReachError as error:
        return Sent(None, f"no answer: {error.message}")
    except RedactedWriteError as error:
        return Sent(False, f"not applied: {error.message}")
    generation = generation_of(answer) if verb.lasts else 0
    return Sent(True, verb.sent(f"{at.target.kind} {at.target.words}"), generation, written_at(answer, writer.manager))


async def _request(writer: Writer, at: ObjectAddress, request: ApiRequest, *, dry_run: bool) -> dict[str, Any]:
    """Send one request. A field that the kind does not have is an error."""
    if _holds_mark(request.body):
        raise RedactedWriteError(
            f"this would write {MARK} to {at.target.words}", hint="what was redacted is never written back to a cluster"
        )
    path = f"{at.path}/{request.subresource}" if request.subresource else at.path
    match request.method:
        case "DELETE":
            # of a Job the server would else leave the pods behind
            return await writer.delete(path, uid=request.uid, propagation="Background", dry_run=dry_run)
        case "POST":
            return await writer.create(_into(at, request, path), request.body, dry_run=dry_run)
        case "PATCH":
            return await writer.patch(path + "?fieldValidation=Strict", request.body, "json", dry_run=dry_run)


def _into(at: ObjectAddress, request: ApiRequest, path: str) -> str:
    """Where an object is sent to: a subresource, another collection, or that of the target."""
    if request.subresource:
        return path
    place = at.path.rpartition("/")[0]
    if request.into is not None:
        place = object_path(*request.into, at.target.namespace)
    return place + "?fieldValidation=Strict"


def _holds_mark(body: Any) -> bool:
    """Whether a redacted text would be written. What a JSON Patch only tests is the server's own."""
    if isinstance(body, dict):
        return body.get("op") != "test" and any(_holds_mark(value) for value in body.values())
    if isinstance(body, list):
        return any(_holds_mark(item) for item in body)
    return isinstance(body, str) and MARK in body


def _does_not_fit(error: InvalidError) -> bool:
    """Whether an operation of a JSON Patch failed, a `test` for instance. The server names no cause then."""
    return error.status == 422 and not error.details.get("causes")


def said(error: ApiError) -> str:
    """What the server has against it, cause by cause; it quotes the whole object, which is left out.

    A disruption budget names itself there: `The disruption budget proxy needs 2 healthy pods and has 2 currently`.
    """
    causes = error.details.get("causes")
    words = []
    for cause in causes if isinstance(causes, list) else []:
        message = str(cause.get("message") or "") if isinstance(cause, dict) else ""
        words.append(message.rpartition('": ')[2] if message.startswith("Invalid value: ") else message)
    return shorten(clean(redact("; ".join(filter(None, words)))), 300) or error.message
