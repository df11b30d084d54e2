"""Plays a runbook without a cluster: asks `todo`, answers from a script, and lets a world say what follows a write."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from console.actions import verb_of
from console.actions.effects import Effect
from console.board.model import Board
from console.runbook import inputs, steps
from console.runbook.afterwards import lookback
from console.runbook.context.build import build
from console.runbook.context.query import with_query
from console.runbook.model import Runbook
from console.runbook.walk import (
    AnyEvent,
    Applied,
    ChangeRefused,
    Confirmed,
    Intent,
    Landed,
    Offered,
    Started,
    Walk,
    fold,
)
from console.sources.files.runbooks import Library

LIBRARY = Library.read()
World = Callable[[float, float | None], Board]
"""(now, time of the first write or None) → the board."""


@dataclass
class Player:
    """One walk. `answers`: step → choice; a change is confirmed unless its step is in `refuse`."""

    runbook: Runbook
    world: World
    answers: dict[str, str] = field(default_factory=dict)
    refuse: frozenset[str] = frozenset()
    given: dict[str, str] = field(default_factory=dict)
    app: str = "spark-jobs/etl-orders"
    roll_back: str = "no"
    samples: Any = None
    now: float = 1_795_000_000.0
    events: list[AnyEvent] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)
    before: dict[str, Any] = field(default_factory=dict)
    obj: dict[str, Any] | None = None

    @property
    def walk(self) -> Walk:
        return fold(self.events)

    def board(self) -> Board:
        return self.world(self.now, self.walk.changed if self.events else None)

    def ctx(self) -> dict[str, Any]:
        walk = self.walk
        return build(
            self.board(), app=walk.inputs["app"], walk=walk, inputs=walk.inputs, now=self.now, runbook=self.runbook
        )

    def start(self) -> None:
        book = self.runbook
        settled = inputs.resolve(book, self.world(self.now, None), app=self.app, given=self.given)
        assert not settled.missing, settled.missing
        self.events.append(
            Started(
                self.now, "w", book.id, book.version, book.hash, book.text, settled.inputs, settled.origins, {},
                self.app, "test", "test", {s.id: {"state": s.state} for s in self.board().slos},
            )
        )  # fmt: skip

    def play(self, limit: int = 4000) -> Walk:
        self.start()
        for _ in range(limit):
            if not self.step():
                return self.walk
        raise AssertionError(f"no end: {self.walk.path}")

    def step(self) -> bool:
        """Do what is due; False once the walk has ended."""
        walk, book, now = self.walk, self.runbook, self.now
        match steps.todo(book, walk):
            case steps.Nothing():
                return False
            case steps.Enter(step=id):
                self.events += steps.enter(book, walk, id, self.ctx(), now)
            case steps.Judge(step=step):
                ctx = self.ctx()
                if steps.query(step, ctx):
                    ctx = with_query(ctx, self.samples, "no Prometheus")
                self.events.append(steps.judge(book, step, ctx, now))
            case steps.AskPerson(step=step):
                steps.question(step, self.ctx(), book.id)
                value = self.answers.get(step.id, "ok")
                self.events.append(steps.answer(book, step, value, "test", now))
            case steps.Escalate(step=step):
                self.events.append(steps.escalated(book, step, self.ctx(), now))
            case steps.AwaitAnswer(step=step):
                value = self.answers.get(step.id, "ok")
                due = walk.escalated.due if walk.escalated is not None else None
                if value == steps.LEAVE and due is not None:
                    self.now = due
                    self.events.append(steps.unanswered(book, step, due))
                else:
                    self.events.append(steps.escalation_answered(book, step, walk, value, "test", now))
            case steps.MakeChange(step=step) | steps.RunScript(step=step):
                effect = steps.effect(book, walk, step, self.ctx(), LIBRARY.scripts, LIBRARY.catalogue)
                self.effects.append(effect)
                if step.id in self.refuse:
                    goto = steps.route(book, step, "refused")
                    self.events.append(ChangeRefused(now, step.id, effect.id, "person", "no", goto))
                else:
                    self.write(step.id, effect, steps.route(book, step, "applied"))
            case steps.Undo(step=step, rollback=rollback):
                self.effects.append(rollback)
                self.write(step.id if step else "", rollback, "")
            case steps.LookBack(rollback=rollback):
                self.now += lookback.LONGEST
                self.events.append(lookback.looked(walk, rollback, self.obj, self.board(), book, self.now))
            case steps.Offer(step=step, effect=effect):
                answer: Any = self.roll_back
                self.events.append(Offered(now, step.id, effect.id, answer, "test"))
            case steps.Hold(step=step):
                self.events += steps.hold(step, self.ctx(), walk, now)
                self.now += max(step.poll, 30.0)
            case steps.Pause(step=step):
                self.now = max(self.now, steps.pause(step, self.ctx(), walk))
                self.events.append(steps.waited(book, step, self.now))
            case steps.Landing(intent=intent, answer=""):
                self.events.append(Landed(now, intent.step, intent.effect.id, "unknown"))
            case steps.Landing(intent=intent):
                self.events.append(Landed(now, intent.step, intent.effect.id, "no"))
            case steps.Finish(step=id, outcome=outcome, because=because):
                self.events.append(steps.finish(book, walk, id, outcome, because, self.ctx(), now, {}))
        return True

    def write(self, step: str, effect: Effect, goto: str) -> None:
        rollback = verb_of(effect.action).inverse(effect, self.before) if effect.reversible else None
        self.events += [
            Confirmed(self.now, step, effect.id, "", "test"),
            Intent(self.now, step, effect, self.before, 1, rollback),
            Applied(self.now, step, effect.id, True, goto=goto),
        ]
