"""The end of the gate: the intent goes to the disk, the change to the server, the result to the disk.

Only `gate` calls `change`, with a look that was confirmed and made once more.
"""

from __future__ import annotations

import asyncio
import contextlib

from console.base.errors import ConsoleError
from console.base.redact import redact
from console.base.text import clean
from console.operate import kubernetes, landing
from console.operate.kubernetes import Place, Sent
from console.operate.preview import Look
from console.operate.way import Way
from console.runbook.effects import STAMP, Effect
from console.runbook.walk import Applied, Intent
from console.wire.writer import Writer


async def change(look: Look, way: Way, at: Place | None) -> Applied | None:
    """Intent, apply, result. Cancelling waits for the end of it: what was begun gets its result."""
    task = asyncio.ensure_future(_apply(look, way, at))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise


async def _apply(look: Look, way: Way, at: Place | None) -> Applied | None:
    effect = look.effect
    assert way.writer is not None
    intent = Intent(way.clock.now(), way.step, effect, look.pin.before, look.pin.generation, look.rollback)
    way.emit(intent)
    if effect.action == "script":
        event = await _run(intent, way, at)
    else:
        assert at is not None and look.obj is not None
        event = _result(await kubernetes.send(way.writer, at, effect, look.obj, look.pin), effect, way)
    if event is not None:
        way.emit(event)
        if event.ok and at is not None:
            await announce(effect, way.writer, actor=way.actor, head=way.head())
    return event


def _result(sent: Sent, effect: Effect, way: Way) -> Applied | None:
    if sent.ok is None:
        return None
    goto = way.applied_to if sent.ok else way.failed_to
    return Applied(way.clock.now(), way.step, effect.id, sent.ok, sent.message, sent.generation, goto=goto)


async def _run(intent: Intent, way: Way, at: Place | None) -> Applied | None:
    """Run a script. One that did not end well may have changed something all the same: then its result is open."""
    effect = intent.effect
    try:
        ended = await way.run_script(effect, False)
    except ConsoleError as error:
        return Applied(way.clock.now(), way.step, effect.id, False, error.message, goto=way.failed_to)
    if not ended.ok:
        answer: str = "unknown" if ended.timed_out else "no"
        if at is not None:
            with contextlib.suppress(ConsoleError):
                answer, _ = await landing.landed(way.reader, intent)
        if answer != "no":
            return None
    return Applied(
        at=way.clock.now(),
        step=way.step,
        effect=effect.id,
        ok=ended.ok,
        message=ended.words,
        exit_code=ended.exit_code,
        output=ended.result or ended.output,
        goto=way.applied_to if ended.ok else way.failed_to,
    )


async def read_only_script(effect: Effect, way: Way) -> Applied:
    """A script that only reads: no question, no lock, no intent; its result is journalled."""
    try:
        ended = await way.run_script(effect, False)
        ok, words, code, output = ended.ok, ended.words, ended.exit_code, ended.result or ended.output
    except ConsoleError as error:
        ok, words, code, output = False, error.message, None, ""
    goto = way.applied_to if ok else way.failed_to
    event = Applied(way.clock.now(), way.step, effect.id, ok, words, exit_code=code, output=output, goto=goto)
    way.emit(event)
    return event


async def announce(effect: Effect, writer: Writer, *, actor: str, head: str) -> None:
    """Leave an Event on the changed object, with the head of the journal as an anchor, where we may."""
    target = effect.target
    if target is None:
        return
    about = {
        "apiVersion": target.api_version,
        "kind": target.kind,
        "namespace": target.namespace,
        "name": target.name,
        "uid": target.uid,
    }
    verb = "Rolled back" if effect.inverse_of else "Changed"
    message = f"{verb} by {actor} with Console: {effect.title} ({effect.id}; journal head sha256:{head})"
    with contextlib.suppress(ConsoleError):
        await writer.event(
            target.namespace or "default",
            about={k: v for k, v in about.items() if v},
            reason="ConsoleRollback" if effect.inverse_of else "ConsoleChange",
            message=redact(clean(message)),
            annotations={STAMP: effect.id, "console.oncall/journal-head": head},
        )
