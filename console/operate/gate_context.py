"""What an effect needs to pass the gate, and how a stage of it says no."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from console.actions.effects import Effect
from console.base.clock import Clock
from console.base.errors import ConsoleError
from console.base.text import clean
from console.operate.approvals.waiting import SecondPerson
from console.operate.journal import JournalledChange
from console.operate.locks import Locks
from console.operate.person import Person
from console.operate.policy import ChangeRules
from console.operate.scripts.runs import ScriptRunner
from console.runbook.editing import Editable
from console.runbook.walk import AnyEvent, ChangeRefused
from console.wire.reader import Reader
from console.wire.writer import Writer

By = Literal["person", "policy", "mode", "permission", "lock", "server", "changed", "obstacle"]


class GateRefusal(ConsoleError):
    """A stage said no."""

    def __init__(self, by: By, because: str) -> None:
        super().__init__(because)
        self.by = by


class ValueEdited(Exception):
    """Instead of a yes or a no, the person set the proposed value otherwise."""

    def __init__(self, value: str, by: str) -> None:
        super().__init__(value)
        self.value, self.by = value, by


@dataclass(frozen=True)
class GateContext:
    """What an effect needs to pass.

    Attributes:
        applied_to, refused_to, failed_to: step ids where each end leads.
        writer, locks: None in a read-only context: there is nothing that could write.
        other_cluster: why the connection is not to the cluster that the walk is pinned to, `` where it is.
        emit: journals an event, which is on disk when it returns, and publishes the walk.
        head: hash of the walk's last record.
        recent: changes of the last hour, and of the last `rules.cooldown` seconds.
        runbook, subject: what is walked, and what it is about.
        worse: what burns more than when the walk began, in words; `` where nothing does.
        touched: objects that the step has changed already.
        editable: the value of the change that may be set otherwise before it is confirmed, or None.
        reason: why it is asked (again), `` for no special reason.
        kept: below which folder is kept what a change ends; None keeps nothing.
        second: how somebody else is asked; None where nobody can be.
    """

    walk: str
    step: str
    rules: ChangeRules
    clock: Clock
    reader: Reader
    writer: Writer | None
    locks: Locks | None
    person: Person
    actor: str
    cluster: str
    other_cluster: Callable[[], Awaitable[str]]
    emit: Callable[[AnyEvent], None]
    head: Callable[[], str]
    run_script: ScriptRunner
    recent: Callable[[], tuple[JournalledChange, ...]] = tuple
    touched: frozenset[str] = field(default_factory=frozenset)
    applied_to: str = ""
    refused_to: str = ""
    failed_to: str = ""
    editable: Editable | None = None
    reason: str = ""
    second: SecondPerson | None = None
    kept: Path | None = None
    runbook: str = ""
    subject: str = ""
    worse: Callable[[], str] = str

    def refuse(self, effect: Effect, by: By, because: str) -> ChangeRefused:
        """Journal a refusal."""
        event = ChangeRefused(self.clock.now(), self.step, effect.id, by, clean(because), self.refused_to)
        self.emit(event)
        return event
