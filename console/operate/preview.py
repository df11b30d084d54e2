"""What the server says would change and what follows from it: the dry run, the diff, the captured way back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

from console.base.errors import ConsoleError, ForbiddenError, ReachError
from console.base.redact import redact
from console.base.text import clean, shorten
from console.operate import aftermath, capacity, confirm, kubernetes, owners
from console.operate.diff import MAX_LINES, MAX_WIDTH, diff, fingerprint
from console.operate.kubernetes import Pin, Place
from console.operate.policy import Rules
from console.operate.scripts import Finished
from console.operate.sealing import keeps, seal_before, seal_effect
from console.runbook import patches
from console.runbook.effects import Consequence, Effect, Preview
from console.wire.errors import NotFoundError
from console.wire.paths import object_path
from console.wire.reader import Reader
from console.wire.writer import Writer

NOT_KEPT = "its present value is a secret, which is not kept, so it could not be put back"
RunScript = Callable[[Effect, bool], Awaitable[Finished]]
"""Runs a script's effect; the flag asks for a dry run."""


@dataclass(frozen=True)
class Look:
    """One look at what an effect would do.

    Attributes:
        preview: for people and the journal: no secrets in it.
        effect: what would be sent, pinned, its secrets in it.
        obj: the object as it is; None for a script without a target.
        rollback: the inverse, or None.
    """

    preview: Preview
    effect: Effect
    pin: Pin
    obj: dict[str, Any] | None = None
    rollback: Effect | None = None

    def differs(self, later: Look) -> str:
        """In words, why a later look is not what was confirmed; `` where it is the same."""
        if self.preview.fingerprint != later.preview.fingerprint:
            return "what would change is not what you saw"
        return self.pin.differs(later.pin)


@dataclass(frozen=True)
class Scene:
    """What a look is made with. Without a `writer` (a read-only context) the server is not asked for a dry run."""

    reader: Reader
    writer: Writer | None
    rules: Rules
    now: Callable[[], float]
    cluster: str
    run_script: RunScript | None = None
    objects: int = 1
    read_only: str = ""
    known: tuple[Consequence, ...] | None = field(default=None)
    """Consequences of an earlier look, where only the dry run is made again."""


async def look(effect: Effect, at: Place | None, scene: Scene) -> Look:
    """Look at what the effect would do. Nothing is changed.

    Raises:
        Changed: the object is not the one that the runbook looked at.
        ConsoleError: the server refuses the change, or cannot be asked.
    """
    if at is None:
        effect, rollback = way_back(effect, Pin("", 0))
        return await _script(effect, None, Pin("", 0), rollback, scene)
    obj = await kubernetes.read(scene.reader, at, uid=effect.target.uid if effect.target else "")
    held = kubernetes.pin(effect, obj)
    effect = kubernetes.pinned(effect, held)
    effect, rollback = way_back(effect, held)
    if effect.action == "script":
        return await _script(effect, obj, held, rollback, scene)
    after: dict[str, Any] | None = None
    if scene.writer is not None:
        after = await kubernetes.dry_run(scene.writer, at, effect, obj, held)
        if effect.action == "patch" and (lost := kubernetes.dropped(effect, obj, after)):
            fields = ", ".join(map(owners.dotted, lost))
            raise ConsoleError(f"the server would drop {fields}: {at.target.kind} has no such field")
    elif effect.action == "patch":
        after = kubernetes.locally(effect, obj)
    lines = _deletion(obj) if effect.action == "delete" else diff(obj, after or obj)
    if not lines:
        raise ConsoleError(f"nothing would change: {at.target.words} already has these values")
    found = scene.known if scene.known is not None else await _consequences(effect, obj, after, held, scene)
    accepted = None if scene.writer is None else True
    message = "the server accepts it" if accepted else "worked out on this machine, the server was not asked"
    return _looked(effect, obj, held, rollback, lines, accepted, message, found, scene)


def _said(tried: Finished) -> tuple[str, ...]:
    """What a dry run printed, as lines of a diff; its closing JSON object is for machines."""
    said = tried.output.rstrip().removesuffix(tried.result)
    lines = said.rstrip().splitlines()[:MAX_LINES]
    return tuple(shorten(line if line[:1] in ("-", "+", " ") else f" {line}", MAX_WIDTH) for line in lines)


