"""One guarded run of a script: its proxy, its workplace, its process; and what can be known of it afterwards."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

from console.actions.effects import STAMP, AllowedCall, Effect
from console.actions.pins import Pin, stamp_of, uid_of
from console.actions.script import VERB
from console.actions.verb import Arrived, Right
from console.operate.kubernetes import ObjectGone, place, read
from console.operate.scripts import process, workplace
from console.operate.scripts.process import Finished
from console.wire.calls import CallGrant, Leave
from console.wire.connection import Connection
from console.wire.guarded import GuardedProxy, ProxiedCall
from console.wire.reader import Reader

MARK = "CONSOLE_EFFECT"
"""Environment variable by which the processes of a run are found again."""
GONE_SECONDS = 5.0
ScriptRunner = Callable[[Effect, Leave, Pin], Awaitable[Finished]]
"""Runs a script's effect with what it may do; the pin says what its target must be."""


async def run_guarded(
    effect: Effect,
    leave: Leave,
    pin: Pin,
    *,
    connection: Connection,
    folder: Path,
    report: Callable[[ProxiedCall], None] = lambda call: None,
) -> Finished:
    """Run the script of an effect behind a proxy of its own.

    Raises:
        ConsoleError: it cannot be started, or the server knows no such kind.
        BaseException: what `report` raised; the call was not sent then.
    """
    grants = () if leave == "read" else await granted(connection.reader, effect, pin)
    target = connection.target
    async with GuardedProxy(connection, leave, grants, (STAMP, effect.id), report) as proxy:
        with workplace.furnished(proxy.url, context=target.context, namespace=target.namespace, folder=folder) as at:
            env = {**at.env, MARK: effect.id, "CONSOLE_STAMP": effect.id}
            if leave == "dry run":
                env["CONSOLE_DRY_RUN"] = "1"
            ended = await process.run(effect.argv, timeout=effect.timeout, env=env, folder=at.home, hide=proxy.hidden)
    if proxy.failure is not None:
        raise proxy.failure
    return replace(ended, calls=tuple(proxy.calls))


async def granted(reader: Reader, effect: Effect, pin: Pin) -> tuple[CallGrant, ...]:
    """What its step declares, by the names that the server has for it."""
    out = []
    for call in effect.allowed:
        at = await place(reader, call.target)
        mine = effect.target is not None and _same(effect, call)
        out.append(
            CallGrant(
                verbs=call.verbs,
                group=at.group,
                plural=at.resource.plural,
                namespace=call.target.namespace if at.resource.namespaced else "",
                name=call.target.name,
                subresource=call.subresource,
                about=f"{call.target.kind} {call.target.words}",
                uid=pin.uid if mine else call.target.uid,
                generation=pin.generation if mine else 0,
                touches=effect.touched if mine and not call.subresource else (),
            )
        )
    return tuple(out)


async def rights(reader: Reader, effect: Effect) -> tuple[Right, ...]:
    """What one must be allowed to do for all that the script may send."""
    out = []
    for call in effect.allowed:
        at = await place(reader, call.target)
        namespace = call.target.namespace if at.resource.namespaced else ""
        out += [VERB.right(call, verb, at.resource.plural, namespace) for verb in call.verbs]
    return tuple(out)


async def arrived(reader: Reader, effect: Effect, target: tuple[Arrived, str] | None) -> tuple[Arrived, str]:
    """Whether a run arrived, by every object that it might have written.

    Args:
        target: what its target says, None where it has none.
    """
    answers = [] if target is None else [target]
    for call in effect.allowed:
        if not _same(effect, call):
            answers.append(await _call_arrived(reader, effect, call))
    if not answers:
        return "unknown", "a script that sends nothing leaves no trace that could be looked for"
    words = "; ".join(because for _, because in answers)
    said = {answer for answer, _ in answers}
    return (said.pop() if len(said) == 1 else "unknown"), words


async def _call_arrived(reader: Reader, effect: Effect, call: AllowedCall) -> tuple[Arrived, str]:
    name = f"{call.target.kind} {call.target.words}"
    try:
        obj = await read(reader, await place(reader, call.target))
    except ObjectGone:
        if call.verbs == ("create",) and not call.subresource:
            return "no", f"{name} was not made"
        return "unknown", f"{name} does not exist"
    if call.target.uid and uid_of(obj) != call.target.uid:
        return "unknown", f"{name} was deleted and created again"
    stamp = stamp_of(obj)
    if stamp == effect.id:
        return "yes", f"{name} carries the stamp {effect.id}"
    if call.subresource or "delete" in call.verbs:
        return "unknown", f"{name} is there; what was sent to it leaves no stamp"
    if stamp:
        return "unknown", f"{name} carries the stamp of another change ({stamp})"
    return "no", f"{name} carries no stamp"


def _same(effect: Effect, call: AllowedCall) -> bool:
    """Whether a call goes to the target itself."""
    target = effect.target
    return target is not None and (target.kind, target.words) == (call.target.kind, call.target.words)


def processes(effect_id: str) -> list[int] | None:
    """Processes of a run that are still there, by the mark in their environment; None where that cannot be seen."""
    if not Path("/proc/self/environ").exists():
        return None
    wanted = f"{MARK}={effect_id}".encode()
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if wanted in (entry / "environ").read_bytes().split(b"\0"):
                found.append(int(entry.name))
    return found


async def ended(effect_id: str) -> str:
    """End what is left of a run whose Console died, in words; `` where nothing was.

    They can write nothing any more: their proxy died with it.
    """
    found = processes(effect_id)
    if found is None:
        return "whether processes of it are left cannot be seen on this system"
    if not found:
        return ""
    for _ in range(int(GONE_SECONDS / 0.05)):
        for pid in processes(effect_id) or ():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        await asyncio.sleep(0.05)
        if not processes(effect_id):
            return f"{len(found)} of its processes were still there, and were ended"
    return f"{len(processes(effect_id) or ())} of its processes are still there, and could not be ended"
