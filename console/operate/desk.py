"""The desk: walks are started, resumed, stopped, noted on and handed over here. One desk per connection."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from msgspec.structs import replace

import console
from console.base.clock import Clock
from console.base.errors import Exit, UsageError
from console.base.text import clean
from console.health.facts import Alert
from console.operate import identity
from console.operate.binding import Library, bound, checked, drift, load, stored
from console.operate.journal import Journal, JournalError
from console.operate.locks import FileLock, lock_walk
from console.operate.person import Person, Question
from console.operate.policy import Rules
from console.operate.runner import Kit, Publish, Runner
from console.operate.world import World, slo_snapshot
from console.runbook.model import Outcome, Runbook
from console.runbook.walk import Ended, Noted, Offered, Resumed, Started, Walk, apply, fold
from console.wire.connection import Connection
from console.wire.writer import Writer

REMEMBERED = 50
"""Walks of earlier sessions that are looked through for unfinished ones."""


class Desk:
    """Everything that may change one cluster.

    Args:
        connection: open and identified.
        library: the runbooks and scripts of now.
        cluster: what walks are pinned to; None takes it from the connection's identity and the rules.
        on_change: called in the loop with each walk after each of its events, and with its open question.
        folder: where locks and short-lived files lie; None means beside the journal.
    """

    def __init__(
        self,
        *,
        connection: Connection,
        journal: Journal,
        rules: Rules,
        clock: Clock,
        world: World,
        library: Library,
        actor: str,
        cluster: dict[str, Any] | None = None,
        on_change: Publish | None = None,
        folder: Path | None = None,
    ) -> None:
        writer = None if rules.mode == "read-only" else Writer(connection)
        where = folder if folder is not None else journal.path.parent
        self._kit = Kit(
            connection,
            writer,
            journal,
            rules,
            clock,
            world,
            dict(library.scripts),
            library.catalogue,
            clean(actor),
            where / "run",
        )
        self._library = library
        self._cluster = cluster if cluster is not None else identity.of(connection, rules)
        self._on_change = on_change or (lambda walk, question: None)
        self._runners: dict[str, Runner] = {}
        self._tasks: dict[str, asyncio.Task[Walk]] = {}
        self._locks: dict[str, FileLock] = {}
        self._walks: dict[str, Walk] | None = None

    async def start(
        self,
        runbook: Runbook,
        inputs: dict[str, Any],
        origins: dict[str, str],
        subject: str,
        person: Person,
        *,
        alert: Alert | None = None,
    ) -> str:
        """Begin a walk; it runs as a task of this loop. Returns its id.

        Args:
            subject: key of the application (`namespace/name`), or ``.

        Raises:
            JournalError: it cannot be recorded, so it is not begun.
        """
        now = self._kit.clock.now()
        walk_id = f"w-{datetime.fromtimestamp(now, UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
        lock = lock_walk(self._kit.folder, walk_id, self._kit.actor)
        try:
            event = Started(
                at=now,
                walk=walk_id,
                runbook=runbook.id,
                version=runbook.version,
                hash=runbook.hash,
                text=runbook.text,
                inputs=inputs,
                origins=origins,
                cluster=self._cluster,
                subject=subject,
                actor=self._kit.actor,
                tool=f"console {console.__version__}",
                slo=slo_snapshot(self._kit.world.board()),
                alert=alert,
            )
            walk = fold([self._kit.journal.append(walk_id, event, expected=0)])
        except BaseException:
            lock.close()
            raise
        self._run(runbook, walk, person, lock)
        return walk_id

    async def resume(self, walk_id: str, person: Person, *, bind: bool = False) -> None:
        """Go on with a walk that was left, by a crash or on purpose.

        Args:
            bind: walk the copy of the runbook that the walk has stored, although the library has another text now.

        Raises:
            UsageError: there is no such walk, it has ended, it belongs to another cluster, or the runbook's text is
                another one than it began with.
            RefusedError: another process walks it.
            JournalError: its chain is broken.
        """
        if walk_id in self._tasks and not self._tasks[walk_id].done():
            raise UsageError(f"walk {walk_id} is being walked already")
        lock = lock_walk(self._kit.folder, walk_id, self._kit.actor)
        try:
            walk = checked(self._kit.journal, walk_id)
            if walk.ended is not None and walk.pending is None and walk.in_doubt is None:
                raise UsageError(f"walk {walk_id} has ended: {walk.outcome}", hint="console incident show " + walk_id)
            if other := await identity.other_cluster(self._kit.connection, walk.cluster):
                raise UsageError(other, hint=f"its context is {walk.cluster.get('context')!r}")
            runbook = bound(walk, self._library, bind=bind)
            because = "with the runbook as it was stored" if bind else ""
            event = Resumed(self._kit.clock.now(), self._kit.actor, because)
            walk = apply(walk, self._kit.journal.append(walk_id, event, expected=walk.events))
        except BaseException:
            lock.close()
            raise
        self._run(runbook, walk, person, lock)

    def drift(self, walk_id: str) -> tuple[str, ...]:
        """How the runbook's text differs now from the copy that the walk has stored, as a unified diff."""
        return drift(load(self._kit.journal, walk_id), self._library)

    def walks(self) -> tuple[Walk, ...]:
        """The walks of this session and the unfinished ones of earlier sessions on this cluster, newest first."""
        known = dict(self._known())
        known.update({id: runner.walk for id, runner in self._runners.items()})
        return tuple(sorted(known.values(), key=lambda walk: (walk.started, walk.id), reverse=True))

    def question(self, walk_id: str) -> Question | None:
        """What is being asked on this walk, if anything."""
        runner = self._runners.get(walk_id)
        return None if runner is None else runner.question

    def active(self, walk_id: str) -> bool:
        """Whether this process is on the walk."""
        task = self._tasks.get(walk_id)
        return task is not None and not task.done()

    async def wait(self, walk_id: str) -> Walk:
        """The walk once it has ended, was left in doubt, or was stopped. Errors of the walk are raised here."""
        task = self._tasks.get(walk_id)
        if task is None:
            return load(self._kit.journal, walk_id)
        await asyncio.wait({task})
        return self._runners[walk_id].walk if task.cancelled() else task.result()

    async def stop(self, walk_id: str, by: str, because: str = "") -> Walk:
        """End a walk unresolved. One whose change is in doubt cannot end: it is left, with a note."""
        return await self._end(walk_id, "unresolved", "stopped", by, because)

    async def hand_over(self, walk_id: str, by: str, because: str = "") -> Walk:
        """End a walk by handing it over to somebody else."""
        return await self._end(walk_id, "handed_over", "handed over", by, because)

    async def note(self, walk_id: str, text: str, by: str) -> None:
        """Add a note to a walk, whether it runs, was left or has ended."""
        event = Noted(self._kit.clock.now(), clean(text, lines=True), clean(by))
        runner = self._runners.get(walk_id)
        if runner is not None and self.active(walk_id):
            runner.emit(replace(event, step=runner.walk.current))
            return
        with contextlib.closing(lock_walk(self._kit.folder, walk_id, self._kit.actor)):
            walk = load(self._kit.journal, walk_id)
            self._keep(apply(walk, self._kit.journal.append(walk_id, event, expected=walk.events)))

    async def rollback(self, walk_id: str, effect_id: str, person: Person) -> Walk:
        """Roll back a change of a walk that is not being walked, through the gate.

        Raises:
            UsageError: there is no such change, or it has no way back.
        """
        if self.active(walk_id):
            raise UsageError(f"walk {walk_id} is being walked: its own verification offers the rollback")
        lock = lock_walk(self._kit.folder, walk_id, self._kit.actor)
        try:
            walk = checked(self._kit.journal, walk_id)
            if effect_id not in walk.rollbacks:
                raise UsageError(
                    f"walk {walk_id} has no change {effect_id!r} that could be rolled back",
                    hint="those are: " + ", ".join(walk.rollbacks) if walk.rollbacks else None,
                )
            event = Offered(self._kit.clock.now(), walk.current, effect_id, "yes", person.name)
            walk = apply(walk, self._kit.journal.append(walk_id, event, expected=walk.events))
        except BaseException:
            lock.close()
            raise
        self._run(stored(walk), walk, person, lock)
        return await self.wait(walk_id)

    async def leave(self, walk_id: str) -> None:
        """Stop walking without ending the walk: it can be resumed. A change that was begun gets its result first."""
        task = self._tasks.get(walk_id)
        if task is not None and not task.done():
            task.cancel()
            await asyncio.wait({task})

    async def close(self) -> None:
        """Leave every walk."""
        for walk_id in list(self._tasks):
            await self.leave(walk_id)

    @staticmethod
    def exit_code(walk: Walk) -> Exit:
        """What a command that walked it exits with."""
        if walk.outcome in ("resolved", "mitigated", "not_applicable"):
            return Exit.OK
        refused = any(step.state == "refused" for step in walk.steps)
        return Exit.REFUSED if refused and not walk.writes and walk.ended is not None else Exit.UNHEALTHY

    def _run(self, runbook: Runbook, walk: Walk, person: Person, lock: FileLock) -> None:
        runner = Runner(self._kit, runbook, walk, person, self._on_change)
        self._runners[walk.id], self._locks[walk.id] = runner, lock
        task = asyncio.get_running_loop().create_task(runner.run(), name=f"walk {walk.id}")
        self._tasks[walk.id] = task
        task.add_done_callback(lambda _: lock.close())
        self._on_change(walk, None)

    async def _end(
        self, walk_id: str, outcome: Literal["unresolved", "handed_over"], verb: str, by: str, because: str
    ) -> Walk:
        await self.leave(walk_id)
        with contextlib.closing(lock_walk(self._kit.folder, walk_id, self._kit.actor)):
            walk = load(self._kit.journal, walk_id)
            said = f"{verb} by {clean(by)}" + (f": {clean(because)}" if because else "")
            now, open_intent = self._kit.clock.now(), walk.pending is not None or walk.in_doubt is not None
            if walk.ended is not None:
                return walk
            event: Noted | Ended = Ended(
                now, _outcome(outcome), said, walk.current, slo_snapshot(self._kit.world.board())
            )
            if open_intent:
                event = Noted(now, f"{said}, while a change was in doubt: the walk stays open", clean(by), walk.current)
            walk = apply(walk, self._kit.journal.append(walk_id, event, expected=walk.events))
        self._keep(walk)
        return walk

    def _keep(self, walk: Walk) -> None:
        if walk.id in self._runners:
            self._runners[walk.id].walk = walk
        else:
            self._known()[walk.id] = walk
        self._on_change(walk, None)

    def _known(self) -> dict[str, Walk]:
        if self._walks is None:
            self._walks = {}
            for head in self._kit.journal.walks()[:REMEMBERED]:
                with contextlib.suppress(JournalError, UsageError, ValueError):
                    walk = load(self._kit.journal, head.walk)
                    ours = walk.cluster.get("server") == self._cluster.get("server")
                    if ours and (walk.ended is None or walk.pending is not None):
                        self._walks[walk.id] = walk
        return self._walks


def _outcome(word: str) -> Outcome:
    return "handed_over" if word == "handed_over" else "unresolved"