def way_back(effect: Effect, held: Pin) -> tuple[Effect, Effect | None]:
    """The effect and its inverse, captured from what the pin holds; without one the effect says that it has none."""
    if not effect.reversible or effect.inverse_of:
        return effect, None
    rollback = patches.inverse(effect, held.before)
    if rollback is None:
        return replace(effect, reversible=False, reason=effect.reason or "there is no inverse of this change"), None
    if not keeps(rollback):
        return replace(effect, reversible=False, reason=NOT_KEPT), None
    return effect, rollback


async def _script(effect: Effect, obj: dict[str, Any] | None, held: Pin, rollback: Effect | None, scene: Scene) -> Look:
    lines: tuple[str, ...] = ()
    message, accepted = "the script was not asked what it would do", None
    if scene.writer is not None and scene.run_script is not None:
        tried = await scene.run_script(effect, True)
        if not tried.ok:
            tail = tried.output.rstrip().rpartition("\n")[2] or "it said nothing"
            raise ConsoleError(f"the script's dry run {tried.words}: {shorten(clean(tail), 300)}")
        lines = _said(tried)
        message, accepted = "this is what the script says it would do", True
    found = scene.known
    if found is None and obj is not None:
        found = await _consequences(effect, obj, None, held, scene)
    elif found is None:
        found = aftermath.consequences(seal_effect(effect), {}, (), scene.now())
    return _looked(effect, obj, held, rollback, lines, accepted, message, found, scene)


def _looked(
    effect: Effect,
    obj: dict[str, Any] | None,
    held: Pin,
    rollback: Effect | None,
    lines: tuple[str, ...],
    accepted: bool | None,
    message: str,
    found: tuple[Consequence, ...],
    scene: Scene,
) -> Look:
    level, expect = confirm.tier(effect, scene.rules, objects=scene.objects)
    sealed = seal_effect(effect)
    kind = effect.target.kind if effect.target else ""
    preview = Preview(
        effect=sealed,
        diff=lines,
        accepted=accepted,
        message=message,
        consequences=found,
        fingerprint=fingerprint((*lines, *sealed.argv)),
        rollback_at=None if rollback is None else scene.now(),
        before=seal_before(held.before, kind),
        generation=held.generation,
        tier=level,
        expect=expect,
        cluster=scene.cluster,
        read_only=scene.read_only,
    )
    return Look(preview, effect, held, obj, rollback)


def _deletion(obj: dict[str, Any]) -> tuple[str, ...]:
    meta = obj.get("metadata") or {}
    lines = [f"-{obj.get('kind')} {meta.get('namespace', '')}/{meta.get('name')}", f"-  uid: {meta.get('uid')}"]
    lines.append(f"-  created: {meta.get('creationTimestamp')}")
    lines += [f"-  owner: {o.get('kind')} {o.get('name')}" for o in meta.get("ownerReferences") or []]
    return tuple(clean(line) for line in lines)


async def _consequences(
    effect: Effect, obj: dict[str, Any], after: dict[str, Any] | None, held: Pin, scene: Scene
) -> tuple[Consequence, ...]:
    out = list(aftermath.consequences(effect, obj, held.touched, scene.now()))
    if effect.action != "delete":
        schedule, error = await _schedule(scene.reader, obj)
        out += owners.consequences(obj, held.touched, held.before, schedule=schedule, schedule_error=error)
        if effect.inverse_of:
            out = [c for c in out if c.topic != "next run"]
    if after is not None:
        out += await capacity.fits(scene.reader, obj, after)
    return tuple(replace(c, text=redact(clean(c.text))) for c in out)


async def _schedule(reader: Reader, obj: dict[str, Any]) -> tuple[dict[str, Any] | None, str]:
    """The ScheduledSparkApplication that makes this object."""
    name = owners.schedule_of(obj)
    if not name:
        return None, ""
    namespace = str((obj.get("metadata") or {}).get("namespace") or "")
    try:
        path = object_path(str(obj.get("apiVersion")), "scheduledsparkapplications", namespace, name)
        return await reader.object(path), ""
    except NotFoundError:
        return None, "it does not exist"
    except (ForbiddenError, ReachError) as error:
        return None, error.message
