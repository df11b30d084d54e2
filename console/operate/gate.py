"""The gate: the one way by which anything is changed, whoever asks, in one order that nobody can skip.

mode → policy → pin → permission → lock → preview and obstacles → confirmation → second person → policy, pin, lock,
obstacles and dry run once more → intent on the disk → apply with preconditions → result on the disk. What says no is
journalled as a refusal.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Literal

from console.actions import verb_of
from console.actions.beside import NoSuchChange
from console.actions.effects import Effect, Preview
from console.base.errors import ConsoleError, ForbiddenError
from console.base.text import clean, plural
from console.operate import applying, asking, confirm, kubernetes, permission
from console.operate.ahead import preview
from console.operate.ahead.preview import PlannedChange, PreviewContext
from console.operate.approvals import waiting
from console.operate.asking import Published
from console.operate.gate_context import GateContext, GateRefusal, ValueEdited
from console.operate.journal import JournalError
from console.operate.kubernetes import NotNow, ObjectAddress, ObjectChanged
from console.operate.locks import Busy, ObjectLock
from console.operate.person import EDIT, Question, Reply, reason
from console.operate.policy import (
    NOWHERE,
    Denial,
    Occasion,
    is_production,
    mode,
    needs_second,
    no_second,
    object_key,
    policy,
    second_person,
)
from console.operate.scripts import runs
from console.runbook.events.people import CONFIRMATION
from console.runbook.walk import (
    AnswerRefused,
    Applied,
    ApprovalAsked,
    Approved,
    ChangeRefused,
    Confirmed,
    GuardOverruled,
    LockTaken,
    Previewed,
)
from console.wire.writer import Writer

ROUNDS = 5
"""How often a person is asked again because the change is not the one that they saw."""


async def pass_gate(effect: Effect, gate: GateContext) -> Applied | ChangeRefused | None:
    """Bring one effect through the gate.

    Raises:
        ValueEdited: the person wants another value in it; nothing was sent.

    Returns:
        The event that ended it, journalled already; None where the change was sent and no answer came: its intent is
        open then, and whether it landed has to be asked.
    """
    if not effect.writes:
        return await applying.read_only_script(effect, gate)
    try:
        return await _pass(effect, gate)
    except GateRefusal as refusal:
        return gate.refuse(effect, refusal.by, refusal.message)


async def _pass(effect: Effect, gate: GateContext) -> Applied | None:
    await _allowed(effect, gate, mode(effect, gate.rules))
    await _allowed(effect, gate, policy(effect, gate.rules, _occasion(gate)))
    await _not_worse(effect, gate)
    at = await _pin(effect, gate)
    await _permitted(effect, gate, at)
    assert gate.writer is not None and gate.locks is not None, "only a read-only context has no writer"
    lock = await _lock(effect, gate)
    try:
        planned = await _plan(effect, gate, at)
        gate.emit(Previewed(gate.clock.now(), gate.step, planned.preview))
        reason = ""
        for _ in range(ROUNDS):
            _possible(planned)
            await _second_possible(planned, gate)
            await _confirm(planned, gate, at, lock, reason)
            await _second(planned, gate, lock)
            later = await _again(effect, gate, at, lock, planned)
            _possible(later)
            reason = planned.differs(later)
            if not reason:
                return await applying.change(later, gate, at)
            planned = await _plan(effect, gate, at)
            gate.emit(Previewed(gate.clock.now(), gate.step, planned.preview))
        raise GateRefusal("changed", f"it changed {ROUNDS} times while it was being confirmed; the last: {reason}")
    finally:
        if lock is not None:
            await lock.release()


async def _allowed(effect: Effect, gate: GateContext, denial: Denial | None) -> None:
    """Mode and policy. Where they say no, the change is still shown, worked out without asking the server to try."""
    if denial is not None:
        await _show(effect, gate, denial.because)
        raise GateRefusal(denial.by, denial.because)


async def _not_worse(effect: Effect, gate: GateContext) -> None:
    """A walk that made it worse stops, unless a person says why it should go on. A way back is never held up."""
    if effect.inverse_of or not gate.rules.stop_when_worse or not (said := gate.worse()):
        return
    because, by = await _reason(effect, gate, "It got worse since this walk began", said)
    if not because:
        await _show(effect, gate, f"it got worse since this walk began: {said}")
        raise GateRefusal("policy", f"it got worse since this walk began ({said}), and nobody said why to go on")
    gate.emit(GuardOverruled(gate.clock.now(), gate.step, effect.id, "burn", said, because, by))


async def _reason(effect: Effect, gate: GateContext, title: str, against: str) -> tuple[str, str]:
    """Why somebody goes on against something, `` where nobody does; and who answered."""
    terminal = is_production(effect, gate.rules)
    asked = asking.of_reason(gate.walk, gate.step, effect, title, against, now=gate.clock.now(), terminal=terminal)
    reply = await _ask(asked, gate, None)
    return reason(reply, terminal=terminal), "" if reply is None else clean(reply.by)


async def _show(effect: Effect, gate: GateContext, read_only: str) -> None:
    with contextlib.suppress(ConsoleError):
        at = await kubernetes.place(gate.reader, effect.target) if effect.target else None
        planned = await preview.plan(effect, at, _context(effect, gate, writer=None, read_only=read_only))
        gate.emit(Previewed(gate.clock.now(), gate.step, planned.preview))


async def _pin(effect: Effect, gate: GateContext) -> ObjectAddress | None:
    """The cluster is the walk's, and the object is the one that the runbook looked at."""
    try:
        if other := await gate.other_cluster():
            raise GateRefusal("changed", other)
        if effect.target is None:
            return None
        at = await kubernetes.place(gate.reader, effect.target)
        if not verb_of(effect.action).creates:
            await kubernetes.read(gate.reader, at, uid=effect.target.uid)
    except ConsoleError as error:
        raise _refusal(error) from None
    return at


