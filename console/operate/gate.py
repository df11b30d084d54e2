"""The gate: the one way by which anything is changed, whoever asks, in one order that nobody can skip.

mode → policy → pin → permission → lock → preview → confirmation → policy, pin and dry run once more → intent on the
disk → apply with preconditions → result on the disk. What says no is journalled as a refusal.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from typing import Literal

from console.base.errors import ConsoleError, ForbiddenError
from console.operate import applying, confirm, kubernetes, permission, preview
from console.operate.kubernetes import Changed, Place
from console.operate.locks import Busy, Held, Locks
from console.operate.person import Question, Reply
from console.operate.policy import Denial, Occasion, mode, object_key, policy
from console.operate.preview import Look, Scene
from console.operate.way import No, Way
from console.runbook.effects import Effect
from console.runbook.walk import Applied, Confirmed, Previewed, Refused
from console.wire.writer import Writer

STAGES = (
    "mode", "policy", "pin", "permission", "lock", "preview", "confirmation", "again", "intent", "apply", "result",
)  # fmt: skip
ROUNDS = 5
"""How often a person is asked again because the change is not the one that they saw."""


async def pass_gate(effect: Effect, way: Way) -> Applied | Refused | None:
    """Bring one effect through the gate.

    Returns:
        The event that ended it, journalled already; None where the change was sent and no answer came: its intent is
        open then, and whether it landed has to be asked.
    """
    if not effect.writes:
        return await applying.read_only_script(effect, way)
    try:
        return await _pass(effect, way)
    except No as no:
        return way.refuse(effect, no.by, no.message)


async def _pass(effect: Effect, way: Way) -> Applied | None:
    await _allowed(effect, way, mode(effect, way.rules))
    await _allowed(effect, way, policy(effect, way.rules, _occasion(way)))
    at = await _pin(effect, way)
    if at is not None:
        await _permitted(effect, way, at)
    assert way.writer is not None and way.locks is not None, "only a read-only context has no writer"
    held = await _lock(effect, way.locks)
    try:
        look = await _look(effect, way, at)
        way.emit(Previewed(way.clock.now(), way.step, look.preview))
        reason = ""
        for _ in range(ROUNDS):
            _possible(look, way)
            await _confirm(look, way, held, reason)
            later = await _again(effect, way, at, held, look)
            reason = look.differs(later)
            if not reason:
                return await applying.change(later, way, at)
            look = await _look(effect, way, at)
            way.emit(Previewed(way.clock.now(), way.step, look.preview))
        raise No("changed", f"it changed {ROUNDS} times while it was being confirmed; the last: {reason}")
    finally:
        if held is not None:
            await held.release()


async def _allowed(effect: Effect, way: Way, denial: Denial | None) -> None:
    """Mode and policy. Where they say no, the change is still shown, worked out without asking the server to try."""
    if denial is not None:
        await _show(effect, way, denial.because)
        raise No(denial.by, denial.because)


async def _show(effect: Effect, way: Way, read_only: str) -> None:
    with contextlib.suppress(ConsoleError):
        at = await kubernetes.place(way.reader, effect.target) if effect.target else None
        look = await preview.look(effect, at, _scene(effect, way, writer=None, read_only=read_only))
        way.emit(Previewed(way.clock.now(), way.step, look.preview))


async def _pin(effect: Effect, way: Way) -> Place | None:
    """The cluster is the walk's, and the object is the one that the runbook looked at."""
    try:
        if other := await way.other_cluster():
            raise No("changed", other)
        if effect.target is None:
            return None
        at = await kubernetes.place(way.reader, effect.target)
        await kubernetes.read(way.reader, at, uid=effect.target.uid)
    except No:
        raise
    except ConsoleError as error:
        raise _no(error) from None
    return at


async def _permitted(effect: Effect, way: Way, at: Place) -> None:
    try:
        lacking = await permission.missing(way.reader, permission.needed(effect, at))
    except ConsoleError as error:
        raise _no(error) from None
    if lacking is not None:
        await _show(effect, way, lacking.words)
        raise No("permission", lacking.words)


