"""What the server says would change and what follows from it: the dry run, the diff, the captured way back."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from dataclasses import replace as replace_fields
from typing import Any

from msgspec.structs import replace

from console.actions import aftermath, owners, verb_of
from console.actions.beside import NOTHING, Beside
from console.actions.effects import Consequence, Effect, Preview
from console.actions.pins import Pin, pinned
from console.actions.script import VERB as SCRIPT
from console.actions.secrets import keeps, seal_before, seal_effect
from console.base.errors import ConsoleError, ForbiddenError, ReachError
from console.base.redact import redact
from console.base.text import clean, shorten
from console.operate import confirm, kubernetes
from console.operate.ahead import beside, capacity
from console.operate.ahead.diff import MAX_LINES, MAX_WIDTH, diff, fingerprint
from console.operate.kubernetes import ObjectAddress
from console.operate.policy import ChangeRules
from console.operate.scripts.process import Finished
from console.operate.scripts.runs import ScriptRunner
from console.wire.errors import ApiError, NotFoundError
from console.wire.guarded import ProxiedCall
from console.wire.paths import object_path
from console.wire.reader import Reader
from console.wire.writer import Writer

OF_NOW = frozenset({"restart", "loss", "sink"})
"""Topics that follow from how the object is at the moment; the others follow from what is set."""
_WEIGHT = {"info": 0, "unknown": 0, "warning": 1, "stop": 2}
_SHOWN_UNKNOWN = 1
"""Who said yes to what was not known said yes to a warning too."""
NOT_KEPT = "its present value is a secret, which is not kept, so it could not be put back"


@dataclass(frozen=True)
class PlannedChange:
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

    def differs(self, later: PlannedChange) -> str:
        """In words, why a later look is not what was confirmed; `` where it is the same."""
        if self.preview.fingerprint != later.preview.fingerprint:
            return "what would change is not what you saw"
        return worse(self.preview.consequences, later.preview.consequences) or self.pin.differs(later.pin)


@dataclass(frozen=True)
class PreviewContext:
    """What a look is made with. Without a `writer` (a read-only context) the server is not asked for a dry run."""

    reader: Reader
    writer: Writer | None
    rules: ChangeRules
    now: Callable[[], float]
    cluster: str
    run_script: ScriptRunner | None = None
    objects: int = 1
    read_only: str = ""
    known: tuple[Consequence, ...] | None = field(default=None)
    """Consequences of an earlier look, whose effect is looked at again as it was settled then: the dry run is made once
    more, and what follows from how the object is now."""


def worse(shown: tuple[Consequence, ...], now: tuple[Consequence, ...]) -> str:
    """In words, what weighs more now than what was shown, by the names under which it stands; `` where nothing does.

    How it stands is read anew while the question is open: only there it is said.
    """

    def weights(found: tuple[Consequence, ...]) -> dict[str, int]:
        out: dict[str, int] = {}
        for one in found:
            weight = _SHOWN_UNKNOWN if one.level == "unknown" else _WEIGHT[one.level]
            out[one.topic] = max(out.get(one.topic, 0), weight)
        return out

    was = weights(shown)
    more = dict.fromkeys(c.topic for c in now if _WEIGHT[c.level] > was.get(c.topic, 0))
    return f"more follows from it now than you saw: look at {', '.join(more)}" if more else ""


async def followed_by(planned: PlannedChange, at: ObjectAddress | None, context: PreviewContext) -> Preview:
    """The preview, with what follows from the change as the object is now; nothing is tried."""
    effect = planned.effect
    verb = verb_of(effect.action)
    if at is None or verb.creates:
        return planned.preview
    obj = await kubernetes.read(context.reader, at, uid=effect.target.uid if effect.target else "")
    seen = await beside.read(context.reader, verb.reads(effect, obj))
    known = replace_known(context, planned.preview.consequences)
    return replace(planned.preview, consequences=_renewed(effect, obj, planned.pin, known, seen))


def replace_known(context: PreviewContext, known: tuple[Consequence, ...]) -> PreviewContext:
    """The context of a look that comes after one which had these consequences."""
    return replace_fields(context, known=known)


async def plan(effect: Effect, at: ObjectAddress | None, context: PreviewContext) -> PlannedChange:
    """Look at what the effect would do. Nothing is changed.

    Raises:
        Changed: the object is not the one that the runbook looked at.
        ConsoleError: the server refuses the change, or cannot be asked.
    """
    if at is None:
        effect, rollback = way_back(effect, Pin("", 0))
        return await _script(effect, None, Pin("", 0), rollback, context)
    verb = verb_of(effect.action)
    obj = {} if verb.creates else await kubernetes.read(context.reader, at, uid=at.target.uid)
    seen = await beside.read(context.reader, verb.reads(effect, obj))
    if context.known is None:
        effect = verb.settle(effect, obj, seen, context.now())
    held = verb.pin(effect, obj)
    effect, rollback = way_back(pinned(effect, held), held)
    obstacles = tuple(Consequence("obstacle", "stop", clean(why)) for why in verb.obstacles(effect, obj, seen))
    if verb.runs:
        planned = await _script(effect, obj, held, rollback, context)
        told = (*obstacles, *planned.preview.consequences)
        return replace_fields(planned, preview=replace(planned.preview, consequences=told))
    if context.writer is None or obstacles:
        after = verb.locally(effect, obj)
    else:
        after = await kubernetes.dry_run(context.writer, at, effect, obj, held)
        if lost := verb.dropped(effect, obj, after):
            fields = ", ".join(map(owners.dotted, lost))
            raise ConsoleError(f"the server would drop {fields}: {at.target.kind} has no such field")
    lines = verb.shown(obj)
    if lines is None:
        lines = diff({}, effect.patch) if verb.makes(effect) else diff(obj, after or obj)
    if not lines and not obstacles:
        raise ConsoleError(f"nothing would change: {at.target.words} already has these values")
    if context.known is not None:
        found = _renewed(effect, obj, held, context, seen)
    else:
        found = await _consequences(effect, obj, after, held, context, seen)
    found = (*obstacles, *(c for c in found if c.topic != "obstacle"))
    accepted = None if context.writer is None or obstacles else True
    message = "the server accepts it" if accepted else "worked out on this machine, the server was not asked"
    return _planned(effect, obj, held, rollback, lines, accepted, message, found, context)


def _tried(tried: Finished) -> tuple[tuple[str, ...], str]:
    """What a dry run sent, as the server's own diff, and what it printed, as lines of one; and where they are from.

    What a script prints beside what it sent in the manner of a diff is left out: the server says it better.
    """
    sent = [line for call in tried.calls for line in (f" {call.words}", *_of_call(call))]
    said = tried.output.rstrip().removesuffix(tried.result).rstrip().splitlines()
    if sent:
        said = [line for line in said if line[:1] not in ("-", "+")]
    shown = [line if line[:1] in ("-", "+", " ") else f" {line}" for line in said]
    lines = tuple(shorten(line, MAX_WIDTH) for line in [*sent, *shown][:MAX_LINES])
    return lines, "the server accepts what the script sends" if sent else "this is what the script says it would do"


def _left_as(obj: dict[str, Any] | None, tried: Finished) -> dict[str, Any] | None:
    """The object as the last call of a dry run would leave it; None where none is about it."""
    uid = ((obj or {}).get("metadata") or {}).get("uid")
    found = [c.after for c in tried.calls if c.after is not None and (c.after.get("metadata") or {}).get("uid") == uid]
    return found[-1] if uid and found else None


def _of_call(call: ProxiedCall) -> tuple[str, ...]:
    """The lines that one call of a dry run would change."""
    if call.verb == "create" and call.after is not None:
        return diff({}, call.after)
    if call.verb in ("update", "patch") and call.before is not None and call.after is not None:
        return diff(call.before, call.after) or ("   nothing of it would change",)
    return ()


def way_back(effect: Effect, held: Pin) -> tuple[Effect, Effect | None]:
    """The effect and its inverse, captured from what the pin holds; without one the effect says that it has none."""
    if not effect.reversible or effect.inverse_of:
        return effect, None
    rollback = verb_of(effect.action).inverse(effect, held.before)
    if rollback is None:
        return replace(effect, reversible=False, reason=effect.reason or "there is no inverse of this change"), None
    if not keeps(rollback):
        return replace(effect, reversible=False, reason=NOT_KEPT), None
    return effect, rollback


async def _script(
    effect: Effect, obj: dict[str, Any] | None, held: Pin, rollback: Effect | None, context: PreviewContext
) -> PlannedChange:
    lines: tuple[str, ...] = ()
    message, accepted, after = "the script was not asked what it would do", None, None
    if context.writer is not None and context.run_script is not None:
        tried = await context.run_script(effect, "dry run", held)
        if not tried.ok:
            tail = "" if tried.refused else tried.output.rstrip().rpartition("\n")[2] or "it said nothing"
            raise ConsoleError(
                f"the script's dry run {tried.words}" + (f": {shorten(clean(tail), 300)}" if tail else "")
            )
        (lines, message), accepted, after = _tried(tried), True, _left_as(obj, tried)
    found = context.known
    if found is not None and obj is not None:
        found = _renewed(effect, obj, held, context)
    elif found is None and obj is not None:
        found = await _consequences(effect, obj, after, held, context)
    elif found is None:
        found = aftermath.with_the_runbooks(seal_effect(effect), SCRIPT.may(effect))
    return _planned(effect, obj, held, rollback, lines, accepted, message, found, context)


def _planned(
    effect: Effect,
    obj: dict[str, Any] | None,
    held: Pin,
    rollback: Effect | None,
    lines: tuple[str, ...],
    accepted: bool | None,
    message: str,
    found: tuple[Consequence, ...],
    context: PreviewContext,
) -> PlannedChange:
    level, expect = confirm.tier(effect, context.rules, objects=context.objects)
    sealed = seal_effect(effect)
    kind = effect.target.kind if effect.target else ""
    preview = Preview(
        effect=sealed,
        diff=lines,
        accepted=accepted,
        message=message,
        consequences=found,
        fingerprint=fingerprint((*lines, *sealed.argv)),
        rollback_at=None if rollback is None else context.now(),
        before=seal_before(held.before, kind),
        generation=held.generation,
        tier=level,
        expect=expect,
        cluster=context.cluster,
        read_only=context.read_only,
    )
    return PlannedChange(preview, effect, held, obj, rollback)


def _renewed(
    effect: Effect, obj: dict[str, Any], held: Pin, context: PreviewContext, seen: Beside = NOTHING
) -> tuple[Consequence, ...]:
    """The consequences of the earlier look, those in their place that follow from how the object is now."""
    said = verb_of(effect.action).consequences(effect, obj, held.touched, context.now(), seen)
    now = [c for c in aftermath.with_the_runbooks(effect, said) if c.topic in OF_NOW]
    return (*_cleaned(now), *(c for c in context.known or () if c.topic not in OF_NOW))


def _cleaned(found: Iterable[Consequence]) -> tuple[Consequence, ...]:
    return tuple(replace(c, text=clean(redact(c.text))) for c in found)


async def _consequences(
    effect: Effect,
    obj: dict[str, Any],
    after: dict[str, Any] | None,
    held: Pin,
    context: PreviewContext,
    seen: Beside = NOTHING,
) -> tuple[Consequence, ...]:
    verb = verb_of(effect.action)
    found = verb.consequences(effect, obj, held.touched, context.now(), seen)
    out = list(aftermath.with_the_runbooks(effect, found))
    if verb.lasts and not verb.makes(effect):
        schedule, error = await _schedule(context.reader, obj)
        out += owners.consequences(obj, held.touched, held.before, schedule=schedule, schedule_error=error)
        if effect.inverse_of:
            out = [c for c in out if c.topic != "next run"]
    if after is not None:
        out += await capacity.fits(context.reader, {} if verb.makes(effect) else obj, after)
    return _cleaned(out)


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
    except (ForbiddenError, ApiError, ReachError) as error:
        return None, error.message
