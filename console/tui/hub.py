"""What pages may use: the present values, and the few things that they can ask for. No widget, no cluster."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from console.health.facts import Alert
from console.health.model import Board, Cluster
from console.live.situation import Focus, FocusOn, Situation
from console.runbook.model import Runbook

if TYPE_CHECKING:
    from console.health.advice.model import Report
    from console.operate.person import Person, Reply
    from console.tui.planned import Planned


class Source(Protocol):
    """What the UI needs of `console.live.Live`."""

    def start(self) -> None: ...

    def stop(self, timeout: float = 5.0) -> None: ...

    def subscribe(
        self, situation: Callable[[Situation], None], focus: Callable[[Focus], None] | None = None
    ) -> None: ...

    @property
    def situation(self) -> Situation: ...

    def focus(self, on: FocusOn) -> None: ...

    def begin(
        self,
        runbook: str,
        *,
        app: str = "",
        alert: Alert | None = None,
        given: Mapping[str, str] | None = None,
        person: Person | None = None,
    ) -> Future[str]: ...

    def resume(self, walk: str, person: Person | None = None, *, bind: bool = False) -> Future[str]: ...

    def drift(self, walk: str) -> Future[tuple[str, ...]]: ...

    def reply(self, walk: str, reply: Reply | None) -> Future[None]: ...

    def note(self, walk: str, text: str) -> Future[None]: ...

    def hand_over(self, walk: str, because: str) -> Future[None]: ...

    def stop_walk(self, walk: str, because: str = "stopped") -> Future[None]: ...

    def rollback(self, walk: str, effect: str) -> Future[None]: ...

    def timeline(self, walk: str) -> Future[str]: ...

    def advise(self, app: str = "") -> Future[Report]: ...


class Host(Protocol):
    """What the UI's one screen does for pages."""

    def push(self, page: Any) -> None: ...

    def pop(self) -> None: ...

    def ask(self, label: str, done: Callable[[str | None], None], *, value: str = "", live: bool = False) -> None:
        """Read a line at the bottom. With `live` every keystroke calls `done`; None means escape."""
        ...

    def say(self, text: str, *, bad: bool = False) -> None:
        """A notice at the bottom."""
        ...

    def refresh_page(self) -> None: ...

    def turn_panel(self, *, follow: bool = False) -> None:
        """The page shows something else now: from its first line, or `follow`ing its last one."""
        ...

    def once(self, act: Callable[[Situation], bool]) -> None:
        """Call `act` with the present and every later situation until it says True."""
        ...

    def when_done(self, future: Future[Any], done: Callable[[Any], None]) -> None:
        """Call `done` with the future's result on the UI thread; an error becomes a notice."""
        ...

    def export(self, name: str, text: str) -> None:
        """Write a file for the person and say where it lies."""
        ...


@dataclass
class Hub:
    """The present values. Pages read them; only the host changes them."""

    source: Source
    host: Host
    runbooks: Mapping[str, Runbook]
    situation: Situation = field(default_factory=lambda: Situation(Board(at=0.0, cluster=Cluster(), verdict="UNKNOWN")))
    focus: Focus = field(default_factory=lambda: Focus(FocusOn()))
    actor: str = ""
    planned: Planned | None = None

    @property
    def board(self) -> Board:
        return self.situation.board