async def _permitted(effect: Effect, gate: GateContext, at: ObjectAddress | None) -> None:
    try:
        if verb_of(effect.action).runs:
            needed = await runs.rights(gate.reader, effect)
        else:
            assert at is not None
            needed = permission.needed(effect, at)
        lacking = await permission.missing(gate.reader, needed)
    except ConsoleError as error:
        raise _refusal(error) from None
    if lacking is not None:
        await _show(effect, gate, lacking.words)
        raise GateRefusal("permission", lacking.words)


async def _lock(effect: Effect, gate: GateContext) -> ObjectLock | None:
    """The lock of the target; one that somebody else holds is taken only by a person who says why."""
    if effect.target is None:
        return None
    assert gate.locks is not None
    try:
        try:
            return await gate.locks.take(effect.target)
        except Busy as busy:
            if not busy.holder:
                raise
            because, by = await _reason(effect, gate, "Somebody else holds the lock of this object", busy.message)
            if not because:
                raise
            lock = await gate.locks.seize(effect.target, because)
            try:
                about = f"{effect.target.kind} {effect.target.words}"
                gate.emit(LockTaken(gate.clock.now(), gate.step, effect.id, about, busy.holder, because, by))
            except BaseException:
                await lock.release()
                raise
            return lock
    except Busy as busy:
        raise GateRefusal("lock", busy.message) from None
    except JournalError:
        raise
    except ConsoleError as error:
        raise _refusal(error) from None


async def _plan(
    effect: Effect, gate: GateContext, at: ObjectAddress | None, known: PlannedChange | None = None
) -> PlannedChange:
    context = _context(effect, gate, writer=gate.writer)
    if known is not None:
        effect, context = known.effect, preview.replace_known(context, known.preview.consequences)
    try:
        planned = await preview.plan(effect, at, context)
    except ConsoleError as error:
        raise _refusal(error) from None
    if denial := mode(planned.effect, gate.rules) or second_person(planned.effect, gate.rules):
        raise GateRefusal(denial.by, denial.because)
    return planned


def _possible(planned: PlannedChange) -> None:
    """What can be told beforehand to make things worse is not offered; a way back is, but past no obstacle."""
    if held := [c.text for c in planned.preview.consequences if c.topic == "obstacle"]:
        raise GateRefusal("obstacle", "; ".join(held))
    stops = [c.text for c in planned.preview.consequences if c.level == "stop"]
    if stops and not planned.effect.inverse_of:
        raise GateRefusal("policy", "; ".join(stops))


async def _confirm(
    planned: PlannedChange, gate: GateContext, at: ObjectAddress | None, lock: ObjectLock | None, reason: str
) -> None:
    terminal = is_production(planned.effect, gate.rules)

    def question(shown: Preview) -> Question:
        return confirm.question(
            shown,
            walk=gate.walk,
            now=gate.clock.now(),
            reason=reason or gate.reason,
            editable=gate.editable,
            terminal=terminal,
            second=needs_second(planned.effect, gate.rules),
        )

    async def read() -> Question:
        """The same question, with what is lost by now."""
        try:
            return question(await preview.followed_by(planned, at, _context(planned.effect, gate, writer=None)))
        except ConsoleError:  # it is looked at once more after the answer, and said then
            return question(planned.preview)

    for left in range(confirm.TRIES - 1, -1, -1):
        reply = await _ask(question(planned.preview), gate, lock, read)
        if reply is not None and reply.value == EDIT and gate.editable is not None:
            raise ValueEdited(reply.typed, reply.by)
        if not left or not confirm.mistyped(reply, planned.preview):
            break
        reason = confirm.once_more(reply, planned.preview, left)
        if reply is not None:
            said = f"it was not what had to be typed; nothing was changed, {plural(left, 'more try', 'more tries')}"
            gate.emit(AnswerRefused(gate.clock.now(), gate.step, CONFIRMATION, said, clean(reply.by)))
    if why := confirm.agreed(reply, planned.preview, terminal=terminal):
        raise GateRefusal("person", why)
    assert reply is not None
    gate.emit(Confirmed(gate.clock.now(), gate.step, planned.effect.id, reply.typed, reply.by))