async def _lock(effect: Effect, locks: Locks) -> Held | None:
    if effect.target is None:
        return None
    try:
        return await locks.take(effect.target)
    except Busy as busy:
        raise No("lock", busy.message) from None
    except ConsoleError as error:
        raise _no(error) from None


async def _look(effect: Effect, way: Way, at: Place | None, known: Look | None = None) -> Look:
    scene = _scene(effect, way, writer=way.writer)
    if known is not None:
        scene = replace(scene, known=known.preview.consequences)
    try:
        look = await preview.look(effect, at, scene)
    except ConsoleError as error:
        raise _no(error) from None
    if denial := mode(look.effect, way.rules):
        raise No(denial.by, denial.because)
    return look


def _possible(look: Look, way: Way) -> None:
    """What can be told beforehand to make things worse is not offered; a way back always is."""
    stops = [c.text for c in look.preview.consequences if c.level == "stop"]
    if stops and not look.effect.inverse_of:
        raise No("policy", "; ".join(stops))


async def _confirm(look: Look, way: Way, held: Held | None, reason: str) -> None:
    now = way.clock.now()
    reply = await _ask(confirm.question(look.preview, walk=way.walk, now=now, reason=reason), way, held)
    if why := confirm.agreed(reply, look.preview):
        raise No("person", why)
    assert reply is not None
    way.emit(Confirmed(way.clock.now(), way.step, look.effect.id, reply.typed, reply.by))
    if look.preview.tier == "second":
        asked = confirm.second_question(look.preview, reply.by, walk=way.walk, now=way.clock.now())
        second = await _ask(asked, way, held)
        if why := confirm.seconded(second, reply.by):
            raise No("person", why)
        assert second is not None
        way.emit(Confirmed(way.clock.now(), way.step, look.effect.id, "second person", second.by.strip()))


async def _ask(question: Question, way: Way, held: Held | None) -> Reply | None:
    """The person's answer, as long as the lock is ours and their patience lasts."""
    answer = asyncio.create_task(way.person.answer(question))
    lost = None if held is None else asyncio.create_task(held.lost.wait())
    try:
        waiting: set[asyncio.Task[Reply | None] | asyncio.Task[Literal[True]]] = {answer}
        if lost is not None:
            waiting.add(lost)
        await asyncio.wait(waiting, timeout=way.rules.patience, return_when=asyncio.FIRST_COMPLETED)
        if lost is not None and lost.done() and held is not None:
            raise No("lock", held.why)
        return answer.result() if answer.done() else None
    finally:
        for task in (answer, lost):
            if task is not None and not task.done():
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task


async def _again(effect: Effect, way: Way, at: Place | None, held: Held | None, look: Look) -> Look:
    """Policy, cluster, lock, pin and dry run once more, now that somebody has thought about it."""
    if denial := policy(effect, way.rules, _occasion(way)):
        raise No(denial.by, denial.because)
    try:
        if other := await way.other_cluster():
            raise No("changed", other)
    except No:
        raise
    except ConsoleError as error:
        raise _no(error) from None
    if held is not None and not await held.check():
        raise No("lock", held.why)
    return await _look(effect, way, at, look)


def _occasion(way: Way) -> Occasion:
    return Occasion(way.clock.now(), way.walk, way.touched, way.recent())


def _scene(effect: Effect, way: Way, *, writer: Writer | None, read_only: str = "") -> Scene:
    mine = {object_key(effect.target)} if effect.target else set()
    return Scene(
        reader=way.reader,
        writer=writer,
        rules=way.rules,
        now=way.clock.now,
        cluster=way.cluster,
        run_script=way.run_script,
        objects=len(way.touched | mine),
        read_only=read_only,
    )


def _no(error: ConsoleError) -> No:
    """An error of a stage as a refusal."""
    if isinstance(error, No):
        return error
    if isinstance(error, Changed):
        return No("changed", error.message)
    if isinstance(error, ForbiddenError):
        return No("permission", error.message)
    return No("server", error.message)
