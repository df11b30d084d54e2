"""The other side of an approval: requests of others are found, worked out once more from the cluster, and approved."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from console.actions import verb_of
from console.actions.effects import Preview
from console.actions.verb import Right
from console.base.errors import ConsoleError, ForbiddenError, RefusedError, UsageError
from console.base.jsontext import decode_tree
from console.base.shapes import mapping, mappings
from console.base.text import clean, plural, shorten
from console.operate import kubernetes
from console.operate.ahead import preview
from console.operate.ahead.preview import PreviewContext
from console.operate.approvals.request import DIGEST, GROUP, LABEL, LEASES, ApprovalRequest, NoRequest, request_of
from console.operate.confirm import TRIES
from console.operate.permission import missing
from console.operate.person import YES, Person, Question
from console.operate.policy import ChangeRules
from console.wire.connection import Connection
from console.wire.errors import ConflictError
from console.wire.paths import object_path
from console.wire.writer import Writer

FRESH = 900.0
"""Seconds for which an approval counts, where the request is not waited for longer."""
_API = f"{GROUP}/v1"


@dataclass(frozen=True)
class Requests:
    """What others ask for. `unread`: places that could not be looked at, and Leases that make no sense, with why."""

    open: tuple[ApprovalRequest, ...] = ()
    unread: tuple[tuple[str, str], ...] = ()


async def requests(connection: Connection, namespaces: Sequence[str] = ()) -> Requests:
    """The requests that are waited for, the most urgent first: of all namespaces, or of these.

    Where all may not be looked at, that of the context is.
    """
    unread: list[tuple[str, str]] = []
    leases: list[dict[str, Any]] = []
    for namespace in namespaces or ("",):
        try:
            leases += await _listed(connection, namespace)
        except ForbiddenError as error:
            unread.append((namespace or "all namespaces", error.message))
            if not namespace:
                with contextlib.suppress(ForbiddenError):
                    leases += await _listed(connection, connection.identity.namespace)
    found = []
    for lease in leases:
        try:
            found.append(request_of(lease))
        except NoRequest as error:
            meta = mapping(lease.get("metadata"))
            unread.append((f"{meta.get('namespace')}/{meta.get('name')}", error.message))
    mine = [one for one in found if one.left > 0 and one.cluster == _cluster(connection)]
    return Requests(tuple(sorted(mine, key=lambda one: one.expires)), tuple(unread))


async def _listed(connection: Connection, namespace: str) -> list[dict[str, Any]]:
    out: list[dict[str, Any]] = []
    path = object_path(_API, LEASES, namespace)
    async with contextlib.aclosing(connection.reader.pages(path, {"labelSelector": f"{LABEL}=request"})) as pages:
        async for page in pages:
            out += mappings(decode_tree(page.body).get("items"))
    return out


def _cluster(connection: Connection) -> str:
    return connection.identity.cluster_uid or connection.identity.server


def chosen(found: Iterable[ApprovalRequest], beginning: str) -> ApprovalRequest:
    """The request whose digest begins so.

    Raises:
        UsageError: none does, or several do.
    """
    fits = [one for one in found if beginning and one.digest.startswith(beginning.lower())]
    if len(fits) == 1:
        return fits[0]
    if fits:
        raise UsageError(f"{len(fits)} requests begin with {beginning!r}", hint="say more of the digest")
    raise UsageError(f"no open request begins with {beginning!r}", hint="`console approve` lists those that are open")


async def seen_here(connection: Connection, rules: ChangeRules, request: ApprovalRequest) -> tuple[str, ...]:
    """What this Console makes of the change: its own look at the object, and how it differs from what is asked for."""
    effect = request.preview.effect
    if verb_of(effect.action).runs or effect.target is None:
        return ("what a script would change is told by the Console of who walks: read what it may send",)
    context = PreviewContext(connection.reader, None, rules, time.time, connection.identity.context, known=())
    try:
        at = await kubernetes.place(connection.reader, effect.target)
        mine = (await preview.plan(effect, at, context)).preview
    except ConsoleError as error:
        return (f"it could not be worked out here, so you see what who walks says: {clean(error.message)}",)
    if _changes(mine) == _changes(request.preview):
        return ("worked out here from the object as it is: the same change",)
    if mine.before != request.preview.before:
        return ("the object has changed since it was asked: it will be asked anew",)
    return ("worked out here from the object as it is, it differs:", *mine.diff)


def _changes(shown: Preview) -> list[str]:
    return [line for line in shown.diff if line[:1] in "+-"]


def question(request: ApprovalRequest, context: str, seen: tuple[str, ...]) -> Question:
    """What the second person is shown; they type what is changed."""
    effect = request.preview.effect
    expect = effect.target.words if effect.target is not None else request.short
    return Question(
        walk=request.walk,
        step=effect.step,
        kind="confirm",
        title=f"{clean(request.walker)} asks for a second person: {clean(effect.title)}",
        text="\n".join([f"walk {request.walk}, digest {request.short}", *map(clean, seen)]),
        preview=request.preview,
        expect=expect,
        cluster=context,
        terminal=True,
    )


async def approve(connection: Connection, rules: ChangeRules, request: ApprovalRequest, person: Person) -> int:
    """Show a request, and approve it if the person types what is asked for. Returns for how many seconds it counts.

    Raises:
        RefusedError: this context is read-only, it is their own walk, they lack the right, or they said no.
        ConsoleError: the cluster does not take it.
    """
    if rules.read_only:
        raise RefusedError(rules.read_only)
    mine = connection.identity.user
    if not mine or mine == request.walker:
        raise RefusedError(
            f"the cluster sees you as {mine or 'nobody'}, as it does who walks: a second person is somebody else"
        )
    lacking = await missing(connection.reader, (Right("create", GROUP, LEASES, request.place),))
    if lacking is not None:
        raise RefusedError(lacking.words)
    asked = question(request, connection.identity.context, await seen_here(connection, rules, request))
    for left in range(TRIES - 1, -1, -1):
        reply = await person.answer(asked)
        if reply is None or reply.value != YES or reply.typed == asked.expect or not left:
            break
        again = f"{shorten(clean(reply.typed), 60)!r} is not {asked.expect!r}: {plural(left, 'more try', 'more tries')}"
        asked = replace(asked, reason=again)
    if reply is None or reply.value != YES or reply.typed != asked.expect or not reply.terminal:
        raise RefusedError(f"not approved: {asked.expect!r} was not typed at a terminal")
    if request.left <= 0:
        raise RefusedError("not approved: it is not waited for any more")
    return await _leave(Writer(connection), request, mine)


async def _leave(writer: Writer, request: ApprovalRequest, by: str) -> int:
    lasts = max(1, round(min(FRESH, request.left)))
    notes = {DIGEST: request.digest, "console.oncall/walk": request.walk, "console.oncall/walker": request.walker}
    for _ in range(2):
        try:
            await writer.lease_create(
                request.place, request.approval, by, lasts, annotations=notes, labels={LABEL: "approval"}
            )
            break
        except ConflictError:
            old = await writer.lease_get(request.place, request.approval)
            if old is not None:
                await writer.lease_delete(old)
    else:
        raise RefusedError("not approved: others approve it at the same moment")
    return lasts
