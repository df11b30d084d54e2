"""The rights of a whole walk, asked before its first step: what will be refused is known before anything is read out.

Every step that the walk may come to is looked at, those of runbooks that it runs too. Where the object of a step is
known only later (the member of a list, an answer), the right is asked for any object of its kind.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, MutableMapping
from typing import Any

from msgspec import Struct

from console.actions import verb_of
from console.actions.effects import AllowedCall, Effect, ObjectRef
from console.actions.rbac import manifests
from console.actions.script import VERB as SCRIPT
from console.actions.verb import Right
from console.base.errors import ConsoleError
from console.base.text import clean
from console.operate import permission
from console.operate.kubernetes import place
from console.runbook import steps, template
from console.runbook.catalogue import Catalogue
from console.runbook.events import MissingRight
from console.runbook.graph import reachable
from console.runbook.model import NamedObject, Probe, Runbook, Step, TargetTemplate
from console.runbook.say import safe
from console.runbook.scripts import ScriptSpec
from console.runbook.walk import RightsAsked, Walk
from console.wire.reader import Reader
from console.wire.reviews import AccessReview

MOST = 60
"""Rights that one walk asks about; what is left out is said."""
AT_ONCE = 8
LASTS = 60.0
"""Seconds of real time for which an answer is taken again. The gate asks anew before each change."""
_Contexts = Callable[[str], Awaitable[dict[str, Any]]]


class RightsAnswers:
    """What the server said of each right, for a while."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._known: MutableMapping[Right, tuple[float, AccessReview]] = {}

    async def of(self, reader: Reader, right: Right) -> AccessReview:
        """Whether we have a right. Raises ConsoleError where that cannot be asked, and remembers nothing then."""
        known = self._known.get(right)
        if known is not None and self._clock() - known[0] < LASTS:
            return known[1]
        answer = await permission.reviewed(reader, right)
        self._known[right] = (self._clock(), answer)
        return answer


class _Wanted(Struct, frozen=True):
    """What a step needs: `verbs` of the API on an object, or what its verb says of `effect`."""

    step: str
    target: ObjectRef
    verbs: tuple[str, ...] = ()
    subresource: str = ""
    effect: Effect | None = None


async def asked(
    reader: Reader,
    runbook: Runbook,
    walk: Walk,
    contexts: _Contexts,
    *,
    scripts: Mapping[str, ScriptSpec],
    catalogue: Catalogue,
    answers: RightsAnswers,
    now: float,
    changing: bool = True,
) -> RightsAsked:
    """Ask for the rights of all steps.

    Args:
        contexts: the data of the templates of a step, by its id.
        changing: whether this context may change anything at all; else only what is read is asked about.
    """
    wanted, unknown = await _wanted(runbook, walk, contexts, scripts, catalogue, changing)
    rights, odd = await _rights(reader, wanted)
    unknown += odd
    if len(rights) > MOST:
        unknown.append(f"{len(rights) - MOST} further rights were not asked about")
    kept = list(rights.items())[:MOST]
    lacking, missing = [], []
    for (right, titles), answer in zip(kept, await _answers(reader, [r for r, _ in kept], answers), strict=True):
        if isinstance(answer, str):
            unknown.append(f"{right.words}: {answer}")
        elif not answer.allowed and answer.error and not answer.denied:
            unknown.append(f"{right.words}: {clean(answer.error)}")
        elif not answer.allowed:
            lacking.append(right)
            missing.append(MissingRight(right.words, tuple(titles), clean(answer.reason)))
    rule = manifests(lacking, f"console-{runbook.id}") if lacking else ""
    return RightsAsked(now, len(rights), tuple(missing), tuple(dict.fromkeys(unknown)), rule)


async def _wanted(
    runbook: Runbook,
    walk: Walk,
    contexts: _Contexts,
    scripts: Mapping[str, ScriptSpec],
    catalogue: Catalogue,
    changing: bool,
) -> tuple[list[_Wanted], list[str]]:
    """What the steps need, and what of it cannot be told."""
    out, unknown = [], []
    entered, known = reachable(runbook), {}
    for step in (s for s in runbook.steps if s.id in entered):
        scope = step.scope
        if scope not in known:
            try:
                known[scope] = await contexts(step.id)
            except ConsoleError as error:
                known[scope] = {}
                unknown.append(f"what {_title(step)} sees: {clean(error.message)}")
            part = runbook.parts.get(scope)
            out += list(_read(part.runbook if part is not None else runbook, known[scope]))
        if not (changing and step.writes):
            continue
        found = list(_changes(runbook, walk, step, known[scope], scripts, catalogue))
        out += found
        if not found:
            unknown.append(f"“{_title(step)}”: what it changes is known only when it is due")
    return out, unknown


def _read(runbook: Runbook, ctx: Mapping[str, Any]) -> Iterator[_Wanted]:
    """The objects that a runbook names are read at each look."""
    for one in runbook.objects:
        target = None if one.workload else _named(one, ctx)
        if target is not None:
            yield _Wanted(f"reading {one.name}", target, ("list" if one.listed else "get",))
    for probe in runbook.probes:
        if (asked := _asked(runbook, probe, ctx)) is not None:
            yield _Wanted(f"asking {probe.name}", asked, ("get",), "proxy")


