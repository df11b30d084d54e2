"""One walk, step by step: asks the runbook what is next, does it, journals what came of it, publishes the walk."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from console.base.clock import Clock
from console.base.errors import ConsoleError, UsageError
from console.base.text import clean
from console.operate import asking, kubeconfig, landing, scripts
from console.operate.applying import announce
from console.operate.gate import pass_gate
from console.operate.identity import other_cluster
from console.operate.journal import Journal, JournalError
from console.operate.locks import Locks
from console.operate.person import YES, Person, Question, Reply
from console.operate.policy import Rules, object_key
from console.operate.way import Way
from console.operate.world import World, slo_snapshot
from console.runbook import context, steps
from console.runbook.catalogue import Catalogue
from console.runbook.effects import Effect, ObjectRef
from console.runbook.model import Runbook, Step
from console.runbook.scripts import ScriptSpec
from console.runbook.template import TemplateError
from console.runbook.walk import (
    AnyEvent,
    Applied,
    Ended,
    Intent,
    Landed,
    Noted,
    Offered,
    Refused,
    Verified,
    Walk,
    apply,
)
from console.wire.connection import Connection
from console.wire.writer import Writer

TRIES = 3
"""How often a question is put again after an answer that is none of its choices."""
Publish = Callable[[Walk, Question | None], None]


@dataclass(frozen=True)
class Kit:
    """What every walk of a desk works with. `writer` is None in a read-only context."""

    connection: Connection
    writer: Writer | None
    journal: Journal
    rules: Rules
    clock: Clock
    world: World
    scripts: dict[str, ScriptSpec]
    catalogue: Catalogue
    actor: str
    folder: Path
    """Where locks and short-lived files lie."""


class Runner:
    """Runs one walk. Everything it knows comes from the journal; everything it decides goes there first.

    Args:
        walk: the fold of the walk's records.
        publish: called with the walk after every event, and with the question while one is open.
    """

    def __init__(self, kit: Kit, runbook: Runbook, walk: Walk, person: Person, publish: Publish) -> None:
        self.kit, self.runbook, self.walk, self.person = kit, runbook, walk, person
        self.question: Question | None = None
        self._publish = publish

    async def run(self) -> Walk:
        """Walk until the end, or until it is left in doubt.

        Raises:
            JournalError: nothing was or will be changed without a record.
            UsageError: answers are none of the choices.
        """
        await self._give_back(*(effect.target for effect in self.walk.writes))
        try:
            while not isinstance(todo := steps.todo(self.runbook, self.walk), steps.Nothing) and await self._do(todo):
                pass
        except JournalError:
            raise
        except ConsoleError as error:
            now, step = self.kit.clock.now(), self.walk.current
            self.emit(Noted(now, f"the walk stopped here: {clean(error.message)}", "console", step))
            raise
        return self.walk

    def emit(self, event: AnyEvent) -> None:
        """Journal an event, fold what was stored, publish."""
        stored = self.kit.journal.append(self.walk.id, event, expected=self.walk.events)
        self.walk = apply(self.walk, stored)
        self._publish(self.walk, self.question)

    async def _do(self, todo: steps.Todo) -> bool:
        """Do one thing. False leaves the walk as it is."""
        now = self.kit.clock.now
        match todo:
            case steps.Enter(step=step):
                for event in steps.enter(self.runbook, self.walk, step, await self._context(), now()):
                    self.emit(event)
            case steps.Judge(step=one):
                self.emit(steps.judge(self.runbook, one, await self._asked(one), now()))
            case steps.Question(step=one):
                await self._person(one)
            case steps.Change(step=one) | steps.RunScript(step=one):
                await self._change(one)
            case steps.Hold(step=one):
                await self._hold(one)
            case steps.Pause(step=one):
                until = steps.pause(one, await self._context(), self.walk)
                await self.kit.clock.sleep(max(0.0, until - now()))
                self.emit(steps.waited(self.runbook, one, now()))
            case steps.Landing(intent=intent, answer=answer):
                return await self._landing(intent, answer)
            case steps.Offer(step=one, effect=effect, rollback=rollback):
                await self._offer(one, effect, rollback)
            case steps.Undo(step=maybe, rollback=rollback):
                await pass_gate(rollback, self._way(maybe.id if maybe else rollback.step))
            case steps.Finish(step=step, outcome=outcome, because=because):
                ctx = await self._context()
                slo = slo_snapshot(self.kit.world.board())
                self.emit(steps.finish(self.runbook, self.walk, step, outcome, because, ctx, now(), slo))
            case steps.Nothing():
                return False
        return True

    async def _context(self) -> dict[str, Any]:
        """The data of the runbook's templates, from facts that are not older than the last change."""
        board = await self.kit.world.refreshed(after=self.walk.changed)
        return context.build(
            board,
            app=self.walk.subject,
            walk=self.walk,
            inputs=self.walk.inputs,
            alert=self.walk.alert,
            now=self.kit.clock.now(),
            runbook=self.runbook,
        )

    async def _asked(self, step: Step) -> dict[str, Any]:
        """The context of a check, with the answer to its query."""
        ctx = await self._context()
        try:
            expr = steps.query(step, ctx)
        except TemplateError as error:
            return context.with_query(ctx, None, error.message)
        if not expr:
            return ctx
        answer = await self.kit.world.query(expr)
        return context.with_query(ctx, answer.samples, answer.error)

    async def _person(self, step: Step) -> None:
        asked = steps.question(step, await self._context(), self.runbook.id)
        reason = ""
        for left in range(TRIES - 1, -1, -1):
            question = asking.of_step(self.walk, step.id, asked, now=self.kit.clock.now(), reason=reason)
            reply = await self._ask(question)
            if reply is None:
                self._finish("handed_over", f"nobody answered: {asked.title}")
                return
            try:
                self.emit(steps.answer(self.runbook, step, reply.value, reply.by, self.kit.clock.now()))
                return
            except UsageError as error:
                if not left:
                    raise
                reason = str(error)

    def _finish(self, outcome: Any, because: str) -> None:
        slo = slo_snapshot(self.kit.world.board())
        now, step = self.kit.clock.now(), self.walk.current
        self.emit(Ended(now, outcome, clean(because), step, slo))

    async def _ask(self, question: Question) -> Reply | None:
        """Ask the person, the question standing beside the published walk."""
        return await _Published(self).answer(question)

    async def _change(self, step: Step) -> None:
        """A change or a script: the effect is worked out, then it goes through the gate."""
        ctx = await self._context()
        way = self._way(step.id)
        try:
            effect = steps.effect(self.runbook, self.walk, step, ctx, self.kit.scripts, self.kit.catalogue)
        except ConsoleError as error:
            now, id = self.kit.clock.now(), f"{self.walk.id}/{self.walk.intents + 1}"
            self.emit(Refused(now, step.id, id, "runbook", clean(error.message), way.refused_to))
            return
        await pass_gate(effect, way)

    async def _hold(self, step: Step) -> None:
        """Look, again and again, until there is a verdict."""
        while True:
            events = steps.hold(step, await self._context(), self.walk, self.kit.clock.now())
            for event in events:
                self.emit(event)
            if any(isinstance(event, Verified) for event in events):
                return
            await self.kit.clock.sleep(step.poll)

    async def _offer(self, step: Step, effect: Effect, rollback: Effect) -> None:
        reply = await self._ask(asking.of_rollback(self.walk, step.id, rollback, now=self.kit.clock.now()))
        yes = reply is not None and reply.value == YES
        by = clean(reply.by) if reply is not None else "nobody"
        self.emit(Offered(self.kit.clock.now(), step.id, effect.id, "yes" if yes else "no", by))

    async def _landing(self, intent: Intent, answer: str) -> bool:
        """A change without a result: ask the system, then the person; never send it again by itself."""
        now, effect = self.kit.clock.now, intent.effect
        if answer == "":
            found, because = await landing.look(self.kit.connection.reader, intent, self._other_cluster)
            self.emit(Landed(now(), intent.step, effect.id, found, clean(because)))
        elif answer == "yes":
            step = self.runbook.step(intent.step)
            goto = steps.route(self.runbook, step, "applied") if step is not None else ""
            message = "it had arrived"
            self.emit(Applied(now(), intent.step, effect.id, True, message, intent.generation, goto=goto))
            if self.kit.writer is not None:
                head = self.kit.journal.head(self.walk.id)
                await announce(effect, self.kit.writer, actor=self.kit.actor, head=head)
            await self._give_back(effect.target)
        else:
            return await self._doubted(intent)
        return True

    async def _doubted(self, intent: Intent) -> bool:
        """Nobody but a person can say whether it landed."""
        reply = await self._ask(asking.of_landing(self.walk, intent, now=self.kit.clock.now()))
        if reply is None or reply.value not in ("yes", "no", "look"):
            return False
        if reply.value == "look":
            found, because = await landing.look(self.kit.connection.reader, intent, self._other_cluster)
        else:
            found, because = ("yes" if reply.value == "yes" else "no"), f"{reply.by} says so"
        self.emit(Landed(self.kit.clock.now(), intent.step, intent.effect.id, found, clean(because)))
        return True

    def _locks(self) -> Locks | None:
        kit = self.kit
        return None if kit.writer is None else Locks.of(kit.writer, kit.folder, kit.actor, self.walk.id)

    async def _give_back(self, *targets: ObjectRef | None) -> None:
        """Locks that a process of this walk held when it died."""
        locks = self._locks()
        for target in dict.fromkeys(targets):
            if locks is not None and target is not None:
                await locks.give_back(target)

    def _way(self, step_id: str) -> Way:
        """The way through the gate for an effect of this step."""
        kit, step = self.kit, self.runbook.step(step_id)

        def route(why: str) -> str:
            return steps.route(self.runbook, step, why) if step is not None else ""

        changed = [e for e in self.walk.writes if e.step == step_id and e.target is not None]
        return Way(
            walk=self.walk.id,
            step=step_id,
            rules=kit.rules,
            clock=kit.clock,
            reader=kit.connection.reader,
            writer=kit.writer,
            locks=self._locks(),
            person=_Published(self),
            actor=kit.actor,
            cluster=str(self.walk.cluster.get("context") or self.walk.cluster.get("server") or ""),
            other_cluster=self._other_cluster,
            emit=self.emit,
            head=lambda: kit.journal.head(self.walk.id),
            run_script=self._script,
            recent=lambda: tuple(kit.journal.changes(kit.clock.now() - kit.rules.cooldown)),
            touched=frozenset(object_key(e.target) for e in changed if e.target is not None),
            applied_to=route("applied"),
            refused_to=route("refused"),
            failed_to=route("failed"),
        )

    async def _other_cluster(self) -> str:
        return await other_cluster(self.kit.connection, self.walk.cluster)

    async def _script(self, effect: Effect, dry_run: bool) -> scripts.Finished:
        with kubeconfig.written(self.kit.connection.target, self.kit.folder) as path:
            env = {"KUBECONFIG": str(path), "CONSOLE_EFFECT": effect.id, "CONSOLE_STAMP": effect.id}
            if dry_run:
                env["CONSOLE_DRY_RUN"] = "1"
            return await scripts.run(effect.argv, timeout=effect.timeout, env=env)


class _Published:
    """The runner's person, their open question published with the walk."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    @property
    def name(self) -> str:
        return self._runner.person.name

    async def answer(self, question: Question) -> Reply | None:
        runner = self._runner
        runner.question = question
        runner._publish(runner.walk, question)
        try:
            return await runner.person.answer(question)
        finally:
            runner.question = None
            runner._publish(runner.walk, None)