async def _second_possible(planned: PlannedChange, gate: GateContext) -> None:
    """Where somebody else has to agree, their consent could be told from ours: known before anybody is asked."""
    if needs_second(planned.effect, gate.rules):
        lacking = await gate.second.lacking() if gate.second is not None else NOWHERE
        if lacking:
            raise GateRefusal("policy", no_second(gate.rules, lacking).because)


async def _second(planned: PlannedChange, gate: GateContext, lock: ObjectLock | None) -> None:
    """The consent of somebody else to exactly this change."""
    if not needs_second(planned.effect, gate.rules):
        return
    assert gate.second is not None, "it was asked before whether one can be had"
    effect, request = planned.effect.id, gate.second.request(planned.preview)
    try:
        lease = await gate.second.ask(request)
    except ConsoleError as error:
        raise GateRefusal("policy", f"a second person cannot be asked: {error.message}") from None
    try:
        gate.emit(ApprovalAsked(gate.clock.now(), gate.step, effect, request.digest, request.place, gate.second.wait))
        asked = waiting.question(request, context=gate.cluster, now=gate.clock.now())
        approval = await waiting.waited(gate.second, request, lease, asked, gate.person, lock)
    except waiting.NobodyApproved as error:
        raise GateRefusal("person", error.message) from None
    finally:
        await gate.second.take_back(lease)
    gate.emit(Approved(gate.clock.now(), gate.step, effect, request.digest, approval.by, request.place))


async def _ask(
    question: Question,
    gate: GateContext,
    lock: ObjectLock | None,
    read: Callable[[], Awaitable[Question]] | None = None,
) -> Reply | None:
    """The person's answer, as long as the lock is ours and their patience lasts. `read`: the question as it is now."""
    person = gate.person
    answered = person.answer(question, read) if isinstance(person, Published) else person.answer(question)
    answer = asyncio.ensure_future(answered)
    lost = None if lock is None else asyncio.create_task(lock.lost.wait())
    try:
        waiting: set[asyncio.Task[Reply | None] | asyncio.Task[Literal[True]]] = {answer}
        if lost is not None:
            waiting.add(lost)
        await asyncio.wait(waiting, timeout=gate.rules.patience, return_when=asyncio.FIRST_COMPLETED)
        if lost is not None and lost.done() and lock is not None:
            raise GateRefusal("lock", lock.why)
        return answer.result() if answer.done() else None
    finally:
        for task in (answer, lost):
            if task is not None and not task.done():
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task


async def _again(
    effect: Effect, gate: GateContext, at: ObjectAddress | None, lock: ObjectLock | None, planned: PlannedChange
) -> PlannedChange:
    """Policy, cluster, lock, pin and dry run once more, now that somebody has thought about it."""
    if denial := policy(effect, gate.rules, _occasion(gate)):
        raise GateRefusal(denial.by, denial.because)
    try:
        if other := await gate.other_cluster():
            raise GateRefusal("changed", other)
    except ConsoleError as error:
        raise _refusal(error) from None
    if lock is not None and not await lock.check():
        raise GateRefusal("lock", lock.why)
    return await _plan(effect, gate, at, planned)


def _occasion(gate: GateContext) -> Occasion:
    return Occasion(gate.clock.now(), gate.walk, gate.touched, gate.recent(), gate.runbook, gate.subject)


def _context(effect: Effect, gate: GateContext, *, writer: Writer | None, read_only: str = "") -> PreviewContext:
    mine = {object_key(one) for one in effect.objects}
    return PreviewContext(
        reader=gate.reader,
        writer=writer,
        rules=gate.rules,
        now=gate.clock.now,
        cluster=gate.cluster,
        run_script=gate.run_script,
        objects=len(gate.touched | mine),
        read_only=read_only,
    )


def _refusal(error: ConsoleError) -> GateRefusal:
    """An error of a stage as a refusal."""
    if isinstance(error, GateRefusal):
        return error
    if isinstance(error, NoSuchChange | NotNow):
        return GateRefusal("obstacle", error.message)
    if isinstance(error, ObjectChanged):
        return GateRefusal("changed", error.message)
    if isinstance(error, ForbiddenError):
        return GateRefusal("permission", error.message)
    return GateRefusal("server", error.message)
