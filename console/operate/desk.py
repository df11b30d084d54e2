"""The desk: walks are started, resumed, stopped, noted on and handed over here. One desk per connection."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import console
from console.base.clock import Clock
from console.base.errors import Exit, UsageError
from console.base.text import clean
from console.facts.model import Alert
from console.operate import bounds, identity, leaving, undone
from console.operate.binding import RunbookSource, bound, checked, drift, load, stored
from console.operate.journal import Journal, JournalError
from console.operate.known import KnownWalks
from console.operate.locks import FileLock, lock_walk, walked_by
from console.operate.person import Person, Question
from console.operate.policy import ChangeRules
from console.operate.runner import Publish, Runner
from console.operate.world import WalkEnvironment, WalkView, costed, impact_at_end, impact_snapshot, slo_snapshot
from console.runbook.afterwards.recurrence import WhatFollowed, watched
from console.runbook.context.objects import LiveObject
from console.runbook.language.link import texts
from console.runbook.model import Runbook
from console.runbook.walk import (
    Followed,
    Noted,
    Offered,
    Resumed,
    Started,
    Walk,
    WalkLeft,
    apply,
    fold,
)
from console.wire.connection import Connection
from console.wire.writer import Writer

GIVES_WAY = 1.0
"""Real seconds after which it is looked whether somebody took a walk over."""


class Desk:
    """Everything that may change one cluster.

    Args:
        connection: open and identified.
        library: the runbooks and scripts of now.
        cluster: what walks are pinned to; None takes it from the connection's identity and the rules.
        on_change: called in the loop with each walk after each of its events, and with its open question.
        folder: where locks and short-lived files lie; None means beside the journal.
        session: who walks, in parts (`Started.session`); the identity in Kubernetes is added.
    """

    def __init__(
        self,
        *,
        connection: Connection,
        journal: Journal,
        rules: ChangeRules,
        clock: Clock,
        world: WalkView,
        library: RunbookSource,
        actor: str,
        cluster: dict[str, Any] | None = None,
        on_change: Publish | None = None,
        folder: Path | None = None,
        session: Mapping[str, Any] | None = None,
    ) -> None:
        writer = None if rules.mode == "read-only" else Writer(connection)
        where = folder if folder is not None else journal.path.parent
        self._env = WalkEnvironment(
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
        who = connection.identity.impersonating or connection.identity.user
        self._session = {**(session or {}), **({"kubernetes": who} if who else {})}
        self._library = library
        self._cluster = cluster if cluster is not None else identity.of(connection, rules)
        self._on_change = on_change or (lambda walk, question: None)
        self._runners: dict[str, Runner] = {}
        self._tasks: dict[str, asyncio.Task[Walk]] = {}
        self._locks: dict[str, FileLock] = {}
        self._watches: set[asyncio.Task[None]] = set()
        self._known = KnownWalks(journal, clock, self._cluster.get("server"), self._runners, self.active)

    async def start(
        self,
        runbook: Runbook,
        inputs: dict[str, Any],
        origins: dict[str, str],
        subject: str,
        person: Person,
        *,
        alert: Alert | None = None,
        remarks: tuple[str, ...] = (),
        finding: str = "",
        trouble: str = "",
    ) -> str:
        """Begin a walk; it runs as a task of this loop. Returns its id.

        Args:
            subject: key of the application (`namespace/name`), or ``.
            remarks: what a person should know before the first step.
            finding: key of the finding that it is for, and `trouble` its title.

        Raises:
            JournalError: it cannot be recorded, so it is not begun.
        """
        now = self._env.clock.now()
        walk_id = f"w-{datetime.fromtimestamp(now, UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
        lock, board = lock_walk(self._env.folder, walk_id, self._env.actor), self._env.world.board()
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
                cluster={**self._cluster, "rules": bounds.kept(self._env.rules)},
                subject=subject,
                actor=self._env.actor,
                tool=f"console {console.__version__}",
                slo=slo_snapshot(board),
                alert=alert,
                remarks=remarks,
                finding=finding,
                trouble=clean(trouble),
                parts=texts(runbook),
                session=self._session,
                impact=impact_snapshot(board, subject, alert),
                uid=app.uid if (app := board.app(subject)) is not None else "",
            )
            walk = fold([self._env.journal.append(walk_id, event, expected=0)])
        except BaseException:
            lock.close()
            raise
        self._run(runbook, walk, person, lock)
        return walk_id

    async def resume(self, walk_id: str, person: Person, *, bind: bool = False, because: str = "") -> None:
        """Go on with a walk that was left, by a crash or on purpose, or take it from who is on it.

        Args:
            bind: walk the copy of the runbook that the walk has stored, although the library has another text now.
            because: why it is taken over.

        Raises:
            UsageError: there is no such walk, it has ended, it belongs to another cluster, or the runbook's text is
                another one than it began with.
            RefusedError: another process walks it.
            JournalError: its chain is broken.
        """
        if walk_id in self._tasks and not self._tasks[walk_id].done():
            raise UsageError(f"walk {walk_id} is being walked already")
        env = self._env
        if because:
            if other := await identity.other_cluster(env.connection, load(env.journal, walk_id).cluster):
                raise UsageError(other)
            lock = leaving.take_over(
                env.journal, env.folder, walk_id,
                by=env.actor, because=because, session=self._session, now=env.clock.now(),
            )  # fmt: skip
        else:
            lock = lock_walk(env.folder, walk_id, env.actor)
        try:
            walk = checked(env.journal, walk_id)
            if walk.ended is not None and walk.pending is None and walk.in_doubt is None:
                raise UsageError(f"walk {walk_id} has ended: {walk.outcome}", hint="console incident show " + walk_id)
            if other := await identity.other_cluster(self._env.connection, walk.cluster):
                raise UsageError(other, hint=f"its context is {walk.cluster.get('context')!r}")
            runbook = bound(walk, self._library, bind=bind)
            copy = "with the runbook as it was stored" if bind else ""
            event = Resumed(self._env.clock.now(), self._env.actor, copy, self._session)
            walk = apply(walk, self._env.journal.append(walk_id, event, expected=walk.events))
        except BaseException:
            lock.close()
            raise
        self._run(runbook, walk, person, lock)

    def drift(self, walk_id: str) -> tuple[str, ...]:
        """How the runbook's text differs now from the copy that the walk has stored, as a unified diff."""
        return drift(load(self._env.journal, walk_id), self._library)

    def walks(self) -> tuple[Walk, ...]:
        """The walks of this session and the unfinished ones of others on this cluster, newest first."""
        known = dict(self._known.now())
        for id, runner in self._runners.items():
            if id not in known or runner.walk.events >= known[id].events:
                known[id] = runner.walk
        return tuple(sorted(known.values(), key=lambda walk: (walk.started, walk.id), reverse=True))

    @property
    def unread(self) -> tuple[tuple[str, str], ...]:
        """Walks of earlier sessions that cannot be read, and why: (id, or `journal` for all of them; the reason)."""
        self._known.now()
        return tuple(self._known.unread.items())

    def question(self, walk_id: str) -> Question | None:
        """What is being asked on this walk, if anything."""
        runner = self._runners.get(walk_id)
        return None if runner is None else runner.question

    def looked(self, walk_id: str) -> dict[str, LiveObject]:
        """The live objects that the runbook of a walk names, as this process read them last."""
        runner = self._runners.get(walk_id)
        return {} if runner is None else runner.looked

    def walked_by(self, walk_id: str) -> str:
        """Which process is on the walk, of this machine: `ada (process 7)`, `` where there is none."""
        return walked_by(self._env.folder, walk_id)

    def active(self, walk_id: str) -> bool:
        """Whether this process is on the walk."""
        task = self._tasks.get(walk_id)
        return task is not None and not task.done()

    async def wait(self, walk_id: str) -> Walk:
        """The walk once it has ended, was left in doubt, or was stopped. Errors of the walk are raised here."""
        task = self._tasks.get(walk_id)
        if task is None:
            return load(self._env.journal, walk_id)
        await asyncio.wait({task})
        if not task.cancelled():
            return task.result()
        runner = self._runners[walk_id]
        return load(self._env.journal, walk_id) if runner.taken is not None else runner.walk

    async def stop(self, walk_id: str, by: str, because: str = "") -> Walk:
        """End a walk unresolved. One whose change is in doubt cannot end: it is left, with a note."""
        await self.leave(walk_id)
        env, board = self._env, self._env.world.board()
        ended = load(env.journal, walk_id)
        walk = leaving.stop(
            env.journal,
            env.folder,
            walk_id,
            by=by,
            because=because,
            now=env.clock.now(),
            slo=slo_snapshot(board, ended.changed),
            impact=impact_at_end(board, ended),
        )
        self._keep(walk)
        return walk

    async def hand_over(self, walk_id: str, by: str, text: str = "") -> Walk:
        """Leave a walk to somebody else: it waits where it stands until `resume` takes it up."""
        await self.leave(walk_id)
        env = self._env
        now, board = env.clock.now(), env.world.board()
        walk = leaving.hand_over(env.journal, env.folder, walk_id, by=by, text=text, now=now, board=board)
        self._keep(walk)
        return walk

    async def note(self, walk_id: str, text: str, by: str) -> None:
        """Add a note to a walk, whether it runs, was left or has ended."""
        env, runner = self._env, self._runners.get(walk_id)
        if runner is not None and self.active(walk_id):
            runner.emit(Noted(env.clock.now(), clean(text, lines=True), clean(by), runner.walk.current))
        else:
            self._keep(leaving.note(env.journal, env.folder, walk_id, by=by, text=text, now=env.clock.now()))

    async def follow(self, walk_id: str, found: WhatFollowed) -> None:
        """Record what became of a walk that had ended well. Another process may have done so already.

        Raises:
            RefusedError: another process is on the walk. JournalError: it cannot be recorded.
        """
        with leaving.alone(self._env.journal, self._env.folder, walk_id, self._env.actor) as walk:
            if watched(walk) and (found.kind == "recurred" or walk.still_to_do):
                target, reader = found.target, self._env.connection.reader if found.target is not None else None
                who = await undone.by_whom(reader, target, found.pointer) if target and reader else ""
                said = f"{found.because}; {who}" if who else found.because
                event = Followed(self._env.clock.now(), found.kind, clean(said))
                walk = leaving.write(self._env.journal, walk, event)
        self._keep(walk)

    async def rollback(self, walk_id: str, effect_id: str, person: Person) -> Walk:
        """Roll back a change of a walk that is not being walked, through the gate; an open one waits on afterwards.

        Raises:
            UsageError: there is no such change, or it has no way back.
        """
        if self.active(walk_id):
            raise UsageError(f"walk {walk_id} is being walked: its own verification offers the rollback")
        lock = lock_walk(self._env.folder, walk_id, self._env.actor)
        try:
            walk = checked(self._env.journal, walk_id)
            if effect_id not in walk.rollbacks:
                raise UsageError(
                    f"walk {walk_id} has no change {effect_id!r} that could be rolled back",
                    hint="those are: " + ", ".join(walk.rollbacks) if walk.rollbacks else None,
                )
            event = Offered(self._env.clock.now(), walk.current, effect_id, "yes", person.name)
            walk = apply(walk, self._env.journal.append(walk_id, event, expected=walk.events))
        except BaseException:
            lock.close()
            raise
        self._run(stored(walk), walk, person, lock, undo=True)
        return await self.wait(walk_id)

    async def leave(self, walk_id: str) -> None:
        """Stop walking without ending the walk: it can be resumed. A change that was begun gets its result first."""
        task = self._tasks.get(walk_id)
        if task is not None and not task.done():
            task.cancel()
            await asyncio.wait({task})

    async def close(self) -> None:
        """Leave every walk; those that are open have it recorded who left them."""
        for walk_id, task in list(self._tasks.items()):
            on_it = not task.done()
            await self.leave(walk_id)
            walk = self._runners[walk_id].walk
            if on_it and walk.ended is None and walk.handed is None:
                left = WalkLeft(self._env.clock.now(), self._env.actor, walk.current)
                event = costed(left, self._env.world.board(), walk)
                with contextlib.suppress(JournalError):  # somebody took it up in this moment, or nothing can be written
                    leaving.write(self._env.journal, walk, event)

    @staticmethod
    def exit_code(walk: Walk) -> Exit:
        """What a command that walked it exits with."""
        if walk.outcome in ("resolved", "mitigated", "not_applicable") and not walk.recurred:
            return Exit.OK
        refused = any(step.state == "refused" for step in walk.steps)
        return Exit.REFUSED if refused and not walk.writes and walk.ended is not None else Exit.UNHEALTHY

    def _run(self, runbook: Runbook, walk: Walk, person: Person, lock: FileLock, *, undo: bool = False) -> None:
        runner = Runner(self._env, runbook, walk, person, self._on_change)
        self._runners[walk.id], self._locks[walk.id] = runner, lock
        task = asyncio.get_running_loop().create_task(runner.run(undo=undo), name=f"walk {walk.id}")
        self._tasks[walk.id] = task
        task.add_done_callback(lambda _: lock.close())
        self._watches.add(watch := asyncio.get_running_loop().create_task(self._give_way(runner, task)))
        watch.add_done_callback(self._watches.discard)
        self._on_change(walk, None)

    async def _give_way(self, runner: Runner, task: asyncio.Task[Walk]) -> None:
        """Stop walking where somebody took the walk over; what was begun gets its result first, where it still can."""
        stamp = self._env.journal.stamp()
        while not task.done():
            await asyncio.wait({task}, timeout=GIVES_WAY)
            if stamp != (stamp := self._env.journal.stamp()) and runner.taken_over():
                task.cancel()
                await asyncio.wait({task})
                self._keep(load(self._env.journal, runner.walk.id))

    def _keep(self, walk: Walk) -> None:
        if walk.id in self._runners:
            self._runners[walk.id].walk = walk
        else:
            self._known.keep(walk)
        self._on_change(walk, None)
