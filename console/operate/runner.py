"""One walk, step by step: asks the runbook what is next, does it, journals what came of it, publishes the walk."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from msgspec.structs import replace as structs_replace

from console.actions.effects import Effect, ObjectRef
from console.actions.pins import Pin
from console.base.errors import ConsoleError, UsageError
from console.base.redact import redact
from console.base.text import clean, shorten
from console.operate import asking, bounds, landing, leaving, undone
from console.operate.ahead import rights
from console.operate.applying import announce
from console.operate.approvals.waiting import SecondPerson
from console.operate.escalation import came_of_it
from console.operate.gate import pass_gate
from console.operate.gate_context import GateContext, ValueEdited
from console.operate.identity import other_cluster
from console.operate.journal import JournalError
from console.operate.locks import Locks
from console.operate.person import YES, Person, Question, Reply
from console.operate.policy import HOUR, ChangeRules, object_key
from console.operate.reads.looking import context_of
from console.operate.scripts import runs
from console.operate.scripts.process import Finished
from console.operate.world import WalkEnvironment, costed, impact_at_end, slo_snapshot
from console.runbook import editing, steps, trust
from console.runbook.afterwards.worse import worse
from console.runbook.context.objects import LiveObject
from console.runbook.context.query import with_query
from console.runbook.inputs import no_longer
from console.runbook.model import Runbook, Step
from console.runbook.template import TemplateError
from console.runbook.verify import Look
from console.runbook.walk import (
    AnswerRefused,
    AnyEvent,
    Applied,
    Called,
    ChangeRefused,
    Edited,
    HandedOver,
    Intent,
    Landed,
    Noted,
    TakenOver,
    Verified,
    Walk,
    apply,
)
from console.wire.calls import Leave
from console.wire.guarded import ProxiedCall

EDITS = 10
"""How often a change is put again after a value that is outside of its limits."""
Publish = Callable[[Walk, Question | None], None]


class Runner:
    """Runs one walk. Everything it knows comes from the journal; everything it decides goes there first.

    Args:
        walk: the fold of the walk's records.
        publish: called with the walk after every event, and with the question while one is open.
    """

    def __init__(self, env: WalkEnvironment, runbook: Runbook, walk: Walk, person: Person, publish: Publish) -> None:
        self.env, self.runbook, self.walk, self.person = env, runbook, walk, person
        self.question: Question | None = None
        self.looked: dict[str, LiveObject] = {}
        self.taken: TakenOver | None = None
        self._publish = publish
        self._rules: ChangeRules | None = None

    async def run(self, *, undo: bool = False) -> Walk:
        """Walk until the end, or until it is left in doubt. `undo`: only roll back what was wished, and look at that.

        Raises:
            JournalError: nothing was or will be changed without a record.
            UsageError: answers are none of the choices.
        """
        await self._give_back(*(effect.target for effect in self.walk.writes))
        try:
            await self._rights()
            while not isinstance(todo := steps.todo(self.runbook, self.walk), steps.Nothing):
                if (undo and not isinstance(todo, steps.OF_UNDO)) or not await self._do(todo):
                    break
        except JournalError:
            raise
        except ConsoleError as error:
            now, step = self.env.clock.now(), self.walk.current
            self.emit(Noted(now, f"the walk stopped here: {clean(error.message)}", "console", step))
            raise
        return self.walk

    def emit(self, event: AnyEvent) -> None:
        """Journal an event, fold what was stored, publish.

        Raises:
            JournalError: it was not stored; where somebody took the walk over, that is why.
        """
        event = costed(event, self.env.world.board(), self.walk)
        try:
            stored = self.env.journal.append(self.walk.id, event, expected=self.walk.events)
        except JournalError:
            if not self.taken_over() or self.taken is None:
                raise
            said = f"{self.taken.by} took this walk over: {self.taken.because}"
            raise JournalError(said, hint="it goes on there; nothing more is done here") from None
        self.walk = apply(self.walk, stored)
        self._publish(self.walk, self.question)

    def taken_over(self) -> bool:
        """Whether somebody took the walk from this process."""
        self.taken = self.taken or leaving.taken(self.env.journal, self.walk)
        return self.taken is not None

    async def _do(self, todo: steps.Todo) -> bool:
        """Do one thing. False leaves the walk as it is."""
        now = self.env.clock.now
        match todo:
            case steps.Enter(step=step):
                for event in steps.enter(self.runbook, self.walk, step, await self._context(step), now()):
                    self.emit(event)
            case steps.Judge(step=one):
                self.emit(steps.judged(self.runbook, one, self.walk, await self._context(), now()))
            case steps.AskPerson(step=one) | steps.AwaitAnswer(step=one):
                return await self._person(one, called=isinstance(todo, steps.AwaitAnswer))
            case steps.Escalate(step=one):
                self.emit(steps.escalated(self.runbook, one, await self._context(), now()))
            case steps.MakeChange(step=one) | steps.RunScript(step=one):
                await self._change(one)
            case steps.Hold(step=one):
                await self._hold(one)
            case steps.Pause(step=one):
                until = steps.pause(one, await self._context(), self.walk)
                await self.env.clock.sleep(max(0.0, until - now()))
                self.emit(steps.waited(self.runbook, one, now()))
            case steps.Landing(intent=intent, answer=answer):
                return await self._landing(intent, answer)
            case steps.Offer(step=one, effect=effect, rollback=rollback):
                await self._offer(one, effect, rollback)
            case steps.Undo(step=maybe, rollback=rollback):
                await pass_gate(rollback, self._gate(maybe.id if maybe else rollback.step, await self._bounds()))
            case steps.LookBack(rollback=rollback):
                reader, clock = self.env.connection.reader, self.env.clock
                self.emit(await undone.seen(rollback, self.walk, self.runbook, self.env.world, reader, clock))
            case steps.Finish(step=step, outcome=outcome, because=because):
                ctx = await self._context()
                board = self.env.world.board()
                slo, impact = slo_snapshot(board, self.walk.changed), impact_at_end(board, self.walk)
                self.emit(steps.finish(self.runbook, self.walk, step, outcome, because, ctx, now(), slo, impact))
            case steps.Nothing():
                return False
        return True

    async def _rights(self) -> None:
        """What the steps need, once, before the first of them: nobody should learn half-way that they may not go on."""
        env, walk = self.env, self.walk
        if walk.steps or walk.rights is not None or not (self.runbook.writes or self.runbook.objects):
            return
        changing = env.writer is not None
        found = await rights.asked(
            env.connection.reader, self.runbook, walk, self._context, scripts=env.scripts, catalogue=env.catalogue,
            answers=env.rights, now=env.clock.now(), changing=changing,
        )  # fmt: skip
        if found.asked or found.unknown:
            self.emit(found)

    async def _context(self, step: str = "") -> dict[str, Any]:
        """The data of the templates of a step (of the present one), from facts not older than the last change."""
        env = self.env
        walk = structs_replace(self.walk, current=step) if step else self.walk
        ctx, self.looked = await context_of(env.world, env.connection.reader, self.runbook, walk, env.clock.now)
        one = self.runbook.step(walk.current)
        if one is None or not one.query or (step and "query" not in one.when):
            return ctx
        asked = await self._queried(one, ctx)
        self.looked = {**self.looked, "query": LiveObject("found", asked["query"])}
        return asked

    async def _queried(self, step: Step, ctx: dict[str, Any]) -> dict[str, Any]:
        """The context with the answer to the query of a step."""
        try:
            expr = steps.query(step, ctx)
        except TemplateError as error:
            return with_query(ctx, None, error.message)
        answer = await self.env.world.query(expr)
        return with_query(ctx, answer.samples, answer.error)

    async def _person(self, step: Step, *, called: bool = False) -> bool:
        """The answer to a step; `called`: what came of an escalation. Where nobody gives one, the walk waits."""
        now, person = self.env.clock.now, self._asking()
        event: AnyEvent
        if called:
            event = await came_of_it(person, self.runbook, self.walk, step, self.env.clock)
        else:
            event = await asking.answer_of_step(person, self.runbook, self.walk, step, self._context, now)
        self.emit(event)
        return not isinstance(event, HandedOver)

    async def _ask(self, question: Question) -> Reply | None:
        """Ask the person, the question standing beside the published walk."""
        return await self._asking().answer(question)

    def _asking(self) -> asking.Published:
        def show(question: Question | None) -> None:
            self.question = question
            self._publish(self.walk, question)

        return asking.Published(self.person, show)

    async def _change(self, step: Step) -> None:
        """A change or a script: the effect is worked out, then it goes through the gate."""
        ctx = await self._context()
        gate = self._gate(step.id, await self._bounds())
        try:
            if said := no_longer(self.runbook, self.walk, self.env.world.board()):
                raise ConsoleError(said)
            effect = steps.effect(self.runbook, self.walk, step, ctx, self.env.scripts, self.env.catalogue)
        except ConsoleError as error:
            now, id = self.env.clock.now(), f"{self.walk.id}/{self.walk.intents + 1}"
            self.emit(ChangeRefused(now, step.id, id, "runbook", clean(error.message), gate.refused_to))
            return
        editable, reason = editing.offered(self.runbook, step, ctx), ""
        for _ in range(EDITS):
            try:
                await pass_gate(effect, replace(gate, editable=editable, reason=reason))
                return
            except ValueEdited as wish:
                assert editable is not None
                try:
                    value = editing.edited(self.runbook, step, editable, wish.value)
                except UsageError as error:
                    reason = f"{error.message} ({error.hint})"
                    wanted, now = clean(redact(shorten(wish.value, 60))), self.env.clock.now()
                    self.emit(AnswerRefused(now, step.id, wanted, clean(redact(reason)), clean(wish.by)))
                    continue
                now, by = self.env.clock.now(), clean(wish.by)
                self.emit(Edited(now, step.id, editable.input, value, editable.value, by))
                return
        gate.refuse(effect, "person", f"{EDITS} values were not within the limits; the last: {reason}")

    async def _hold(self, step: Step) -> None:
        """Look, again and again, until there is a verdict."""
        before: Look | None = None
        while True:
            ctx, now = await self._context(), self.env.clock.now()
            doubt = trust.doubt(step, self.env.world.board().sources)
            events = steps.hold(step, ctx, self.walk, now, before, doubt, self.env.clock.speed)
            before = Look.after(before, now, doubt, ctx)
            for event in events:
                self.emit(event)
            if any(isinstance(event, Verified) for event in events):
                return
            await self.env.clock.sleep(step.poll)

    async def _offer(self, step: Step, effect: Effect, rollback: Effect) -> None:
        asked: Question

        async def read() -> Question:
            nonlocal asked
            seen = steps.shows(step, await self._context(), self.runbook.id)
            now, board = self.env.clock.now(), self.env.world.board()
            asked = asking.of_rollback(self.walk, step.id, effect, rollback, board, now=now, seen=seen)
            return asked

        asked = await read()
        reply = await self._asking().answer(asked, read)
        yes = reply is not None and reply.value == YES
        by = clean(reply.by) if reply is not None else "nobody"
        self.emit(asking.offered(asked, effect.id, yes=yes, by=by, now=self.env.clock.now()))

    async def _landing(self, intent: Intent, answer: str) -> bool:
        """A change without a result: ask the system, then the person; never send it again by itself."""
        now, effect = self.env.clock.now, intent.effect
        if answer == "":
            found, because = await landing.asked(self.env.connection.reader, intent, self._other_cluster)
            self.emit(Landed(now(), intent.step, effect.id, found, clean(because)))
        elif answer == "yes":
            step = self.runbook.step(intent.step)
            goto = steps.route(self.runbook, step, "applied") if step is not None else ""
            message = "it had arrived"
            self.emit(Applied(now(), intent.step, effect.id, True, message, intent.generation, goto=goto))
            if self.env.writer is not None:
                head = self.env.journal.head(self.walk.id)
                await announce(effect, self.env.writer, actor=self.env.actor, head=head, at=intent.at)
            await self._give_back(effect.target)
        else:
            return await self._doubted(intent)
        return True

    async def _doubted(self, intent: Intent) -> bool:
        """Nobody but a person can say whether it landed."""
        reply = await self._ask(asking.of_landing(self.walk, intent, now=self.env.clock.now()))
        if reply is None or reply.value not in ("yes", "no", "look"):
            return False
        if reply.value == "look":
            found, because = await landing.asked(self.env.connection.reader, intent, self._other_cluster)
        else:
            found, because = ("yes" if reply.value == "yes" else "no"), f"{reply.by} says so"
        self.emit(Landed(self.env.clock.now(), intent.step, intent.effect.id, found, clean(because)))
        return True

    def _locks(self) -> Locks | None:
        env = self.env
        return None if env.writer is None else Locks.of(env.writer, env.folder, env.actor, self.walk.id)

    async def _give_back(self, *targets: ObjectRef | None) -> None:
        """Locks that a process of this walk held when it died."""
        locks = self._locks()
        for target in dict.fromkeys(targets):
            if locks is not None and target is not None:
                await locks.give_back(target)

    async def _bounds(self) -> ChangeRules:
        """The rules of now, as far as the walk goes by them."""
        if self._rules is None:
            self._rules = await bounds.agreed(self.walk, self.env.rules, self._ask, self.env.clock.now, self.emit)
        return self._rules

    def _gate(self, step_id: str, rules: ChangeRules) -> GateContext:
        """The way through the gate for an effect of this step."""
        env, step = self.env, self.runbook.step(step_id)

        def route(why: str) -> str:
            return steps.route(self.runbook, step, why) if step is not None else ""

        changed = [one for e in self.walk.writes if e.step == step_id for one in e.objects]
        return GateContext(
            walk=self.walk.id,
            step=step_id,
            rules=rules,
            clock=env.clock,
            reader=env.connection.reader,
            writer=env.writer,
            locks=self._locks(),
            person=self._asking(),
            actor=env.actor,
            cluster=str(self.walk.cluster.get("context") or self.walk.cluster.get("server") or ""),
            other_cluster=self._other_cluster,
            emit=self.emit,
            head=lambda: env.journal.head(self.walk.id),
            run_script=self._script,
            recent=lambda: tuple(env.journal.changes(env.clock.now() - max(rules.cooldown, HOUR), self.walk.cluster)),
            touched=frozenset(map(object_key, changed)),
            applied_to=route("applied"),
            refused_to=route("refused"),
            failed_to=route("failed"),
            second=self._second(rules),
            kept=env.folder.parent / "kept",
            runbook=self.walk.runbook,
            subject=self.walk.subject,
            worse=lambda: worse(self.walk, env.world.board(), self.runbook),
        )

    def _second(self, rules: ChangeRules) -> SecondPerson:
        env, at = self.env, self.env.connection
        return SecondPerson(at.reader, env.writer, at.identity, self.walk.id, rules.approvals, rules.approval_wait)

    async def _other_cluster(self) -> str:
        return await other_cluster(self.env.connection, self.walk.cluster)

    async def _script(self, effect: Effect, leave: Leave, pin: Pin) -> Finished:
        return await runs.run_guarded(
            effect,
            leave,
            pin,
            connection=self.env.connection,
            folder=self.env.folder,
            report=lambda call: self._called(effect, call),
        )

    def _called(self, effect: Effect, call: ProxiedCall) -> None:
        """Journal what a script sends; of a dry run only what was not passed on."""
        if call.refused or not call.dry_run:
            now = self.env.clock.now()
            refused, said = clean(call.refused), clean(call.message)
            self.emit(
                Called(
                    now, effect.step, effect.id, call.verb, clean(call.about), call.status, call.dry_run, refused, said
                )
            )
