"""The end of the gate: the intent goes to the disk, the change to the server, the result to the disk.

Only `gate` calls `change`, with a look that was confirmed and made once more.
"""

from __future__ import annotations

import asyncio
import contextlib

from console.actions import verb_of
from console.actions.effects import STAMP, Effect
from console.actions.pins import Pin
from console.base.errors import ConsoleError
from console.base.redact import redact
from console.base.text import clean
from console.operate import kubernetes, landing
from console.operate.ahead import keeping
from console.operate.ahead.preview import PlannedChange
from console.operate.gate_context import GateContext
from console.operate.kubernetes import ObjectAddress, Sent
from console.operate.scripts.process import Finished
from console.runbook.walk import Applied, Intent
from console.wire.writer import Writer


async def change(planned: PlannedChange, gate: GateContext, at: ObjectAddress | None) -> Applied | None:
    """Intent, apply, result. Cancelling waits for the end of it: what was begun gets its result."""
    task = asyncio.ensure_future(_apply(planned, gate, at))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise


async def _apply(planned: PlannedChange, gate: GateContext, at: ObjectAddress | None) -> Applied | None:
    effect = planned.effect
    assert gate.writer is not None
    if gate.kept is not None:
        now = gate.clock.now()
        told = planned.preview.consequences
        saved = await keeping.kept(effect, gate.reader, gate.kept, step=gate.step, now=now, told=told)
        if saved is not None:
            gate.emit(saved)
    intent = Intent(
        at=gate.clock.now(),
        step=gate.step,
        effect=effect,
        before=planned.pin.before,
        generation=planned.pin.generation,
        rollback=planned.rollback,
        told=planned.preview.consequences,
    )
    gate.emit(intent)
    if verb_of(effect.action).runs:
        event = await _run(intent, gate, at, planned.pin)
    else:
        assert at is not None and planned.obj is not None
        event = _result(await kubernetes.send(gate.writer, at, effect, planned.obj, planned.pin), effect, gate)
    if event is not None:
        gate.emit(event)
        if event.ok and at is not None:
            await announce(effect, gate.writer, actor=gate.actor, head=gate.head(), at=event.at)
    return event


def _result(sent: Sent, effect: Effect, gate: GateContext) -> Applied | None:
    if sent.ok is None:
        return None
    goto = gate.applied_to if sent.ok else gate.failed_to
    now = gate.clock.now()
    return Applied(now, gate.step, effect.id, sent.ok, sent.message, sent.generation, goto=goto, there=sent.at)


async def _run(intent: Intent, gate: GateContext, at: ObjectAddress | None, pin: Pin) -> Applied | None:
    """Run a script. One that did not end well may have changed something all the same: then its result is open."""
    effect = intent.effect
    try:
        ended = await gate.run_script(effect, "confirmed", pin)
    except ConsoleError as error:
        return Applied(gate.clock.now(), gate.step, effect.id, False, error.message, goto=gate.failed_to)
    if not ended.ok:
        answer: str = "unknown" if ended.timed_out or any(not c.refused for c in ended.calls) else "no"
        if at is not None or effect.allowed:
            with contextlib.suppress(ConsoleError):
                answer, _ = await landing.landed(gate.reader, intent)
        if answer != "no":
            return None
    return Applied(
        at=gate.clock.now(),
        step=gate.step,
        effect=effect.id,
        ok=ended.ok,
        message=_done(ended),
        exit_code=ended.exit_code,
        output=ended.result or ended.output,
        goto=gate.applied_to if ended.ok else gate.failed_to,
    )


def _done(ended: Finished) -> str:
    """How it ended and what it sent."""
    sent = [call.words for call in ended.calls if not call.refused and not call.dry_run]
    return "; ".join(sent if ended.ok and sent else [ended.words, *sent])


async def read_only_script(effect: Effect, gate: GateContext) -> Applied:
    """A script that only reads: no question, no lock, no intent; its result is journalled."""
    try:
        ended = await gate.run_script(effect, "read", Pin("", 0))
        ok, words, code, output = ended.ok, ended.words, ended.exit_code, ended.result or ended.output
    except ConsoleError as error:
        ok, words, code, output = False, error.message, None, ""
    goto = gate.applied_to if ok else gate.failed_to
    event = Applied(gate.clock.now(), gate.step, effect.id, ok, words, exit_code=code, output=output, goto=goto)
    gate.emit(event)
    return event


async def announce(effect: Effect, writer: Writer, *, actor: str, head: str, at: float) -> None:
    """Leave an Event on the changed object, with the head of the journal as an anchor, where we may.

    Args:
        at: when it was changed, by the clock of the walk, which everything else that is shown goes by too.
    """
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
            message=clean(redact(message)),
            at=at,
            annotations={STAMP: effect.id, "console.oncall/journal-head": head},
        )