def _asked(runbook: Runbook, probe: Probe, ctx: Mapping[str, Any]) -> ObjectRef | None:
    """The Service or the pod whose proxy is asked; of a workload any of its pods."""
    one = next((o for o in runbook.objects if o.name == probe.of), None)
    target = _named(one, ctx) if one is not None and not one.workload else None
    if target is not None and target.kind in ("Service", "Pod"):
        return target
    found = ctx.get(probe.of)
    meta = found.get("metadata") if isinstance(found, dict) else None
    namespace = target.namespace if target is not None else str((meta or {}).get("namespace") or "")
    return ObjectRef("v1", "Pod", namespace, "") if namespace else None


def _named(one: NamedObject, ctx: Mapping[str, Any]) -> ObjectRef | None:
    try:
        name = "" if one.listed else template.render(one.object, ctx, one.name)
        return ObjectRef(one.api_version, one.kind, template.render(one.namespace, ctx, one.name), name)
    except ConsoleError:
        return None


def _changes(
    runbook: Runbook,
    walk: Walk,
    step: Step,
    ctx: Mapping[str, Any],
    scripts: Mapping[str, ScriptSpec],
    catalogue: Catalogue,
) -> Iterator[_Wanted]:
    """What a step sends, as far as it can be told now."""
    try:
        effect = steps.effect(runbook, walk, step, ctx, scripts, catalogue)
    except ConsoleError:
        yield from _later(runbook, step, ctx)
        return
    if verb_of(effect.action).runs:
        yield from (_of_call(step, call) for call in effect.allowed)
    elif effect.target is not None:
        yield _Wanted(effect.title, effect.target, effect=effect)


def _later(runbook: Runbook, step: Step, ctx: Mapping[str, Any]) -> Iterator[_Wanted]:
    """The same of a step whose data is not there yet: for any object of its kind."""
    for call in step.calls:
        if (target := _any(runbook, step, call.target, ctx)) is not None:
            yield _of_call(step, AllowedCall(call.verbs, target, call.subresource))
    if step.calls or step.target is None:
        return
    target = _any(runbook, step, step.target, ctx)
    if target is not None and step.script:
        yield _Wanted(_title(step), target, ("patch",))
    elif target is not None:
        yield _Wanted(_title(step), target, effect=Effect("", step.id, "", step.action, target))


def _of_call(step: Step, call: AllowedCall) -> _Wanted:
    return _Wanted(_title(step), call.target, call.verbs, call.subresource)


def _any(runbook: Runbook, step: Step, t: TargetTemplate, ctx: Mapping[str, Any]) -> ObjectRef | None:
    """Any object of the kind that a target has, in its namespace; None where the kind cannot be told."""
    listed = _list_of(runbook, step)
    version, kind, namespace = (
        _filled(own, of_list, ctx)
        for own, of_list in (
            (t.api_version, listed.api_version if listed is not None else ""),
            (t.kind, listed.kind if listed is not None else ""),
            (t.namespace, listed.namespace if listed is not None else ""),
        )
    )
    return ObjectRef(version, kind, namespace, "") if version and kind else None


def _filled(own: str, of_list: str, ctx: Mapping[str, Any]) -> str:
    """What the list says, else the step; `` where that cannot be filled in."""
    with contextlib.suppress(ConsoleError):
        return template.render(of_list or own, ctx)
    return ""


def _list_of(runbook: Runbook, step: Step) -> NamedObject | None:
    """The list of objects that the block of a step goes through."""
    head = runbook.step(step.block) if step.block else None
    part = runbook.parts.get(step.scope)
    objects = (part.runbook if part is not None else runbook).objects
    return next((o for o in objects if head is not None and o.listed and o.name in _words(head.each)), None)


def _words(expression: str) -> set[str]:
    return set("".join(c if c.isalnum() or c == "_" else " " for c in expression).split())


def _title(step: Step) -> str:
    """The title of a step; what its template fills in later is left out."""
    return safe(template.outline(step.title))


async def _rights(reader: Reader, wanted: list[_Wanted]) -> tuple[dict[Right, list[str]], list[str]]:
    """Each right once, with the titles of what needs it."""
    rights: dict[Right, list[str]] = {}
    unknown = []
    for one in wanted:
        try:
            at = await place(reader, one.target)
            namespace = one.target.namespace if at.resource.namespaced else ""
            if one.effect is not None:
                needed = verb_of(one.effect.action).rights(one.effect, at.resource.plural, namespace)
            else:
                call = AllowedCall((), one.target, one.subresource)  # type: ignore[arg-type]
                needed = tuple(SCRIPT.right(call, verb, at.resource.plural, namespace) for verb in one.verbs)
        except ConsoleError as error:
            unknown.append(f"“{one.step}”: {clean(error.message)}")
            continue
        for right in needed:
            titles = rights.setdefault(right, [])
            titles += [one.step] if one.step not in titles else []
    return rights, unknown


async def _answers(reader: Reader, rights: list[Right], answers: RightsAnswers) -> list[AccessReview | str]:
    """What the server says of each, in their order; why it could not be asked."""
    turn = asyncio.Semaphore(AT_ONCE)

    async def one(right: Right) -> AccessReview | str:
        async with turn:
            try:
                return await answers.of(reader, right)
            except ConsoleError as error:
                return clean(error.message)

    return list(await asyncio.gather(*(one(right) for right in rights)))
