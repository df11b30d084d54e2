"""What people want of a session: walks are begun, answered, resumed, noted on, handed over and rolled back."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from typing import TypeVar

import msgspec

from console.base.errors import ConsoleError, UsageError, did_you_mean
from console.facts.model import Alert
from console.live.connect import Connected
from console.live.loops import Loops
from console.live.situation import Situation
from console.operate.binding import load
from console.operate.desk import Desk
from console.operate.person import Person, Question, Queue, Reply, Scripted
from console.operate.policy import ChangeRules
from console.runbook.afterwards.recurrence import followed
from console.runbook.inputs import InputMissing, resolve, the_finding
from console.runbook.language.link import link
from console.runbook.remarks import remarks
from console.runbook.walk import Walk

T = TypeVar("T")


class Intents:
    """The desk of one cluster, and those who are asked at it.

    Args:
        loops: what walks see the world by.
        changed: called after each event of a walk.
    """

    def __init__(self, at: Connected, loops: Loops, changed: Callable[[], None]) -> None:
        self._at, self._loops, self._changed = at, loops, changed
        self.desk = Desk(
            connection=at.connection,
            journal=at.journal,
            rules=ChangeRules.of(at.settings),
            clock=at.clock,
            world=loops,
            library=at.library,
            actor=at.plan.actor,
            session=at.plan.session,
            cluster=at.pinned,
            on_change=self._walk_changed,
        )
        self._queues: dict[str, Queue] = {}
        self._questions: dict[str, Question] = {}

    def shown_on(self, situation: Situation) -> Situation:
        """The situation with the walks: open ones first, then the latest that ended, and what people are asked."""
        walks = self.desk.walks()
        open_ones = [w for w in walks if w.status != "ended"]
        ended = sorted((w for w in walks if w.status == "ended"), key=lambda w: -(w.ended or 0.0))
        here = frozenset(walk.id for walk in walks if self.desk.active(walk.id))
        others = {w.id: self.desk.walked_by(w.id) for w in open_ones if w.id not in here}
        return msgspec.structs.replace(
            situation,
            walks=(*open_ones, *ended),
            walks_unread=self.desk.unread,
            questions=dict(self._questions),
            here=here,
            looked={id: looked for id in here if (looked := self.desk.looked(id))},
            elsewhere={id: who for id, who in others.items() if who},
        )

    @property
    def walked(self) -> frozenset[str]:
        """What open walks are about, applications among it by their keys."""
        return frozenset(w.subject for w in self.desk.walks() if w.status != "ended")

    def _walk_changed(self, walk: Walk, question: Question | None) -> None:
        if question is None:
            self._questions.pop(walk.id, None)
        else:
            self._questions[walk.id] = question
        self._changed()

    async def follow_up(self) -> None:
        """See whether what walks resolved is still so, and record where it is not. Never raises for one walk."""
        board, facts = self._loops.situation.board, self._loops.facts
        objects = (*facts.spark, *facts.workloads)
        for walk in self.desk.walks():
            try:
                found = followed(walk, board, objects)
            except Exception as error:
                self._loops.failed_at(f"walk {walk.id}", "looking whether it lasts", error)
                continue
            if found is not None and not self.desk.active(walk.id):
                with contextlib.suppress(ConsoleError):  # another process is on it, or the journal cannot be written
                    await self.desk.follow(walk.id, found)

    async def begin(
        self, runbook: str, *, app: str, alert: Alert | None, given: Mapping[str, str], person: Person | None
    ) -> str:
        """Start a walk.

        Raises:
            UsageError: no such runbook. InputMissing, InputRefused: an input is missing, or a given one is wrong.
        """
        books = self._at.library.runbooks
        chosen = link(known(runbook, books, "runbook"), books)
        board = await self._loops.refreshed()
        resolved = resolve(chosen, board, app=app, alert=alert, given=given)
        if resolved.missing:
            raise InputMissing(runbook, resolved.missing[0])
        if isinstance(person, Scripted):
            person.check({step.id for step in chosen.steps})
        subject = resolved.subject
        someone = person or self._new_queue()
        said = remarks(chosen, board, alert, subject)
        found = the_finding(chosen, board, subject, alert)
        walk = await self.desk.start(
            chosen, resolved.inputs, resolved.origins, subject, someone, alert=alert, remarks=said,
            finding=found.key if found is not None else "", trouble=found.title if found is not None else "",
        )  # fmt: skip
        if isinstance(someone, Queue):
            self._queues[walk] = someone
        return walk

    async def resume(self, walk: str, person: Person | None, *, bind: bool = False, because: str = "") -> str:
        """Go on with a walk (an id, its beginning, or `latest`), or take it over (`because`: why); returns its id.

        Raises:
            UsageError, RefusedError, JournalError: as `Desk.resume` does.
        """
        walk = self._at.journal.find_open(walk)
        someone = person or self._new_queue()
        if isinstance(someone, Queue):
            self._queues[walk] = someone
        await self.desk.resume(walk, someone, bind=bind, because=because)
        return walk

    async def drift(self, walk: str) -> tuple[str, ...]:
        """How its runbook differs now from the copy that the walk has stored, as a unified diff."""
        return self.desk.drift(self._at.journal.find_open(walk))

    def _new_queue(self) -> Queue:
        return Queue(self._at.plan.actor, lambda _question: None)

    async def reply(self, walk: str, reply: Reply | None, question: Question | None = None) -> None:
        """Answer what the walk asks.

        Args:
            question: what was answered; where something else is asked by now, the answer is dropped.
        """
        queue = self._queues.get(walk)
        if queue is None:
            raise ConsoleError("this walk is not asked here", hint="resume it first")
        if not queue.reply(reply, question):
            raise ConsoleError("that question is not asked any more: nothing was answered")

    async def note(self, walk: str, text: str) -> None:
        await self.desk.note(walk, text, self._at.plan.actor)

    async def hand_over(self, walk: str, text: str) -> None:
        await self.desk.hand_over(walk, self._at.plan.actor, text)

    async def stop_walk(self, walk: str, because: str) -> None:
        await self.desk.stop(walk, self._at.plan.actor, because)

    async def rollback(self, walk: str, effect: str) -> None:
        queue = self._queues.get(walk) or self._new_queue()
        self._queues[walk] = queue
        await self.desk.rollback(walk, effect, queue)

    async def undoable(self, walk: str, change: str = "") -> tuple[str, str]:
        """(walk, change) of what can be undone: the change of this id (or its number), else the last one of the walk.

        Args:
            walk: an id, its beginning, or `latest`.

        Raises:
            UsageError: the walk has changed nothing, has no such change, or the change cannot be undone.
        """
        found = load(self._at.journal, self._at.journal.find(walk))
        ids = [effect.id for effect in found.writes]
        if not ids:
            raise UsageError(f"walk {found.id} has changed nothing")
        wanted = f"{found.id}/{change}" if change.isdigit() else change or ids[-1]
        if wanted not in ids:
            raise UsageError(f"walk {found.id} has no change {change!r}", hint=f"those are: {', '.join(ids)}")
        if undone := next((effect.id for effect in found.writes if effect.inverse_of == wanted), ""):
            raise UsageError(f"{wanted} was undone already, by {undone}")
        if wanted not in found.rollbacks:
            raise UsageError(f"{wanted} cannot be undone", hint=f"console incident show {found.id}")
        return found.id, wanted

    async def undo(self, walk: str, change: str, person: Person) -> Walk:
        """Undo a change of a walk that nobody is on, asking this person; what `undoable` found."""
        return await self.desk.rollback(walk, change, person)

    async def finished(self, walk: str) -> Walk:
        return await self.desk.wait(walk)

    async def timeline(self, walk: str) -> str:
        from console.runbook.walk import fold
        from console.timeline.timeline import markdown

        events = self._at.journal.read(walk)
        chain, hashes = self._at.journal.verify(walk), self._at.journal.hashes(walk)
        return markdown(fold(events), events, chain, hashes, self.desk.walked_by(walk))


def known(name: str, choices: Mapping[str, T], noun: str) -> T:
    """`choices[name]`, or a usage error that names the nearest one."""
    if name in choices:
        return choices[name]
    raise UsageError(f"no {noun} {name!r}", hint=did_you_mean(name, choices))
